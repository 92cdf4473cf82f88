/* SPDX-License-Identifier: MIT
 *
 * server/out.h: what waits to be sent to one connection: messages in order, the first maybe sent in
 * part.
 *
 * During a turn a message from the hub is only borrowed (the hub keeps it until the turn ends), so
 * that a fan-out touches no reference count; what the kernel did not take is referenced at the end
 * of the flush. Owns no memory while at most one message waits.
 */
#ifndef SERVER_OUT_H
#define SERVER_OUT_H
#include "hub/msg.h"
#include "net/sock.h"

struct out {
    uintptr_t *_q;  /* entries, NULL while _one is enough */
    uintptr_t _one; /* an entry: a struct msg *, the lowest bit set when a reference is held */
    uint32_t _head, _n, _cap;
    uint32_t _offset;  /* octets of the first message that are sent */
    uint32_t _n_owned; /* so many of the first entries hold a reference for sure */
    uint32_t _n_refs;  /* entries that hold one */
    uint32_t _largest; /* message since the queue was empty */
    uint64_t bytes;    /* that wait */
};

void out_fini(struct out *o);
static inline bool out_empty(const struct out *o)
{
    return o->_n == 0;
}
static inline uint32_t out_count(const struct out *o)
{
    return o->_n;
}

/* What waits beyond one message: of one message alone, however large, nothing. A large message that
 * is sent counts on until the queue has been empty, so this may be too little by its size. */
static inline uint64_t out_excess(const struct out *o)
{
    return o->bytes > o->_largest ? o->bytes - o->_largest : 0;
}

/* ERR_NOMEM: nothing was added. `msg` is not empty. */
enum err out_borrow(struct out *o, struct msg *msg) MUST_USE;
/* Takes the reference, also when it fails. */
enum err out_take(struct out *o, struct msg *msg) MUST_USE;

/* The messages of several connections are mostly the same ones: the subscribers of a channel got
 * the same batch. What the last connection sent is remembered, and from the second equal queue on
 * joined into one piece, which is cheaper to hand to the kernel than its parts. One per worker. */
struct out_batch {
    struct buf _entries; /* the queue that was sent last */
    struct buf _joined;  /* its octets; empty: not joined yet */
};
void out_batch_fini(struct out_batch *b);
/* Between turns: the messages may go. */
void out_batch_forget(struct out_batch *b);

/* Sends as much as the kernel takes; `*sent` gets the octets. SOCK_OK: all is sent. */
enum sock_status out_flush(struct out *o, int fd, struct out_batch *batch, size_t *sent) MUST_USE;
/* At the end of a flush that left something: what was borrowed is referenced now. */
void out_own(struct out *o);
/* Drops all messages of which nothing is sent yet. */
void out_drop_unsent(struct out *o);
#endif
