/* SPDX-License-Identifier: MIT
 *
 * base/lock.c: a mutex whose failures are our bugs (taken while destroyed, dropped by another
 * thread), so they abort instead of being returned.
 */
#include "base/lock.h"
#include "base/check.h"
#include "base/clock.h"
#include <errno.h>

static _Thread_local struct lock_waits *waits_here;

void lock_count_waits(struct lock_waits *waits)
{
    waits_here = waits;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + n, memory_order_relaxed); /* one writer */
}

/* Out of line, so that the usual way stays short. */
static __attribute__((noinline)) void wait_for(struct lock *l)
{
    uint64_t began_ns = waits_here ? clock_mono_ns() : 0;
    int rc = pthread_mutex_lock(&l->_m);
    CHECK(rc == 0);
    if (!waits_here) return;
    add(&waits_here->n, 1);
    add(&waits_here->ns, clock_mono_ns() - began_ns);
}

void lock_init(struct lock *l)
{
    int rc = pthread_mutex_init(&l->_m, NULL);
    CHECK(rc == 0);
}

void lock_fini(struct lock *l)
{
    int rc = pthread_mutex_destroy(&l->_m);
    CHECK(rc == 0);
}

void lock_take(struct lock *l)
{
    int rc = pthread_mutex_trylock(&l->_m);
    if (rc == 0) return;
    CHECK(rc == EBUSY);
    wait_for(l);
}

void lock_drop(struct lock *l)
{
    int rc = pthread_mutex_unlock(&l->_m);
    CHECK(rc == 0);
}
