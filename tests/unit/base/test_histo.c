/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_histo.c: where values are counted, and what is said of them. */
#include "base/histo.h"
#include "unit/test.h"

static unsigned bucket_with_one(const struct histo *h)
{
    struct histo_view v = { 0 };
    unsigned found = HISTO_BUCKETS;
    histo_read(h, &v);
    for (unsigned i = 0; i < HISTO_BUCKETS; i++)
        if (v.n[i] == 1) found = i;
    assert_int_equal(v.count, 1);
    return found;
}

static void a_value_is_counted_in_the_first_bucket_whose_bound_it_does_not_pass(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        unsigned bucket;
    } cases[] = {
        { 0, 0 },
        { 1, 0 },
        { 2, 1 },
        { 3, 2 },
        { 4, 2 },
        { 5, 3 },
        { 1024, 10 },
        { 1025, 11 },
        { UINT64_C(1) << 26, 26 },
        { (UINT64_C(1) << 26) + 1, 27 },
        { UINT64_MAX / 2, 27 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct histo h = { 0 };
        histo_add(&h, cases[i].value, 1);
        assert_int_equal(bucket_with_one(&h), cases[i].bucket);
        assert_true(cases[i].value <= histo_bound(cases[i].bucket));
        if (cases[i].bucket > 0) assert_true(cases[i].value > histo_bound(cases[i].bucket - 1));
    }
}

static void views_sum_up_several_histograms(void **state)
{
    (void)state;
    struct histo a = { 0 }, b = { 0 };
    struct histo_view v = { 0 };
    histo_add(&a, 3, 2);
    histo_add(&b, 10, 1);
    histo_read(&a, &v);
    histo_read(&b, &v);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.sum, 16);
    assert_int_equal(v.n[2], 2);
    assert_int_equal(v.n[4], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_counted_in_the_first_bucket_whose_bound_it_does_not_pass),
        cmocka_unit_test(views_sum_up_several_histograms),
    };
    return RUN_TESTS(tests);
}
