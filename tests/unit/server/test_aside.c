/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_aside.c: work off the loops: one at a time, few wait, none is forgotten.
 */
#include "server/aside.h"
#include "unit/test.h"
#include <semaphore.h>
#include <stdatomic.h>

struct piece {
    struct aside_job job;
    sem_t *go; /* waited for while it runs; NULL: none */
    bool ran, done;
};

static _Atomic int n_running, n_most;
static sem_t began, ended;

static void run(struct aside_job *job)
{
    struct piece *p = CONTAINER_OF(job, struct piece, job);
    int n = atomic_fetch_add(&n_running, 1) + 1;
    if (n > n_most) n_most = n;
    sem_post(&began);
    while (p->go && sem_wait(p->go) != 0) continue;
    p->ran = true;
    atomic_fetch_sub(&n_running, 1);
}

static void done(struct aside_job *job)
{
    CONTAINER_OF(job, struct piece, job)->done = true;
    sem_post(&ended);
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0) continue;
}

static int setup(void **state)
{
    struct aside *a = NULL;
    n_running = n_most = 0;
    sem_init(&began, 0, 0);
    sem_init(&ended, 0, 0);
    assert_int_equal(aside_new(&a), ERR_OK);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    aside_free(*state);
    return 0;
}

static void one_runs_and_few_wait_the_next_is_refused(void **state)
{
    struct aside *a = *state;
    sem_t go;
    sem_init(&go, 0, 0);
    struct piece pieces[ASIDE_MAX_WAITING + 2];
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pieces[i] = (struct piece) { .job = { .run = run, .done = done }, .go = &go };
    assert_int_equal(aside_do(a, &pieces[0].job), ERR_OK);
    wait_for(&began);
    for (size_t i = 1; i <= ASIDE_MAX_WAITING; i++)
        assert_int_equal(aside_do(a, &pieces[i].job), ERR_OK);
    assert_int_equal(aside_do(a, &pieces[ASIDE_MAX_WAITING + 1].job), ERR_BUSY);
    for (size_t i = 0; i <= ASIDE_MAX_WAITING; i++) sem_post(&go);
    for (size_t i = 0; i <= ASIDE_MAX_WAITING; i++) wait_for(&ended);
    for (size_t i = 0; i <= ASIDE_MAX_WAITING; i++) assert_true(pieces[i].ran && pieces[i].done);
    assert_false(pieces[ASIDE_MAX_WAITING + 1].done);
    assert_int_equal(n_most, 1);
    assert_int_equal(aside_do(a, &pieces[ASIDE_MAX_WAITING + 1].job), ERR_OK);
    sem_post(&go);
    wait_for(&ended);
    sem_destroy(&go);
}

static void at_the_end_those_who_wait_are_told_and_it_can_begin_again(void **state)
{
    struct aside *a = *state;
    sem_t go;
    sem_init(&go, 0, 1);
    struct piece pieces[3];
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pieces[i] = (struct piece) { .job = { .run = run, .done = done }, .go = i ? NULL : &go };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        assert_int_equal(aside_do(a, &pieces[i].job), ERR_OK);
    aside_stop(a);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) assert_true(pieces[i].done);
    aside_stop(a);
    pieces[1] = (struct piece) { .job = { .run = run, .done = done } };
    assert_int_equal(aside_do(a, &pieces[1].job), ERR_OK);
    for (int i = 0; i < 4; i++) wait_for(&ended);
    aside_stop(a);
    assert_true(pieces[1].ran && pieces[1].done);
    sem_destroy(&go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_runs_and_few_wait_the_next_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(at_the_end_those_who_wait_are_told_and_it_can_begin_again,
                                        setup, teardown),
    };
    return RUN_TESTS(tests);
}
