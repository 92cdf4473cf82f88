/* SPDX-License-Identifier: MIT
 *
 * base/mpsc.c: a stack that many push on and one takes whole, turned over by the taker.
 *
 * Taking everything at once leaves no ABA problem: no producer ever reads through a node that it
 * did not write. The release of each push continues the release sequence of those below it, so the
 * taker's one acquire sees all nodes as their producers left them.
 */
#include "base/mpsc.h"

bool mpsc_push(struct mpsc *q, struct mpsc_node *node)
{
    struct mpsc_node *top = atomic_load_explicit(&q->_top, memory_order_relaxed);
    do {
        node->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&q->_top, &top, node, memory_order_release,
                                                    memory_order_relaxed));
    return top == NULL; /* not node->next: the consumer may own the node already */
}

struct mpsc_node *mpsc_take_all(struct mpsc *q)
{
    struct mpsc_node *top = atomic_exchange_explicit(&q->_top, NULL, memory_order_acquire);
    struct mpsc_node *first = NULL;
    while (top) {
        struct mpsc_node *below = top->next;
        top->next = first;
        first = top;
        top = below;
    }
    return first;
}
