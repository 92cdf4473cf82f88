/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_restart.c: peal restart: has a server on this machine restart in place, and waits until
 * it has (or has not).
 *
 * The process number comes from the server's own /live. SIGUSR2 ends a process that does not know
 * it, so the number is believed only where that process looks like a server of ours here (it may be
 * another one's in another container).
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "cli/admin_get.h"
#include "cli/cmd.h"
#include "cli/live.h"
#include "cli/settings.h"
#include "cli/text.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#define PATIENCE_MS 30000 /* more than a check (10 s), requests (2 s) and a start take */
#define ASK_MS 3000L
#define POLL_MS 50

struct request {
    struct settings settings;
    const char *admin;
    bool json;
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec)
        return diag_set(d, ERR_SYNTAX, "takes no arguments, but there is '%s'", arg->value);
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--admin"))
        req->admin = arg->value;
    else
        return settings_take(&req->settings, arg, d);
    return ERR_OK;
}

/* Whether the process has `serve` among its arguments. */
static bool is_server(uint64_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%llu/cmdline", (unsigned long long)pid);
    FILE *f = fopen(path, "re");
    if (!f) return false;
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    return memmem(text, n, "\0serve\0", 7) || (n >= 6 && memcmp(text + n - 6, "\0serve", 6) == 0);
}

static enum err send_signal(const struct live *live, struct diag *d)
{
    unsigned long long pid = live->pid;
    if (live->pid <= 1 || live->pid > INT32_MAX || !is_server(live->pid))
        return diag_set(
            d, ERR_ABSENT,
            "the server says that it is process %llu, which is no `peal serve` here: run "
            "this where the server runs (the same machine, the same container)",
            pid);
    if (kill((pid_t)live->pid, SIGUSR2) == 0) return ERR_OK;
    if (errno == EPERM)
        return diag_set(d, ERR_DENIED,
                        "process %llu is another user's: run this as that user, or with sudo", pid);
    return diag_set(d, ERR_IO, "no signal to process %llu: %s", pid, strerror(errno));
}

/* Where the admin listener is: now, and (`next` NULL: the same) with the settings that it will
 * read. */
struct places {
    const struct config_addr *now, *next;
};

/* A server with that pid that has begun anew listens where the settings say. */
static bool moved(const struct places *at, const struct live *before, struct live *now)
{
    struct diag passing;
    return at->next && live_ask(at->next, ASK_MS, now, &passing) == ERR_OK &&
           now->pid == before->pid && now->generation > before->generation;
}

/* ERR_OK: a new generation is there; ERR_CONFIG: it was refused; ERR_AGAIN: neither came. */
static enum err await(const struct places *at, const struct live *before, struct live *now,
                      struct diag *d)
{
    uint64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    while (clock_mono_ms() < end_ms) {
        poll(NULL, 0, POLL_MS);
        struct diag passing; /* no answer for a moment is part of it */
        if (live_ask(at->now, ASK_MS, now, &passing)) {
            if (moved(at, before, now)) return ERR_OK;
            continue;
        }
        if (now->pid != before->pid || now->generation != before->generation) return ERR_OK;
        if (!now->failed || now->failures == before->failures) continue;
        struct span why = buf_span(&now->why);
        return diag_set(d, ERR_CONFIG, "the server goes on as it was: %.*s", SPAN_FMT(why));
    }
    return diag_set(d, ERR_AGAIN, "no new generation within %d s; look into the server's log",
                    PATIENCE_MS / 1000);
}

static void print_done(const struct live *now, bool json)
{
    if (!json) {
        printf("restarted: generation %llu, pid %llu\n", (unsigned long long)now->generation,
               (unsigned long long)now->pid);
        return;
    }
    struct buf b = { 0 };
    json_open(&b, '{');
    json_key(&b, SPAN("ok"));
    json_bool(&b, true);
    json_key(&b, SPAN("pid"));
    json_u64(&b, now->pid);
    json_key(&b, SPAN("generation"));
    json_u64(&b, now->generation);
    json_close(&b, '}');
    text_print(stdout, buf_span(&b));
    buf_fini(&b);
}

static int code_of(enum err err)
{
    static const struct {
        enum err err;
        int code;
    } codes[] = {
        { ERR_CONFIG, EX_CONFIG },      { ERR_SYNTAX, EX_USAGE }, { ERR_DENIED, EX_NOPERM },
        { ERR_AGAIN, EX_TEMPFAIL },     { ERR_NOMEM, EX_OSERR },  { ERR_IO, EX_UNAVAILABLE },
        { ERR_CLOSED, EX_UNAVAILABLE },
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].err == err) return codes[i].code;
    return EX_UNAVAILABLE;
}

static int restart(struct request *req)
{
    struct config *cfg = NULL, *here = NULL;
    struct config_addr admin = { .kind = CONFIG_ADDR_TCP }, next = admin;
    struct live before = { 0 }, now = { 0 };
    struct diag d = { "" }, none = { "" };
    struct places at = { &admin, NULL };
    enum err err = admin_get_where(&req->settings, req->admin, &cfg, &admin, &d);
    if (req->admin && !admin_get_where(&req->settings, NULL, &here, &next, &none)) at.next = &next;
    if (!err) err = live_ask(&admin, ASK_MS, &before, &d);
    if (!err) err = send_signal(&before, &d);
    if (!err) err = await(&at, &before, &now, &d);
    int code = EX_OK;
    if (err)
        code = cmd_fail_json(&cmd_restart, code_of(err), d.text, req->json);
    else
        print_done(&now, req->json);
    live_fini(&before);
    live_fini(&now);
    config_free(&cfg);
    config_free(&here);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .json = false };
    if (!settings_init(&req.settings)) return cmd_fail(&cmd_restart, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_restart, argc, argv, take, &req);
    if (code == EX_OK) code = restart(&req);
    settings_fini(&req.settings);
    return code;
}

static const struct arg_spec specs[] = {
    { "--admin", "ADDR",
      "the server's admin listener (default: admin.listen of the settings here)" },
    SETTINGS_SPECS,
    { "--json", NULL,
      "print {\"ok\":true,\"pid\":N,\"generation\":N} or {\"ok\":false,\"why\":…}" },
};

const struct cmd cmd_restart = {
    .name = "restart",
    .help = "restart the server on this machine in place",
    .run = run,
    .usage = "peal restart [options]",
    .text =
        "For a new version (put the program at the same path first) or for settings that need\n"
        "a restart. The server checks them first: where it could not start with them, it goes\n"
        "on as it was, and the reason is printed (exit code 78). Else it becomes the new\n"
        "program, with the same pid and the same listening sockets: nobody is refused, clients\n"
        "are closed with 4100 and come back after about a second. Returns when the new\n"
        "generation serves.\n"
        "\n"
        "Where admin.listen itself has changed, --admin says where it is until then.\n"
        "\n"
        "Settings of apps, limits and timeouts need no restart: SIGHUP reloads them.\n"
        "\n"
        "Exit codes: 69 no server there, 75 nothing came of it within 30 s, 77 not allowed,\n"
        "78 the server goes on as it was.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal restart\n"
                "  peal restart --admin 127.0.0.1:9601 --json\n"
                "  peal restart --admin unix:/run/peal/admin.sock\n",
};
