/* SPDX-License-Identifier: MIT
 * hub/post.c: see post.h. */
#include "hub/post.h"
#include "base/mem.h"

struct post *post_new(enum post_kind kind, struct app *app, struct msg *msg, unsigned n_workers)
{
    size_t size = sizeof(struct post) + n_workers * sizeof(struct post_node);
    struct post *p = mem_zalloc(size);
    if (!p) {
        msg_unref(msg);
        return NULL;
    }
    atomic_init(&p->_refs, 1);
    p->kind = kind;
    p->app = app;
    p->msg = msg;
    p->cost = (uint32_t)size + (msg ? msg->n : 0);
    p->n_workers = n_workers;
    for (unsigned i = 0; i < n_workers; i++) p->nodes[i].post = p;
    return p;
}

void post_ref(struct post *p, uint32_t n)
{
    atomic_fetch_add_explicit(&p->_refs, n, memory_order_relaxed);
}

bool post_unref(struct post *p)
{
    return atomic_fetch_sub_explicit(&p->_refs, 1, memory_order_acq_rel) == 1;
}

void post_free(struct post *p)
{
    if (!p) return;
    msg_unref(p->msg);
    member_unref(p->user);
    roster_view_unref(p->snapshot);
    mem_free(p);
}
