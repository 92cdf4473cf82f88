/* SPDX-License-Identifier: MIT
 *
 * bench/bench_lock.c: what a free lock costs, beside the mutex that it is made of: the counting of
 * waits (base/lock.h) must not be seen here. ./dev bench lock.
 */
#include "base/clock.h"
#include "base/lock.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 15
#define TIMES 2000000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lock lock = LOCK_INIT;

static double bare(void)
{
    uint64_t began = clock_mono_ns();
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    return (double)(clock_mono_ns() - began) / TIMES;
}

static double counted(void)
{
    uint64_t began = clock_mono_ns();
    for (int i = 0; i < TIMES; i++) {
        lock_take(&lock);
        lock_drop(&lock);
    }
    return (double)(clock_mono_ns() - began) / TIMES;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The C library leaves atomic operations out in a process of one thread, which a server is not. */
static void *sleep_on(void *arg)
{
    (void)arg;
    for (;;) pause();
    return NULL;
}

int main(void)
{
    static struct lock_waits waits;
    pthread_t other;
    if (pthread_create(&other, NULL, sleep_on, NULL) != 0) return 1;
    double mutexes[ROUNDS], locks[ROUNDS], ratios[ROUNDS];
    lock_count_waits(&waits);
    for (int i = 0; i < ROUNDS; i++) {
        mutexes[i] = bare();
        locks[i] = counted();
        ratios[i] = locks[i] / mutexes[i];
    }
    qsort(mutexes, ROUNDS, sizeof *mutexes, compare);
    qsort(locks, ROUNDS, sizeof *locks, compare);
    qsort(ratios, ROUNDS, sizeof *ratios, compare);
    printf("take and drop, ns, median of %d rounds: mutex %.2f, lock %.2f; "
           "ratio %.3f [%.3f-%.3f]\n",
           ROUNDS, mutexes[ROUNDS / 2], locks[ROUNDS / 2], ratios[ROUNDS / 2], ratios[0],
           ratios[ROUNDS - 1]);
    return 0;
}
