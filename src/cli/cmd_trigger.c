/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_trigger.c: peal trigger: one event to some channels, through the HTTP API; or many, one a
 * line (cli/batch.h).
 */
#include "base/json_write.h"
#include "base/utf8.h"
#include "cli/api_answer.h"
#include "cli/batch.h"
#include "cli/read_all.h"
#include <stdio.h>
#include <sysexits.h>

struct request {
    const char *channels, *event, *data; /* data NULL or "-": from stdin */
    const char *socket_id;
    bool json, batch;
    uint64_t batch_size; /* 0: as configured */
    struct buf text;     /* what was read from stdin */
    struct target target;
};

static enum err take_word(struct request *req, const char *word, struct diag *d)
{
    const char **next = !req->channels ? &req->channels
                        : !req->event  ? &req->event
                        : !req->data   ? &req->data
                                       : NULL;
    if (!next) return diag_set(d, ERR_SYNTAX, "too many arguments; put DATA into quotes");
    *next = word;
    return ERR_OK;
}

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) return take_word(req, arg->value, d);
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--socket-id"))
        req->socket_id = arg->value;
    else if (arg_is(arg, "--batch"))
        req->batch = true;
    else if (arg_is(arg, "--batch-size"))
        return arg_number(arg, 1, BATCH_SIZE_MAX, &req->batch_size, d) ? ERR_OK : ERR_SYNTAX;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

static int read_args(struct request *req, int argc, char **argv)
{
    int code = cmd_read_args(&cmd_trigger, argc, argv, take, req);
    if (code != EX_OK) return code;
    if (!req->batch && req->batch_size)
        return cmd_fail(&cmd_trigger, EX_USAGE, "--batch-size needs --batch");
    if (req->batch && (req->channels || req->socket_id))
        return cmd_fail(&cmd_trigger, EX_USAGE,
                        "with --batch the channel, the event and all else come from stdin");
    if (!req->batch && !req->event)
        return cmd_fail(&cmd_trigger, EX_USAGE, "needs CHANNEL and EVENT, or --batch");
    return EX_OK;
}

static void add_body(const struct request *req, struct span data, struct buf *body)
{
    struct span rest = span_str(req->channels), channel;
    json_open(body, '{');
    json_key(body, SPAN("name"));
    json_string(body, span_str(req->event));
    json_key(body, SPAN("channels"));
    json_open(body, '[');
    while (span_cut(&rest, ',', &channel))
        if (channel.n) json_string(body, channel);
    json_close(body, ']');
    json_key(body, SPAN("data"));
    json_string(body, data);
    if (req->socket_id) {
        json_key(body, SPAN("socket_id"));
        json_string(body, span_str(req->socket_id));
    }
    json_close(body, '}');
}

static int print_answer(const struct request *req, const struct http_answer *answer)
{
    struct buf out = { 0 };
    int code = api_answer_code(answer->status);
    if (req->json) {
        json_open(&out, '{');
        json_key(&out, SPAN("status"));
        json_u64(&out, (uint64_t)answer->status);
        json_key(&out, SPAN("body"));
        api_answer_body(answer, &out);
        json_close(&out, '}');
    } else {
        api_answer_say(answer, &out);
    }
    buf_add_byte(&out, '\n');
    if (buf_failed(&out))
        code = cmd_fail(&cmd_trigger, EX_OSERR, "out of memory");
    else if (code == EX_OK || req->json)
        fwrite(out.p, 1, out.n, stdout);
    if (code != EX_OK && !buf_failed(&out)) code = api_answer_fail(&cmd_trigger, answer, false);
    buf_fini(&out);
    return code;
}

static int send_event(const struct request *req, struct span data)
{
    struct http_caller caller = { .target = &req->target };
    struct http_answer answer = { 0 };
    struct buf body = { 0 };
    struct diag d = { "" };
    add_body(req, data, &body);
    const struct http_ask ask = { .what = SPAN("events"), .body = buf_span(&body) };
    enum err err = buf_failed(&body) ? ERR_NOMEM : http_call(&caller, &ask, &answer, &d);
    int code = err ? api_call_fail(&cmd_trigger, err, &d, req->json) : print_answer(req, &answer);
    buf_fini(&answer.body);
    buf_fini(&body);
    http_caller_fini(&caller);
    return code;
}

static int send_batch(const struct request *req)
{
    const struct target *t = &req->target;
    uint64_t size = t->app ? t->app->limits.batch : BATCH_SIZE_DEFAULT;
    if (size == 0 || size > BATCH_SIZE_MAX) size = BATCH_SIZE_MAX;
    if (req->batch_size) size = req->batch_size;
    const struct batch batch = { &cmd_trigger, t, (size_t)size, req->json };
    return batch_send(&batch);
}

static int trigger(struct request *req)
{
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    if (err) return api_call_fail(&cmd_trigger, err, &d, req->json);
    if (req->batch) return send_batch(req);
    struct span data = span_str(req->data);
    if (!req->data || strcmp(req->data, "-") == 0) {
        err = read_all_stdin(&req->text, &d);
        if (err) return cmd_fail(&cmd_trigger, EX_NOINPUT, d.text[0] ? d.text : err_text(err));
        /* `echo x | peal trigger …` means x. */
        data = buf_span(&req->text);
        if (data.n && data.p[data.n - 1] == '\n') data.n--;
    }
    if (!utf8_valid(data)) return cmd_fail(&cmd_trigger, EX_DATAERR, "the data is not UTF-8");
    if (!utf8_valid(span_str(req->channels)) || !utf8_valid(span_str(req->event)))
        return cmd_fail(&cmd_trigger, EX_DATAERR, "the names are not UTF-8");
    return send_event(req, data);
}

static int run(int argc, char **argv)
{
    struct request req = { 0 };
    if (!target_init(&req.target)) return cmd_fail(&cmd_trigger, EX_OSERR, "out of memory");
    int code = read_args(&req, argc, argv);
    if (code == EX_OK) code = trigger(&req);
    buf_fini(&req.text);
    target_fini(&req.target);
    return code;
}

static const struct arg_spec specs[] = {
    TARGET_SPECS,
    { "--socket-id", "ID", "leave out the connection with this socket id" },
    { "--batch", NULL, "many events from stdin, each a line of JSON" },
    { "--batch-size", "N", "events in one request (default: limits.batch of the app, else 10)" },
    { "--json", NULL, "print the answer as JSON: {\"status\":…,\"body\":…}" },
};

const struct cmd cmd_trigger = {
    .name = "trigger",
    .help = "publish an event",
    .run = run,
    .usage = "peal trigger CHANNEL[,CHANNEL…] EVENT [DATA] [options]\n"
             "       peal trigger --batch [options] <FILE",
    .text =
        "Publishes an event through the HTTP API, signed with the app's secret, and prints\n"
        "what the server answered. DATA is sent as it is: JSON reaches JavaScript clients as\n"
        "an object, other text as a string. Without DATA, or with -, it is read from stdin.\n"
        "\n"
        "With --batch each line of stdin is an event: a JSON object with `channel`, `name` (or\n"
        "`event`), and perhaps `data` and `socket_id`. They are sent some at a time; the\n"
        "server takes all of a request or nothing. The first line that is wrong or refused\n"
        "ends it, and what is said then names the line from which to go on. With --json the\n"
        "last line of stdout is {\"events\":…,\"requests\":…,\"ok\":…}.\n"
        "\n" API_EXIT_CODES,
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal trigger orders order-shipped '{\"id\":42}'\n"
                "  echo hello | peal trigger room-1,room-2 greeting\n"
                "  peal trigger --batch <events.jsonl\n"
                "  peal trigger orders ping '{}' --host ws.example.com --port 443 --tls --app "
                "@app.txt\n",
};
