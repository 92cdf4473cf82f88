/* SPDX-License-Identifier: MIT
 *
 * cli/api_answer.c: status and body of an answer, for people, programs and the shell.
 */
#include "cli/api_answer.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "cli/text.h"
#include <stdio.h>
#include <sysexits.h>

int api_answer_code(long status)
{
    if (status / 100 == 2) return EX_OK;
    if (status == 401 || status == 403 || status == 404) return EX_NOPERM; /* 404: no such app */
    if (status == 429 || status == 503) return EX_TEMPFAIL;
    if (status == 400 || status == 413 || status == 422) return EX_DATAERR;
    return EX_UNAVAILABLE;
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

void api_answer_say(const struct http_answer *answer, struct buf *out)
{
    buf_add_fmt(out, "the server answered %ld: ", answer->status);
    add_message(buf_span(&answer->body), out);
}

int api_answer_fail(const struct cmd *cmd, const struct http_answer *answer, bool json)
{
    struct buf line = { 0 };
    api_answer_say(answer, &line);
    buf_add_byte(&line, '\0');
    int code = buf_failed(&line)
                   ? cmd_fail(cmd, EX_OSERR, "out of memory")
                   : cmd_fail_json(cmd, api_answer_code(answer->status), line.p, json);
    buf_fini(&line);
    return code;
}

void api_answer_body(const struct http_answer *answer, struct buf *out)
{
    struct span body = buf_span(&answer->body);
    size_t start = out->n;
    if (json_check(body, 64, NULL, NULL))
        json_raw(out, span_trim(body));
    else
        json_string(out, utf8_valid(body) ? body : SPAN(""));
    if (buf_failed(out)) return;
    /* The answer's own line breaks would be more than one line. */
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r') out->p[i] = ' ';
}

int api_call_fail(const struct cmd *cmd, enum err err, const struct diag *d, bool json)
{
    const char *text = d->text[0] ? d->text : err_text(err);
    if (err == ERR_SYNTAX) return cmd_fail(cmd, EX_USAGE, text);
    if (err == ERR_ABSENT) return cmd_fail_json(cmd, EX_NOHOST, text, json);
    if (err == ERR_IO || err == ERR_CLOSED) return cmd_fail_json(cmd, EX_UNAVAILABLE, text, json);
    return cmd_fail_json(cmd, cmd_code_of(err), text, json);
}

static int print_got(const struct api_get *get, const struct http_answer *answer)
{
    struct json_field field = { .name = get->member };
    struct json_val root;
    struct buf out = { 0 };
    int code = EX_OK;
    bool good = json_check(buf_span(&answer->body), 64, &root, NULL) && root.type == JSON_OBJECT &&
                !json_fields(root, &field, 1) && field.val.type >= JSON_ARRAY;
    if (!good) {
        code = cmd_fail_json(get->cmd, EX_PROTOCOL, "the answer is not that of a Pusher server",
                             get->json);
    } else if (get->json) {
        api_answer_body(answer, &out);
        buf_add_byte(&out, '\n');
    } else {
        get->print(field.val, &out);
    }
    if (buf_failed(&out)) code = cmd_fail(get->cmd, EX_OSERR, "out of memory");
    if (code == EX_OK && out.n && fwrite(out.p, 1, out.n, stdout) != out.n) code = EX_IOERR;
    buf_fini(&out);
    return code;
}

int api_get_print(const struct api_get *get, struct http_caller *caller, const struct http_ask *ask)
{
    struct http_answer answer = { 0 };
    struct diag d = { "" };
    int code;
    enum err err = http_call(caller, ask, &answer, &d);
    if (err)
        code = api_call_fail(get->cmd, err, &d, get->json);
    else if (api_answer_code(answer.status) != EX_OK)
        code = api_answer_fail(get->cmd, &answer, get->json);
    else
        code = print_got(get, &answer);
    buf_fini(&answer.body);
    return code;
}
