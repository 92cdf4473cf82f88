/* SPDX-License-Identifier: MIT
 *
 * base/utf8.h: incremental UTF-8 validation (RFC 3629): refuses overlong forms, surrogates and
 * code points above U+10FFFF at the first wrong octet.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include "base/span.h"

struct utf8 {
    uint8_t _need;    /* continuation octets still to come */
    uint8_t _lo, _hi; /* allowed range of the next octet */
};

/* Zeroing starts a text. */
/* Feeds bytes; false at the first octet that cannot be part of a valid text (then do not go on). */
bool utf8_feed(struct utf8 *u, const void *p, size_t n) __attribute__((warn_unused_result));
/* True when no character is unfinished. */
static inline bool utf8_complete(const struct utf8 *u)
{
    return u->_need == 0;
}
/* The whole span is valid. */
bool utf8_valid(struct span s);
/* The length (1 to 4) of the character that stands at `p`; 0 when none does within `n` octets. */
size_t utf8_char(const char *p, size_t n);

/* How many characters stand in text that is valid; a surrogate in three octets counts as one. */
static inline size_t utf8_count(struct span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}
#endif
