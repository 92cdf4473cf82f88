/* SPDX-License-Identifier: MIT
 *
 * bench/load.h: the load generator: the clients of one server (subscribers and publishers) and the
 * ways to load it: closed loop in bursts, open loop at a rate, requests alone.
 *
 * One thread. Each call returns when everything that was published has come to every subscriber and
 * every request is answered, so what the server's CPU clock gained in between is the cost of
 * exactly that. A server that makes no progress for LOAD_STALL_MS ends the benchmark. Fails by
 * die().
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include "bench/hist.h"
#include <stddef.h>
#include <stdint.h>

#define LOAD_STALL_MS 10000

struct load;

/* Clients for the server on 127.0.0.1:port: at most `max` subscribers, and `n_pubs` HTTP
 * connections, which are opened at once. */
struct load *load_new(uint16_t port, size_t max, size_t n_pubs);
void load_free(struct load *l); /* resets all connections; NULL allowed */

/* Opens connections and subscribes them until there are `total`, at most `window` being opened at a
 * time. */
void load_connect(struct load *l, size_t total, size_t window);

struct load_done {
    uint64_t n;  /* messages published, or requests answered */
    uint64_t ns; /* how long it took */
    uint64_t deliveries;
};

/* Closed loop: `burst` messages in one piece on one connection, and the next burst when the last
 * one has come to all; for `run_ns`. */
struct load_done load_bursts(struct load *l, size_t data_bytes, unsigned burst, uint64_t run_ns);

/* Open loop: a message every 1/rate seconds for `run_ns`, whether or not the server keeps up.
 * `latency` gets, for each delivery, the time since the message was *due* to be sent, so that a
 * stall counts for all that it delayed (no coordinated omission); `lag` how late the generator
 * itself was. */
struct load_done load_rate(struct load *l, size_t data_bytes, double rate, uint64_t run_ns,
                           struct hist *latency, struct hist *lag);

enum load_request {
    LOAD_STATIC, /* GET of a static text */
    LOAD_PUBLISH /* signed publish, 200 bytes of data, to a channel without subscribers */
};
/* Closed loop: `depth` requests waiting on each of the first `n_pubs` connections; for `run_ns`. */
struct load_done load_requests(struct load *l, enum load_request kind, size_t n_pubs, size_t depth,
                               uint64_t run_ns);
#endif
