/* SPDX-License-Identifier: MIT
 * base/lock.h: a mutex. In the pure layers only hub/directory may include this (src/layers.txt). */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H
#include <pthread.h>
struct lock {
    pthread_mutex_t _m;
};
/* The initial value of a static lock. */
#define LOCK_INIT ((struct lock) { ._m = PTHREAD_MUTEX_INITIALIZER })
void lock_init(struct lock *l);
void lock_fini(struct lock *l);
void lock_take(struct lock *l);
void lock_drop(struct lock *l);
#endif
