/* SPDX-License-Identifier: MIT
 *
 * base/span.c: cutting, trimming and comparing borrowed bytes.
 *
 * ASCII only and without the C library's ctype, whose answers depend on the locale.
 */
#include "base/span.h"
#include "base/swar.h"

#define DEL 0x7f

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool span_list_eq(struct span_list a, struct span_list b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (!span_eq(a.items[i], b.items[i])) return false;
    return true;
}

/* Mostly they are written alike: letters are folded only where octets differ. */
bool span_same_letters(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    return true;
}

bool span_is_plain(struct span s, uint8_t lowest)
{
    const char *p = s.p;
    size_t n = s.n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t w = swar_load(p);
        if (swar_below(w, lowest) | swar_has(w, DEL)) return false;
    }
    for (; n; p++, n--)
        if ((uint8_t)*p < lowest || *p == DEL) return false;
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
