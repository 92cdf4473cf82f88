/* SPDX-License-Identifier: MIT
 *
 * tests/unit/http/record.h: feeds bytes to a request parser in pieces and writes down the events,
 * one a line, so that two ways of cutting the same bytes can be compared as texts. Used by the unit
 * tests and by the fuzz target.
 */
#ifndef TESTS_UNIT_HTTP_RECORD_H
#define TESTS_UNIT_HTTP_RECORD_H
#include "base/mem.h"
#include "http/http1_req.h"

/* Piece lengths: 0 everything at once, 1 byte by byte, else drawn from the seed. */
struct chop {
    uint64_t seed;
    size_t body_limit; /* set at each HEAD */
    const struct http1_limits *limits;
};

static inline size_t chop_next(struct chop *c, size_t left)
{
    if (c->seed == 0) return left;
    if (c->seed == 1) return 1;
    c->seed ^= c->seed << 13; /* xorshift64 */
    c->seed ^= c->seed >> 7;
    c->seed ^= c->seed << 17;
    size_t max = c->seed & 0x100 ? 4 : 64;
    size_t n = (size_t)(c->seed >> 32) % max;
    return n < left ? n : left;
}

static inline void record_head(const struct http1_req *r, struct buf *log)
{
    uint64_t length;
    struct http1_field f;
    buf_add_fmt(log, "HEAD %.*s %.*s 1.%u", SPAN_FMT(http1_req_method_name(r)),
                SPAN_FMT(http1_req_target(r)), http1_req_minor(r));
    if (http1_req_keep_alive(r)) BUF_ADD_LIT(log, " keep");
    if (http1_req_wants_continue(r)) BUF_ADD_LIT(log, " continue");
    if (!http1_req_length(r, &length))
        BUF_ADD_LIT(log, " chunked");
    else if (length)
        buf_add_fmt(log, " length=%llu", (unsigned long long)length);
    for (size_t at = 0; http1_header_next(r, &at, &f);)
        buf_add_fmt(log, " %.*s=[%.*s]", SPAN_FMT(f.name), SPAN_FMT(f.value));
    buf_add_byte(log, '\n');
}

static inline void record_fail(const struct http1_req *r, struct buf *log)
{
    buf_add_fmt(log, "FAIL %d ", http1_req_fail(r)->status);
    http1_fail_text(http1_req_fail(r), log);
    buf_add_byte(log, '\n');
}

static inline void record_event(struct http1_req *r, enum http1_ev ev, const struct chop *c,
                                struct buf *log)
{
    switch (ev) {
    case HTTP1_EV_HEAD:
        record_head(r, log);
        http1_req_limit_body(r, c->body_limit, "test");
        break;
    case HTTP1_EV_DONE:
        BUF_ADD_LIT(log, "DONE ");
        buf_add_span(log, http1_req_body(r));
        buf_add_byte(log, '\n');
        http1_req_next(r);
        break;
    case HTTP1_EV_FAIL:
        record_fail(r, log);
        break;
    case HTTP1_EV_MORE:
        break;
    }
}

/* Feeds one piece, from memory of exactly its size (so that ASan sees a read beyond it), until the
 * parser wants more. False after a failure. */
static inline bool record_piece(struct http1_req *r, struct span piece, const struct chop *c,
                                struct buf *log)
{
    char *copy = mem_alloc(piece.n ? piece.n : 1);
    CHECK(copy);
    if (piece.n) memcpy(copy, piece.p, piece.n);
    size_t at = 0;
    enum http1_ev ev;
    do {
        size_t used = http1_req_feed(r, copy + at, piece.n - at, &ev);
        at += used;
        CHECK(at <= piece.n);
        record_event(r, ev, c, log);
    } while (ev != HTTP1_EV_MORE && ev != HTTP1_EV_FAIL);
    CHECK(ev == HTTP1_EV_FAIL || at == piece.n); /* MORE means that all is used */
    mem_free(copy);
    return ev == HTTP1_EV_MORE;
}

/* Appends the events of `in` to `log`; "MORE" at the end of an unfinished message. */
static inline void record(struct span in, struct chop c, struct buf *log)
{
    struct http1_req r;
    struct span rest = in;
    http1_req_init(&r, c.limits ? c.limits : &http1_limits_default);
    bool going = true;
    while (going && rest.n) {
        size_t n = chop_next(&c, rest.n);
        going = record_piece(&r, span_head(rest, n), &c, log);
        rest = span_skip(rest, n);
    }
    if (http1_req_phase(&r) == HTTP1_IDLE)
        CHECK(http1_req_held(&r) == 0);
    else if (going)
        BUF_ADD_LIT(log, "MORE\n");
    http1_req_fini(&r);
}
#endif
