/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_trace.c: peal trace: what became of the last events, and why; with --follow also of those
 * to come.
 *
 * It asks the admin listener for the facts that fit, and for an explanation of each. Which facts
 * were told already is remembered by worker, as the numbers of a worker's facts grow.
 */
#include "base/clock.h"
#include "cli/admin_get.h"
#include "cli/cmd.h"
#include "cli/text.h"
#include "cli/trace_text.h"
#include "http/url.h"
#include "watch/event.h"
#include "watch/fact.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#define ASK_MS 5000L
#define FOLLOW_MS 250
#define MAX_WORKERS 256
#define MAX_FACTS 1000
#define YOUNG_MS 5000 /* so long a fact may be waited for until all workers have told */

struct request {
    struct settings settings;
    const char *admin, *app, *channel, *event, *socket, *user;
    uint64_t limit, timeout_s;
    bool json, follow, failed;
};

struct trace {
    struct request *req;
    struct config_addr admin;
    uint64_t told[MAX_WORKERS]; /* the newest fact of each worker */
    uint64_t deadline_ms;
};

/* --- arguments --- */

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        { "--admin", &req->admin }, { "--app", &req->app },       { "--channel", &req->channel },
        { "--event", &req->event }, { "--socket", &req->socket }, { "--user", &req->user },
    };
    if (!arg->spec)
        return diag_set(d, ERR_SYNTAX, "takes no arguments, but there is '%s'", arg->value);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!arg_is(arg, texts[i].name)) continue;
        *texts[i].to = arg->value;
        return ERR_OK;
    }
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--follow"))
        req->follow = true;
    else if (arg_is(arg, "--failed"))
        req->failed = true;
    else if (arg_is(arg, "--limit"))
        return arg_number(arg, 1, MAX_FACTS, &req->limit, d) ? ERR_OK : ERR_SYNTAX;
    else if (arg_is(arg, "--timeout"))
        return arg_number(arg, 1, 31536000, &req->timeout_s, d) ? ERR_OK : ERR_SYNTAX;
    else
        return settings_take(&req->settings, arg, d);
    return ERR_OK;
}

/* --- asking --- */

static void add_param(struct buf *path, const char *key, const char *value)
{
    if (!value) return;
    buf_add_fmt(path, "&%s=", key);
    url_encode(span_str(value), path);
}

/* The facts after those that were told. */
static void write_path(const struct trace *t, uint64_t limit, struct buf *path)
{
    const struct request *req = t->req;
    buf_add_fmt(path, "/admin/facts?limit=%llu", (unsigned long long)limit);
    add_param(path, "app", req->app);
    add_param(path, "channel", req->channel);
    add_param(path, "event", req->event);
    add_param(path, "socket", req->socket);
    add_param(path, "user", req->user);
    if (req->failed) add_param(path, "failed", "1");
    const char *separator = "&after=";
    for (unsigned w = 0; w < MAX_WORKERS; w++) {
        uint64_t number = t->told[w] & ((UINT64_C(1) << FACT_ID_WORKER_SHIFT) - 1);
        if (!number) continue;
        buf_add_fmt(path, "%s%u-%llu", separator, w, (unsigned long long)number);
        separator = ",";
    }
    buf_add_byte(path, '\0');
}

/* What the server says about a question that it does not like. */
static enum err refused(const struct trace *t, const struct admin_answer *a, struct diag *d)
{
    struct json_val root;
    struct json_field error = { .name = "error" };
    struct buf text = { 0 };
    if (!json_check(buf_span(&a->body), 8, &root, NULL) || root.type != JSON_OBJECT ||
        json_fields(root, &error, 1) || error.val.type != JSON_STRING || a->status < 400)
        return admin_strange(&t->admin, a->status, d);
    json_unescape(error.val, &text);
    enum err err = a->status == 400 ? ERR_RANGE : ERR_DENIED;
    diag_set(d, err, "the server answered %ld: %.*s", a->status, SPAN_FMT(buf_span(&text)));
    buf_fini(&text);
    return err;
}

struct listed {
    uint64_t id, unix_ms;
    bool done;
};

static bool read_fact(struct json_val val, struct listed *out)
{
    struct json_field f[] = { { .name = "id" }, { .name = "time" }, { .name = "done" } };
    if (val.type != JSON_OBJECT || json_fields(val, f, ARRAY_LEN(f))) return false;
    if (f[0].val.type != JSON_STRING || !watch_fact_read(json_inner(f[0].val), &out->id))
        return false;
    out->done = f[2].val.type == JSON_TRUE;
    return f[1].val.type == JSON_NUMBER && json_to_u64(f[1].val, &out->unix_ms) &&
           out->id >> FACT_ID_WORKER_SHIFT < MAX_WORKERS;
}

/* The newest fact of each worker. */
static bool read_last(struct json_val list, uint64_t *last)
{
    struct json_val item;
    size_t w = 0;
    for (struct json_iter it = json_begin(list); json_next_item(&it, &item); w++) {
        if (w == MAX_WORKERS || item.type != JSON_STRING) return false;
        if (!watch_fact_read(json_inner(item), &last[w])) last[w] = 0; /* none yet */
    }
    return true;
}

/* The facts of an answer, the oldest first; false where it is none. `last` gets the newest one of
 * each worker. */
static bool read_facts(struct span body, struct listed *facts, size_t *n, uint64_t *last)
{
    struct json_val root, item;
    struct json_field f[] = { { .name = "facts" }, { .name = "last" } };
    if (!json_check(body, 16, &root, NULL) || root.type != JSON_OBJECT) return false;
    if (json_fields(root, f, ARRAY_LEN(f)) || f[0].val.type != JSON_ARRAY) return false;
    if (f[1].val.type != JSON_ARRAY || !read_last(f[1].val, last)) return false;
    *n = 0;
    for (struct json_iter it = json_begin(f[0].val); json_next_item(&it, &item); ++*n)
        if (*n == MAX_FACTS || !read_fact(item, &facts[*n])) return false;
    for (size_t i = 0; i < *n / 2; i++) {
        struct listed swap = facts[i];
        facts[i] = facts[*n - 1 - i];
        facts[*n - 1 - i] = swap;
    }
    return true;
}

/* --- telling --- */

static enum err print(const struct request *req, struct span explanation)
{
    struct buf out = { 0 };
    bool ok = true;
    if (req->json) {
        buf_add_span(&out, explanation);
        buf_add_byte(&out, '\n');
    } else {
        ok = trace_text(explanation, &out);
    }
    enum err err = buf_failed(&out) ? ERR_NOMEM : ok ? ERR_OK : ERR_SYNTAX;
    if (!err && (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout))) err = ERR_CLOSED;
    buf_fini(&out);
    return err;
}

static enum err tell(const struct trace *t, uint64_t id, struct diag *d)
{
    struct admin_answer a = { .status = 0 };
    struct buf path = { 0 };
    buf_add_fmt(&path, "/admin/explain?id=%u-%llu", (unsigned)(id >> FACT_ID_WORKER_SHIFT),
                (unsigned long long)(id & ((UINT64_C(1) << FACT_ID_WORKER_SHIFT) - 1)));
    add_param(&path, "socket", t->req->socket);
    buf_add_byte(&path, '\0');
    enum err err = buf_failed(&path) ? ERR_NOMEM : admin_get(&t->admin, path.p, ASK_MS, &a, d);
    if (!err && a.status == 200)
        err = print(t->req, buf_span(&a.body));
    else if (!err && a.status != 404)
        err = refused(t, &a, d); /* 404: pushed out meanwhile */
    if (err == ERR_SYNTAX) err = admin_strange(&t->admin, a.status, d);
    admin_answer_fini(&a);
    buf_fini(&path);
    return err;
}

/* Asks for the facts after those that were told; of the past, takes note of the newest. */
static enum err list(struct trace *t, bool past, struct listed *facts, size_t *n, struct diag *d)
{
    struct admin_answer a = { .status = 0 };
    struct buf path = { 0 };
    uint64_t last[MAX_WORKERS] = { 0 };
    write_path(t, past ? t->req->limit : MAX_FACTS, &path);
    enum err err = buf_failed(&path) ? ERR_NOMEM : admin_get(&t->admin, path.p, ASK_MS, &a, d);
    bool good = !err && a.status == 200 && read_facts(buf_span(&a.body), facts, n, last);
    if (!err && !good) err = refused(t, &a, d);
    for (unsigned w = 0; good && w < MAX_WORKERS; w++) {
        bool anew = last[w] < t->told[w]; /* a restart: all that there is is new */
        if (past || anew) t->told[w] = past ? last[w] : 0;
    }
    admin_answer_fini(&a);
    buf_fini(&path);
    return err;
}

/* Tells the past, or what is new, up to what the workers are still at. */
static enum err tell_some(struct trace *t, bool past, struct diag *d)
{
    static struct listed facts[MAX_FACTS];
    size_t n = 0;
    enum err err = list(t, past, facts, &n, d);
    if (!err && past && !n && !t->req->follow)
        cmd_fail(&cmd_trace, EX_OK,
                 "nothing that fits is remembered; without filters all that is known is shown, and "
                 "what is not there has not reached this server");
    uint64_t now_ms = clock_unix_ms();
    for (size_t i = 0; !err && i < n; i++) {
        if (!past && !facts[i].done && facts[i].unix_ms + YOUNG_MS > now_ms) break;
        err = tell(t, facts[i].id, d);
        if (!past) t->told[facts[i].id >> FACT_ID_WORKER_SHIFT] = facts[i].id;
    }
    return err;
}

static enum err trace(struct trace *t, struct diag *d)
{
    enum err err = tell_some(t, true, d);
    while (!err && t->req->follow && clock_mono_ms() < t->deadline_ms) {
        poll(NULL, 0, FOLLOW_MS);
        err = tell_some(t, false, d);
    }
    return err;
}

static int code_of(enum err err)
{
    switch ((int)err) {
    case ERR_OK:
        return EX_OK;
    case ERR_SYNTAX:
        return EX_PROTOCOL;
    case ERR_RANGE:
        return EX_USAGE;
    case ERR_ABSENT:
        return EX_NOHOST;
    case ERR_DENIED:
        return EX_NOPERM;
    case ERR_CONFIG:
        return EX_CONFIG;
    case ERR_NOMEM:
        return EX_OSERR;
    default:
        return EX_UNAVAILABLE;
    }
}

static int run_trace(struct request *req)
{
    struct config *cfg = NULL;
    struct diag d = { "" };
    struct trace t = {
        .req = req,
        .deadline_ms = req->timeout_s ? clock_mono_ms() + req->timeout_s * 1000 : UINT64_MAX,
    };
    signal(SIGPIPE, SIG_IGN);
    enum err err = admin_get_where(&req->settings, req->admin, &cfg, &t.admin, &d);
    bool usage = err == ERR_SYNTAX;
    if (!err) err = trace(&t, &d);
    config_free(&cfg);
    if (!err) return EX_OK;
    if (err == ERR_CLOSED && !d.text[0]) return EX_IOERR; /* stdout */
    return cmd_fail_json(&cmd_trace, usage ? EX_USAGE : code_of(err),
                         d.text[0] ? d.text : err_text(err), req->json && !usage);
}

static int run(int argc, char **argv)
{
    struct request req = { .limit = 10 };
    if (!settings_init(&req.settings)) return cmd_fail(&cmd_trace, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_trace, argc, argv, take, &req);
    if (code == EX_OK) code = run_trace(&req);
    settings_fini(&req.settings);
    return code;
}

static const struct arg_spec specs[] = {
    { "--channel", "NAME", "events of this channel" },
    { "--event", "NAME", "events of this name" },
    { "--socket", "ID",
      "of each event, whether this connection got it, and why not; and what it was refused" },
    { "--failed", NULL, "only what did not reach everybody whom it should have" },
    { "--user", "ID", "what was sent to a user" },
    { "--app", "ID", "of one app" },
    { "--limit", "N", "at most so many of the past (default 10)" },
    { "--follow", NULL, "go on with what happens from now on" },
    { "--timeout", "S", "end --follow after S seconds" },
    { "--admin", "ADDR",
      "the server's admin listener (default: admin.listen of the settings here)" },
    SETTINGS_SPECS,
    { "--json", NULL, "one JSON object per line: fact, verdict, summary, steps, hints, workers" },
};

const struct cmd cmd_trace = {
    .name = "trace",
    .help = "what became of the last events, and why",
    .run = run,
    .usage = "peal trace [options]",
    .text =
        "My event does not arrive: what does the server know? For each of the last publishes\n"
        "and refusals: how many subscriptions matched, who got it, and, where nobody did, what\n"
        "the reason probably is. The server remembers about a thousand publishes that went well\n"
        "and five hundred that did not, for each of its workers; nothing has to be switched on\n"
        "before. Payloads are not kept.\n"
        "\n"
        "Exit codes: 68 no such host, 69 no server there, 76 something else answers, 77 not\n"
        "allowed, 78 configuration.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal trace\n"
                "  peal trace --channel orders.7 --follow\n"
                "  peal trace --event 'App\\Events\\OrderShipped' --limit 1\n"
                "  peal trace --channel orders.7 --socket 123.456\n"
                "  peal trace --failed --json\n",
};
