/* SPDX-License-Identifier: MIT
 *
 * base/span.c: cutting, trimming and comparing borrowed bytes.
 *
 * ASCII only and without the C library's ctype, whose answers depend on the locale.
 */
#include "base/span.h"

bool span_cut(struct span *rest, char sep, struct span *part)
{
    if (!rest->p) return false;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!at) {
        *part = *rest;
        *rest = (struct span) { NULL, 0 };
        return true;
    }
    size_t n = (size_t)(at - rest->p);
    *part = span_of(rest->p, n);
    *rest = span_of(at + 1, rest->n - n - 1);
    return true;
}

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

bool span_to_u64(struct span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9) return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v)) return false;
    }
    if (s.n == 0) return false;
    *out = v;
    return true;
}
