/* SPDX-License-Identifier: MIT
 *
 * base/span.h: borrowed bytes (a pointer and a length; not NUL-terminated, may hold NUL).
 *
 * A span never owns. Who gets one may use it during the call only, unless the function's comment
 * says for how long the bytes live.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

struct span_list {
    struct span *items;
    size_t n;
};

/* A span over a string literal. */
#define SPAN(lit) ((struct span) { "" lit, sizeof(lit) - 1 })
/* For printf's "%.*s". */
#define SPAN_FMT(s) (int)(s).n, (s).p

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span) { p, n };
}

static inline struct span span_str(const char *s)
{
    return (struct span) { s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
    /* By b's length, so that comparing with a literal is a move or two. */
    return a.n == b.n && (b.n == 0 || memcmp(a.p, b.p, b.n) == 0);
}

/* The same items in the same order. */
bool span_list_eq(struct span_list a, struct span_list b);

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline struct span span_skip(struct span s, size_t n)
{
    if (n > s.n) n = s.n;
    return n ? (struct span) { s.p + n, s.n - n } : s; /* NULL + 0 is undefined */
}

static inline struct span span_head(struct span s, size_t n)
{
    return (struct span) { s.p, n < s.n ? n : s.n };
}

/* Cuts `*rest` at the first `sep`: `*part` gets what stands before it, `*rest` what follows.
 * Without `sep` the part is everything and the rest is empty with p == NULL, so that
 * `while (rest.p) { span_cut(&rest, ',', &part); … }` visits each part. False, and an
 * empty part, when rest.p is NULL. */
static inline bool span_cut(struct span *rest, char sep, struct span *part)
{
    struct span s = *rest;
    *part = s;
    if (!s.p) return false;
    const char *at = s.n ? (const char *)memchr(s.p, sep, s.n) : NULL;
    *part = at ? span_of(s.p, (size_t)(at - s.p)) : s;
    *rest = at ? span_of(at + 1, s.n - part->n - 1) : (struct span) { NULL, 0 };
    return true;
}

bool span_same_letters(const char *a, const char *b, size_t n); /* of span_eq_nocase */

/* ASCII case-insensitive equality, as HTTP header names and tokens compare. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
    return a.n == b.n && span_same_letters(a.p, b.p, a.n);
}

/* Whether every octet is `lowest` ≤ 0x80 or above, and none is DEL: with ' ', no ASCII control
 * character; with '!', no space either. Octets above 0x7f pass. True for the empty span. */
bool span_is_plain(struct span s, uint8_t lowest);

/* Without leading and trailing spaces and tabs. */
struct span span_trim(struct span s);

/* Decimal digits only, the whole span, no sign, no overflow: else false and `*out` unchanged. */
bool span_to_u64(struct span s, uint64_t *out);

#endif
