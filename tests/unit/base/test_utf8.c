/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_utf8.c: UTF-8 against an encoder, over all code points and splits. */
#include "base/utf8.h"
#include "unit/test.h"

static size_t encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) return out[0] = (char)cp, 1;
    if (cp < 0x800) return out[0] = (char)(0xc0 | cp >> 6), out[1] = (char)(0x80 | (cp & 63)), 2;
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 63));
        out[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 63));
    out[2] = (char)(0x80 | (cp >> 6 & 63));
    out[3] = (char)(0x80 | (cp & 63));
    return 4;
}

static void exactly_the_scalar_values_are_valid(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x200000; cp++) {
        char text[4];
        size_t n = encode(cp, text);
        bool want = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
        if (utf8_valid(span_of(text, n)) != want) fail_msg("U+%X", cp);
        if (utf8_char(text, n) != (want ? n : 0)) fail_msg("U+%X", cp);
    }
}

static void nothing_but_shortest_forms_is_valid(void **state)
{
    (void)state;
    assert_false(utf8_valid(SPAN("\xc0\xaf")));
    assert_false(utf8_valid(SPAN("\xc1\xbf")));
    assert_false(utf8_valid(SPAN("\xe0\x9f\xbf")));
    assert_false(utf8_valid(SPAN("\xf0\x8f\xbf\xbf")));
    assert_false(utf8_valid(SPAN("\xf4\x90\x80\x80")));
    assert_false(utf8_valid(SPAN("\xed\xa0\x80")));
    assert_false(utf8_valid(SPAN("\x80")));
    assert_false(utf8_valid(SPAN("\xff")));
    assert_false(utf8_valid(SPAN("a\xe2\x82")));
    assert_false(utf8_valid(SPAN("\xe2\x82z")));
    assert_true(utf8_valid(SPAN("")));
    assert_true(utf8_valid(span_of(NULL, 0)));
    assert_true(utf8_valid(SPAN("a\0z")));
}

static void a_text_may_be_cut_anywhere(void **state)
{
    (void)state;
    struct span text = SPAN("ascii first, then Zo\xc3\xab \xf0\x9f\x9a\x80 \xe2\x82\xac and ascii");
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct utf8 u = { 0 };
        assert_true(utf8_feed(&u, text.p, cut));
        bool inside = cut < text.n && ((uint8_t)text.p[cut] & 0xc0) == 0x80;
        assert_int_equal(utf8_complete(&u), !inside);
        assert_true(utf8_feed(&u, text.p + cut, text.n - cut));
        assert_true(utf8_complete(&u));
    }
}

/* RFC 6455 wants a connection failed at once, so the first wrong octet counts, not the last. */
static void a_wrong_octet_is_refused_when_it_comes(void **state)
{
    (void)state;
    struct utf8 u = { 0 };
    assert_true(utf8_feed(&u, "\xf4", 1));
    assert_false(utf8_feed(&u, "\x90", 1));
    u = (struct utf8) { 0 };
    assert_true(utf8_feed(&u, "\xed", 1));
    assert_false(utf8_feed(&u, "\xa0", 1));
    u = (struct utf8) { 0 };
    assert_false(utf8_feed(&u, "0123456789abcdef\xf5", 17));
}

static void a_character_is_measured_within_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(utf8_char("a", 1), 1);
    assert_int_equal(utf8_char("\xe2\x82\xac+", 4), 3);
    assert_int_equal(utf8_char("\xe2\x82\xac", 2), 0);
    assert_int_equal(utf8_char("a", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_scalar_values_are_valid),
        cmocka_unit_test(nothing_but_shortest_forms_is_valid),
        cmocka_unit_test(a_text_may_be_cut_anywhere),
        cmocka_unit_test(a_wrong_octet_is_refused_when_it_comes),
        cmocka_unit_test(a_character_is_measured_within_its_bounds),
    };
    return RUN_TESTS(tests);
}
