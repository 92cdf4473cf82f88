/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_swar.c: eight octets at a time answer as one octet at a time does. */
#include "base/swar.h"
#include "unit/test.h"

/* Where the first octet is that `is` marks; 8: nowhere. */
static size_t first_by_octets(const char text[8], bool (*is)(uint8_t))
{
    size_t at = 0;
    while (at < 8 && !is((uint8_t)text[at])) at++;
    return at;
}

static size_t first_of(uint64_t marks)
{
    return marks ? swar_first(marks) : 8;
}

static bool is_below(uint8_t c)
{
    return c < 0x20;
}

static bool is_quote(uint8_t c)
{
    return c == '"';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_high(uint8_t c)
{
    return c >= 0x80;
}

static bool is_any(uint8_t c)
{
    return is_below(c) || is_quote(c) || is_high(c);
}

/* Two octets of any value at any two places, among neighbours that could carry or borrow. */
static void the_first_marked_octet_is_the_right_one(void **state)
{
    (void)state;
    static const char around[] = { 'x', '\0', '\x7f', '\x80', '\xff', '"', '!', '#', '@', '[' };
    char text[8];
    for (size_t n = 0; n < sizeof around; n++) {
        for (int c = 0; c < 256; c++) {
            for (size_t at = 0; at < 64; at++) {
                memset(text, around[n], sizeof text);
                text[at / 8] = (char)c;
                text[at % 8] = (char)(c + 1);
                uint64_t w = swar_load(text);
                assert_int_equal(first_of(swar_below(w, 0x20)), first_by_octets(text, is_below));
                assert_int_equal(first_of(swar_has(w, '"')), first_by_octets(text, is_quote));
                assert_int_equal(first_of(swar_upper(w)), first_by_octets(text, is_upper));
                assert_int_equal(first_of(swar_high(w)), first_by_octets(text, is_high));
                uint64_t any = swar_below(w, 0x20) | swar_has(w, '"') | swar_high(w);
                assert_int_equal(first_of(any), first_by_octets(text, is_any));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_marked_octet_is_the_right_one),
    };
    return RUN_TESTS(tests);
}
