/* SPDX-License-Identifier: MIT
 *
 * bench/side.c: how the two servers are started and loaded, and small things that all scenarios
 * use.
 */
#include "base/rand.h"
#include "bench/die.h"
#include "bench/scenes.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define APP_ID "bench"
#define APP_KEY "bench-key"
#define APP_SECRET "bench-secret"
#define ARGS 48

/* The arguments of a server's command line. */
struct args {
    size_t n;
    char text[ARGS][512];
    char *argv[ARGS + 1];
};

static void add(struct args *a, const char *arg)
{
    CHECK(a->n < ARGS && strlen(arg) < sizeof a->text[0]);
    memcpy(a->text[a->n], arg, strlen(arg) + 1);
    a->argv[a->n] = a->text[a->n];
    a->argv[++a->n] = NULL;
}

/* Whether the program has the option `store`: ones of older commits refuse it. */
static bool has_store(const char *program)
{
    int status = 0;
    pid_t pid = fork();
    if (pid < 0) die_errno("fork");
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0) _exit(126);
        execl(program, program, "help", "store", (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid) die_errno("waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static unsigned workers_of(const struct bench *b, const struct side_start *start)
{
    return start->workers ? start->workers : b->workers;
}

static void note_workers(struct bench *b, unsigned n)
{
    struct report_range *used = &b->used_workers;
    if (!used->least || n < used->least) used->least = n;
    if (n > used->most) used->most = n;
}

static void add_sets(struct args *a, const char *const *sets, size_t n)
{
    for (size_t i = 0; i < n && sets[i]; i++) {
        add(a, "--set");
        add(a, sets[i]);
    }
}

static void add_peal(struct args *a, const struct bench *b, const struct side_start *start)
{
    static const char *const fixed[] = {
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--set",
        "admin.listen=127.0.0.1:0",
        "--app",
        APP_ID ":" APP_KEY ":" APP_SECRET,
        "--log-level",
        "error",
        "--workers",
    };
    char workers[16];
    snprintf(workers, sizeof workers, "%u", workers_of(b, start));
    const char *program = start->program ? start->program : b->peal;
    add(a, program);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) add(a, fixed[i]);
    add(a, workers);
    if (has_store(program)) {
        add(a, "--set");
        add(a, "store=none");
    }
    add_sets(a, start->sets, SIDE_SETS);
    add_sets(a, b->sets, BENCH_SETS);
}

static void add_floor(struct args *a, const struct bench *b, enum floor_kind kind)
{
    add(a, b->floor);
    if (kind == FLOOR_JOIN) add(a, "--join");
    if (kind == FLOOR_ACCEPT) add(a, "--accept");
}

/* Where the clients find it. */
static void aim(struct side *s)
{
    static struct hmac_key *secret;
    struct diag d;
    if (!secret) secret = hmac_key_new(SPAN(APP_SECRET));
    if (!secret || load_target_find(&s->target, "127.0.0.1", s->proc.port, &d))
        die("out of memory");
    int n = snprintf(s->host, sizeof s->host, "127.0.0.1:%u", s->proc.port);
    s->target.host = span_of(s->host, (size_t)n);
    s->target.path = SPAN("");
    s->target.id = SPAN(APP_ID);
    s->target.run = (uint32_t)rand_u64();
    s->target.keys =
        (struct auth_keys) { .key = SPAN(APP_KEY), .secrets = &secret, .n_secrets = 1 };
}

void side_start(struct bench *b, struct side *s, const struct side_start *start)
{
    static struct args args;
    args.n = 0;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; start->wrapper[i]; i++) add(&args, start->wrapper[i]);
    if (start->side == REPORT_SUBJECT && b->peal) {
        add_peal(&args, b, start);
        note_workers(b, workers_of(b, start));
    } else {
        add_floor(&args, b, start->floor);
    }
    proc_start(&s->proc, args.argv, b->cpu);
    aim(s);
}

void side_load(struct side *s, const struct load_layout *layout, size_t n_pubs)
{
    s->load = load_new(&s->target, layout, n_pubs);
    if (!s->load) die("no memory or no descriptor for the load generator");
}

const struct load_layout *layout_one(size_t max)
{
    static struct load_layout layout = { .n_channels = 1, .per_conn = 1, .prefix = "bench" };
    layout.max = max;
    return &layout;
}

void side_crowd(struct side *s, size_t n)
{
    side_load(s, layout_one(n), 1);
    load_connect(s->load, n, CONNECT_WINDOW);
    side_check(s);
}

void side_check(const struct side *s)
{
    const struct load_faults *f = load_faults(s->load);
    if (load_clean(f)) return;
    fputs(f->n[LOAD_BROKEN] ? "bench: the load generator failed:" : "bench: the server failed:",
          stderr);
    for (enum load_fault kind = 0; kind < LOAD_FAULT_KINDS; kind++)
        if (f->n[kind])
            fprintf(stderr, " %llu %s", (unsigned long long)f->n[kind], load_fault_name(kind));
    fputc('\n', stderr);
    die("%s", load_worst(f));
}

void side_unload(struct side *s)
{
    load_free(s->load);
    s->load = NULL;
}

void side_stop(struct side *s)
{
    side_unload(s);
    proc_stop(&s->proc);
}

double side_delivery_us(struct bench *b, struct side *s, struct load_plan *plan, double ms)
{
    plan->run_ns = 0;
    load_closed(s->load, plan);
    plan->run_ns = bench_ns(b, ms);
    uint64_t cpu_ns = side_cpu_ns(s);
    struct load_done done = load_closed(s->load, plan);
    cpu_ns = side_cpu_ns(s) - cpu_ns;
    side_check(s);
    return (double)cpu_ns / 1e3 / (double)done.deliveries;
}

uint64_t side_cpu_ns(const struct side *s)
{
    return proc_cpu_ns(&s->proc);
}

/* --- the admin listener --- */

void side_fetch(uint16_t port, const char *path, char *text, size_t room)
{
    char request[256];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    const struct timeval limit = { .tv_sec = 5 };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die_errno("admin listener");
    size_t n = 0;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) die_errno("admin listener");
    for (ssize_t got; n + 1 < room && (got = recv(fd, text + n, room - n - 1, 0)) > 0;)
        n += (size_t)got;
    close(fd);
    if (n + 1 == room) die("the admin listener's answer is longer than %zu octets", room);
    text[n] = '\0';
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0)
        die("the admin listener answered GET %s with: %.60s", path, n ? text : "nothing");
}

uint64_t metric_of(const char *text, const char *name)
{
    uint64_t sum = 0;
    size_t n = strlen(name);
    bool found = false;
    for (const char *at = text; (at = strstr(at, name)); at += n) {
        const char *end = at + n;
        if (*end == '{') end = strchr(end, '}');
        if (at[-1] != '\n' || !end || (*end != ' ' && *end != '}')) continue;
        sum += strtoull(end + (*end == '}'), NULL, 10);
        found = true;
    }
    if (!found) die("GET /metrics has no %s", name);
    return sum;
}

uint64_t side_metric(const struct side *s, const char *name)
{
    static char text[262144];
    side_fetch(s->proc.admin_port, "/metrics", text, sizeof text);
    return metric_of(text, name);
}

uint64_t side_counters(const struct side *s, const char *name, uint64_t *each, size_t n)
{
    static char text[262144];
    char field[64];
    uint64_t sum = 0;
    if (!s->proc.admin_port) return 0;
    side_fetch(s->proc.admin_port, "/admin/workers", text, sizeof text);
    snprintf(field, sizeof field, "\"%s\":", name);
    const char *at = strstr(text, field);
    if (!at) die("GET /admin/workers has no %s", name);
    for (size_t i = 0; at; at = strstr(at + 1, field), i++) {
        uint64_t value = strtoull(at + strlen(field), NULL, 10);
        if (i < n) each[i] = value;
        sum += value;
    }
    return sum;
}

uint64_t side_counter(const struct side *s, const char *name)
{
    return side_counters(s, name, NULL, 0);
}

/* --- small things --- */

uint64_t bench_ns(const struct bench *b, double ms)
{
    return (uint64_t)(ms * 1e6 * b->scale);
}

size_t bench_count(const struct bench *b, size_t n)
{
    size_t m = (size_t)((double)n * b->scale);
    return m < 10 ? 10 : m;
}

uint64_t bench_own_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t bench_children_ns(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_CHILDREN, &used) != 0) die_errno("getrusage");
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
}

void bench_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

void bench_sleep_ms(unsigned ms)
{
    const struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    nanosleep(&wait, NULL);
}
