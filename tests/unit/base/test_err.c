/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_err.c: error texts and diagnostics. */
#include "base/err.h"
#include "unit/test.h"

static void every_error_has_a_text_and_success_is_zero(void **state)
{
    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_string_equal(err_text(ERR_OK), "success");
    assert_string_equal(err_text(ERR_NOMEM), "out of memory");
    assert_string_equal(err_text(ERR_BUSY), "in use");
    assert_string_equal(err_text((enum err)999), "unknown error");
}

static void a_diagnostic_is_formatted_and_hands_the_error_on(void **state)
{
    (void)state;
    struct diag d;
    assert_int_equal(diag_set(&d, ERR_RANGE, "%s:%d: too large", "peal.yaml", 7), ERR_RANGE);
    assert_string_equal(d.text, "peal.yaml:7: too large");
    assert_int_equal(diag_set(NULL, ERR_IO, "%d", 1), ERR_IO);
}

static void a_long_diagnostic_is_cut_and_terminated(void **state)
{
    (void)state;
    struct diag d;
    (void)diag_set(&d, ERR_SYNTAX, "%2000d", 1);
    assert_int_equal(strlen(d.text), sizeof d.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_text_and_success_is_zero),
        cmocka_unit_test(a_diagnostic_is_formatted_and_hands_the_error_on),
        cmocka_unit_test(a_long_diagnostic_is_cut_and_terminated),
    };
    return RUN_TESTS(tests);
}
