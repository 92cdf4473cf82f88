/* SPDX-License-Identifier: MIT
 *
 * server/counts.h: what a worker counts. Written by its thread alone (so no atomic addition is
 * needed), read by anybody; what of it is shown where, metrics.def and admin.c say.
 */
#ifndef SERVER_COUNTS_H
#define SERVER_COUNTS_H
#include "base/histo.h"

#define COUNTS_CODES 20

/* One counter for each code that we know, and one for all others. */
struct counts_by_code {
    _Atomic uint64_t n[COUNTS_CODES];
};

struct worker_counts {
    _Atomic uint64_t accepted, opened, closed, http_requests, slow_cut, ping_cut;
    _Atomic uint64_t n_http, n_ws;          /* now */
    _Atomic uint64_t open_bytes;            /* unfinished input, but that of signed requests; now */
    _Atomic uint64_t octets_in, octets_out; /* of sockets, HTTP and TCP payload together */
    struct counts_by_code statuses;         /* of the HTTP API's answers */
    struct counts_by_code closes;           /* close frames that we sent */
    struct counts_by_code refusals;         /* errors that clients were told */
    struct histo turn_us;                   /* how long turns kept the worker busy */
    struct histo request_us;                /* a request to the HTTP API, without waiting */
    struct histo delivery_us;               /* from a publish until it has been written here */
};

static inline void count_add(_Atomic uint64_t *counter, int64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + (uint64_t)n, memory_order_relaxed); /* one writer */
}
static inline uint64_t count_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The codes that a struct counts_by_code is for, COUNTS_CODES - 1 or fewer, then 0 for all others.
 */
extern const uint16_t counts_statuses[COUNTS_CODES]; /* HTTP */
extern const uint16_t counts_codes[COUNTS_CODES];    /* close frames, pusher:error */

void count_code(struct counts_by_code *counts, const uint16_t codes[COUNTS_CODES], unsigned code);
#endif
