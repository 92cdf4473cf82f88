/* SPDX-License-Identifier: MIT
 *
 * http/http1_req.h: bytes from a client -> HTTP/1.x requests (RFC 9112).
 *
 * Pure: no I/O, no clock. Feed any split of the stream; the events are the same, and the work is
 * linear. Strict: every shape that another reader could understand differently (request smuggling)
 * is refused. Invariant: after HTTP1_EV_FAIL every call gives HTTP1_EV_FAIL.
 * Memory: the head and the body of one message, as far as they have come, and nothing once all
 * input is used between messages.
 *
 *     do {
 *         size_t used = http1_req_feed(&r, p, n, &ev);
 *         p += used, n -= used;
 *         HTTP1_EV_HEAD: look at it, set the body limit, send "100 Continue"
 *         HTTP1_EV_DONE: answer, http1_req_next(&r)
 *     } while (ev != HTTP1_EV_MORE && ev != HTTP1_EV_FAIL);
 *
 * The condition is not `n`: a request without a body is complete with no byte more.
 */
#ifndef HTTP_HTTP1_REQ_H
#define HTTP_HTTP1_REQ_H
#include "http/http1_framing.h"

/* Line and header limits are at most 1 MiB. `body_bytes` holds until http1_req_limit_body() changes
 * it for a message. */
struct http1_limits {
    uint32_t line_bytes;     /* request line without its end; above: 414 */
    uint32_t headers_bytes;  /* header lines with their ends; trailers the same; above: 431 */
    uint32_t n_headers;      /* with trailers; above: 431 */
    uint32_t body_bytes;     /* above: 413 */
    const char *body_option; /* static: where body_bytes comes from, for the refusal */
};
/* 8 KiB, 16 KiB, 100, and 16 KiB of body: what may be read before a signature is checked. */
extern const struct http1_limits http1_limits_default;

enum http1_ev {
    HTTP1_EV_MORE, /* all input is used, more is needed */
    HTTP1_EV_HEAD, /* request line and headers are complete and valid */
    HTTP1_EV_DONE, /* so is the body; sticky until http1_req_next() */
    HTTP1_EV_FAIL, /* see http1_req_fail(); sticky: answer, then close the connection */
};

/* Which deadline applies. */
enum http1_phase { HTTP1_IDLE, HTTP1_IN_HEAD, HTTP1_IN_BODY, HTTP1_COMPLETE, HTTP1_FAILED };

struct http1_req { /* fields are http1_req.c's alone */
    const struct http1_limits *_limits;
    struct buf _head; /* request line and headers with their ends; after _head_len trailers */
    struct buf _body; /* with chunked coding removed */
    struct http1_fail _fail;
    struct http1_framing _framing;
    const char *_body_option;
    uint64_t _left; /* octets of the body, or of the chunk, still to come */
    size_t _body_limit;
    uint32_t _line_at;  /* where in _head the line that is being read begins */
    uint32_t _line_len; /* of the request line, with its end */
    uint32_t _head_len; /* 0 until the head is complete */
    uint32_t _method_len, _target_len;
    uint32_t _n_headers;
    uint32_t _extra; /* octets of chunk extensions so far */
    uint8_t _state, _method, _minor;
    uint8_t _n_digits; /* of the chunk size so far */
    bool _blank;       /* an empty line before the request was skipped */
    bool _upgrade;     /* a header Upgrade */
};

_Static_assert(sizeof(struct http1_req) <= 300, "one for each connection that speaks HTTP");

/* `limits` is borrowed for r's whole life (mostly &http1_limits_default). */
void http1_req_init(struct http1_req *r, const struct http1_limits *limits);
void http1_req_fini(struct http1_req *r);

/* Reads up to the next event and returns how many bytes of `in` were used; unused ones belong to
 * the next call (after HTTP1_EV_DONE: to the next message, or to the protocol upgraded to). */
size_t http1_req_feed(struct http1_req *r, const char *in, size_t n, enum http1_ev *ev) MUST_USE;

/* After HTTP1_EV_DONE: forgets the message and is ready for the next one. Its memory goes, at the
 * latest, when http1_req_feed() is next called without input. */
void http1_req_next(struct http1_req *r);

/* Between HTTP1_EV_HEAD and the next feed: how large the body may be, and where that limit comes
 * from (static text or one that outlives the message). */
void http1_req_limit_body(struct http1_req *r, size_t bytes, const char *option);

enum http1_phase http1_req_phase(const struct http1_req *r);
/* Octets of memory that r owns now, for limits.request_total_bytes. */
size_t http1_req_held(const struct http1_req *r);
/* After HTTP1_EV_FAIL; else its kind is HTTP1_FAIL_NONE. */
const struct http1_fail *http1_req_fail(const struct http1_req *r);

/* From HTTP1_EV_HEAD on, until http1_req_next(); before, all is empty or false. Slices borrow from
 * `r` until the next call of http1_req_feed() or http1_req_next(). */
enum http1_method http1_req_method(const struct http1_req *r);
struct span http1_req_method_name(const struct http1_req *r);
struct span http1_req_target(const struct http1_req *r);
unsigned http1_req_minor(const struct http1_req *r); /* HTTP/1.minor */
/* Whether the connection may carry another request after this one. After a failure: false. */
bool http1_req_keep_alive(const struct http1_req *r);
/* The client waits for "100 Continue" before it sends the body. Not true for HTTP/1.0. */
bool http1_req_wants_continue(const struct http1_req *r);
/* There is a header Upgrade: cheaper than to look for it, and most requests have none. */
bool http1_req_has_upgrade(const struct http1_req *r);
/* The announced length; true and 0 when there is no body; false when chunked (not known). */
bool http1_req_length(const struct http1_req *r, uint64_t *out);
/* The whole body, from HTTP1_EV_DONE on. */
struct span http1_req_body(const struct http1_req *r);

/* Headers, in the order sent; `*at` begins with 0. False at the end. */
bool http1_header_next(const struct http1_req *r, size_t *at, struct http1_field *out);
/* The first value; p == NULL when there is none (an empty value has a p). Names ignore case. */
struct span http1_header(const struct http1_req *r, struct span name);
size_t http1_header_count(const struct http1_req *r, struct span name);
/* Whether a comma-separated list (all headers of that name together) holds the token; ignores case.
 * For `Connection: keep-alive, Upgrade`. */
bool http1_header_has_token(const struct http1_req *r, struct span name, struct span token);
#endif
