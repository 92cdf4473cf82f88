/* SPDX-License-Identifier: MIT
 *
 * bench/text.c: the numbered texts.
 *
 * The pattern's period (61) is no divisor of anything a server would copy in, so a text that was
 * shifted or put together from two does not match it.
 */
#include "bench/text.h"

#define PREFIX "bench "
#define DIGITS 16
#define PERIOD 61

static const char pattern[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678";
_Static_assert(sizeof pattern == PERIOD + 1, "one period");

void text_write(struct buf *out, uint64_t seq, size_t bytes)
{
    CHECK(bytes >= TEXT_MIN && bytes <= TEXT_MAX);
    buf_add_fmt(out, PREFIX "%016llu ", (unsigned long long)seq);
    for (size_t left = bytes - (sizeof PREFIX + DIGITS); left;) {
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

bool text_find(struct span frame, size_t bytes, size_t *hint, uint64_t *seq)
{
    struct span at = span_skip(frame, *hint);
    if (!span_starts(at, SPAN(PREFIX))) {
        const char *p = memmem(frame.p, frame.n, PREFIX, sizeof PREFIX - 1);
        if (!p) return false;
        *hint = (size_t)(p - frame.p);
        at = span_skip(frame, *hint);
    }
    if (at.n <= bytes || at.p[bytes] != '"') return false;
    struct span digits = span_of(at.p + sizeof PREFIX - 1, DIGITS);
    if (!span_to_u64(digits, seq) || at.p[sizeof PREFIX - 1 + DIGITS] != ' ') return false;
    return is_pattern(span_of(at.p + sizeof PREFIX + DIGITS, bytes - sizeof PREFIX - DIGITS));
}
