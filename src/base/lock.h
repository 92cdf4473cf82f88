/* SPDX-License-Identifier: MIT
 *
 * base/lock.h: a mutex, and how long a thread waited for such. In the pure layers only
 * hub/directory may include this (src/layers.txt).
 *
 * A lock that is free costs what a bare mutex costs: it is tried first, and only where that fails
 * two clock readings and two counters are added to a wait that is longer anyway
 * (./dev bench lock).
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct lock {
    pthread_mutex_t _m;
};
/* The initial value of a static lock. */
#define LOCK_INIT ((struct lock) { ._m = PTHREAD_MUTEX_INITIALIZER })
void lock_init(struct lock *l);
void lock_fini(struct lock *l);
void lock_take(struct lock *l);
void lock_drop(struct lock *l);

/* Over all locks: how often one was taken already, and how long that lasted. */
struct lock_waits {
    _Atomic uint64_t n, ns; /* written by one thread, read by any (relaxed) */
};
/* From now on waits of the calling thread are added to `waits` (borrowed until the thread ends or
 * calls again); NULL: to nothing, as in the beginning. */
void lock_count_waits(struct lock_waits *waits);
#endif
