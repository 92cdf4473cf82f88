/* SPDX-License-Identifier: MIT
 *
 * http/http1_res.c: writes complete HTTP/1.1 responses.
 *
 * Everything that could be refused is checked before the first byte, so `out` never holds half a
 * response next to whole ones that are pipelined in it.
 */
#include "http/http1_res.h"
#include "base/field.h"
#include "base/json_write.h"

#define DIGITS 20 /* of 2^64 - 1 */
/* What stands in every response beside its own texts: the status line with the longest reason,
 * Content-Type, Content-Length, Connection, the empty line. */
#define FIXED_ROOM 192

const char *http1_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 204, "No Content" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "";
}

struct http1_reply http1_reply_to(const struct http1_req *r)
{
    return (struct http1_reply) {
        .head = http1_req_method(r) == HTTP1_HEAD,
        .keep_alive = http1_req_phase(r) == HTTP1_COMPLETE && http1_req_keep_alive(r),
        .minor = (uint8_t)http1_req_minor(r),
    };
}

static bool fields_fit(const struct http1_res *res)
{
    for (size_t i = 0; i < res->n_fields; i++) {
        const struct http1_field *f = &res->fields[i];
        if (!field_is_token(f->name) || !http1_is_value(f->value)) return false;
        CHECK(!span_eq_nocase(f->name, SPAN("Content-Length")));
        CHECK(!span_eq_nocase(f->name, SPAN("Transfer-Encoding")));
        CHECK(res->status < 200 || !span_eq_nocase(f->name, SPAN("Connection")));
    }
    return http1_is_value(res->type);
}

/* Room for all of it is taken at once; then these write and return what is behind. */
static char *put(char *at, struct span text)
{
    if (text.n) memcpy(at, text.p, text.n);
    return at + text.n;
}

static char *put_number(char *at, uint64_t v)
{
    char digits[DIGITS];
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    return put(at, span_of(digits + from, sizeof digits - from));
}

static char *put_field(char *at, struct span name, struct span value)
{
    at = put(put(at, name), SPAN(": "));
    return put(put(at, value), SPAN("\r\n"));
}

static char *put_status(char *at, unsigned status)
{
    if (status == 200) return put(at, SPAN("HTTP/1.1 200 OK\r\n"));
    at = put_number(put(at, SPAN("HTTP/1.1 ")), status);
    at = put(put(at, SPAN(" ")), span_str(http1_reason(status)));
    return put(at, SPAN("\r\n"));
}

/* RFC 9112 section 9.3: 1.1 stays open unless told, 1.0 closes unless told. */
static char *put_connection(char *at, struct http1_reply to)
{
    if (!to.keep_alive) return put(at, SPAN("Connection: close\r\n"));
    return to.minor == 0 ? put(at, SPAN("Connection: keep-alive\r\n")) : at;
}

/* At least as much as http1_res_write() needs. */
static size_t size_of(const struct http1_res *res)
{
    size_t n = FIXED_ROOM + res->type.n + res->body.n;
    for (size_t i = 0; i < res->n_fields; i++)
        n += res->fields[i].name.n + res->fields[i].value.n + 4;
    return n;
}

enum err http1_res_write(struct buf *out, struct http1_reply to, const struct http1_res *res)
{
    CHECK(res->status >= 100 && res->status <= 599);
    if (!fields_fit(res)) return ERR_SYNTAX;
    bool interim = res->status < 200;
    bool bodyless = interim || res->status == 204 || res->status == 304;
    char *from = buf_room(out, size_of(res)), *at = from;
    if (!from) return ERR_NOMEM;
    at = put_status(at, res->status);
    if (!bodyless) {
        if (res->type.n) at = put_field(at, SPAN("Content-Type"), res->type);
        at = put_number(put(at, SPAN("Content-Length: ")), res->body.n);
        at = put(at, SPAN("\r\n"));
    }
    if (!interim) at = put_connection(at, to);
    for (size_t i = 0; i < res->n_fields; i++)
        at = put_field(at, res->fields[i].name, res->fields[i].value);
    at = put(at, SPAN("\r\n"));
    if (!bodyless && !to.head) at = put(at, res->body);
    buf_grew(out, (size_t)(at - from));
    return ERR_OK;
}

enum err http1_res_json(struct buf *out, struct http1_reply to, unsigned status, struct span json)
{
    struct http1_res res = {
        .status = (uint16_t)status,
        .type = SPAN("application/json"),
        .body = json,
    };
    return http1_res_write(out, to, &res);
}

void http1_error_json(struct buf *json, unsigned status, struct span text)
{
    json_open(json, '{');
    json_key(json, SPAN("error"));
    json_string(json, text);
    json_key(json, SPAN("code"));
    json_u64(json, status);
    json_close(json, '}');
}

enum err http1_res_error(struct buf *out, struct http1_reply to, unsigned status, struct span text)
{
    struct buf json = { 0 };
    http1_error_json(&json, status, text);
    enum err err = ERR_NOMEM;
    if (!buf_failed(&json)) err = http1_res_json(out, to, status, buf_span(&json));
    buf_fini(&json);
    return err;
}

enum err http1_res_fail(struct buf *out, const struct http1_req *r)
{
    const struct http1_fail *fail = http1_req_fail(r);
    CHECK(fail->kind != HTTP1_FAIL_NONE);
    struct buf text = { 0 };
    http1_fail_text(fail, &text);
    enum err err = ERR_NOMEM;
    if (!buf_failed(&text))
        err = http1_res_error(out, http1_reply_to(r), fail->status, buf_span(&text));
    buf_fini(&text);
    return err;
}

enum err http1_res_continue(struct buf *out)
{
    return http1_res_write(out, (struct http1_reply) { 0 }, &(struct http1_res) { .status = 100 });
}
