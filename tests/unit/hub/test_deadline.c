/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_deadline.c: deadlines come out in order of time, when due. */
#include "base/mem.h"
#include "hub/deadline.h"
#include "unit/test.h"

static void an_empty_heap_has_nothing_due_ever(void **state)
{
    (void)state;
    struct deadlines d = { 0 };
    struct deadline out;
    assert_true(deadlines_next(&d) == DEADLINE_NEVER);
    assert_false(deadlines_take_due(&d, DEADLINE_NEVER, &out));
    deadlines_fini(&d);
}

static void nothing_comes_before_its_time(void **state)
{
    (void)state;
    struct deadlines d = { 0 };
    struct deadline out;
    assert_int_equal(deadlines_add(&d, (struct deadline) { 10, DEADLINE_CACHE, &d }), ERR_OK);
    assert_false(deadlines_take_due(&d, 9, &out));
    assert_true(deadlines_take_due(&d, 10, &out));
    assert_int_equal(out.kind, DEADLINE_CACHE);
    assert_ptr_equal(out.object, &d);
    assert_false(deadlines_take_due(&d, DEADLINE_NEVER, &out));
    deadlines_fini(&d);
}

static void any_order_in_comes_out_sorted(void **state)
{
    (void)state;
    uint64_t x = 1;
    for (uint32_t n = 1; n <= 64; n++) {
        struct deadlines d = { 0 };
        uint64_t sum = 0, sum_out = 0, last = 0;
        for (uint32_t i = 0; i < n; i++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t at = (x >> 33) % 50; /* doubles, too */
            sum += at;
            assert_int_equal(deadlines_add(&d, (struct deadline) { at, DEADLINE_COUNT, NULL }),
                             ERR_OK);
        }
        struct deadline out;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t next = deadlines_next(&d);
            assert_true(deadlines_take_due(&d, 50, &out));
            assert_true(out.at_ms == next && out.at_ms >= last);
            last = out.at_ms;
            sum_out += out.at_ms;
        }
        assert_true(sum == sum_out && d.n == 0);
        deadlines_fini(&d);
    }
}

static void without_memory_the_heap_stays_as_it_is(void **state)
{
    (void)state;
    struct deadlines d = { 0 };
    struct deadline any = { 5, DEADLINE_COUNT, NULL };
    mem_fail_after(0, false);
    assert_int_equal(deadlines_add(&d, any), ERR_NOMEM);
    mem_fail_after(-1, false);
    while (d.n < 8) assert_int_equal(deadlines_add(&d, any), ERR_OK);
    mem_fail_after(0, false);
    assert_int_equal(deadlines_add(&d, any), ERR_NOMEM);
    mem_fail_after(-1, false);
    assert_int_equal(d.n, 8);
    deadlines_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_nothing_due_ever),
        cmocka_unit_test(nothing_comes_before_its_time),
        cmocka_unit_test(any_order_in_comes_out_sorted),
        cmocka_unit_test(without_memory_the_heap_stays_as_it_is),
    };
    return RUN_TESTS(tests);
}
