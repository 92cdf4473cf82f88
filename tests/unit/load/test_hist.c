/* SPDX-License-Identifier: MIT
 * tests/unit/load/test_hist.c: percentiles are right within one per cent, far out, too. */
#include "load/hist.h"
#include "unit/test.h"

static void assert_near(uint64_t got, uint64_t exact)
{
    assert_true(got >= exact);
    assert_true((double)got <= (double)exact * 1.01 + 1);
}

static void percentiles_are_right_within_one_per_cent(void **state)
{
    (void)state;
    static struct hist h;
    h = (struct hist) { .n = 0 };
    for (uint64_t i = 1; i <= 100000; i++) hist_add(&h, i * 1000);
    assert_near(hist_at(&h, 0.5), 50000000);
    assert_near(hist_at(&h, 0.99), 99000000);
    assert_near(hist_at(&h, 0.9999), 99990000);
    assert_int_equal(hist_at(&h, 1), 100000000);
    assert_int_equal(h.max, 100000000);
}

static void one_late_value_shows_at_its_place(void **state)
{
    (void)state;
    static struct hist h;
    h = (struct hist) { .n = 0 };
    for (int i = 0; i < 999; i++) hist_add(&h, 100);
    hist_add(&h, 5000000);
    assert_int_equal(hist_at(&h, 0.99), 100);
    assert_int_equal(hist_at(&h, 0.999), 100);
    assert_int_equal(hist_at(&h, 0.9995), 5000000);
}

static void every_value_has_a_bucket(void **state)
{
    (void)state;
    static struct hist h;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t v = UINT64_C(1) << bit,
                 kept = bit < HIST_BITS ? v : (UINT64_C(1) << HIST_BITS) - 1;
        h = (struct hist) { .n = 0 };
        hist_add(&h, v);
        assert_int_equal(hist_at(&h, 0.5), kept);
    }
    h = (struct hist) { .n = 0 };
    assert_int_equal(hist_at(&h, 0.5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_right_within_one_per_cent),
        cmocka_unit_test(one_late_value_shows_at_its_place),
        cmocka_unit_test(every_value_has_a_bucket),
    };
    return RUN_TESTS(tests);
}
