/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_span.c: borrowed bytes. */
#include "unit/test.h"

static void cutting_visits_each_part_and_then_stops(void **state)
{
    (void)state;
    const char *want[] = { "a", "", "bc", "" };
    struct span rest = SPAN("a,,bc,"), part;
    for (size_t i = 0; i < 4; i++) {
        assert_true(span_cut(&rest, ',', &part));
        assert_span(part, want[i]);
    }
    assert_null(rest.p);
    assert_false(span_cut(&rest, ',', &part));
}

static void cutting_an_empty_text_gives_one_empty_part(void **state)
{
    (void)state;
    struct span rest = SPAN(""), part = SPAN("x");
    assert_true(span_cut(&rest, ',', &part));
    assert_int_equal(part.n, 0);
    assert_false(span_cut(&rest, ',', &part));
}

static void letters_compare_without_case_and_nothing_else_does(void **state)
{
    (void)state;
    assert_true(span_eq_nocase(SPAN("Upgrade-Z@"), SPAN("uPGRADE-z@")));
    assert_false(span_eq_nocase(SPAN("a"), SPAN("ab")));
    assert_false(span_eq_nocase(SPAN("@"), SPAN("`"))); /* 0x40 and 0x60 */
    assert_false(span_eq_nocase(SPAN("["), SPAN("{")));
    assert_false(span_eq_nocase(SPAN("\xc4"), SPAN("\xe4"))); /* not Latin-1 */
}

/* Each octet at each place of texts of each length, so that words and their rest are tried. */
static void plain_text_has_no_octet_below_the_lowest_and_no_del(void **state)
{
    (void)state;
    char text[20];
    assert_true(span_is_plain(span_of(NULL, 0), ' '));
    for (size_t n = 1; n <= sizeof text; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                memset(text, 'x', n);
                text[at] = (char)c;
                bool control = c < ' ' || c == 0x7f;
                assert_int_equal(span_is_plain(span_of(text, n), ' '), !control);
                assert_int_equal(span_is_plain(span_of(text, n), '!'), !control && c != ' ');
            }
        }
    }
}

static void trimming_takes_spaces_and_tabs_from_both_ends(void **state)
{
    (void)state;
    assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
    assert_span(span_trim(SPAN(" \t ")), "");
    assert_span(span_trim(SPAN("\na\r")), "\na\r");
    assert_int_equal(span_trim(span_of(NULL, 0)).n, 0);
}

static void whole_decimal_numbers_are_read(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(span_to_u64(SPAN("0"), &v));
    assert_true(v == 0);
    assert_true(span_to_u64(SPAN("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    assert_true(span_to_u64(SPAN("007"), &v));
    assert_true(v == 7);
}

static void what_is_no_number_or_too_large_is_refused_and_leaves_the_result(void **state)
{
    (void)state;
    const char *bad[] = { "",    "-1",
                          "+1",  " 1",
                          "1 ",  "1.0",
                          "0x1", "18446744073709551616",
                          "1e3", "99999999999999999999" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t v = 42;
        assert_false(span_to_u64(span_str(bad[i]), &v));
        assert_true(v == 42);
    }
}

static void comparing_taking_and_skipping_stay_inside(void **state)
{
    (void)state;
    struct span none = span_of(NULL, 0);
    assert_true(span_eq(none, SPAN("")));
    assert_true(span_starts(SPAN("abc"), none));
    assert_true(span_starts(SPAN("abc"), SPAN("ab")));
    assert_false(span_starts(SPAN("ab"), SPAN("abc")));
    assert_span(span_skip(SPAN("abc"), 2), "c");
    assert_span(span_skip(SPAN("abc"), 9), "");
    assert_int_equal(span_skip(none, 3).n, 0);
    assert_span(span_head(SPAN("abc"), 2), "ab");
    assert_span(span_head(SPAN("abc"), 9), "abc");
    assert_false(span_eq(SPAN("a\0b"), SPAN("a\0c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_visits_each_part_and_then_stops),
        cmocka_unit_test(cutting_an_empty_text_gives_one_empty_part),
        cmocka_unit_test(letters_compare_without_case_and_nothing_else_does),
        cmocka_unit_test(plain_text_has_no_octet_below_the_lowest_and_no_del),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_both_ends),
        cmocka_unit_test(whole_decimal_numbers_are_read),
        cmocka_unit_test(what_is_no_number_or_too_large_is_refused_and_leaves_the_result),
        cmocka_unit_test(comparing_taking_and_skipping_stay_inside),
    };
    return RUN_TESTS(tests);
}
