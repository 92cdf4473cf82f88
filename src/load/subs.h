/* SPDX-License-Identifier: MIT
 *
 * load/subs.h: many WebSocket connections to one Pusher-speaking server that check each message
 * they get.
 *
 * Connection i is subscribed to `per_conn` of `n_channels` channels: i, i + n_channels/per_conn, …
 * (modulo n_channels), so that channels next to each other have no subscriber in common. Messages
 * of a channel are numbered; a subscription must get each one that was published after it was
 * granted, once, in order, unchanged. What is not so is a fault (load/faults.h). Connections come
 * from several loopback addresses in turn and are closed by a reset, so that none stays in
 * TIME_WAIT.
 */
#ifndef LOAD_SUBS_H
#define LOAD_SUBS_H
#include "load/faults.h"
#include "load/hist.h"
#include "load/target.h"
#include <stddef.h>

struct load_layout {
    size_t max;          /* connections */
    uint32_t n_channels; /* 1 or more */
    uint32_t per_conn;   /* 1 or more; divides n_channels */
    /* Channels are PREFIX-0, PREFIX-1, …; private-… and presence-… are signed for, and on presence
     * channels each connection is a user of its own. */
    const char *prefix;
};

struct subs;

/* Watches its sockets in the epoll set `ep`; events carry values below SUBS_EVENTS in data.u64.
 * Everything is borrowed. NULL: no memory. */
#define SUBS_EVENTS (UINT64_C(1) << 63)
struct subs *subs_new(int ep, const struct load_target *target, const struct load_layout *layout,
                      struct load_faults *faults);
void subs_free(struct subs *s); /* closes all; NULL allowed */

/* Begins to open the connection of this number (< max), which must not be open. */
void subs_open(struct subs *s, size_t index);
/* Resets it; what was still to come on it is not waited for. */
void subs_close(struct subs *s, size_t index);
/* From now on the first `n` connections are opened narrow (load/target.h). */
void subs_narrow(struct subs *s, size_t n);
/* It does not read any more; what it misses is no loss. */
void subs_stop_reading(struct subs *s, size_t index);
/* And reads again: what is told now is counted in subs_told(), then it is closed by the server. */
void subs_read_again(struct subs *s, size_t index);

size_t subs_count(const struct subs *s); /* open or being opened */
size_t subs_ready(const struct subs *s); /* subscribed to all of their channels, and reading */
bool subs_is_ready(const struct subs *s, size_t index);
bool subs_is_open(const struct subs *s, size_t index);
/* Connections that had stopped reading and were then told why they are closed: pusher:error with
 * this code. */
size_t subs_told(const struct subs *s, unsigned code);

/* --- what is published --- */
/* Appends the channel's name. */
void subs_channel_name(const struct subs *s, uint32_t channel, struct buf *out);
/* The number of its next message. */
uint64_t subs_next_seq(const struct subs *s, uint32_t channel);
/* That message is on its way to all that are subscribed now. */
void subs_published(struct subs *s, uint32_t channel);
/* Message `seq` of the channel was refused, or may have been: nobody waits for it, and who gets it
 * all the same may. */
void subs_refused(struct subs *s, uint32_t channel, uint64_t seq);
/* Deliveries that are still to come. */
uint64_t subs_missing(const struct subs *s);
/* Gives them up, as lost; one that comes later counts for nothing. */
void subs_give_up(struct subs *s);

/* --- what comes --- */
/* Of the messages from now on: their size, and where their latencies go (NULL: nowhere). Sets the
 * count of deliveries to 0. */
void subs_watch(struct subs *s, size_t data_bytes, struct hist *latency);
uint64_t subs_received(const struct subs *s);
/* Messages of other runs on the same channels. */
uint64_t subs_foreign(const struct subs *s);
void subs_on_event(struct subs *s, uint64_t data, uint32_t events);
#endif
