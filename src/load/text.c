/* SPDX-License-Identifier: MIT
 *
 * load/text.c: the numbered texts.
 *
 * The pattern's period (61) is no divisor of anything a server would copy in, so a text that was
 * shifted or put together from two does not match it.
 */
#include "load/text.h"

#define PREFIX "bench "
#define PREFIX_LEN (sizeof PREFIX - 1)
#define DIGITS 16
#define PERIOD 61

static const char pattern[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678";
_Static_assert(sizeof pattern == PERIOD + 1, "one period");
_Static_assert(TEXT_MIN == PREFIX_LEN + 2 * (DIGITS + 1), "the head alone");

void text_write(struct buf *out, const struct text_head *head, size_t bytes)
{
    CHECK(bytes >= TEXT_MIN && bytes <= TEXT_MAX);
    buf_add_fmt(out, PREFIX "%016llx %016llx ", (unsigned long long)head->seq,
                (unsigned long long)head->due_ns);
    for (size_t left = bytes - TEXT_MIN; left;) {
        size_t n = left < PERIOD ? left : PERIOD;
        buf_add(out, pattern, n);
        left -= n;
    }
}

static bool is_pattern(struct span s)
{
    while (s.n) {
        size_t n = s.n < PERIOD ? s.n : PERIOD;
        if (memcmp(s.p, pattern, n) != 0) return false;
        s = span_skip(s, n);
    }
    return true;
}

/* Sixteen lower-case digits and a space. */
static bool number(const char *p, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned c = (unsigned char)p[i];
        unsigned digit = c - '0' < 10 ? c - '0' : c - 'a' < 6 ? c - 'a' + 10 : 16;
        if (digit == 16) return false;
        v = v << 4 | digit;
    }
    *out = v;
    return p[DIGITS] == ' ';
}

bool text_find(struct span frame, size_t bytes, size_t *hint, struct text_head *head)
{
    struct span at = span_skip(frame, *hint);
    if (!span_starts(at, SPAN(PREFIX))) {
        const char *p = frame.n ? memmem(frame.p, frame.n, PREFIX, PREFIX_LEN) : NULL;
        if (!p) return false;
        *hint = (size_t)(p - frame.p);
        at = span_skip(frame, *hint);
    }
    /* A server that makes a JSON string of a string writes its quotes with a backslash. */
    if (at.n <= bytes || (at.p[bytes] != '"' && at.p[bytes] != '\\')) return false;
    return number(at.p + PREFIX_LEN, &head->seq) &&
           number(at.p + PREFIX_LEN + DIGITS + 1, &head->due_ns) &&
           is_pattern(span_of(at.p + TEXT_MIN, bytes - TEXT_MIN));
}
