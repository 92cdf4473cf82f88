/* SPDX-License-Identifier: MIT
 *
 * hub/channel.h: the subscribers of a channel on one worker: one contiguous vector.
 *
 * Joining appends, leaving moves the last one into the gap: O(1) each. While a fan-out over the
 * channel is suspended between two turns (`busy`), leaving makes a hole instead, so that nobody is
 * overtaken or met twice; the holes go when the fan-out ends. Touched by its worker only.
 */
#ifndef HUB_CHANNEL_H
#define HUB_CHANNEL_H
#include "hub/directory.h"

struct chan_entry {
    struct hub_conn *conn; /* NULL: a hole */
    uint64_t joined;       /* the channel's number at that moment; only newer posts are for it */
    uint32_t back;         /* index of the subscription in the connection's own list */
};

struct chan {
    struct dir_chan *rec;
    struct chan_entry *subs;
    uint32_t n, cap; /* n counts holes, too */
    uint32_t n_holes;
    bool busy;
};

/* The worker's chan of this record, made where it is missing. NULL: no memory. */
struct chan *chan_get(struct dir_chan *rec, unsigned worker) MUST_USE;
/* Frees it if nobody is in it and it is not busy. */
void chan_drop_if_empty(struct chan *chan, unsigned worker);

/* Room for one more, so that chan_append cannot fail. */
enum err chan_reserve(struct chan *chan) MUST_USE;
uint32_t chan_append(struct chan *chan, struct chan_entry entry); /* returns its index */
void chan_remove(struct chan *chan, uint32_t at);
/* Ends a suspended fan-out. */
void chan_compact(struct chan *chan);
#endif
