/* SPDX-License-Identifier: MIT
 *
 * bench/pubs.h: a back end: a few keep-alive HTTP connections with pipelined, signed requests.
 *
 * Every response must be 200. Fails by die().
 */
#ifndef BENCH_PUBS_H
#define BENCH_PUBS_H
#include "base/buf.h"
#include <stdint.h>

#define PUBS_MAX 16
/* Events of the connections carry PUBS_EVENT plus their index in data.u64. */
#define PUBS_EVENT (UINT64_C(1) << 32)

struct pubs;

struct pubs *pubs_new(int ep, uint16_t port, size_t n); /* n ≤ PUBS_MAX; `ep` is borrowed */
void pubs_free(struct pubs *p);                         /* closes all */

/* Appends a signed POST /apps/ID/events of message `seq` with `bytes` bytes of data. */
void pubs_write_event(struct pubs *p, struct buf *out, const char *channel, uint64_t seq,
                      size_t bytes);
/* Appends a GET that is answered with a static text. */
void pubs_write_static(struct pubs *p, struct buf *out);

/* Sends `n` whole requests on a connection, or keeps what the socket does not take yet. */
void pubs_send(struct pubs *p, size_t index, struct span requests, size_t n);

/* Returns how many responses came. */
size_t pubs_on_event(struct pubs *p, size_t index, uint32_t events);
size_t pubs_waiting(const struct pubs *p); /* requests without a response, all connections */
#endif
