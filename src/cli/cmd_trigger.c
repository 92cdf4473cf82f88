/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_trigger.c: peal trigger: one event to some channels, through the HTTP API.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "cli/cmd.h"
#include "cli/http_call.h"
#include "cli/text.h"
#include <stdio.h>
#include <sysexits.h>

#define STDIN_MAX ((size_t)64 * 1024 * 1024)

struct request {
    const char *channels, *event, *data; /* data NULL or "-": from stdin */
    const char *socket_id;
    bool json;
    struct buf text; /* what was read from stdin */
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

static enum err take(struct request *req, const struct arg *arg, struct diag *d)
{
    if (!arg->spec) return take_word(req, arg->value, d);
    if (arg_is(arg, "--json"))
        req->json = true;
    else if (arg_is(arg, "--socket-id"))
        req->socket_id = arg->value;
    else
        return target_take(&req->target, arg, d);
    return ERR_OK;
}

static int read_args(struct request *req, int argc, char **argv)
{
    struct args args = cmd_args(&cmd_trigger, argc, argv);
    struct arg arg;
    struct diag d = { "" };
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        enum err err = kind == ARG_WRONG ? ERR_SYNTAX : take(req, &arg, &d);
        if (err == ERR_SYNTAX) return cmd_fail(&cmd_trigger, EX_USAGE, d.text);
        if (err) return cmd_fail_err(&cmd_trigger, err, &d);
    }
    if (!req->event) return cmd_fail(&cmd_trigger, EX_USAGE, "needs CHANNEL and EVENT");
    return EX_OK;
}

static enum err read_stdin(struct buf *out, struct diag *d)
{
    for (;;) {
        char *room = buf_room(out, 65536);
        if (!room) return ERR_NOMEM;
        size_t n = fread(room, 1, 65536, stdin);
        buf_grew(out, n);
        if (out->n > STDIN_MAX) return diag_set(d, ERR_RANGE, "more than 64 MiB of data on stdin");
        if (n == 0) break;
    }
    if (ferror(stdin)) return diag_set(d, ERR_IO, "cannot read stdin");
    /* `echo x | peal trigger …` means x. */
    if (out->n && out->p[out->n - 1] == '\n') out->n--;
    return ERR_OK;
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

static int exit_code(long status)
{
    if (status / 100 == 2) return EX_OK;
    if (status == 401 || status == 403) return EX_NOPERM;
    if (status == 429 || status == 503) return EX_TEMPFAIL;
    if (status == 400 || status == 413 || status == 422) return EX_DATAERR;
    return EX_UNAVAILABLE;
}

static void print_json(const struct http_answer *answer)
{
    struct buf out = { 0 };
    json_open(&out, '{');
    json_key(&out, SPAN("status"));
    json_u64(&out, (uint64_t)answer->status);
    json_key(&out, SPAN("body"));
    if (json_check(buf_span(&answer->body), 64, NULL, NULL))
        json_raw(&out, span_trim(buf_span(&answer->body)));
    else
        json_string(&out, utf8_valid(buf_span(&answer->body)) ? buf_span(&answer->body) : SPAN(""));
    json_close(&out, '}');
    buf_add_byte(&out, '\n');
    /* The answer's own line breaks would be more than one line. */
    for (size_t i = 0; i + 1 < out.n; i++)
        if (out.p[i] == '\n' || out.p[i] == '\r') out.p[i] = ' ';
    if (!buf_failed(&out)) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}

/* The sentence of {"error":…}, as Peal and its peers answer; else the whole body. */
static void add_message(struct span body, struct buf *out)
{
    struct json_field error = { .name = "error" };
    struct json_val root;
    struct buf scratch = { 0 };
    bool found = json_check(body, 64, &root, NULL) && root.type == JSON_OBJECT &&
                 !json_fields(root, &error, 1) && error.val.type == JSON_STRING;
    text_add_safe(out, found ? json_text(error.val, &scratch) : body);
    buf_fini(&scratch);
}

static int print_answer(const struct request *req, const struct http_answer *answer)
{
    int code = exit_code(answer->status);
    struct buf line = { 0 };
    if (req->json) print_json(answer);
    buf_add_fmt(&line, "the server answered %ld: ", answer->status);
    add_message(buf_span(&answer->body), &line);
    buf_add_byte(&line, '\0');
    if (buf_failed(&line)) code = EX_OSERR;
    if (code == EX_OK && !req->json) puts(line.p);
    if (code != EX_OK) cmd_fail(&cmd_trigger, code, buf_failed(&line) ? "out of memory" : line.p);
    buf_fini(&line);
    return code;
}

static int send_event(const struct request *req, struct span data)
{
    struct http_answer answer = { 0 };
    struct buf body = { 0 };
    struct diag d = { "" };
    int code;
    add_body(req, data, &body);
    enum err err = buf_failed(&body)
                       ? ERR_NOMEM
                       : http_call_post(&req->target, "events", buf_span(&body), &answer, &d);
    if (err == ERR_ABSENT)
        code = cmd_fail(&cmd_trigger, EX_NOHOST, d.text);
    else if (err == ERR_IO || err == ERR_CLOSED)
        code = cmd_fail(&cmd_trigger, EX_UNAVAILABLE, d.text);
    else
        code = err ? cmd_fail_err(&cmd_trigger, err, &d) : print_answer(req, &answer);
    buf_fini(&answer.body);
    buf_fini(&body);
    return code;
}

static int trigger(struct request *req)
{
    struct diag d = { "" };
    enum err err = target_resolve(&req->target, &d);
    if (err == ERR_SYNTAX) return cmd_fail(&cmd_trigger, EX_USAGE, d.text);
    if (err) return cmd_fail_err(&cmd_trigger, err, &d);
    struct span data = span_str(req->data);
    if (!req->data || strcmp(req->data, "-") == 0) {
        err = read_stdin(&req->text, &d);
        if (err) return cmd_fail(&cmd_trigger, EX_NOINPUT, d.text);
        data = buf_span(&req->text);
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
    { "--json", NULL, "print the answer as JSON: {\"status\":…,\"body\":…}" },
};

const struct cmd cmd_trigger = {
    .name = "trigger",
    .help = "publish an event",
    .run = run,
    .usage = "peal trigger CHANNEL[,CHANNEL…] EVENT [DATA] [options]",
    .text = "Publishes an event through the HTTP API, signed with the app's secret, and prints\n"
            "what the server answered. DATA is sent as it is: JSON reaches JavaScript clients as\n"
            "an object, other text as a string. Without DATA, or with -, it is read from stdin.\n"
            "\n"
            "Exit codes: 65 the server refused the data, 68 no such host, 69 no answer, 75 try\n"
            "again later, 77 not allowed (key, secret or clock), 78 configuration.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal trigger orders order-shipped '{\"id\":42}'\n"
                "  echo hello | peal trigger room-1,room-2 greeting\n"
                "  peal trigger orders ping '{}' --host ws.example.com --port 443 --tls --app "
                "@app.txt\n",
};
