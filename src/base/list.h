/* SPDX-License-Identifier: MIT
 *
 * base/list.h: intrusive doubly linked list. A node that is in no list points at itself or is
 * zeroed; both count as unlinked, and removing such a node does nothing.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H
#include "base/check.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l || !l->next;
}

static inline bool list_linked(const struct list *node)
{
    return node->next && node->next != node;
}

static inline void list_push(struct list *head, struct list *node) /* at the end */
{
    CHECK(!list_linked(node));
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_remove(struct list *node)
{
    if (!list_linked(node)) return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *list_first(struct list *head) /* NULL when empty */
{
    return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_pop(struct list *head) /* the first, unlinked; NULL when empty */
{
    struct list *first = list_first(head);
    if (first) list_remove(first);
    return first;
}
#endif
