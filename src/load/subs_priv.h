/* SPDX-License-Identifier: MIT
 * load/subs_priv.h: what subs.c (connections) and subs_text.c (what is said on them) share. */
#ifndef LOAD_SUBS_PRIV_H
#define LOAD_SUBS_PRIV_H
#include "load/subs.h"
#include "ws/decoder.h"
#include "ws/handshake.h"

enum sub_state { SUB_CLOSED, SUB_CONNECTING, SUB_UPGRADING, SUB_GREETING, SUB_JOINING, SUB_READY };

/* A subscription. */
struct sub_chan {
    uint64_t first_seq; /* what was published before it was granted does not count */
    uint64_t next_seq;
    uint64_t seen;    /* bit i: next_seq - 1 - i has come, or nobody waits for it */
    uint64_t n_holes; /* numbers before next_seq that are waited for */
};

struct sub {
    int fd;
    uint32_t generation; /* of the connection in this place: events of older ones are stale */
    uint8_t state;       /* enum sub_state */
    bool slow;           /* does not read, or did not */
    uint16_t error;      /* the code of the last pusher:error */
    uint32_t n_joined;
    char key[WS_KEY_LEN];
    struct buf head; /* of the server's reply, while upgrading */
    struct ws_dec dec;
};

/* What all subscribers of a channel have in common. */
struct sub_common {
    uint64_t next_seq;
    uint32_t n_ready;   /* subscriptions that count */
    struct buf refused; /* uint64_t each, ascending: messages that nobody has to get */
};

struct subs {
    int ep;
    const struct load_target *target;
    struct load_layout layout;
    struct load_faults *faults;
    size_t n, n_ready;
    struct sub *items;
    struct sub_chan *chans;    /* per_conn for each connection */
    struct sub_common *common; /* per channel */
    /* Missing is what is expected, but for what was received and for what is excused since it was
     * refused. What a connection still has to get is no longer expected when it closes. */
    uint64_t expected, received, excused;
    uint64_t run_received; /* since subs_watch */
    uint64_t n_foreign;
    size_t data_bytes;
    struct hist *latency;
    uint64_t now_ns; /* when the bytes that are being read were taken from the socket */
    size_t hint, hint_event, hint_channel; /* where these stood in a frame the last time */
    struct buf mark;                       /* what all channels begin with, with the quote */
    size_t n_narrow;                       /* the first so many are opened narrow */
    size_t told_4100, told_other;
    uint8_t *input;
    struct buf out, scratch;
};

/* Whether messages are waited for on it. */
static inline bool sub_counts(const struct sub *sub)
{
    return sub->state == SUB_READY && !sub->slow;
}

/* All that subscribe to a channel have its number modulo this. */
static inline size_t sub_step(const struct subs *s)
{
    return s->layout.n_channels / s->layout.per_conn;
}

/* Number k of the connection's channels. */
static inline uint32_t sub_channel(const struct subs *s, size_t index, uint32_t k)
{
    return (uint32_t)((index + k * sub_step(s)) % s->layout.n_channels);
}

static inline struct sub_chan *sub_chans(const struct subs *s, size_t index)
{
    return &s->chans[index * s->layout.per_conn];
}

/* How many messages from `seq` on were refused. */
uint64_t sub_refused_since(const struct sub_common *common, uint64_t seq);
/* A whole text of the server. */
void subs_on_text(struct subs *s, size_t index, struct span text);
/* Sends s->out, masked, and clears it. */
void subs_say(struct subs *s, size_t index);
/* The connection failed or was ended by the server: a fault of this kind, unless it is a slow one.
 */
void subs_lose(struct subs *s, size_t index, const char *what, struct span why);
#endif
