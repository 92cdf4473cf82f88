/* SPDX-License-Identifier: MIT
 * hub/hub_priv.h: what the files of the worker's hub share: hub.c (turn, delivery, publish),
 * subscribe.c, signin.c, act.c (from a client's text to these). */
#ifndef HUB_HUB_PRIV_H
#define HUB_HUB_PRIV_H
#include "hub/hub.h"

struct hub {
    struct directory *dir;
    unsigned worker;
    struct hub_sink sink;
    uint64_t now_ms, now_ns;
    uint64_t delivered_ns; /* the oldest post handed out since hub_take_delivered */
    uint32_t n_delivered;
    struct users users;
    struct hub_stats stats;

    struct facts *facts;
    struct names *names;
    struct fact_tally tally; /* of the post that is being handled */

    struct mpsc_node *inbox; /* taken, not yet handled; the first may be suspended */
    uint32_t resume_at;      /* where the first one's fan-out goes on */

    struct msg **kept; /* one reference each, until the turn ends */
    size_t n_kept, cap_kept;

    struct buf text;    /* the message being written */
    struct buf scratch; /* of peer_on_message */
};

static inline void stat_add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + n, memory_order_relaxed); /* one writer */
}

/* `n` connections got an event of the app. */
static inline void count_delivered(struct hub *hub, const struct app *app, const struct msg *msg,
                                   uint64_t n)
{
    struct app_tally *tally = app_tally(app, hub->worker);
    if (app->internal) return; /* the watchers' own messages are no traffic */
    stat_add(&hub->stats.delivered, n);
    if (!tally) return;
    stat_add(&tally->delivered, n);
    stat_add(&tally->sent_bytes, n * msg->n);
}

/* Both end in sink->close where memory is refused, which may close the connection at once: look at
 * conn->closed before going on with it. */
/* Delivers and keeps the message (takes the reference) until the turn ends. */
void hub_deliver_one(struct hub *hub, struct hub_conn *conn, struct msg *msg);
/* The connection cannot be served for want of memory. */
void hub_no_memory(struct hub *hub, struct hub_conn *conn);

/* subscribe.c */
struct hub_sub *sub_find(struct hub_conn *conn, struct span channel);
void hub_subscribe(struct hub *hub, struct hub_conn *conn, const struct peer_action *action);
void hub_unsubscribe(struct hub *hub, struct hub_conn *conn, struct span channel);
void hub_unsubscribe_all(struct hub *hub, struct hub_conn *conn);
/* POST_ANSWER; how many octets were sent. */
size_t hub_deliver_answer(struct hub *hub, struct post *post);

/* signin.c */
void hub_signin(struct hub *hub, struct hub_conn *conn, const struct peer_action *action);
void hub_signout(struct hub *hub, struct hub_conn *conn);
struct peer_user signin_user(const struct hub_conn *conn);
void hub_deliver_user(struct hub *hub, const struct post *post);  /* POST_USER */
void hub_deliver_watch(struct hub *hub, const struct post *post); /* POST_WATCH */
void hub_terminate_here(struct hub *hub, const struct post *post);

/* note.c */
void hub_note_publish(struct hub *hub, const struct hub_publish *publish, enum err err);
void hub_note_tally(struct hub *hub, const struct post *post);
void hub_note_refused(struct hub *hub, const struct hub_conn *conn, const struct peer_refusal *r);
/* A subscription began; the channel was empty before. */
void hub_note_joined(struct hub *hub, struct hub_conn *conn, const struct dir_chan *chan,
                     struct span user_id, bool occupied);
/* It ends; and it was the last one. */
void hub_note_left(struct hub *hub, struct hub_conn *conn, struct span channel);
/* `hash`: as the directory has it; `channel`: empty where nobody watches. */
void hub_note_vacated(struct hub *hub, const struct hub_conn *conn, uint64_t hash,
                      struct span channel);

/* act.c */
void hub_refuse(struct hub *hub, struct hub_conn *conn, const struct peer_refusal *refusal);
#endif
