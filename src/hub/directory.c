/* SPDX-License-Identifier: MIT
 *
 * hub/directory.c: stripes, mailboxes and deadlines of the directory (hub/directory.h). What it
 * knows of channels is in directory_chan.c, of users in directory_user.c, questions about both in
 * directory_query.c.
 */
#include "base/mem.h"
#include "hub/directory_priv.h"

void dir_limit_mailboxes(struct directory *dir, uint64_t bytes)
{
    atomic_store_explicit(&dir->mailbox_bytes, bytes, memory_order_relaxed);
}

enum err dir_new(struct directory **out, unsigned n_workers, uint64_t mailbox_bytes,
                 const struct dir_hooks *hooks)
{
    CHECK(n_workers >= 1 && n_workers <= DIR_MAX_WORKERS);
    struct directory *dir = mem_zalloc(sizeof *dir);
    if (!dir) return ERR_NOMEM;
    dir->mailboxes = mem_zalloc(n_workers * sizeof *dir->mailboxes);
    if (!dir->mailboxes) {
        mem_free(dir);
        return ERR_NOMEM;
    }
    dir->n_workers = n_workers;
    dir_limit_mailboxes(dir, mailbox_bytes);
    dir->hooks = *hooks;
    for (unsigned i = 0; i < DIR_STRIPES; i++) {
        lock_init(&dir->stripes[i].lock);
        dir->stripes[i].server = i % n_workers;
    }
    for (unsigned i = 0; i < n_workers; i++) {
        mpsc_init(&dir->mailboxes[i].queue);
        atomic_init(&dir->mailboxes[i].deadline_ms, DEADLINE_NEVER);
    }
    *out = dir;
    return ERR_OK;
}

/* Caches and graces that were still running end with the directory. */
static void end_deadlines(struct directory *dir)
{
    for (unsigned i = 0; i < DIR_STRIPES; i++) {
        struct dir_stripe *st = &dir->stripes[i];
        struct wakes wakes = { 0 };
        struct deadline d;
        while (deadlines_take_due(&st->deadlines, DEADLINE_NEVER, &d)) {
            if (d.kind == DEADLINE_OFFLINE)
                dir_offline_due_locked(dir, st, d.object, DEADLINE_NEVER, &wakes);
            else if (d.kind == DEADLINE_CACHE)
                dir_cache_due_locked(dir, st, d.object, DEADLINE_NEVER, &wakes);
            else
                dir_chan_put_locked(st, d.object);
        }
    }
}

/* Cached events without an end. */
static void drop_caches(struct dir_stripe *st)
{
    uint32_t pos = 0;
    for (struct dir_chan *c; (c = map_next(&st->chans, &pos));) {
        if (!c->cache.msg) continue;
        dir_chan_uncache_locked(st, c);
        pos = 0; /* the map may have changed */
    }
}

void dir_free(struct directory *dir)
{
    if (!dir) return;
    end_deadlines(dir);
    for (unsigned w = 0; w < dir->n_workers; w++) CHECK(!dir_take(dir, w));
    for (unsigned i = 0; i < DIR_STRIPES; i++) {
        struct dir_stripe *st = &dir->stripes[i];
        drop_caches(st);
        CHECK(st->chans.n == 0 && st->users.n == 0);
        map_fini(&st->chans);
        map_fini(&st->users);
        deadlines_fini(&st->deadlines);
        lock_fini(&st->lock);
    }
    mem_free(dir->mailboxes);
    mem_free(dir);
}

unsigned dir_n_workers(const struct directory *dir)
{
    return dir->n_workers;
}

void dir_wake_all(struct directory *dir, const struct wakes *wakes)
{
    for (unsigned i = 0; i < ARRAY_LEN(wakes->bits); i++)
        for (uint64_t bits = wakes->bits[i]; bits; bits &= bits - 1)
            dir->hooks.wake(dir->hooks.ctx, i * 64 + (unsigned)__builtin_ctzll(bits));
}

static void add_wake(struct wakes *wakes, unsigned worker)
{
    wakes->bits[worker / 64] |= UINT64_C(1) << (worker % 64);
}

/* The reference for this receiver is counted already. */
static void push(struct directory *dir, unsigned worker, struct post *post, struct wakes *wakes)
{
    struct dir_mailbox *box = &dir->mailboxes[worker];
    atomic_fetch_add_explicit(&box->backlog, post->cost, memory_order_relaxed);
    if (mpsc_push(&box->queue, &post->nodes[worker].link)) add_wake(wakes, worker);
}

uint32_t dir_post_chan_locked(struct directory *dir, struct dir_chan *chan, struct post *post,
                              struct wakes *wakes)
{
    uint32_t receivers = 0;
    for (unsigned w = 0; w < dir->n_workers; w++) receivers += chan->slots[w].n > 0;
    if (receivers == 0) {
        post_free(post);
        return 0;
    }
    post->chan = chan;
    atomic_fetch_add_explicit(&chan->refs, 1, memory_order_relaxed);
    post_ref(post, receivers - 1);
    /* From the last push on the post belongs to the receivers. */
    for (unsigned w = 0, left = receivers; w < dir->n_workers && left > 0; w++) {
        if (chan->slots[w].n == 0) continue;
        left--;
        push(dir, w, post, wakes);
    }
    return receivers;
}

void dir_post_watchers_locked(struct directory *dir, const struct dir_user *user, struct post *post,
                              struct wakes *wakes)
{
    uint32_t receivers = 0;
    for (unsigned w = 0; w < dir->n_workers; w++) receivers += user->watchers[w] > 0;
    if (receivers == 0) {
        post_free(post);
        return;
    }
    post_ref(post, receivers - 1);
    for (unsigned w = 0; w < dir->n_workers && receivers > 0; w++) {
        if (user->watchers[w] == 0) continue;
        receivers--;
        push(dir, w, post, wakes);
    }
}

void dir_post_everybody(struct directory *dir, struct post *post, struct wakes *wakes)
{
    post_ref(post, dir->n_workers - 1);
    for (unsigned w = 0; w < dir->n_workers; w++) push(dir, w, post, wakes);
}

void dir_post_one(struct directory *dir, unsigned worker, struct post *post, struct wakes *wakes)
{
    push(dir, worker, post, wakes);
}

struct mpsc_node *dir_take(struct directory *dir, unsigned worker)
{
    return mpsc_take_all(&dir->mailboxes[worker].queue);
}

void dir_post_done(struct directory *dir, unsigned worker, struct post *post)
{
    atomic_fetch_sub_explicit(&dir->mailboxes[worker].backlog, post->cost, memory_order_relaxed);
    if (!post_unref(post)) return;
    if (post->chan) dir_chan_put(dir, post->chan);
    post_free(post);
}

uint64_t dir_backlog_bytes(const struct directory *dir, unsigned worker)
{
    return atomic_load_explicit(&dir->mailboxes[worker].backlog, memory_order_relaxed);
}

bool dir_overloaded(const struct directory *dir)
{
    uint64_t limit = atomic_load_explicit(&dir->mailbox_bytes, memory_order_relaxed);
    if (limit == 0) return false;
    for (unsigned w = 0; w < dir->n_workers; w++)
        if (dir_backlog_bytes(dir, w) > limit) return true;
    return false;
}

/* Lowers what the worker waits for; true when it was later before. */
static bool wait_less(struct dir_mailbox *box, uint64_t at_ms)
{
    uint64_t old = atomic_load_explicit(&box->deadline_ms, memory_order_relaxed);
    while (at_ms < old)
        if (atomic_compare_exchange_weak_explicit(&box->deadline_ms, &old, at_ms,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return true;
    return false;
}

enum err dir_arm_locked(struct directory *dir, struct dir_stripe *st, struct deadline deadline,
                        struct wakes *wakes)
{
    enum err err = deadlines_add(&st->deadlines, deadline);
    if (err) return err;
    if (wait_less(&dir->mailboxes[st->server], deadline.at_ms)) add_wake(wakes, st->server);
    return ERR_OK;
}

uint64_t dir_next_deadline_ms(const struct directory *dir, unsigned worker)
{
    return atomic_load_explicit(&dir->mailboxes[worker].deadline_ms, memory_order_acquire);
}

static uint64_t tick_stripe(struct directory *dir, struct dir_stripe *st, uint64_t now_ms)
{
    struct wakes wakes = { 0 };
    struct deadline d;
    lock_take(&st->lock);
    while (deadlines_take_due(&st->deadlines, now_ms, &d)) {
        switch (d.kind) {
        case DEADLINE_COUNT:
            dir_count_due_locked(dir, st, d.object, now_ms, &wakes);
            break;
        case DEADLINE_CACHE:
            dir_cache_due_locked(dir, st, d.object, now_ms, &wakes);
            break;
        case DEADLINE_OFFLINE:
            dir_offline_due_locked(dir, st, d.object, now_ms, &wakes);
            break;
        }
    }
    uint64_t next_ms = deadlines_next(&st->deadlines);
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    return next_ms;
}

void dir_tick(struct directory *dir, unsigned worker, uint64_t now_ms)
{
    struct dir_mailbox *box = &dir->mailboxes[worker];
    if (dir_next_deadline_ms(dir, worker) > now_ms) return;
    /* From here on every new deadline lowers the value again, so none is overlooked. */
    atomic_store_explicit(&box->deadline_ms, DEADLINE_NEVER, memory_order_release);
    for (unsigned i = worker; i < DIR_STRIPES; i += dir->n_workers)
        wait_less(box, tick_stripe(dir, &dir->stripes[i], now_ms));
}
