/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_mem.c: allocation and its fail hook. */
#include "base/mem.h"
#include "unit/test.h"

static int hook_off(void **state)
{
    (void)state;
    mem_fail_after(-1, false);
    return 0;
}

static bool succeeds(void)
{
    void *p = mem_alloc(8);
    mem_free(p);
    return p != NULL;
}

static void zeroed_memory_is_zero_and_a_copy_ends_with_nul(void **state)
{
    (void)state;
    char *zero = mem_zalloc(64);
    assert_non_null(zero);
    for (size_t i = 0; i < 64; i++) assert_int_equal(zero[i], 0);
    mem_free(zero);
    char *copy = mem_dup("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 4);
    mem_free_secret(copy, 4);
    char *empty = mem_dup(NULL, 0);
    assert_string_equal(empty, "");
    mem_free(empty);
    mem_free(NULL);
    mem_free_secret(NULL, 3);
}

static void the_hook_fails_exactly_the_nth_allocation(void **state)
{
    (void)state;
    mem_fail_after(2, false);
    assert_true(succeeds());
    assert_true(succeeds());
    assert_false(succeeds());
    assert_true(succeeds());
    assert_int_equal(mem_fail_count(), 1);
}

static void a_sticky_hook_fails_all_later_ones_until_it_is_off(void **state)
{
    (void)state;
    mem_fail_after(1, true);
    assert_true(succeeds());
    for (int i = 0; i < 5; i++) assert_false(succeeds());
    assert_int_equal(mem_fail_count(), 5);
    mem_fail_after(-1, true);
    assert_true(succeeds());
}

static void every_kind_of_allocation_asks_the_hook(void **state)
{
    (void)state;
    char *old = mem_alloc(4);
    assert_non_null(old);
    memcpy(old, "abc", 4);
    mem_fail_after(0, true);
    assert_null(mem_alloc(1));
    assert_null(mem_zalloc(1));
    assert_null(mem_dup("x", 1));
    assert_null(mem_realloc(old, 100));
    assert_int_equal(mem_fail_count(), 4);
    assert_string_equal(old, "abc"); /* realloc left it alone */
    mem_free(old);
}

static void a_copy_of_impossible_size_is_refused(void **state)
{
    (void)state;
    assert_null(mem_dup("x", SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(zeroed_memory_is_zero_and_a_copy_ends_with_nul, hook_off),
        cmocka_unit_test_teardown(the_hook_fails_exactly_the_nth_allocation, hook_off),
        cmocka_unit_test_teardown(a_sticky_hook_fails_all_later_ones_until_it_is_off, hook_off),
        cmocka_unit_test_teardown(every_kind_of_allocation_asks_the_hook, hook_off),
        cmocka_unit_test_teardown(a_copy_of_impossible_size_is_refused, hook_off),
    };
    return RUN_TESTS(tests);
}
