/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_lock.c: mutual exclusion. */
#include "base/lock.h"
#include "unit/test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_holds_a_lock),
        cmocka_unit_test(a_static_lock_needs_no_call),
    };
    return RUN_TESTS(tests);
}
