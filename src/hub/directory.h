/* SPDX-License-Identifier: MIT
 *
 * hub/directory.h: the only state that the workers share: which workers have subscribers of a
 * channel, counts, presence rosters, cached events, signed-in users and their watchers.
 *
 * 256 stripes by keyed hash, each with a lock, a sequence counter and a heap of deadlines. A lock
 * is held for about a microsecond, never across I/O. What must be in order (publishes, joins and
 * leaves of one channel) takes its number and is posted into the mailboxes under the lock of the
 * channel's stripe, so every subscriber on every worker sees one order. Numbers never restart.
 *
 * All functions may be called from any thread, with `worker` the caller's own where asked for.
 * The directory is the one place in the pure layers that locks (src/layers.txt).
 */
#ifndef HUB_DIRECTORY_H
#define HUB_DIRECTORY_H
#include "hub/deadline.h"
#include "hub/post.h"

#define DIR_STRIPES 256
#define DIR_MAX_WORKERS 256
#define DIR_COUNT_THROTTLE_ABOVE 100 /* protocol page 2.6 */
#define DIR_COUNT_THROTTLE_MS 5000
#define DIR_OFFLINE_GRACE_MS 3000 /* protocol page 3.5: as webhooks, rides out reconnects */

struct chan; /* a worker's local subscribers: hub/channel.h */
struct directory;

struct dir_slot {
    struct chan *chan; /* touched by this worker only */
    uint32_t n;        /* its subscriptions; under the lock */
};

/* What all workers know of one channel. Lives while a subscriber, a cached event, a deadline or a
 * post refers to it. */
struct dir_chan {
    _Atomic uint32_t refs;
    uint32_t name_n;
    struct app *app;
    uint64_t hash;
    struct chan_kind kind;
    /* under the stripe's lock: */
    uint32_t n_subs;
    bool count_armed, cache_armed; /* a deadline is in the heap */
    uint64_t occupied_ms;          /* when the first subscriber came */
    uint64_t count_sent_ms;
    struct roster roster;
    struct {
        struct msg *msg;          /* NULL: nothing cached */
        uint32_t data_at, data_n; /* where the data's JSON stands in the text */
        uint32_t cost;            /* counted in app->cache_bytes */
        uint64_t until_ms;        /* DEADLINE_NEVER: no end */
    } cache;
    char *name;
    struct dir_slot slots[]; /* one per worker; the name follows */
};

static inline struct span dir_chan_name(const struct dir_chan *c)
{
    return span_of(c->name, c->name_n);
}

struct dir_hooks {
    msg_frame_head *frame_head;
    void (*wake)(void *ctx, unsigned worker); /* after unlock; any thread */
    void *ctx;
};

/* 1 to 256 workers. `mailbox_bytes`: limits.mailbox_bytes, 0 = none. */
enum err dir_new(struct directory **out, unsigned n_workers, uint64_t mailbox_bytes,
                 const struct dir_hooks *hooks) MUST_USE;
/* All connections must be closed and all mailboxes drained (dir_take + dir_post_done). */
void dir_free(struct directory *dir);
unsigned dir_n_workers(const struct directory *dir);
/* A new limits.mailbox_bytes. */
void dir_limit_mailboxes(struct directory *dir, uint64_t bytes);
/* Forgets the app's cached events; no socket of the app may be left. */
void dir_purge(struct directory *dir, const struct app *app);

/* --- mailboxes --- */
/* The worker's posts in order, linked by `next`; NULL when there are none. */
struct mpsc_node *dir_take(struct directory *dir, unsigned worker);
/* A worker is done with a post that it took: its octets leave the backlog, references go. */
void dir_post_done(struct directory *dir, unsigned worker, struct post *post);
/* True when some worker's backlog is over limits.mailbox_bytes: refuse the publish. */
bool dir_overloaded(const struct directory *dir);
uint64_t dir_backlog_bytes(const struct directory *dir, unsigned worker);

/* --- subscriptions --- */
struct dir_join {
    /* in */
    struct app *app;
    struct span name;
    struct chan_kind kind;
    unsigned worker;
    struct member *member; /* presence only; gets referenced */
    uint64_t now_ms;
    /* out */
    struct dir_chan *chan;        /* one reference, given back by dir_leave */
    uint64_t seq;                 /* newer posts are his, older ones are in the answer */
    struct roster_view *snapshot; /* presence: caller unrefs */
    struct msg *cached;           /* caller unrefs; NULL: none */
    bool occupied;                /* nobody was there before */
};
/* ERR_LIMIT: the presence channel is full; ERR_NOMEM. On an error nothing has changed. */
enum err dir_join(struct directory *dir, struct dir_join *join) MUST_USE;

/* Gives a subscription and its reference back; `member` as joined (NULL where not presence). Posts
 * member_removed when the person's last socket left. True when nobody is left on the channel. */
bool dir_leave(struct directory *dir, struct dir_chan *chan, unsigned worker, struct member *member,
               uint64_t now_ms);

/* The answer to a repeated subscribe, posted to the caller's own mailbox so that it stands in the
 * channel's order. `was`/`is`: presence, the member before and now (equal ids: only the info is
 * renewed; different: one leaves and one joins, atomically). The connection must be pinned. With
 * `silent` only the roster changes. */
struct dir_repeat {
    struct dir_chan *chan;
    unsigned worker;
    struct hub_conn *conn;
    uint64_t socket_id;
    struct member *was, *is;
    uint64_t now_ms;
    bool silent;
};
enum err dir_repeat(struct directory *dir, const struct dir_repeat *repeat) MUST_USE;

/* --- publishing --- */
struct dir_publish {
    /* in */
    struct app *app;
    struct span name;
    struct chan_kind kind;
    uint64_t hash;            /* dir_hash(app, name) */
    bool cacheable;           /* store it where the channel's kind caches */
    uint32_t data_at, data_n; /* of the data in the text, for the cache */
    uint64_t now_ms;
    /* out */
    uint32_t n_subs;    /* subscriptions at that moment, all workers */
    uint32_t n_users;   /* presence: people */
    uint32_t n_workers; /* that have some of them */
    uint64_t seq;       /* its number; the last one that was given where it took none */
    bool cached;        /* stored */
    bool cache_full;    /* not stored: limits.cache_bytes of the app */
};
uint64_t dir_hash(const struct app *app, struct span name);
/* Whether anybody (or the cache) wants an event on this channel now; fills the counts. */
bool dir_wanted(struct directory *dir, struct dir_publish *publish);
/* Takes `post` (kind EVENT, made with msg); numbers it, caches it, posts it. */
void dir_publish(struct directory *dir, struct dir_publish *publish, struct post *post);

/* --- users --- */
/* A socket signs in; `*seq`: older sends to the user are not for it. */
enum err dir_signin(struct directory *dir, struct app *app, struct member *user,
                    uint64_t *seq) MUST_USE;
void dir_signout(struct directory *dir, struct app *app, struct member *user, uint64_t now_ms);
/* This worker has one more watcher of the user. `*online`: his state now. */
enum err dir_watch(struct directory *dir, struct app *app, struct member *user, unsigned worker,
                   bool *online, uint64_t *seq) MUST_USE;
void dir_unwatch(struct directory *dir, struct app *app, struct member *user, unsigned worker);
/* Takes `post` (kind USER or TERMINATE, post->user set). Returns how many sockets are signed in as
 * the user; USER is not posted when there are none, else to all workers. */
uint32_t dir_post_user(struct directory *dir, struct post *post);

/* --- questions (HTTP API); answers are copies or references of the moment --- */
struct dir_facts {
    uint32_t n_subs, n_users;
    struct msg *cached; /* caller unrefs */
    uint32_t data_at, data_n;
    uint64_t ttl_ms;      /* of the cached event; DEADLINE_NEVER: no end */
    uint64_t occupied_ms; /* since when somebody is there; 0: nobody is */
};
/* False when the channel is not known at all (facts are zero then). */
bool dir_facts(struct directory *dir, struct app *app, struct span name, uint64_t now_ms,
               struct dir_facts *facts);
/* The people on a presence channel; NULL: nobody. Caller unrefs. */
struct roster_view *dir_roster(struct directory *dir, struct app *app, struct span name);
struct dir_listed {
    struct span name; /* into the list's text */
    struct chan_kind kind;
    uint32_t n_subs, n_users;
};
struct dir_list {
    struct dir_listed *items; /* sorted by name; free with dir_list_fini */
    size_t n, _cap;
    struct buf _text;
};
/* Occupied channels of the app whose name begins with `prefix`. */
enum err dir_list(struct directory *dir, const struct app *app, struct span prefix,
                  struct dir_list *out) MUST_USE;
void dir_list_fini(struct dir_list *list);
uint32_t dir_user_count(struct directory *dir, struct app *app, struct span user_id);

/* --- deadlines: those of a stripe are served by worker (stripe mod n_workers) --- */
uint64_t dir_next_deadline_ms(const struct directory *dir, unsigned worker);
void dir_tick(struct directory *dir, unsigned worker, uint64_t now_ms);
#endif
