/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_field.c: tokens and lists of them. */
#include "base/field.h"
#include "unit/test.h"

static void a_token_is_letters_digits_and_fifteen_marks(void **state)
{
    (void)state;
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (int c = 0; c < 256; c++) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool mark = c && memchr(marks, c, sizeof marks - 1);
        const char text[] = { 'x', (char)c };
        assert_int_equal(field_is_token(span_of(text, sizeof text)), letter || mark);
    }
    assert_false(field_is_token(SPAN("")));
}

static void a_list_has_its_elements_in_any_case_and_without_the_space_around_them(void **state)
{
    (void)state;
    assert_true(field_list_has(SPAN("close"), SPAN("close")));
    assert_true(field_list_has(SPAN("keep-alive, \tUpgrade ,x"), SPAN("upgrade")));
    assert_false(field_list_has(SPAN("keep-alive, upgraded"), SPAN("upgrade")));
    assert_false(field_list_has(SPAN("upgrade h2c"), SPAN("upgrade")));
    assert_false(field_list_has(SPAN(""), SPAN("upgrade")));
}

static void items_come_one_by_one_with_their_parameters_apart(void **state)
{
    (void)state;
    struct span list = SPAN(" gzip ;q=0.5;x=1, br,"), value, params;
    assert_true(field_list_next(&list, &value, &params));
    assert_span(value, "gzip");
    assert_span(params, "q=0.5;x=1");
    assert_true(field_list_next(&list, &value, &params));
    assert_span(value, "br");
    assert_null(params.p);
    assert_true(field_list_next(&list, &value, &params));
    assert_int_equal(value.n, 0);
    assert_false(field_list_next(&list, &value, &params));
    assert_false(field_list_next(&(struct span) { NULL, 0 }, &value, &params));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_letters_digits_and_fifteen_marks),
        cmocka_unit_test(a_list_has_its_elements_in_any_case_and_without_the_space_around_them),
        cmocka_unit_test(items_come_one_by_one_with_their_parameters_apart),
    };
    return RUN_TESTS(tests);
}
