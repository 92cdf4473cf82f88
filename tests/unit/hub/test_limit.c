/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_limit.c: rates per second, of one connection and of an app. */
#include "hub/limit.h"
#include "unit/test.h"

static void a_second_allows_so_many(void **state)
{
    (void)state;
    struct limit_rate r = { 0 };
    for (int i = 0; i < 3; i++) assert_true(limit_take(&r, 5000 + (uint64_t)i * 300, 3));
    assert_false(limit_take(&r, 5999, 3));
    assert_true(limit_take(&r, 6000, 3));
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    struct limit_rate r = { 0 };
    _Atomic uint64_t window = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(limit_take(&r, 1, 0));
        assert_true(limit_take_shared(&window, 1, UINT32_MAX, 0, NULL));
    }
}

static void the_first_second_counts_too(void **state)
{
    (void)state;
    struct limit_rate r = { 0 };
    assert_true(limit_take(&r, 0, 1));
    assert_false(limit_take(&r, 999, 1));
}

static void an_app_takes_all_points_or_none(void **state)
{
    (void)state;
    _Atomic uint64_t window = 0;
    uint32_t left = 99;
    assert_true(limit_take_shared(&window, 7000, 4, 10, &left));
    assert_int_equal(left, 6);
    assert_false(limit_take_shared(&window, 7500, 7, 10, &left));
    assert_int_equal(left, 6);
    assert_true(limit_take_shared(&window, 7999, 6, 10, &left));
    assert_int_equal(left, 0);
    assert_false(limit_take_shared(&window, 7999, UINT32_MAX, 10, &left));
    assert_true(limit_take_shared(&window, 8000, 10, 10, &left));
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_allows_so_many),
        cmocka_unit_test(zero_is_no_limit),
        cmocka_unit_test(the_first_second_counts_too),
        cmocka_unit_test(an_app_takes_all_points_or_none),
    };
    return RUN_TESTS(tests);
}
