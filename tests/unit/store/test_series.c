/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_series.c: rows gathered into steps. */
#include "base/mem.h"
#include "store/series.h"
#include "unit/test.h"

static struct series make(uint64_t from_s, uint64_t to_s, uint64_t step_s)
{
    struct series s;
    struct series_range range = { from_s, to_s, step_s };
    assert_true(series_range_ok(&range));
    assert_int_equal(series_init(&s, &range), ERR_OK);
    return s;
}

static void add(struct series *s, uint64_t at_s, uint64_t peak, uint64_t ws, uint64_t api)
{
    struct stats_counts c = { peak, ws, api };
    series_add(s, at_s, &c);
}

static void peaks_are_the_highest_and_messages_are_summed(void **state)
{
    (void)state;
    struct series s = make(600, 1200, 300);
    struct buf b = { 0 };
    add(&s, 1199, 7, 1, 1);
    add(&s, 600, 3, 10, 1);
    add(&s, 899, 2, 20, 2);
    series_write(&s, SPAN("a\"b"), &b);
    assert_buf(&b, "{\"app\":\"a\\\"b\",\"from\":600,\"to\":1200,\"step\":300,\"rows\":["
                   "{\"time\":600,\"peak_connections\":3,\"websocket_messages\":30,"
                   "\"api_messages\":3},"
                   "{\"time\":900,\"peak_connections\":7,\"websocket_messages\":1,"
                   "\"api_messages\":1}]}");
    buf_fini(&b);
    series_fini(&s);
}

static void rows_outside_of_the_range_count_nothing(void **state)
{
    (void)state;
    struct series s = make(650, 1250, 300);
    struct buf b = { 0 };
    add(&s, 649, 1, 1, 1);
    add(&s, 1250, 1, 1, 1);
    add(&s, UINT64_MAX, 1, 1, 1);
    add(&s, 0, 1, 1, 1);
    assert_int_equal(s.n, 3); /* from 600, 900, 1200 */
    series_write(&s, SPAN("a"), &b);
    assert_buf(&b, "{\"app\":\"a\",\"from\":650,\"to\":1250,\"step\":300,\"rows\":[]}");
    buf_fini(&b);
    add(&s, 650, 1, 1, 1);
    add(&s, 1249, 1, 1, 1);
    assert_true(s.steps[0].some && !s.steps[1].some && s.steps[2].some);
    assert_int_equal(series_time(&s, 0), 600);
    series_fini(&s);
}

static void ranges_are_bounded(void **state)
{
    (void)state;
    static const struct {
        struct series_range range;
        bool ok;
    } rows[] = {
        { { 0, 1, 1 }, true },
        { { 0, SERIES_MAX_STEPS, 1 }, true },
        { { 0, SERIES_MAX_STEPS + 1, 1 }, false },
        { { 1, SERIES_MAX_STEPS * 60ULL, 60 }, true },
        { { 59, SERIES_MAX_STEPS * 60ULL + 1, 60 }, false },
        { { 5, 5, 1 }, false },
        { { 6, 5, 1 }, false },
        { { 0, 10, 0 }, false },
        { { 0, UINT64_MAX, 1 }, false },
        { { 0, UINT64_MAX, UINT64_MAX }, true },
        { { UINT64_MAX - 1, UINT64_MAX, 1 }, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (series_range_ok(&rows[i].range) != rows[i].ok) fail_msg("row %zu", i);
}

static void sums_stop_at_the_largest_number(void **state)
{
    (void)state;
    struct stats_counts a = { 1, UINT64_MAX - 1, 5 }, b = { 9, 7, 6 };
    stats_counts_merge(&a, &b);
    assert_int_equal(a.peak_connections, 9);
    assert_true(a.websocket_messages == UINT64_MAX);
    assert_int_equal(a.api_messages, 11);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    struct series s;
    struct series_range range = { 0, 10, 1 };
    mem_fail_after(0, true);
    assert_int_equal(series_init(&s, &range), ERR_NOMEM);
    mem_fail_after(-1, false);
    series_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaks_are_the_highest_and_messages_are_summed),
        cmocka_unit_test(rows_outside_of_the_range_count_nothing),
        cmocka_unit_test(ranges_are_bounded),
        cmocka_unit_test(sums_stop_at_the_largest_number),
        cmocka_unit_test(memory_may_be_short),
    };
    return RUN_TESTS(tests);
}
