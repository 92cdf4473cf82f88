/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_mpsc.c: the queue between threads; run it under TSan too. */
#include "base/lock.h"
#include "base/mpsc.h"
#include "unit/test.h"
#include <semaphore.h>

#define PRODUCERS 4
#define EACH 20000

struct item {
    unsigned producer, number;
    unsigned ticket; /* drawn under the lock */
    struct mpsc_node node;
};

static void a_push_says_whether_the_consumer_must_be_woken(void **state)
{
    (void)state;
    struct mpsc q;
    mpsc_init(&q);
    struct item items[3] = { 0 };
    assert_null(mpsc_take_all(&q));
    assert_true(mpsc_push(&q, &items[0].node));
    assert_false(mpsc_push(&q, &items[1].node));
    assert_false(mpsc_push(&q, &items[2].node));
    struct mpsc_node *node = mpsc_take_all(&q);
    for (size_t i = 0; i < 3; i++, node = node->next) assert_ptr_equal(node, &items[i].node);
    assert_null(node);
    assert_null(mpsc_take_all(&q));
    assert_true(mpsc_push(&q, &items[0].node));
}

struct shared {
    struct mpsc q;
    sem_t wake; /* posted exactly when a push says so */
    struct lock lock;
    unsigned tickets;
};

struct producer {
    struct shared *shared;
    unsigned id;
    bool locked; /* push under the lock, with a ticket */
    struct item items[EACH];
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    struct shared *s = p->shared;
    for (unsigned i = 0; i < EACH; i++) {
        struct item *item = &p->items[i];
        item->producer = p->id;
        item->number = i;
        if (p->locked) lock_take(&s->lock);
        if (p->locked) item->ticket = s->tickets++;
        bool wake = mpsc_push(&s->q, &item->node);
        if (p->locked) lock_drop(&s->lock);
        if (wake) sem_post(&s->wake);
    }
    return NULL;
}

/* Takes until all have come; false when an order is broken. A lost wake-up would hang here. */
static bool consume(struct shared *s, bool locked)
{
    unsigned next[PRODUCERS] = { 0 }, next_ticket = 0;
    bool in_order = true;
    for (unsigned n = 0; n < PRODUCERS * EACH;) {
        sem_wait(&s->wake);
        struct mpsc_node *node = mpsc_take_all(&s->q);
        if (!node) in_order = false; /* woken for nothing */
        for (; node; node = node->next, n++) {
            struct item *item = CONTAINER_OF(node, struct item, node);
            if (item->number != next[item->producer]++) in_order = false;
            if (locked && item->ticket != next_ticket++) in_order = false;
        }
    }
    return in_order;
}

static void run(bool locked)
{
    static struct producer producers[PRODUCERS];
    struct shared s = { .tickets = 0 };
    mpsc_init(&s.q);
    assert_int_equal(sem_init(&s.wake, 0, 0), 0);
    lock_init(&s.lock);
    pthread_t threads[PRODUCERS];
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i].shared = &s;
        producers[i].id = i;
        producers[i].locked = locked;
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    bool in_order = consume(&s, locked);
    for (unsigned i = 0; i < PRODUCERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(in_order);
    assert_null(mpsc_take_all(&s.q));
    lock_fini(&s.lock);
    sem_destroy(&s.wake);
}

static void everything_comes_once_and_in_each_producers_order(void **state)
{
    (void)state;
    run(false);
}

static void what_is_pushed_under_a_lock_comes_in_the_order_of_the_lock(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_says_whether_the_consumer_must_be_woken),
        cmocka_unit_test(everything_comes_once_and_in_each_producers_order),
        cmocka_unit_test(what_is_pushed_under_a_lock_comes_in_the_order_of_the_lock),
    };
    return RUN_TESTS(tests);
}
