/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_lock.c: mutual exclusion, and what waiting for it cost. */
#include "base/clock.h"
#include "base/lock.h"
#include "unit/test.h"
#include <sched.h>

#define ROUNDS 20000

struct shared {
    struct lock lock;
    long a, b; /* equal whenever the lock is free */
    bool torn;
};

static void *add(void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        lock_take(&s->lock);
        if (s->a != s->b) s->torn = true;
        s->a++;
        s->b++;
        lock_drop(&s->lock);
    }
    return NULL;
}

static void run_four(struct shared *s)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, add, s), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(s->torn);
    assert_int_equal(s->a, 4 * ROUNDS);
    assert_int_equal(s->b, 4 * ROUNDS);
}

static void one_thread_at_a_time_holds_a_lock(void **state)
{
    (void)state;
    struct shared s = { .a = 0 };
    lock_init(&s.lock);
    run_four(&s);
    lock_fini(&s.lock);
}

static void a_static_lock_needs_no_call(void **state)
{
    (void)state;
    static struct shared s = { .lock = LOCK_INIT };
    run_four(&s);
}

struct waiter {
    struct lock lock;
    struct lock_waits waits;
    _Atomic bool at_the_door;
};

static void *wait_once(void *arg)
{
    struct waiter *w = arg;
    lock_count_waits(&w->waits);
    atomic_store(&w->at_the_door, true);
    lock_take(&w->lock);
    lock_drop(&w->lock);
    return NULL;
}

/* How long the thread waited that came while the lock was held for 5 ms. */
static void a_wait_is_counted_with_its_time(void **state)
{
    (void)state;
    struct waiter w = { .at_the_door = false };
    pthread_t thread;
    lock_init(&w.lock);
    /* The other thread says that it comes before it does; held long enough it meets the lock. */
    for (int tries = 0; atomic_load(&w.waits.n) == 0; tries++) {
        assert_true(tries < 100);
        atomic_store(&w.at_the_door, false);
        lock_take(&w.lock);
        assert_int_equal(pthread_create(&thread, NULL, wait_once, &w), 0);
        while (!atomic_load(&w.at_the_door)) sched_yield();
        uint64_t until_ns = clock_mono_ns() + 5000000;
        while (clock_mono_ns() < until_ns) sched_yield();
        lock_drop(&w.lock);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_int_equal(atomic_load(&w.waits.n), 1);
    assert_in_range(atomic_load(&w.waits.ns), 1000, UINT64_C(60000000000));
    lock_fini(&w.lock);
}

static void a_free_lock_counts_nothing(void **state)
{
    (void)state;
    struct lock_waits waits = { 0 };
    struct lock lock = LOCK_INIT;
    lock_count_waits(&waits);
    for (int i = 0; i < 1000; i++) {
        lock_take(&lock);
        lock_drop(&lock);
    }
    lock_count_waits(NULL);
    assert_int_equal(atomic_load(&waits.n), 0);
    assert_int_equal(atomic_load(&waits.ns), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_holds_a_lock),
        cmocka_unit_test(a_static_lock_needs_no_call),
        cmocka_unit_test(a_wait_is_counted_with_its_time),
        cmocka_unit_test(a_free_lock_counts_nothing),
    };
    return RUN_TESTS(tests);
}
