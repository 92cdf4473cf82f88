/* SPDX-License-Identifier: MIT
 *
 * hub/directory_priv.h: what the directory's files share among themselves.
 *
 * Functions named *_locked expect the stripe's lock to be held. Workers to be woken are collected
 * in a `struct wakes` under the lock and woken after it.
 */
#ifndef HUB_DIRECTORY_PRIV_H
#define HUB_DIRECTORY_PRIV_H
#include "base/lock.h"
#include "hub/directory.h"

#define CACHE_LINE 64

struct wakes {
    uint64_t bits[DIR_MAX_WORKERS / 64];
};

struct dir_stripe {
    struct lock lock;
    uint64_t seq; /* the last number given; never restarts */
    struct map chans, users;
    struct deadlines deadlines;
    unsigned server; /* the worker that serves the deadlines */
    /* Keeps the neighbour out of this one's cache lines. An _Alignas would promise the compiler
     * more than mem_zalloc gives. */
    char _apart[CACHE_LINE];
};

struct dir_mailbox {
    struct mpsc queue;
    _Atomic uint64_t backlog;
    _Atomic uint64_t deadline_ms; /* earliest of the stripes that this worker serves */
    char _apart[CACHE_LINE];
};

/* What all workers know of one user: signed-in sockets, watchers. Lives under its stripe's lock. */
struct dir_user {
    struct app *app;
    struct member *who;
    uint64_t hash;
    uint64_t gone_ms; /* when the last socket signed out */
    uint32_t n_signed_in, n_watchers;
    bool online;         /* what watchers were told */
    bool armed;          /* an offline deadline is in the heap */
    uint32_t watchers[]; /* per worker */
};

struct directory {
    unsigned n_workers;
    _Atomic uint64_t mailbox_bytes;
    struct dir_hooks hooks;
    struct dir_mailbox *mailboxes;
    struct dir_stripe stripes[DIR_STRIPES];
};

static inline struct dir_stripe *stripe_of(struct directory *dir, uint64_t hash)
{
    return &dir->stripes[(hash >> 32) % DIR_STRIPES];
}

void dir_wake_all(struct directory *dir, const struct wakes *wakes);

/* Posting: the post's references become the number of receivers; without any it is freed. Returns
 * that number. */
uint32_t dir_post_chan_locked(struct directory *dir, struct dir_chan *chan, struct post *post,
                              struct wakes *wakes);
void dir_post_watchers_locked(struct directory *dir, const struct dir_user *user, struct post *post,
                              struct wakes *wakes);
void dir_post_everybody(struct directory *dir, struct post *post, struct wakes *wakes);
void dir_post_one(struct directory *dir, unsigned worker, struct post *post, struct wakes *wakes);

struct dir_chan *dir_chan_find_locked(struct dir_stripe *st, const struct app *app,
                                      struct span name, uint64_t hash);
void dir_chan_put_locked(struct dir_stripe *st, struct dir_chan *chan);
void dir_chan_put(struct directory *dir, struct dir_chan *chan);
/* Forgets the channel's cached event, if any; the record goes with it where nothing else holds. */
void dir_chan_uncache_locked(struct dir_stripe *st, struct dir_chan *chan);

/* Puts a deadline into the stripe's heap; the worker that serves it is woken where it is earlier
 * than what that worker waits for. */
enum err dir_arm_locked(struct directory *dir, struct dir_stripe *st, struct deadline deadline,
                        struct wakes *wakes) MUST_USE;

/* Deadlines that came due. */
void dir_count_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                          uint64_t now_ms, struct wakes *wakes);
void dir_cache_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                          uint64_t now_ms, struct wakes *wakes);
void dir_offline_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_user *user,
                            uint64_t now_ms, struct wakes *wakes);
#endif
