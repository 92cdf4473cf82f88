/* SPDX-License-Identifier: MIT
 *
 * hub/hub.h: one worker's hub: what its connections ask for, the one way to publish, and delivery
 * of what the directory posted.
 *
 * Pure: the time is passed in, output goes to a sink. One hub per worker, used by that worker's
 * thread only; the hubs meet in the directory. Life of a turn:
 *
 *     hub_turn_begin(now) · hub_on_text / hub_publish … · hub_run_mailbox · (server flushes)
 *     · hub_turn_end
 *
 * Messages given to the sink stay valid until hub_turn_end; who keeps one longer takes a reference.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H
#include "base/histo.h"
#include "hub/channel.h"
#include "hub/limit.h"
#include "hub/user.h"
#include "watch/event.h"
#include "watch/fact.h"
#include "watch/names.h"

/* Presence on one channel. */
struct presence {
    struct member *member;
    struct user_link link;
};

/* One subscription of a connection. */
struct hub_sub {
    struct chan *chan;
    struct presence *presence; /* NULL where the channel is none */
    uint32_t at;               /* index in chan->subs */
    uint32_t hash : 28;        /* low bits of the channel's hash, to skip others quickly */
    uint32_t n_answers : 3;    /* to repeated subscribes, that are under way */
    uint32_t again : 1;        /* they will be out of date: then one more is wanted */
};
_Static_assert(sizeof(struct hub_sub) == 24, "one or more for each connection");

struct signin; /* hub/signin.c */

/* What the hub keeps for one connection; embedded by value, fields are the hub's. */
struct hub_conn {
    struct app *app;
    uint64_t socket_id;
    struct signin *signin;
    struct hub_sub *subs; /* &one_sub while there is at most one */
    struct hub_sub one_sub;
    uint32_t n_subs, cap_subs;
    struct limit_rate client_event_rate;
    uint16_t pins;   /* posts under way that point here: do not free */
    bool closed;     /* hub_conn_close was called */
    bool authorised; /* signed in, or on a private or presence channel */
};

/* What the hub needs of the server. Calls come on the hub's own thread. None may call back into the
 * hub but close, which may call hub_conn_close. */
struct hub_sink {
    msg_frame_head *frame_head;
    /* Queues the message for the connection; must not close it now. True when nothing waited there
     * before, so that a write of its own will be needed: the turn's budget counts that. */
    bool (*deliver)(struct hub_conn *conn, struct msg *msg);
    /* Sends pusher:error with code and text, then closes with that code. Does not free. */
    void (*close)(struct hub_conn *conn, unsigned code, struct span text);
    /* For log and metrics: a client was told no. May be NULL. */
    void (*refused)(struct hub_conn *conn, const struct peer_refusal *refusal);
    /* The app's cached events reached limits.cache_bytes. May be NULL. */
    void (*cache_full)(void *ctx, struct app *app, struct span channel);
    /* Somebody watches: `happened` is called then. NULL: nobody ever does. The app of the event is
     * never an internal one. Publishing from within is allowed. */
    const _Atomic bool *watched;
    void (*happened)(void *ctx, struct watch_event *ev);
    /* Of internal apps: somebody comes to a channel. NULL: he may, and each who may will leave;
     * else a sentence that says why not. Both may be NULL. */
    const char *(*watcher_comes)(void *ctx, struct hub_conn *conn, struct span channel);
    void (*watcher_left)(void *ctx, struct hub_conn *conn, struct span channel);
    void *ctx;
};

struct hub_stats { /* written by the worker, read by anybody (relaxed) */
    _Atomic uint64_t texts, delivered, published, client_events, refused, subscribed;
    _Atomic uint64_t posts;  /* taken from the mailbox: one for a publish, however many subscribe */
    struct histo data_bytes; /* of published and client events */
};

struct hub;
enum err hub_new(struct hub **out, struct directory *dir, unsigned worker,
                 const struct hub_sink *sink) MUST_USE;
void hub_free(struct hub *hub); /* NULL allowed; drains the mailbox; no connection may be left */
const struct hub_stats *hub_stats(const struct hub *hub);
struct directory *hub_directory(const struct hub *hub);

/* --- the turn --- */
void hub_turn_begin(struct hub *hub, uint64_t now_ms);
/* The same, where delivery times are wanted. */
void hub_turn_begin_ns(struct hub *hub, uint64_t now_ns);
/* Handles deadlines and the mailbox in order, up to a bounded number of deliveries; a large fan-out
 * is suspended and goes on at the next call. True when work is left. */
bool hub_run_mailbox(struct hub *hub);
void hub_turn_end(struct hub *hub);
/* How many events this worker has handed to all of its subscribers since the last call, and when
 * the oldest of them was published (the beginning of that turn). Those that nobody here got, and
 * those of internal apps, do not count. */
uint32_t hub_take_delivered(struct hub *hub, uint64_t *oldest_ns);
/* When hub_run_mailbox must run at the latest (monotonic ms; DEADLINE_NEVER). */
uint64_t hub_next_deadline_ms(const struct hub *hub);

/* --- connections --- */
/* Sends connection_established. Counting against limits.connections is the caller's part. */
void hub_conn_open(struct hub *hub, struct hub_conn *conn, struct app *app, uint64_t socket_id);
/* Leaves all channels, signs out. The memory stays the caller's; keep it while conn->pins > 0.
 * Calling twice is fine. */
void hub_conn_close(struct hub *hub, struct hub_conn *conn);
/* A whole text message from the client: carries out what it asks. May end in sink->close. */
void hub_on_text(struct hub *hub, struct hub_conn *conn, struct span text);
/* channel.c tells that the subscription's entry has moved. */
void hub_conn_sub_moved(struct hub_conn *conn, uint32_t sub, uint32_t at);
/* Sends a text of the caller's: begin gives an empty buf for the event writers, send queues it. */
struct buf *hub_text_begin(struct hub *hub, size_t size_hint);
void hub_text_send(struct hub *hub, struct hub_conn *conn);
/* The signed-in user's id; p == NULL: nobody. */
struct span hub_conn_user(const struct hub_conn *conn);

/* --- publishing: the one entrance --- */
struct hub_publish {
    /* in */
    struct app *app;
    struct span channel;
    struct chan_kind kind;
    struct span name_raw; /* JSON string token */
    struct span data_raw; /* n == 0: none */
    struct span user_id;  /* client events on presence channels; p == NULL: none */
    uint64_t exclude;     /* socket id; 0: nobody */
    uint64_t sender;      /* socket id of a client event; 0: a back end */
    bool from_client;     /* not cached then */
    uint8_t source;       /* enum fact_source */
    uint32_t of;          /* publishes of the same request; 0 counts as 1 */
    uint64_t request;     /* `fact` of the first of them; 0: this is it */
    /* out: as of that moment */
    uint32_t n_subs, n_users, n_workers;
    uint64_t fact;      /* what it is remembered as; 0: it is not */
    uint64_t seq, hash; /* of the channel */
    bool cached;
};
/* ERR_NOMEM: nothing was sent. Overload is asked before, once per request: hub_overloaded. */
enum err hub_publish(struct hub *hub, struct hub_publish *publish) MUST_USE;
bool hub_overloaded(const struct hub *hub);
/* Closes all sockets signed in or present as the user, on all workers. */
enum err hub_terminate(struct hub *hub, struct app *app, struct span user_id) MUST_USE;
uint64_t hub_now_ms(const struct hub *hub);

/* --- what is remembered (hub/note.c); this worker's --- */
struct facts *hub_facts(struct hub *hub);
const struct names *hub_names(const struct hub *hub);
/* Somebody was refused, or cut: remembers it, and tells who watches. The note's texts are borrowed
 * for the call. */
void hub_note(struct hub *hub, struct fact_note *note);
/* Whether somebody watches. */
bool hub_watched(const struct hub *hub);

/* --- questions about this worker's connections (hub/look.c) --- */
/* Whether it is on the channel; `*joined`: at which number. */
bool hub_subscribed(const struct hub_conn *conn, struct span channel, uint64_t *joined);
/* Calls `visit` for each of this worker's subscribers of the channel until it says false. It must
 * not change anything. `member`: of a presence channel, else NULL. */
typedef bool hub_visit(void *ctx, struct hub_conn *conn, const struct member *member,
                       uint64_t joined);
void hub_each_subscriber(struct hub *hub, struct app *app, struct span channel, hub_visit *visit,
                         void *ctx);
#endif
