/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_utf8.c: a text cut anywhere is valid exactly when the whole is, and both agree
 * with a decoder that computes code points (which the validator avoids).
 *
 * The first octet of the input says how to cut the rest.
 */
#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool valid_by_pieces(struct span s, size_t piece)
{
    struct utf8 u = { 0 };
    while (s.n) {
        struct span head = span_head(s, piece);
        if (!utf8_feed(&u, head.p, head.n)) return false;
        s = span_skip(s, head.n);
    }
    return utf8_complete(&u);
}

static bool valid_by_characters(struct span s)
{
    while (s.n) {
        size_t n = utf8_char(s.p, s.n);
        CHECK(n <= 4 && n <= s.n);
        if (n == 0) return false;
        s = span_skip(s, n);
    }
    return true;
}

static size_t length_by_first(uint8_t c) /* 0: it begins no character */
{
    if (c < 0x80) return 1;
    if ((c & 0xe0) == 0xc0) return 2;
    if ((c & 0xf0) == 0xe0) return 3;
    return (c & 0xf8) == 0xf0 ? 4 : 0;
}

/* The length of the character, by its code point; 0 when it is none. */
static size_t decode(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = length_by_first(p[0]);
    if (len < 2) return len;
    if (len > n) return 0;
    uint32_t cp = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        cp = cp << 6 | (p[i] & 0x3f);
    }
    bool scalar = cp >= least[len] && cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
    return scalar ? len : 0;
}

static bool valid_by_code_points(const uint8_t *p, size_t n)
{
    for (size_t at = 0, len; at < n; at += len) {
        len = decode(p + at, n - at);
        if (len == 0) return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    char *copy = mem_dup(data + 1, size - 1); /* its own block, so that ASan sees its end */
    if (!copy) return 0;
    struct span text = span_of(copy, size - 1);
    bool valid = utf8_valid(text);
    CHECK(valid == valid_by_pieces(text, (size_t)data[0] + 1));
    CHECK(valid == valid_by_pieces(text, 1));
    CHECK(valid == valid_by_characters(text));
    CHECK(valid == valid_by_code_points(data + 1, size - 1));
    mem_free(copy);
    return 0;
}
