/* SPDX-License-Identifier: MIT
 *
 * server/restart.c: see restart.h.
 *
 * The check is a process of its own, made with posix_spawn: fork() would copy the page tables of a
 * server with a million connections. It gets the names of the listeners, not the descriptors: those
 * addresses are ours already, all others it probes.
 */
#include "server/restart.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/signals.h"
#include "server/inherit.h"
#include "server/server_priv.h"
#include "server/service.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 4096 /* of what the check writes; the last line of it is the reason */
#define POLL_MS 10

/* --- what the new program gets --- */

struct handover {
    char **args, **env;
    char *listeners, *generation; /* in env */
};

static size_t count(char *const *list)
{
    size_t n = 0;
    while (list && list[n]) n++;
    return n;
}

/* PATH serve [--check] ARGUMENTS */
static bool make_args(struct handover *h, const struct server *s, bool check)
{
    static char serve[] = "serve", check_flag[] = "--check";
    size_t n = count(s->origin.args), at = 0;
    h->args = mem_zalloc((n + 4) * sizeof *h->args);
    if (!h->args) return false;
    h->args[at++] = s->origin.path;
    h->args[at++] = serve;
    if (check) h->args[at++] = check_flag;
    for (size_t i = 0; i < n; i++) h->args[at++] = s->origin.args[i];
    return true;
}

static char *take_text(struct buf *b)
{
    buf_add_byte(b, '\0');
    char *text = buf_failed(b) ? NULL : mem_dup(b->p, b->n - 1);
    buf_fini(b);
    return text;
}

static char *listeners_text(const struct server *s)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, INHERIT_LISTENERS "=");
    for (size_t i = 0; i < s->n_endpoints; i++) {
        size_t n;
        const int *fds = endpoint_fds(s->endpoints[i], &n);
        for (size_t k = 0; k < n; k++)
            buf_add_fmt(&b, "%s%d:%.*s", i + k ? "," : "", fds[k],
                        SPAN_FMT(buf_span(&s->endpoint_names[i])));
    }
    return take_text(&b);
}

static bool make_env(struct handover *h, const struct server *s)
{
    size_t n = count(environ);
    struct buf generation = { 0 };
    buf_add_fmt(&generation, INHERIT_GENERATION "=%u", s->origin.generation + 1);
    h->generation = take_text(&generation);
    h->listeners = listeners_text(s);
    h->env = mem_zalloc((n + 3) * sizeof *h->env);
    if (!h->generation || !h->listeners || !h->env) return false;
    if (n) memcpy(h->env, environ, n * sizeof *h->env);
    h->env[n] = h->listeners;
    h->env[n + 1] = h->generation;
    return true;
}

static void drop(struct handover *h)
{
    mem_free(h->args);
    mem_free(h->env);
    mem_free(h->listeners);
    mem_free(h->generation);
}

static bool prepare(struct handover *h, const struct server *s, bool check, struct diag *d)
{
    *h = (struct handover) { 0 };
    if (make_args(h, s, check) && make_env(h, s)) return true;
    drop(h);
    diag_set(d, ERR_NOMEM, "out of memory");
    return false;
}

/* --- the check --- */

/* stdin is empty, stdout and stderr go into `out`; no signal is blocked or ignored. */
static int spawn(const struct handover *h, int out, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attr);
    if (!error) {
        error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (!error) error = posix_spawn_file_actions_adddup2(&files, out, 1);
        if (!error) error = posix_spawn_file_actions_adddup2(&files, out, 2);
        if (!error) error = posix_spawnattr_setsigmask(&attr, &none);
        if (!error) error = posix_spawnattr_setsigdefault(&attr, &ignored);
        if (!error)
            error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (!error) error = posix_spawn(pid, h->args[0], &files, &attr, h->args, h->env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

struct child {
    pid_t pid;
    int out; /* what it says */
    struct buf said;
    int status;
};

static void listen_to(struct child *c)
{
    char text[1024];
    for (ssize_t n; (n = read(c->out, text, sizeof text)) > 0;) {
        size_t room = SAID_MAX - c->said.n;
        buf_add(&c->said, text, (size_t)n < room ? (size_t)n : room);
    }
}

static void kill_child(struct child *c)
{
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) continue;
}

/* RESTART_GO: it ended, `status` says how. */
static enum restart_verdict await(struct server *s, struct child *c, bool *reload, struct diag *d)
{
    uint64_t end_ms = clock_mono_ms() + RESTART_CHECK_MS;
    for (;;) {
        listen_to(c);
        if (waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
            listen_to(c);
            return RESTART_GO;
        }
        if (clock_mono_ms() >= end_ms) {
            kill_child(c);
            diag_set(d, ERR_BUSY, "the new program did not end its check within %d s",
                     RESTART_CHECK_MS / 1000);
            return RESTART_NO;
        }
        service_beat(s);
        enum signals_event event = signals_wait(POLL_MS);
        if (event == SIGNALS_RELOAD) *reload = true;
        if (event != SIGNALS_STOP) continue;
        kill_child(c);
        return RESTART_STOP;
    }
}

/* The last line that it said, fit for a log. */
static struct span last_line(const struct buf *said)
{
    struct span all = buf_span(said);
    while (all.n > 0 && (unsigned char)all.p[all.n - 1] <= ' ') all.n--;
    size_t at = all.n;
    while (at > 0 && all.p[at - 1] != '\n') at--;
    return span_trim(span_skip(all, at));
}

static enum restart_verdict judge(const struct server *s, struct child *c, struct diag *d)
{
    if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0) return RESTART_GO;
    struct span line = buf_failed(&c->said) ? SPAN("") : last_line(&c->said);
    if (!utf8_valid(line)) line = SPAN("(what it said is not UTF-8)");
    bool exited = WIFEXITED(c->status);
    diag_set(d, ERR_CONFIG, "%s serve --check ended with %s %d%s%.*s", s->origin.path,
             exited ? "exit code" : "signal", exited ? WEXITSTATUS(c->status) : WTERMSIG(c->status),
             line.n ? ": " : "", (int)(line.n < 700 ? line.n : 700), line.p);
    return RESTART_NO;
}

enum restart_verdict restart_check(struct server *s, bool *reload, struct diag *d)
{
    struct handover h;
    int ends[2];
    if (!prepare(&h, s, true, d)) return RESTART_NO;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        diag_set(d, ERR_LIMIT, "no pipe for the check of the new program: %s", strerror(errno));
        drop(&h);
        return RESTART_NO;
    }
    struct child child = { .out = ends[0] };
    (void)fcntl(ends[1], F_SETFL, O_WRONLY); /* ours only reads without waiting */
    int error = spawn(&h, ends[1], &child.pid);
    close(ends[1]);
    enum restart_verdict verdict = RESTART_NO;
    if (error)
        diag_set(d, ERR_IO, "cannot run %s: %s", s->origin.path, strerror(error));
    else
        verdict = await(s, &child, reload, d);
    if (!error && verdict == RESTART_GO) verdict = judge(s, &child, d);
    close(ends[0]);
    buf_fini(&child.said);
    drop(&h);
    return verdict;
}

/* --- becoming the new program --- */

/* Listeners stay open in the new program, nothing else does. */
static void pass_on(const struct server *s, bool on)
{
    for (size_t i = 0; i < s->n_endpoints; i++) {
        size_t n;
        const int *fds = endpoint_fds(s->endpoints[i], &n);
        for (size_t k = 0; k < n; k++) CHECK(fcntl(fds[k], F_SETFD, on ? 0 : FD_CLOEXEC) == 0);
    }
}

void restart_exec(struct server *s, struct diag *d)
{
    struct handover h;
    if (!prepare(&h, s, false, d)) return;
    /* Libraries may have opened something without close-on-exec. A kernel before 5.11 cannot do
     * this; all that we opened ourselves is close-on-exec anyway. */
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    pass_on(s, true);
    execve(h.args[0], h.args, h.env);
    diag_set(d, ERR_IO, "cannot become %s: %s", h.args[0], strerror(errno));
    pass_on(s, false);
    drop(&h);
}
