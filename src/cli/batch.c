/* SPDX-License-Identifier: MIT
 *
 * cli/batch.c: lines -> requests. A line is checked before its request goes out, so that a slip in
 * line 7 does not leave half of the lines around it sent; what the server can refuse besides, it
 * refuses for the whole request.
 */
#include "cli/batch.h"
#include "base/json_write.h"
#include "base/near.h"
#include "cli/api_answer.h"
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define PIECE ((size_t)64 * 1024)
#define DEPTH_MAX 512

/* --- one line --- */

enum { CHANNEL, NAME, EVENT, DATA, SOCKET_ID, N_FIELDS };

#define FIELDS                                                                                     \
    {                                                                                              \
        [CHANNEL] = { .name = "channel" }, [NAME] = { .name = "name" },                            \
        [EVENT] = { .name = "event" }, [DATA] = { .name = "data" },                                \
        [SOCKET_ID] = { .name = "socket_id" },                                                     \
    }

static enum err check_members(struct json_val object, const struct json_field *fields,
                              struct diag *d)
{
    struct json_iter it = json_begin(object);
    struct json_val key, val;
    while (json_next_member(&it, &key, &val)) {
        struct near near = { .word = json_inner(key) };
        bool known = false;
        for (size_t i = 0; i < N_FIELDS; i++) {
            known = known || json_str_eq(key, span_str(fields[i].name));
            near_try(&near, span_str(fields[i].name));
        }
        if (known) continue;
        if (near.best.n)
            return diag_set(d, ERR_SYNTAX, "has an unknown member %.*s; did you mean \"%.*s\"?",
                            SPAN_FMT(span_head(key.raw, 100)), SPAN_FMT(near.best));
        return diag_set(d, ERR_SYNTAX,
                        "has an unknown member %.*s; there are channel, name (or event), data and "
                        "socket_id",
                        SPAN_FMT(span_head(key.raw, 100)));
    }
    return ERR_OK;
}

static enum err check_fields(const struct json_field *fields, struct diag *d)
{
    if (fields[CHANNEL].val.type != JSON_STRING)
        return diag_set(d, ERR_SYNTAX, "needs a text \"channel\"");
    bool name = fields[NAME].val.type != JSON_ABSENT, event = fields[EVENT].val.type != JSON_ABSENT;
    if (name && event)
        return diag_set(d, ERR_SYNTAX, "has both \"name\" and \"event\", which mean the same");
    if (fields[name ? NAME : EVENT].val.type != JSON_STRING)
        return diag_set(d, ERR_SYNTAX, "needs a text \"name\" (or \"event\")");
    enum json_type id = fields[SOCKET_ID].val.type;
    if (id != JSON_ABSENT && id != JSON_NULL && id != JSON_STRING)
        return diag_set(d, ERR_SYNTAX, "has a \"socket_id\" that is no text");
    return ERR_OK;
}

static void add_event(const struct json_field *fields, struct buf *body)
{
    bool name = fields[NAME].val.type != JSON_ABSENT;
    const struct json_val *data = &fields[DATA].val;
    json_open(body, '{');
    json_key(body, SPAN("channel"));
    json_raw(body, fields[CHANNEL].val.raw);
    json_key(body, SPAN("name"));
    json_raw(body, fields[name ? NAME : EVENT].val.raw);
    json_key(body, SPAN("data"));
    if (data->type == JSON_STRING)
        json_raw(body, data->raw);
    else /* the text of the JSON value, as libraries send it; "" where there is none */
        json_string(body, data->type == JSON_ABSENT ? SPAN("") : data->raw);
    if (fields[SOCKET_ID].val.type == JSON_STRING) {
        json_key(body, SPAN("socket_id"));
        json_raw(body, fields[SOCKET_ID].val.raw);
    }
    json_close(body, '}');
}

enum err batch_add_line(struct span line, struct buf *body, struct diag *d)
{
    struct json_field fields[] = FIELDS;
    struct json_val root;
    struct json_bad bad;
    if (!json_check(line, DEPTH_MAX, &root, &bad))
        return diag_set(d, ERR_SYNTAX, "is not JSON: %s at octet %zu", bad.why, bad.at + 1);
    if (root.type != JSON_OBJECT)
        return diag_set(d, ERR_SYNTAX,
                        "is no object like {\"channel\":\"orders\",\"name\":\"shipped\"}");
    const char *twice = json_fields(root, fields, N_FIELDS);
    if (twice) return diag_set(d, ERR_SYNTAX, "has \"%s\" twice", twice);
    enum err err = check_members(root, fields, d);
    if (!err) err = check_fields(fields, d);
    if (err) return err;
    add_event(fields, body);
    return buf_failed(body) ? ERR_NOMEM : ERR_OK;
}

/* --- the lines of stdin --- */

struct lines {
    struct buf text;
    size_t at;     /* of the next line in `text` */
    size_t number; /* of the last line, from 1 */
    bool eof;
};

static enum err read_more(struct lines *l, struct diag *d)
{
    buf_drop(&l->text, l->at);
    l->at = 0;
    if (l->text.n > LINE_MAX_BYTES) return diag_set(d, ERR_SYNTAX, "is longer than 64 MiB");
    char *room = buf_room(&l->text, PIECE);
    if (!room) return ERR_NOMEM;
    size_t n = fread(room, 1, PIECE, stdin);
    buf_grew(&l->text, n);
    l->eof = n == 0;
    return ferror(stdin) ? diag_set(d, ERR_IO, "cannot read stdin") : ERR_OK;
}

static struct span without_return(struct span line)
{
    line = span_trim(line);
    return line.n && line.p[line.n - 1] == '\r' ? span_trim(span_head(line, line.n - 1)) : line;
}

/* The next line that is not blank; ERR_ABSENT at the end. Borrowed until the next call. */
static enum err next_line(struct lines *l, struct span *out, struct diag *d)
{
    for (;;) {
        struct span rest = span_skip(buf_span(&l->text), l->at);
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (!end && !l->eof) {
            enum err err = read_more(l, d);
            if (!err) continue;
            l->number++;
            return err;
        }
        if (!rest.n) return ERR_ABSENT;
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        l->at += end ? n + 1 : n;
        l->number++;
        *out = without_return(span_head(rest, n));
        if (out->n) return ERR_OK;
    }
}

/* --- requests --- */

struct sender {
    const struct batch *batch;
    struct http_caller caller;
    struct http_answer answer;
    struct lines lines;
    struct buf body;
    size_t first, n;         /* the lines of the request being made: first number, count */
    size_t events, requests; /* that went out */
    bool draws;              /* progress, on a terminal */
};

static void draw(const struct sender *s)
{
    if (s->draws) fprintf(stderr, "\r%zu events sent", s->events);
}

static void wipe_drawing(const struct sender *s)
{
    if (s->draws && s->requests) fputs("\r\033[K", stderr);
}

/* Reads the lines of one request. ERR_SYNTAX: the last line read is wrong. */
static enum err gather(struct sender *s, struct diag *d)
{
    struct span line;
    enum err err = ERR_OK;
    s->n = s->first = 0;
    buf_clear(&s->body);
    json_open(&s->body, '{');
    json_key(&s->body, SPAN("batch"));
    json_open(&s->body, '[');
    while (!err && s->n < s->batch->size) {
        err = next_line(&s->lines, &line, d);
        if (err) break;
        if (!s->n) s->first = s->lines.number;
        s->n++;
        err = batch_add_line(line, &s->body, d);
    }
    json_close(&s->body, ']');
    json_close(&s->body, '}');
    if (err == ERR_ABSENT) err = ERR_OK;
    return !err && buf_failed(&s->body) ? ERR_NOMEM : err;
}

/* The last line of --json. `line`: the one from which to go on; 0: all is sent. */
static void print_json(const struct sender *s, size_t line)
{
    struct buf out = { 0 };
    json_open(&out, '{');
    json_key(&out, SPAN("events"));
    json_u64(&out, s->events);
    json_key(&out, SPAN("requests"));
    json_u64(&out, s->requests);
    json_key(&out, SPAN("ok"));
    json_bool(&out, line == 0);
    if (line) {
        json_key(&out, SPAN("go_on_with_line"));
        json_u64(&out, line);
    }
    json_close(&out, '}');
    buf_add_byte(&out, '\n');
    if (!buf_failed(&out)) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}

static int end_well(const struct sender *s)
{
    wipe_drawing(s);
    if (s->batch->json)
        print_json(s, 0);
    else
        printf("%zu event%s in %zu request%s\n", s->events, s->events == 1 ? "" : "s", s->requests,
               s->requests == 1 ? "" : "s");
    return EX_OK;
}

/* `text` says what went wrong. */
static int end_badly(const struct sender *s, int code, struct buf *text)
{
    size_t line = s->first ? s->first : s->lines.number;
    wipe_drawing(s);
    if (s->batch->json) print_json(s, line);
    if (line > 1)
        buf_add_fmt(text, "; %zu event%s before line %zu went out: go on with tail -n +%zu",
                    s->events, s->events == 1 ? "" : "s", line, line);
    else
        BUF_ADD_LIT(text, "; nothing was sent");
    buf_add_byte(text, '\0');
    return cmd_fail(s->batch->cmd, code, buf_failed(text) ? "out of memory" : text->p);
}

static int fail_line(const struct sender *s, enum err err, const struct diag *d)
{
    struct buf text = { 0 };
    if (err == ERR_SYNTAX) buf_add_fmt(&text, "line %zu ", s->lines.number);
    buf_add_span(&text, span_str(d->text[0] ? d->text : err_text(err)));
    int code = err == ERR_SYNTAX ? EX_DATAERR : err == ERR_IO ? EX_NOINPUT : EX_OSERR;
    code = end_badly(s, code, &text);
    buf_fini(&text);
    return code;
}

static int fail_request(const struct sender *s, enum err err, const struct diag *d)
{
    struct buf text = { 0 };
    int code = err ? EX_UNAVAILABLE : api_answer_code(s->answer.status);
    if (err == ERR_ABSENT) code = EX_NOHOST;
    if (err == ERR_NOMEM) code = EX_OSERR;
    if (s->n == 1)
        buf_add_fmt(&text, "line %zu: ", s->first);
    else
        buf_add_fmt(&text, "lines %zu to %zu: ", s->first, s->lines.number);
    if (err)
        buf_add_span(&text, span_str(d->text[0] ? d->text : err_text(err)));
    else
        api_answer_say(&s->answer, &text);
    code = end_badly(s, code, &text);
    buf_fini(&text);
    return code;
}

static int send_all(struct sender *s)
{
    for (;;) {
        struct diag d = { "" };
        enum err err = gather(s, &d);
        if (err) return fail_line(s, err, &d);
        if (!s->n) return end_well(s);
        const struct http_ask ask = { .what = SPAN("batch_events"), .body = buf_span(&s->body) };
        err = http_call(&s->caller, &ask, &s->answer, &d);
        if (err || api_answer_code(s->answer.status) != EX_OK) return fail_request(s, err, &d);
        s->events += s->n;
        s->requests++;
        draw(s);
    }
}

int batch_send(const struct batch *batch)
{
    struct sender s = {
        .batch = batch,
        .caller = { .target = batch->target },
        .draws = isatty(STDERR_FILENO) == 1,
    };
    int code = send_all(&s);
    buf_fini(&s.answer.body);
    buf_fini(&s.lines.text);
    buf_fini(&s.body);
    http_caller_fini(&s.caller);
    return code;
}
