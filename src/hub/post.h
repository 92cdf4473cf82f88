/* SPDX-License-Identifier: MIT
 *
 * hub/post.h: what goes from the directory into the workers' mailboxes.
 *
 * A post is allocated once per publish with one node for each worker; posting pushes the nodes of
 * those workers that have receivers. It is immutable from then on, and freed when the last worker
 * is done with it. It holds a reference on its channel record and on its message.
 */
#ifndef HUB_POST_H
#define HUB_POST_H
#include "base/mpsc.h"
#include "hub/app.h"
#include "hub/member.h"
#include "hub/msg.h"
#include "hub/roster.h"

struct dir_chan;
struct hub_conn;

enum post_kind {
    POST_EVENT,     /* msg to the subscribers of chan with an older number, but `exclude` */
    POST_ANSWER,    /* the answer to a repeated subscribe, to one connection */
    POST_USER,      /* msg to the sockets signed in as user */
    POST_WATCH,     /* msg to those who watch user */
    POST_TERMINATE, /* close the sockets that are signed in or present as user */
};

struct post_node {
    struct mpsc_node link; /* first */
    struct post *post;
};

struct post {
    _Atomic uint32_t _refs;
    enum post_kind kind;
    uint64_t seq;
    uint64_t exclude; /* socket id; 0: nobody */
    uint64_t fact;    /* what it is remembered as (watch/fact.h); 0: it is not */
    uint64_t at_ns;   /* when the turn began that published it */
    uint32_t cost;    /* octets that count against limits.mailbox_bytes */
    struct app *app;
    struct dir_chan *chan;        /* EVENT, ANSWER */
    struct msg *msg;              /* EVENT, USER, WATCH; ANSWER: the cached event or NULL */
    struct member *user;          /* USER, WATCH, TERMINATE: who */
    struct hub_conn *conn;        /* ANSWER; pinned until handled */
    struct roster_view *snapshot; /* ANSWER on a presence channel */
    unsigned n_workers;
    struct post_node nodes[];
};

/* A post of one reference with `n_workers` nodes. Takes the reference on `msg` (may be NULL), also
 * when it fails (then NULL is returned). */
struct post *post_new(enum post_kind kind, struct app *app, struct msg *msg,
                      unsigned n_workers) MUST_USE;
void post_ref(struct post *p, uint32_t n);
/* True when this was the last reference: then the caller releases p->chan to the directory and
 * calls post_free. */
bool post_unref(struct post *p);
/* Releases everything but the channel record. */
void post_free(struct post *p);

static inline struct post *post_of(struct mpsc_node *node)
{
    return CONTAINER_OF(node, struct post_node, link)->post;
}
#endif
