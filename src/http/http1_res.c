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

static void write_field(struct buf *out, struct span name, struct span value)
{
    buf_add_span(out, name);
    BUF_ADD_LIT(out, ": ");
    buf_add_span(out, value);
    BUF_ADD_LIT(out, "\r\n");
}

/* RFC 9112 section 9.3: 1.1 stays open unless told, 1.0 closes unless told. */
static void write_connection(struct buf *out, struct http1_reply to)
{
    if (!to.keep_alive)
        BUF_ADD_LIT(out, "Connection: close\r\n");
    else if (to.minor == 0)
        BUF_ADD_LIT(out, "Connection: keep-alive\r\n");
}

enum err http1_res_write(struct buf *out, struct http1_reply to, const struct http1_res *res)
{
    CHECK(res->status >= 100 && res->status <= 599);
    if (!fields_fit(res)) return ERR_SYNTAX;
    bool interim = res->status < 200;
    bool bodyless = interim || res->status == 204 || res->status == 304;
    BUF_ADD_LIT(out, "HTTP/1.1 ");
    buf_add_u64(out, res->status);
    buf_add_byte(out, ' ');
    buf_add_span(out, span_str(http1_reason(res->status)));
    BUF_ADD_LIT(out, "\r\n");
    if (!bodyless) {
        if (res->type.n) write_field(out, SPAN("Content-Type"), res->type);
        BUF_ADD_LIT(out, "Content-Length: ");
        buf_add_u64(out, res->body.n);
        BUF_ADD_LIT(out, "\r\n");
    }
    if (!interim) write_connection(out, to);
    for (size_t i = 0; i < res->n_fields; i++)
        write_field(out, res->fields[i].name, res->fields[i].value);
    BUF_ADD_LIT(out, "\r\n");
    if (!bodyless && !to.head) buf_add_span(out, res->body);
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
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

enum err http1_res_error(struct buf *out, struct http1_reply to, unsigned status, struct span text)
{
    struct buf json = { 0 };
    json_open(&json, '{');
    json_key(&json, SPAN("error"));
    json_string(&json, text);
    json_key(&json, SPAN("code"));
    json_u64(&json, status);
    json_close(&json, '}');
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
