/* SPDX-License-Identifier: MIT
 *
 * base/lock.c: a mutex whose failures are our bugs (taken while destroyed, dropped by another
 * thread), so they abort instead of being returned.
 */
#include "base/lock.h"
#include "base/check.h"

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
    int rc = pthread_mutex_lock(&l->_m);
    CHECK(rc == 0);
}

void lock_drop(struct lock *l)
{
    int rc = pthread_mutex_unlock(&l->_m);
    CHECK(rc == 0);
}
