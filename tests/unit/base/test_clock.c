/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_clock.c: units and agreement of the clocks. */
#include "base/clock.h"
#include "unit/test.h"
#include <time.h>

static void the_monotonic_clock_never_goes_back_and_moves(void **state)
{
    (void)state;
    uint64_t first = clock_mono_ns(), last = first;
    do {
        uint64_t now = clock_mono_ns();
        assert_true(now >= last);
        last = now;
    } while (last - first < 2000000);
}

static void both_readings_of_the_monotonic_clock_agree(void **state)
{
    (void)state;
    uint64_t before = clock_mono_ns(), ms = clock_mono_ms(), after = clock_mono_ns();
    assert_true(before / 1000000 <= ms && ms <= after / 1000000);
}

static void the_wall_clock_counts_milliseconds_since_1970(void **state)
{
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_REALTIME, &before);
    uint64_t ms = clock_unix_ms();
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(ms / 1000 >= (uint64_t)before.tv_sec && ms / 1000 <= (uint64_t)after.tv_sec);
    uint64_t s = clock_unix_s(); /* may be a tick behind */
    assert_true(s + 1 >= (uint64_t)after.tv_sec && s <= clock_unix_ms() / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_never_goes_back_and_moves),
        cmocka_unit_test(both_readings_of_the_monotonic_clock_agree),
        cmocka_unit_test(the_wall_clock_counts_milliseconds_since_1970),
    };
    return RUN_TESTS(tests);
}
