/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_fds.c: the limit and the count of descriptors. */
#include "net/fds.h"
#include "unit/net/net_test.h"
#include <sys/resource.h>

static struct fds_forecast start_with(rlim_t soft, uint64_t reserved)
{
    struct rlimit lim;
    struct fds_forecast f;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = soft;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
    fds_start(reserved, &f);
    return f;
}

static void the_soft_limit_becomes_the_hard_one(void **state)
{
    (void)state;
    struct fds_forecast f = start_with(64, 10);
    struct rlimit lim;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
    assert_int_equal(lim.rlim_cur, lim.rlim_max);
    assert_int_equal(f.limit, lim.rlim_max);
    assert_int_equal(f.hard, lim.rlim_max);
    assert_int_equal(fds_limit(), f.limit);
    assert_int_equal(f.reserved, 10);
    uint64_t fits = f.file_max && f.file_max < f.limit ? f.file_max : f.limit;
    assert_int_equal(f.sockets, fits - f.open - 10);
    assert_true(f.nr_open >= f.hard);
}

static void the_count_begins_with_what_is_open(void **state)
{
    (void)state;
    struct fds_forecast before = start_with(64, 0);
    int fds[2];
    make_pair(fds);
    struct fds_forecast after = start_with(64, 0);
    assert_int_equal(after.open, before.open + 2);
    assert_int_equal(fds_in_use(), after.open);
    fds_opened(3);
    assert_int_equal(fds_in_use(), after.open + 3);
    fds_closed(3);
    close(fds[0]);
    close(fds[1]);
}

static void a_recount_finds_what_nobody_reported(void **state)
{
    (void)state;
    struct fds_forecast before = start_with(64, 0);
    int fds[2];
    make_pair(fds);
    assert_int_equal(fds_in_use(), before.open);
    fds_recount();
    assert_int_equal(fds_in_use(), before.open + 2);
    close(fds[0]);
    close(fds[1]);
}

static void the_forecast_says_in_one_line_what_limits(void **state)
{
    (void)state;
    const struct fds_forecast f = {
        .sockets = 924, .limit = 1000, .open = 12, .reserved = 64, .limiter = "the weather"
    };
    struct buf text = { 0 };
    fds_forecast_text(&f, &text);
    assert_buf(&text, "924 connections fit (1000 descriptors, 12 open, 64 reserved); "
                      "what limits them is the weather");
    buf_fini(&text);
}

static void a_reserve_above_the_limit_leaves_nothing(void **state)
{
    (void)state;
    struct fds_forecast f = start_with(64, UINT64_MAX / 2);
    assert_int_equal(f.sockets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soft_limit_becomes_the_hard_one),
        cmocka_unit_test(the_count_begins_with_what_is_open),
        cmocka_unit_test(a_recount_finds_what_nobody_reported),
        cmocka_unit_test(the_forecast_says_in_one_line_what_limits),
        cmocka_unit_test(a_reserve_above_the_limit_leaves_nothing),
    };
    return RUN_TESTS(tests);
}
