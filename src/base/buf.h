/* SPDX-License-Identifier: MIT
 *
 * base/buf.h: owned, growable bytes.
 *
 * Appends are void: after an allocation failure the buffer remembers it, further appends do
 * nothing, and the writer asks buf_failed() once at the end. An empty buffer
 * owns no memory. Fields are read directly (`b.p`, `b.n`), written by buf.c only.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "base/err.h"
#include "base/span.h"

struct buf {
    char *p;      /* NULL while cap is 0 */
    size_t n;     /* bytes in use */
    size_t cap;   /* bytes owned */
    bool _failed; /* an append did not fit in memory */
};

/* buf_init is the same as zeroing. */
static inline void buf_init(struct buf *b)
{
    *b = (struct buf) { 0 };
}

void buf_fini(struct buf *b);               /* frees; the buffer is as after buf_init */
static inline void buf_clear(struct buf *b) /* keeps the memory, forgets content and failure */
{
    b->n = 0;
    b->_failed = false;
}

static inline bool buf_failed(const struct buf *b)
{
    return b->_failed;
}

/* Marks a failure that a writer met elsewhere, so that it is noticed at the end like any other. */
static inline void buf_fail(struct buf *b)
{
    b->_failed = true;
}

static inline struct span buf_span(const struct buf *b)
{
    return span_of(b->p, b->n);
}

/* Makes room for `more` bytes beyond n and returns where they go, or NULL (and marks the failure).
 * Growth is geometric. Follow with buf_grew(). */
char *buf_room(struct buf *b, size_t more) MUST_USE;
void buf_grew(struct buf *b, size_t by); /* by ≤ the room asked for */

void buf_add(struct buf *b, const void *p, size_t n); /* p may not point into b */
static inline void buf_add_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}
void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
void buf_add_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void buf_add_span(struct buf *b, struct span s)
{
    buf_add(b, s.p, s.n);
}
#define BUF_ADD_LIT(b, lit) buf_add((b), "" lit, sizeof(lit) - 1)

/* Drops the first n ≤ b->n bytes (moves the rest down). */
void buf_drop(struct buf *b, size_t n);

/* Moves the content out: `*to` is finished first, then owns it; `from` is empty. */
void buf_take(struct buf *to, struct buf *from);
#endif
