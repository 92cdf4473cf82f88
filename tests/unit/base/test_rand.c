/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_rand.c: random numbers differ, also between threads. */
#include "base/rand.h"
#include "unit/test.h"
#include <pthread.h>
#include <stdlib.h>

#define N 4096

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void *draw(void *to)
{
    uint64_t *numbers = to;
    for (size_t i = 0; i < N; i++) numbers[i] = rand_u64();
    return NULL;
}

/* 64-bit numbers: a repetition among 8192 has a chance of about 2^-39. */
static void no_number_repeats_within_or_between_threads(void **state)
{
    (void)state;
    static uint64_t numbers[2 * N];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, draw, numbers), 0);
    draw(numbers + N);
    assert_int_equal(pthread_join(thread, NULL), 0);
    uint64_t ones = 0, zeros = 0;
    for (size_t i = 0; i < 2 * N; i++) {
        ones |= numbers[i];
        zeros |= ~numbers[i];
    }
    assert_true(ones == UINT64_MAX && zeros == UINT64_MAX); /* every bit moves */
    qsort(numbers, 2 * N, sizeof *numbers, by_value);
    for (size_t i = 1; i < 2 * N; i++) assert_true(numbers[i] != numbers[i - 1]);
}

static void large_and_empty_requests_are_filled_exactly(void **state)
{
    (void)state;
    static unsigned char p[100002];
    p[sizeof p - 1] = 0x5a;
    rand_bytes(p, sizeof p - 1); /* more than the kernel gives in one uninterrupted piece */
    assert_int_equal(p[sizeof p - 1], 0x5a);
    bool seen[256] = { false };
    for (size_t i = 50000; i < sizeof p - 1; i++) seen[p[i]] = true;
    for (size_t c = 0; c < 256; c++) assert_true(seen[c]);
    rand_bytes(p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_number_repeats_within_or_between_threads),
        cmocka_unit_test(large_and_empty_requests_are_filled_exactly),
    };
    return RUN_TESTS(tests);
}
