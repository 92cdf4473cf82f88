/* SPDX-License-Identifier: MIT
 * tests/unit/server/brake.h: stops a worker between two turns, so that what clients send meanwhile
 * is all there when its next turn begins, and counts can be read when that turn's input is done. A
 * brake is used once, since nobody knows when the worker has let it go. */
#ifndef TESTS_SERVER_BRAKE_H
#define TESTS_SERVER_BRAKE_H
#include "unit/server/server_rig.h"
#include <semaphore.h>

struct brake {
    struct task task;
    sem_t stands, go;
};

static inline void brake_run(struct worker *w, struct task *t)
{
    (void)w;
    struct brake *b = CONTAINER_OF(t, struct brake, task);
    CHECK(sem_post(&b->stands) == 0);
    while (sem_wait(&b->go)) CHECK(errno == EINTR);
}

/* Asks for it: the worker stands at its next mailbox phase, after the input of that turn. */
static inline void brake_post(struct brake *b, struct worker *w)
{
    CHECK(sem_init(&b->stands, 0, 0) == 0 && sem_init(&b->go, 0, 0) == 0);
    b->task = (struct task) { .run = brake_run };
    worker_post(w, &b->task);
}

static inline void brake_wait(struct brake *b)
{
    struct timespec until;
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += RIG_WAIT_MS / 1000;
    while (sem_timedwait(&b->stands, &until)) CHECK(errno == EINTR);
}

static inline void brake_release(struct brake *b)
{
    CHECK(sem_post(&b->go) == 0);
}

/* The worker takes a whole turn with what has been sent while `b` stood, and stands again. */
static inline void brake_one_turn(struct brake *b, struct brake *next, struct worker *w)
{
    brake_post(next, w);
    brake_release(b);
    brake_wait(next);
}
#endif
