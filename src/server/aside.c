/* SPDX-License-Identifier: MIT
 * server/aside.c: see aside.h. The semaphore counts the pieces that wait, and one more at the end.
 */
#include "server/aside.h"
#include "base/lock.h"
#include "base/mem.h"
#include "net/signals.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

struct aside {
    struct lock lock;
    struct list waiting;
    unsigned n_waiting;
    bool started, ends;
    sem_t some;
    pthread_t thread;
};

static struct aside_job *take(struct aside *a)
{
    lock_take(&a->lock);
    struct list *node = a->ends ? NULL : list_pop(&a->waiting);
    if (node) a->n_waiting--;
    lock_drop(&a->lock);
    return node ? CONTAINER_OF(node, struct aside_job, link) : NULL;
}

static void *run(void *arg)
{
    struct aside *a = arg;
    signals_block_all();
    for (;;) {
        while (sem_wait(&a->some) != 0) CHECK(errno == EINTR);
        struct aside_job *job = take(a);
        if (!job) return NULL;
        job->run(job);
        job->done(job);
    }
}

enum err aside_new(struct aside **out)
{
    struct aside *a = mem_zalloc(sizeof *a);
    if (!a) return ERR_NOMEM;
    lock_init(&a->lock);
    list_init(&a->waiting);
    CHECK(sem_init(&a->some, 0, 0) == 0);
    *out = a;
    return ERR_OK;
}

enum err aside_do(struct aside *a, struct aside_job *job)
{
    enum err err = ERR_OK;
    lock_take(&a->lock);
    if (!a->started) a->started = pthread_create(&a->thread, NULL, run, a) == 0;
    if (!a->started)
        err = ERR_NOMEM;
    else if (a->n_waiting == ASIDE_MAX_WAITING)
        err = ERR_BUSY;
    if (!err) {
        list_init(&job->link);
        list_push(&a->waiting, &job->link);
        a->n_waiting++;
    }
    lock_drop(&a->lock);
    if (!err) CHECK(sem_post(&a->some) == 0);
    return err;
}

void aside_stop(struct aside *a)
{
    if (!a->started) return;
    lock_take(&a->lock);
    a->ends = true;
    lock_drop(&a->lock);
    CHECK(sem_post(&a->some) == 0);
    pthread_join(a->thread, NULL);
    for (struct list *node; (node = list_pop(&a->waiting));) {
        struct aside_job *job = CONTAINER_OF(node, struct aside_job, link);
        job->done(job);
    }
    a->n_waiting = 0;
    a->started = a->ends = false;
    sem_destroy(&a->some);
    CHECK(sem_init(&a->some, 0, 0) == 0);
}

void aside_free(struct aside *a)
{
    if (!a) return;
    aside_stop(a);
    sem_destroy(&a->some);
    lock_fini(&a->lock);
    mem_free(a);
}
