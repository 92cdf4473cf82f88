/* SPDX-License-Identifier: MIT
 *
 * base/mpsc.h: intrusive queue, many producers, one consumer. Never blocks, never drops, allocates
 * nothing. What one producer pushes, and what is pushed under one lock, comes out in that order.
 *
 * A push is one compare-and-swap on a stack; the consumer takes the whole stack with one exchange
 * and reverses it. All orderings are C11 acquire/release, so TSan can judge it.
 */
#ifndef BASE_MPSC_H
#define BASE_MPSC_H
#include "base/check.h"
#include <stdatomic.h>

struct mpsc_node {
    struct mpsc_node *next;
};

struct mpsc {
    _Atomic(struct mpsc_node *) _top;
};

/* The same as zeroing (which `{ 0 }` does not do with every compiler for an atomic pointer). */
static inline void mpsc_init(struct mpsc *q)
{
    atomic_init(&q->_top, NULL);
}

/* Any thread. True when the queue was empty before: then the consumer must be woken. */
bool mpsc_push(struct mpsc *q, struct mpsc_node *node) MUST_USE;

/* The consumer only: all nodes in push order, linked by `next`, NULL when there is none. */
struct mpsc_node *mpsc_take_all(struct mpsc *q);
#endif
