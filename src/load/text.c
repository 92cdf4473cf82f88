/* SPDX-License-Identifier: MIT
 *
 * load/text.c: the numbered texts.
 *
 * The pattern's period (61) is no divisor of anything a server would copy in, so a text that was
 * shifted or put together from two does not match it. All its characters differ and 61 is prime, so
 * one that begins at another place, because a digit of the numbers is another, does not match in
 * its first character.
 */
#include "load/text.h"

#define PREFIX "bench "
#define PREFIX_LEN (sizeof PREFIX - 1)
#define RUN_DIGITS 8
#define DIGITS 16
#define HEAD_LEN (PREFIX_LEN + RUN_DIGITS + 1 + 2 * (DIGITS + 1))
#define PERIOD 61
#define ONCE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678"

static const char pattern[] = ONCE ONCE; /* a period from any place */
_Static_assert(sizeof pattern == 2 * PERIOD + 1, "two periods");
_Static_assert(TEXT_MIN == HEAD_LEN + 1, "one character that the head is checked by");

/* Where the pattern begins. */
static size_t place_of(const struct text_head *head)
{
    return (size_t)((head->run % PERIOD + head->seq % PERIOD + head->due_ns % PERIOD) % PERIOD);
}

void text_write(struct buf *out, const struct text_head *head, size_t bytes)
{
    CHECK(bytes >= TEXT_MIN && bytes <= TEXT_MAX);
    const char *from = pattern + place_of(head);
    buf_add_fmt(out, PREFIX "%08x %016llx %016llx ", head->run, (unsigned long long)head->seq,
                (unsigned long long)head->due_ns);
    for (size_t left = bytes - HEAD_LEN; left;) {
        size_t n = left < PERIOD ? left : PERIOD;
        buf_add(out, from, n);
        left -= n;
    }
}

static bool is_pattern(struct span s, const char *from)
{
    while (s.n) {
        size_t n = s.n < PERIOD ? s.n : PERIOD;
        if (memcmp(s.p, from, n) != 0) return false;
        s = span_skip(s, n);
    }
    return true;
}

/* So many lower-case digits and a space. */
static bool number(const char *p, size_t digits, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned c = (unsigned char)p[i];
        unsigned digit = c - '0' < 10 ? c - '0' : c - 'a' < 6 ? c - 'a' + 10 : 16;
        if (digit == 16) return false;
        v = v << 4 | digit;
    }
    *out = v;
    return p[digits] == ' ';
}

static bool read_head(const char *p, struct text_head *head)
{
    uint64_t run;
    if (!number(p + PREFIX_LEN, RUN_DIGITS, &run)) return false;
    p += PREFIX_LEN + RUN_DIGITS + 1;
    head->run = (uint32_t)run;
    return number(p, DIGITS, &head->seq) && number(p + DIGITS + 1, DIGITS, &head->due_ns);
}

bool text_look(struct span frame, struct span word, size_t *hint, struct span *at)
{
    if (!span_starts(span_skip(frame, *hint), word)) {
        const char *p = frame.n ? memmem(frame.p, frame.n, word.p, word.n) : NULL;
        if (!p) return false;
        *hint = (size_t)(p - frame.p);
    }
    *at = span_skip(frame, *hint);
    return true;
}

bool text_find_head(struct span frame, size_t *hint, struct text_head *head)
{
    struct span at;
    return text_look(frame, SPAN(PREFIX), hint, &at) && at.n >= HEAD_LEN && read_head(at.p, head);
}

bool text_find(struct span frame, size_t bytes, size_t *hint, struct text_head *head)
{
    struct span at;
    if (!text_look(frame, SPAN(PREFIX), hint, &at)) return false;
    /* A server that makes a JSON string of a string writes its quotes with a backslash. */
    if (at.n <= bytes || (at.p[bytes] != '"' && at.p[bytes] != '\\')) return false;
    return read_head(at.p, head) &&
           is_pattern(span_of(at.p + HEAD_LEN, bytes - HEAD_LEN), pattern + place_of(head));
}
