/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_bench.c: peal bench: load for any Pusher-compatible server, and what it made of it. The
 * load generator is src/load/, the same that ./dev bench measures with.
 */
#include "base/mem.h"
#include "base/rand.h"
#include "cli/bench_report.h"
#include "cli/cmd.h"
#include "cli/target.h"
#include "load/pubs.h"
#include "load/text.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#define SPARE_FDS 32 /* of ours, beside the connections */

struct request {
    struct bench_wish wish;
    uint64_t connections, channels, per_conn, sources;
    const char *prefix;
    bool json, sources_given;
    struct target target;
    struct load_target to;
    struct buf authority;
};

static enum err take_number(struct request *req, const struct arg *arg, struct diag *d)
{
    struct bench_wish *w = &req->wish;
    const struct {
        const char *name;
        uint64_t min, max, *to;
    } numbers[] = {
        { "--connections", 0, 10000000, &req->connections },
        { "--channels", 1, 1000000, &req->channels },
        { "--per-connection", 1, 1000, &req->per_conn },
        { "--publishers", 1, PUBS_MAX, &w->publishers },
        { "--rate", 1, 10000000, &w->rate },
        { "--burst", 1, 10000, &w->burst },
        { "--size", TEXT_MIN, TEXT_MAX, &w->bytes },
        { "--warmup", 0, 86400, &w->warmup_s },
        { "--duration", 1, 864000, &w->duration_s },
        { "--wait", 1, 3600, &w->wait_s },
        { "--window", 1, 100000, &w->window },
        { "--sources", 0, 65000, &req->sources },
        { "--pid", 1, INT32_MAX, &w->pid },
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (!arg_is(arg, numbers[i].name)) continue;
        if (numbers[i].to == &req->sources) req->sources_given = true;
        return arg_number(arg, numbers[i].min, numbers[i].max, numbers[i].to, d) ? ERR_OK
                                                                                 : ERR_SYNTAX;
    }
    return target_take(&req->target, arg, d);
}

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) return diag_set(d, ERR_SYNTAX, "'%s' is no option", arg->value);
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--prefix"))
        req->prefix = arg->value;
    else
        return take_number(req, arg, d);
    return ERR_OK;
}

static bool plain_name(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=@.", s[i]))
            return false;
    return n > 0 && n <= 50;
}

static const char *check(const struct request *req)
{
    if (req->wish.rate && req->wish.burst) return "--rate and --burst exclude each other";
    if (req->channels % req->per_conn) return "--channels must be a multiple of --per-connection";
    if (!plain_name(req->prefix)) return "--prefix must be the begin of a channel's name";
    return NULL;
}

/* As many descriptors as are allowed. */
static enum err fit_descriptors(uint64_t connections, struct diag *d)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return ERR_IO;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return ERR_IO;
    uint64_t most =
        files.rlim_cur > SPARE_FDS + PUBS_MAX ? files.rlim_cur - SPARE_FDS - PUBS_MAX : 0;
    if (connections <= most) return ERR_OK;
    return diag_set(d, ERR_LIMIT,
                    "%llu connections need more descriptors than a process here may have (at most "
                    "%llu; see ulimit -Hn): run several at once, each with a --prefix of its own",
                    (unsigned long long)connections, (unsigned long long)most);
}

/* From the command line's target to the load generator's. */
static enum err aim(struct request *req, struct diag *d)
{
    const struct target *t = &req->target;
    struct load_target *to = &req->to;
    char host[256];
    if (t->tls)
        return diag_set(d, ERR_SYNTAX,
                        "speaks no TLS: measure the server behind the proxy, with --host and "
                        "--port");
    target_authority(t, &req->authority);
    if (buf_failed(&req->authority)) return ERR_NOMEM;
    snprintf(host, sizeof host, "%.*s", SPAN_FMT(t->host));
    enum err err =
        t->socket.n ? load_target_unix(to, t->socket, d) : load_target_find(to, host, t->port, d);
    if (err) return err;
    to->host = buf_span(&req->authority);
    to->path = t->path;
    to->id = t->id;
    to->keys = t->keys;
    to->run = (uint32_t)rand_u64();
    if (req->sources_given && to->sources == 0 && req->sources)
        return diag_set(d, ERR_SYNTAX, "--sources is for a server on 127.0.0.1");
    if (req->sources_given) to->sources = (unsigned)req->sources;
    return ERR_OK;
}

/* The first Ctrl-C ends the run, and its figures are printed; the second one ends us. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = 1;
    signal(number, SIG_DFL);
}

static bool is_interrupted(void *ctx)
{
    (void)ctx;
    return interrupted;
}

static int judge(const struct bench_wish *wish, const struct bench_result *r)
{
    if (r->faults.n[LOAD_BROKEN]) return EX_OSERR;
    if (r->stopped && load_clean(&r->faults)) return EX_OK;
    if (wish->layout.max && !r->connected) return EX_UNAVAILABLE;
    return load_clean(&r->faults) ? EX_OK : EX_SOFTWARE;
}

static int measure(struct request *req)
{
    struct diag d = { "" };
    struct bench_result *result = mem_zalloc(sizeof *result);
    if (!result) return cmd_fail(&cmd_bench, EX_OSERR, "out of memory");
    enum err err = bench_run(&req->wish, result, &d);
    int code = err ? cmd_fail_err(&cmd_bench, err, &d) : judge(&req->wish, result);
    if (!err && req->json)
        bench_report_json(&req->wish, result, stdout);
    else if (!err)
        bench_report_text(&req->wish, result, stdout);
    if (!err && code != EX_OK) cmd_fail(&cmd_bench, code, load_worst(&result->faults));
    mem_free(result);
    if (fflush(stdout) != 0 || ferror(stdout))
        return cmd_fail(&cmd_bench, EX_IOERR, "the figures could not be written");
    return code;
}

static void say_what(const struct request *req)
{
    const struct bench_wish *w = &req->wish;
    fprintf(stderr, "peal bench: %llu connections on %llu channel%s of %.*s, ",
            (unsigned long long)req->connections, (unsigned long long)req->channels,
            req->channels == 1 ? "" : "s", SPAN_FMT(req->to.host));
    if (w->rate)
        fprintf(stderr, "%llu messages a second for %llu s\n", (unsigned long long)w->rate,
                (unsigned long long)w->duration_s);
    else
        fprintf(stderr, "%llu messages at a time for %llu s\n", (unsigned long long)w->burst,
                (unsigned long long)w->duration_s);
}

static int bench(struct request *req)
{
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    if (!err) err = aim(req, &d);
    if (!err) err = fit_descriptors(req->connections, &d);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) return cmd_fail(&cmd_bench, EX_USAGE, d.text);
    if (err == ERR_ABSENT) return cmd_fail(&cmd_bench, EX_NOHOST, d.text);
    if (err) return cmd_fail_err(&cmd_bench, err, &d);
    req->wish.target = &req->to;
    req->wish.layout = (struct load_layout) {
        .max = (size_t)req->connections,
        .n_channels = (uint32_t)req->channels,
        .per_conn = (uint32_t)req->per_conn,
        .prefix = req->prefix,
    };
    req->wish.stop = is_interrupted;
    prctl(PR_SET_TIMERSLACK, 1); /* else each message is due 50 us before we wake up */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    say_what(req);
    return measure(req);
}

static int run(int argc, char **argv)
{
    struct request req = {
        .wish = { .publishers = 1,
                  .window = 64,
                  .bytes = 200,
                  .warmup_s = 1,
                  .duration_s = 10,
                  .wait_s = 10 },
        .connections = 100,
        .channels = 1,
        .per_conn = 1,
        .prefix = "bench",
    };
    if (!target_init(&req.target)) return cmd_fail(&cmd_bench, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_bench, argc, argv, take, &req);
    const char *wrong = code == EX_OK ? check(&req) : NULL;
    if (wrong) code = cmd_fail(&cmd_bench, EX_USAGE, wrong);
    if (!req.wish.rate && !req.wish.burst) req.wish.rate = 10;
    if (code == EX_OK) code = bench(&req);
    buf_fini(&req.authority);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--connections", "N", "WebSockets, all subscribed (100)" },
    { "--channels", "N", "channels PREFIX-0, PREFIX-1, … (1); messages go to one after the other" },
    { "--per-connection", "N", "of them, that each connection subscribes to (1)" },
    { "--prefix", "NAME", "of the channels (bench); private-… and presence-… are signed for" },
    { "--rate", "N", "open loop: messages a second, kept whatever the server does (10)" },
    { "--burst", "N", "closed loop instead: N messages, and the next when all have come" },
    { "--size", "BYTES", "of each message's data (200)" },
    { "--publishers", "N", "HTTP connections to publish over (1)" },
    { "--duration", "S", "seconds that are measured (10)" },
    { "--warmup", "S", "seconds before that (1)" },
    { "--wait", "S", "seconds of silence after which what is missing is lost (10)" },
    { "--window", "N", "connections being opened at a time (64)" },
    { "--sources", "N", "loopback addresses to connect from (32 for a server on 127.0.0.1)" },
    { "--pid", "PID", "the server's process: its CPU time and memory are shown, too" },
    { "--json", NULL, "one JSON object; times in nanoseconds" },
};

const struct cmd cmd_bench = {
    .name = "bench",
    .help = "load a server, measure latencies, find what it loses",
    .run = run,
    .usage = "peal bench [options]",
    .text =
        "Opens WebSockets to a Pusher-compatible server, publishes over its HTTP API and checks\n"
        "that each subscriber gets each message once, in order and unchanged.\n"
        "\n"
        "Latencies count from when a message was due to be published, not from when it could be:\n"
        "a stall counts for all messages that it delayed. \"own lag\" is how late this program\n"
        "was; where it is near the latencies, they say nothing about the server. Run it on other\n"
        "CPUs than the server's, or on another machine.\n"
        "\n"
        "A process has room for so many connections as it may have descriptors (ulimit -n). A\n"
        "server on 127.0.0.1 is dialled from 32 loopback addresses, so that ports do not run\n"
        "out. Speaks no TLS.\n"
        "\n"
        "Ctrl-C ends the run early: what was measured until then is printed.\n"
        "\n"
        "Exit codes: 0 all came; 64 usage, 68 no such host, 69 no connection, 70 something was\n"
        "lost, doubled, swapped, refused or closed, 71 this machine had not enough descriptors,\n"
        "ports or memory, or there is no process --pid, 74 the figures could not be written,\n"
        "77 the process --pid is not ours to look at, 78 configuration.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal bench --connections 1000 --rate 50\n"
                "  peal bench --connections 15000 --channels 1500 --rate 200 --pid "
                "$(pgrep -ox peal)\n"
                "  peal bench --connections 500 --prefix presence-room --burst 32 --duration 30\n"
                "  peal bench --host 127.0.0.1 --port 8080 --app ID:KEY:SECRET --json\n",
};
