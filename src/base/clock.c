/* SPDX-License-Identifier: MIT
 *
 * base/clock.c: the two kernel clocks that we use.
 *
 * Both are read in user space by the vDSO (some 20 ns), so the coarse variants would mostly gain
 * nothing that matters: a loop reads the time once per turn.
 */
#include "base/clock.h"
#include "base/check.h"
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    CHECK(rc == 0 && ts.tv_sec >= 0);
    return ts;
}

static uint64_t to_ms(struct timespec ts)
{
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
    return to_ms(read_clock(CLOCK_MONOTONIC));
}

uint64_t clock_mono_ns(void)
{
    struct timespec ts = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t clock_unix_ms(void)
{
    return to_ms(read_clock(CLOCK_REALTIME));
}

/* A tenth of the price, and asked for by every request. */
uint64_t clock_unix_s(void)
{
    return (uint64_t)read_clock(CLOCK_REALTIME_COARSE).tv_sec;
}

uint64_t clock_thread_ns(void)
{
    struct timespec ts = read_clock(CLOCK_THREAD_CPUTIME_ID);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
