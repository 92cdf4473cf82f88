/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_buf.c: growable bytes. */
#include "base/buf.h"
#include "base/mem.h"
#include "unit/test.h"

static int hook_off(void **state)
{
    (void)state;
    mem_fail_after(-1, false);
    return 0;
}

static void an_empty_buffer_owns_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b);
    assert_null(b.p);
    buf_add(&b, NULL, 0);
    assert_null(b.p);
    assert_false(buf_failed(&b));
    buf_fini(&b);
}

static void everything_appended_stands_one_after_the_other(void **state)
{
    (void)state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "a");
    buf_add_byte(&b, '=');
    buf_add_u64(&b, 0);
    buf_add_byte(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_fmt(&b, " %d-%s", -5, "x");
    buf_add_span(&b, SPAN("!"));
    assert_buf(&b, "a=0 18446744073709551615 -5-x!");
    buf_fini(&b);
    assert_null(b.p);
    assert_int_equal(b.n, 0);
}

static void growth_is_geometric_and_keeps_the_content(void **state)
{
    (void)state;
    struct buf b = { 0 };
    size_t grown = 0, cap = 0;
    for (size_t i = 0; i < 100000; i++) {
        buf_add_byte(&b, (char)('a' + i % 26));
        if (b.cap != cap) grown++;
        cap = b.cap;
    }
    assert_int_equal(b.n, 100000);
    assert_true(grown < 30);
    for (size_t i = 0; i < b.n; i++) assert_int_equal(b.p[i], 'a' + (int)(i % 26));
    buf_fini(&b);
}

static void room_is_given_before_it_is_used(void **state)
{
    (void)state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "ab");
    char *room = buf_room(&b, 1000);
    assert_non_null(room);
    memset(room, 'x', 1000);
    buf_grew(&b, 1);
    assert_buf(&b, "abx");
    buf_fini(&b);
}

static void after_a_failure_nothing_is_appended_until_it_is_cleared(void **state)
{
    (void)state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "kept");
    mem_fail_after(0, false);
    assert_null(buf_room(&b, 4096));
    assert_true(buf_failed(&b));
    BUF_ADD_LIT(&b, "x"); /* would fit */
    buf_add_fmt(&b, "%d", 1);
    buf_add_u64(&b, 1);
    assert_null(buf_room(&b, 0));
    assert_buf(&b, "kept");
    buf_clear(&b);
    assert_false(buf_failed(&b));
    BUF_ADD_LIT(&b, "new");
    assert_buf(&b, "new");
    buf_fini(&b);
}

static void an_impossible_size_is_a_failure_and_not_an_overflow(void **state)
{
    (void)state;
    struct buf b = { 0 };
    buf_add_byte(&b, 'a');
    assert_null(buf_room(&b, SIZE_MAX));
    assert_true(buf_failed(&b));
    assert_buf(&b, "a");
    buf_fini(&b);
}

static void dropping_moves_the_rest_down(void **state)
{
    (void)state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "abcdef");
    buf_drop(&b, 0);
    buf_drop(&b, 4);
    assert_buf(&b, "ef");
    buf_drop(&b, 2);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
    buf_drop(&b, 0);
}

static void taking_frees_the_old_content_and_empties_the_source(void **state)
{
    (void)state;
    struct buf from = { 0 }, to = { 0 };
    BUF_ADD_LIT(&from, "new");
    BUF_ADD_LIT(&to, "old");
    buf_take(&to, &from);
    assert_buf(&to, "new");
    assert_null(from.p);
    assert_int_equal(from.n, 0);
    buf_fini(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_owns_nothing),
        cmocka_unit_test(everything_appended_stands_one_after_the_other),
        cmocka_unit_test(growth_is_geometric_and_keeps_the_content),
        cmocka_unit_test(room_is_given_before_it_is_used),
        cmocka_unit_test_teardown(after_a_failure_nothing_is_appended_until_it_is_cleared,
                                  hook_off),
        cmocka_unit_test(an_impossible_size_is_a_failure_and_not_an_overflow),
        cmocka_unit_test(dropping_moves_the_rest_down),
        cmocka_unit_test(taking_frees_the_old_content_and_empties_the_source),
    };
    return RUN_TESTS(tests);
}
