/* SPDX-License-Identifier: MIT
 *
 * http/http1_framing.h: what the headers say about where a request ends and whether the connection
 * goes on (RFC 9112 sections 3.2, 6 and 9.3; RFC 9110 section 10.1.1).
 *
 * Noted as each header passes, once and strictly: this is where request smuggling is decided, so it
 * stands alone. Pure.
 */
#ifndef HTTP_HTTP1_FRAMING_H
#define HTTP_HTTP1_FRAMING_H
#include "http/http1_head.h"

/* Zeroing starts a head. */
struct http1_framing {
    uint64_t length; /* Content-Length; 0 without */
    bool has_host, has_length;
    bool chunked;
    bool close, keep_alive; /* of Connection */
    bool expects_continue;
};

/* Takes one header of a request of version HTTP/1.`minor`; others than those above are ignored. */
bool http1_framing_note(struct http1_framing *f, unsigned minor, const struct http1_field *field,
                        struct http1_fail *fail) MUST_USE;
/* Takes one trailer: those names may not stand there (RFC 9110 section 6.5.1), where a reader that
 * merges trailers into the headers would frame by them. */
bool http1_framing_trailer(const struct http1_field *field, struct http1_fail *fail) MUST_USE;
/* After the last header: what must be there, and what may not stand together. */
bool http1_framing_end(const struct http1_framing *f, unsigned minor,
                       struct http1_fail *fail) MUST_USE;
#endif
