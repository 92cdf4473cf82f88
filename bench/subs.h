/* SPDX-License-Identifier: MIT
 *
 * bench/subs.h: many WebSocket connections to one Pusher-speaking server, all subscribed to one
 * public channel, that check each message they get.
 *
 * A connection must get every message once and in order, unchanged; else the benchmark ends, since
 * a server that loses something is fast for the wrong reason. The connections come from several
 * loopback addresses in turn, so that the ports suffice, and are closed by a reset, so that none
 * stays in TIME_WAIT. Fails by die().
 */
#ifndef BENCH_SUBS_H
#define BENCH_SUBS_H
#include "bench/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is expected of the messages under way, and what came; written by load.c before, by subs.c
 * during a run. */
struct subs_watch {
    size_t data_bytes;
    uint64_t n_received;     /* deliveries, over all connections */
    struct hist *latency;    /* NULL: not wanted */
    const uint64_t *sent_ns; /* by sequence number modulo n_sent: when it was due to be sent */
    uint64_t n_sent;
    uint64_t now_ns; /* when the bytes that are being read were taken from the socket */
};

struct subs;

/* Watches its sockets in the epoll set `ep` (borrowed): events carry the index of the connection
 * in data.u64. `first_seq` is the number of the next message to be published. */
struct subs *subs_new(int ep, uint16_t port, size_t max);
void subs_free(struct subs *s); /* closes all */

/* Begins to open one more connection, whose first message will be number `next_seq`. */
void subs_open_one(struct subs *s, uint64_t next_seq);
size_t subs_open(const struct subs *s);  /* begun */
size_t subs_ready(const struct subs *s); /* subscribed */

void subs_on_event(struct subs *s, size_t index, uint32_t events, struct subs_watch *watch);
#endif
