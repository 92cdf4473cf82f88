/* SPDX-License-Identifier: MIT
 *
 * load/load.h: the load generator: the clients of one server (subscribers and publishers) and the
 * ways to load it: closed loop in bursts, open loop at a rate, requests alone, coming and going.
 *
 * One thread. Each run returns when everything that was published has come to every subscriber and
 * every request is answered, so what the server's CPU clock gained in between is the cost of
 * exactly that. When nothing has come for LOAD_STALL_MS, what is missing is lost. What the server
 * does wrong is counted in load_faults(). A run with LOAD_BROKEN ends at once; a closed loop ends,
 * too, when its server is gone: nobody is subscribed any more, a burst got no answer at all, or
 * nothing was accepted for LOAD_STALL_MS.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H
#include "load/faults.h"
#include "load/hist.h"
#include "load/subs.h"

#define LOAD_STALL_MS 10000

struct load;

/* Clients for a server (borrowed): room for layout->max subscribers, and `n_pubs` HTTP connections
 * (1–PUBS_MAX), dialled when they are needed. NULL: no memory, no descriptor. */
struct load *load_new(const struct load_target *target, const struct load_layout *layout,
                      size_t n_pubs);
/* Another time than LOAD_STALL_MS. */
void load_set_patience(struct load *l, uint64_t ms);
/* Connecting and the two loops end before their time when this says so (asked in each turn, so it
 * may also do something then); what is under way is still waited for. NULL: they do not. */
void load_stop_when(struct load *l, bool (*stop)(void *ctx), void *ctx);
void load_free(struct load *l); /* resets all connections; NULL allowed */

/* So far. The caller may write them. */
struct load_faults *load_faults(struct load *l);
struct subs *load_subs(struct load *l);

/* Opens connections and subscribes them until there are `total`, at most `window` being opened at a
 * time. False: some could not be opened (a fault each). */
bool load_connect(struct load *l, size_t total, size_t window);

/* What is published. Hists may be NULL. */
struct load_plan {
    size_t data_bytes; /* TEXT_MIN–TEXT_MAX */
    uint64_t run_ns;
    unsigned width;       /* channels that one request publishes to; 0 means 1 */
    unsigned burst;       /* load_closed: messages under way */
    double rate;          /* load_open: requests a second, 0: none, only what comes */
    uint32_t n_channels;  /* only the first so many of the layout's; 0: all */
    bool to_nobody;       /* instead to a channel that nobody is on */
    struct hist *latency; /* of deliveries: since the message was due */
    struct hist *api;     /* of requests: since it was due until it was answered */
    struct hist *lag;     /* how late the generator itself was (load_open) */
};

struct load_done {
    uint64_t n;        /* requests that were sent */
    uint64_t asked;    /* load_open: how many were due; more than n where neither the server nor
                          ourselves could keep up */
    uint64_t accepted; /* of n, those that were answered with 200 */
    uint64_t ns; /* how long it took; without the silence in which what never came was awaited */
    bool gone;   /* it ended before its time, since the server was gone */
    uint64_t deliveries;
};

/* Closed loop: `burst` messages in one piece to a connection, and the next burst when the last one
 * has come to all. Requests go to one channel (or `width`) after the other, in turn. */
struct load_done load_closed(struct load *l, const struct load_plan *plan);

/* Open loop: a request every 1/rate seconds, whether or not the server keeps up. Latencies count
 * from when the message was *due* to be sent, so that a stall counts for all that it delayed (no
 * coordinated omission). What was due and could not be sent in time is sent after it, for as long
 * as there is patience. */
struct load_done load_open(struct load *l, const struct load_plan *plan);

/* Somebody else's load publishes the next message of the first channel (plan->data_bytes,
 * plan->latency): from now on each subscriber has to get it. */
void load_expect(struct load *l, const struct load_plan *plan);
/* Until it has come to all; returns to how many it has. */
uint64_t load_await(struct load *l);

#define LOAD_WIDTH 100
#define LOAD_BATCH_EVENTS 10
enum load_request {
    LOAD_STATIC,       /* GET of a static text */
    LOAD_PUBLISH,      /* signed publish, 200 bytes of data, to a channel without subscribers */
    LOAD_PUBLISH_WIDE, /* the same to LOAD_WIDTH such channels */
    LOAD_BATCH         /* a batch of LOAD_BATCH_EVENTS such publishes */
};
/* Closed loop: `depth` requests waiting on each of the first `n_pubs` connections; for `run_ns`, 0:
 * only these. */
struct load_done load_requests(struct load *l, enum load_request kind, size_t n_pubs, size_t depth,
                               uint64_t run_ns);

/* Opens, subscribes and resets `cycles` connections, `window` at a time, in the places behind the
 * first `stay`. */
struct load_done load_churn(struct load *l, size_t stay, uint64_t cycles, size_t window);

/* TCP connections alone, connected and reset: what accepting and closing costs. */
struct load_done load_knock(struct load *l, uint64_t cycles, size_t window);

/* Resets all connections, then opens them again, all at once; returns the nanoseconds until all are
 * back. */
uint64_t load_storm(struct load *l);
#endif
