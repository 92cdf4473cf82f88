/* SPDX-License-Identifier: MIT
 *
 * load/pubs.h: a back end: a few HTTP connections with signed requests, kept alive. Requests are
 * pipelined where one is due before the last is answered. A connection that the server closes after
 * an answer is dialled again for the next request.
 */
#ifndef LOAD_PUBS_H
#define LOAD_PUBS_H
#include "base/buf.h"
#include "load/faults.h"
#include "load/hist.h"
#include "load/target.h"

#define PUBS_MAX 64

struct pubs;

/* What is told when a request was refused, or may not have been carried out. */
struct pubs_hooks {
    void (*refused)(void *ctx, uint32_t first_channel, uint32_t n_channels, uint64_t seq);
    void *ctx;
};

/* Watches its sockets in the epoll set `ep`; events carry `events` plus the connection's index in
 * data.u64. Everything is borrowed. NULL: no memory. */
struct pubs *pubs_new(int ep, uint64_t events, const struct load_target *target, size_t n,
                      struct load_faults *faults);
void pubs_on_refused(struct pubs *p, const struct pubs_hooks *hooks);
void pubs_free(struct pubs *p); /* closes all; NULL allowed */

/* A message to be published. */
struct pubs_event {
    const struct span *channels; /* 1 or more */
    size_t n_channels;
    uint64_t seq, due_ns;
    size_t bytes; /* of data */
    size_t batch; /* so many of it, in one request; 0: no batch */
};
/* Appends a signed POST /apps/ID/events or …/batch_events. */
void pubs_write_event(struct pubs *p, struct buf *out, const struct pubs_event *event);
/* Appends a GET that is answered with a static text. */
void pubs_write_static(struct pubs *p, struct buf *out);

/* What stands in `requests`, for the accounts. */
struct pubs_batch {
    struct span requests;
    size_t n;
    uint32_t first_channel, n_channels; /* of each; n_channels 0: nobody asks */
    uint64_t seq;                       /* on each of them */
    uint64_t due_ns;                    /* 0: is not measured */
    bool hold;                          /* more will follow at once: pubs_flush() sends it */
};
/* Sends on connection `index`, or keeps what the socket does not take yet. */
void pubs_send(struct pubs *p, size_t index, const struct pubs_batch *batch);

void pubs_flush(struct pubs *p);
/* False: so much waits to be sent on this connection that more is of no use. */
bool pubs_has_room(const struct pubs *p, size_t index);

/* Where the times from due to answered go; NULL: nowhere. Sets both counts to 0.
 */
void pubs_watch(struct pubs *p, struct hist *latency);
uint64_t pubs_accepted(const struct pubs *p); /* requests that were answered with 200 */
uint64_t pubs_answered(const struct pubs *p); /* with anything */
/* Returns how many responses came. */
size_t pubs_on_event(struct pubs *p, size_t index, uint32_t events);
size_t pubs_waiting(const struct pubs *p); /* requests without a response, all connections */
/* Those are given up, as unanswered. */
void pubs_give_up(struct pubs *p);
#endif
