/* SPDX-License-Identifier: MIT
 *
 * http/http1_res.h: writes complete HTTP/1.1 responses (RFC 9112) into a buf.
 *
 * A response is data that is checked whole before the first byte is written, so header injection
 * is impossible and a refused response leaves no trace. Framing headers (Content-Length,
 * Connection) are ours alone. Pure; allocates only in `out`.
 */
#ifndef HTTP_HTTP1_RES_H
#define HTTP_HTTP1_RES_H
#include "http/http1_req.h"

/* What of the request the response depends on; kept apart, so that an answer can be written after
 * the request is gone. */
struct http1_reply {
    bool head;       /* HEAD: headers only */
    bool keep_alive; /* the connection stays open */
    uint8_t minor;   /* of the request */
};

/* As the request wants it. A request that failed, or that has unread body, gets keep_alive false.
 */
struct http1_reply http1_reply_to(const struct http1_req *r);

struct http1_res {
    uint16_t status;
    struct span type;                 /* Content-Type; empty: none */
    const struct http1_field *fields; /* more headers */
    size_t n_fields;
    struct span body;
};

/* Appends the response. ERR_SYNTAX, and nothing appended, when a header's name is no token or its
 * value holds CR, LF, NUL or another control character. ERR_NOMEM: `out` is failed. Statuses that
 * have no body (1xx, 204, 304) get none and no Content-Length (RFC 9110 section 8.6).
 * CHECKs that status is 100–599 and that no field is Content-Length, Connection (but for 1xx) or
 * Transfer-Encoding. */
enum err http1_res_write(struct buf *out, struct http1_reply to,
                         const struct http1_res *res) MUST_USE;

/* A JSON document (application/json). */
enum err http1_res_json(struct buf *out, struct http1_reply to, unsigned status,
                        struct span json) MUST_USE;
/* Appends `{"error":"text","code":status}`, as Pusher's HTTP API answers; `text` is UTF-8 and
 * escaped. */
void http1_error_json(struct buf *json, unsigned status, struct span text);
/* The response with that. */
enum err http1_res_error(struct buf *out, struct http1_reply to, unsigned status,
                         struct span text) MUST_USE;
/* The answer to HTTP1_EV_FAIL: http1_res_error with http1_fail_text, then the connection closes.
 * Not for HTTP1_FAIL_TLS, whose client does not read HTTP. */
enum err http1_res_fail(struct buf *out, const struct http1_req *r) MUST_USE;
/* "100 Continue", when http1_req_wants_continue(). */
enum err http1_res_continue(struct buf *out) MUST_USE;

/* The reason phrase, never NULL ("" for a status we do not use). */
const char *http1_reason(unsigned status);
#endif
