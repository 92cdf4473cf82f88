/* SPDX-License-Identifier: MIT
 *
 * http/http1_head.h: the grammar of single lines of an HTTP/1.x head (RFC 9112 sections 3 and 5),
 * and how a refusal is described.
 *
 * Apart from http1_req, which knows about messages and how they arrive: this file sees one complete
 * line at a time. Pure, no allocation, no state.
 */
#ifndef HTTP_HTTP1_HEAD_H
#define HTTP_HTTP1_HEAD_H
#include "base/buf.h"

enum http1_fail_kind {
    HTTP1_FAIL_NONE,
    HTTP1_FAIL_SYNTAX,      /* not HTTP, or a shape that two readers could read differently */
    HTTP1_FAIL_LIMIT,       /* larger than a limit: `limit`, `measured`, `option` are set */
    HTTP1_FAIL_UNSUPPORTED, /* valid, but not here: version, transfer coding, expectation */
    HTTP1_FAIL_TLS,   /* a TLS handshake on a plain port: answer with an alert, not with HTTP */
    HTTP1_FAIL_HTTP2, /* the HTTP/2 preface */
    HTTP1_FAIL_NOMEM,
};

/* Why a request is refused. All texts are static. */
struct http1_fail {
    const char *what;   /* a clause: "two Host headers" */
    const char *option; /* HTTP1_FAIL_LIMIT: where the limit comes from */
    uint64_t limit;
    uint64_t measured; /* 0: not known, only that it is more than `limit` */
    uint16_t status;   /* the HTTP status to answer with */
    uint8_t kind;      /* enum http1_fail_kind */
};

/* Appends one sentence (no full stop): what was wrong; for limits what was measured, the limit and
 * the option. Safe to send to the client: none of its bytes are in it. */
void http1_fail_text(const struct http1_fail *fail, struct buf *out);

enum http1_method {
    HTTP1_GET,
    HTTP1_HEAD,
    HTTP1_POST,
    HTTP1_PUT,
    HTTP1_DELETE,
    HTTP1_OPTIONS,
    HTTP1_OTHER, /* a valid token that we give no meaning */
};

struct http1_line {
    struct span method, target; /* borrow from the line */
    uint8_t code;               /* enum http1_method */
    uint8_t minor;              /* HTTP/1.minor: 0 or 1 */
};

struct http1_field {
    struct span name, value; /* value without the white space around it; may be empty */
};

/* Strips the CR LF that must end `raw` (which ends with LF); refuses a bare LF and any other CR. */
bool http1_line_end(struct span raw, struct span *line, struct http1_fail *fail) MUST_USE;

/* "GET /x HTTP/1.1". The target is checked for its characters only (url_split does the rest). */
bool http1_parse_line(struct span line, struct http1_line *out, struct http1_fail *fail) MUST_USE;

/* "Name: value". Refuses folding, white space before the colon, control characters. */
bool http1_parse_field(struct span line, struct http1_field *out, struct http1_fail *fail) MUST_USE;

/* Free of control characters but tab: may stand as a field value. */
bool http1_is_value(struct span s);
/* May stand as the value of Host; empty is valid (RFC 9112 section 3.2). */
bool http1_is_host(struct span s);

/* Sets `*fail` and returns false, for `return http1_refuse(…)`. */
bool http1_refuse(struct http1_fail *fail, enum http1_fail_kind kind, unsigned status,
                  const char *what);
#endif
