/* SPDX-License-Identifier: MIT
 *
 * base/buf.c: growable bytes whose writers ask about failure once, at the end.
 *
 * Invariants: p is NULL exactly while cap is 0; n <= cap. A failed buffer keeps what was written
 * before the failure and accepts nothing more until buf_clear() or buf_fini().
 */
#include "base/buf.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>

#define MIN_CAP 64 /* one malloc size class; smaller only costs more calls */

void buf_fini(struct buf *b)
{
    mem_free(b->p);
    buf_init(b);
}

/* The capacity for `need` bytes: at least half as much again as now, so that n appends move O(n)
 * bytes. 1.5 and not 2: most of our buffers are filled once and the tail would stay unused. */
static size_t next_cap(size_t cap, size_t need)
{
    size_t grown;
    if (!size_add(cap, cap / 2, &grown) || grown < need) grown = need;
    return grown < MIN_CAP ? MIN_CAP : grown;
}

char *buf_room(struct buf *b, size_t more)
{
    if (b->_failed) return NULL;
    if (b->p && more <= b->cap - b->n) return b->p + b->n;
    size_t need;
    char *p = NULL;
    size_t cap = 0;
    if (size_add(b->n, more, &need)) {
        cap = next_cap(b->cap, need);
        p = mem_realloc(b->p, cap);
    }
    if (!p) {
        b->_failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return p + b->n;
}

void buf_grew(struct buf *b, size_t by)
{
    CHECK(by <= b->cap - b->n);
    b->n += by;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0) return;
    bool fits = !b->_failed && n <= b->cap - b->n; /* mostly: the shortest way first */
    if (!fits && !buf_room(b, n)) return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20]; /* 2^64 - 1 has 20 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, digits + at, sizeof digits - at);
}

void buf_add_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *to = n < 0 ? NULL : buf_room(b, (size_t)n + 1); /* vsnprintf ends with a NUL */
    if (to) {
        int written = vsnprintf(to, (size_t)n + 1, fmt, again);
        CHECK(written == n);
        b->n += (size_t)n;
    } else {
        b->_failed = true;
    }
    va_end(again);
    va_end(args);
}

void buf_drop(struct buf *b, size_t n)
{
    CHECK(n <= b->n);
    if (n == 0) return;
    b->n -= n;
    if (b->n) memmove(b->p, b->p + n, b->n);
}

void buf_take(struct buf *to, struct buf *from)
{
    CHECK(to != from);
    buf_fini(to);
    *to = *from;
    buf_init(from);
}
