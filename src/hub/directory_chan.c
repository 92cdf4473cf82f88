/* SPDX-License-Identifier: MIT
 *
 * hub/directory_chan.c: channels in the directory: joining, leaving, publishing, cached events.
 *
 * Texts that need nothing from under the lock are built before it is taken (member_added,
 * member_removed, the published event), so that the lock is held for pointer work only.
 * References on a record are raised under the lock only; a count that would reach zero is brought
 * there under the lock, too, so nobody can find a record that is about to go.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "hub/directory_priv.h"

#define CACHE_PLACES 64 /* in the map and among the deadlines */

struct chan_key {
    const struct app *app;
    struct span name;
};

static bool is_chan(const void *entry, const void *key)
{
    const struct dir_chan *c = entry;
    const struct chan_key *k = key;
    return c->app == k->app && span_eq(dir_chan_name(c), k->name);
}

uint64_t dir_hash(const struct app *app, struct span name)
{
    return hash_key2(app->index, name);
}

struct dir_chan *dir_chan_find_locked(struct dir_stripe *st, const struct app *app,
                                      struct span name, uint64_t hash)
{
    struct chan_key key = { app, name };
    return map_find(&st->chans, hash, is_chan, &key);
}

/* A record with no references; the caller adds one or drops it again. */
static struct dir_chan *add_chan_locked(struct directory *dir, struct dir_stripe *st,
                                        struct app *app, struct span name, uint64_t hash)
{
    size_t slots = dir->n_workers * sizeof(struct dir_slot);
    struct dir_chan *c = mem_zalloc(sizeof *c + slots + name.n + 1);
    if (!c) return NULL;
    c->name = (char *)c->slots + slots;
    memcpy(c->name, name.p, name.n);
    c->name_n = (uint32_t)name.n;
    c->app = app;
    c->hash = hash;
    c->kind = chan_kind_of(name);
    if (map_add(&st->chans, hash, c)) {
        mem_free(c);
        return NULL;
    }
    return c;
}

static struct dir_chan *get_chan_locked(struct directory *dir, struct dir_stripe *st,
                                        struct app *app, struct span name, uint64_t hash)
{
    struct dir_chan *c = dir_chan_find_locked(st, app, name, hash);
    return c ? c : add_chan_locked(dir, st, app, name, hash);
}

static void drop_if_unused_locked(struct dir_stripe *st, struct dir_chan *chan)
{
    if (atomic_load_explicit(&chan->refs, memory_order_acquire) > 0) return;
    CHECK(chan->n_subs == 0 && !chan->cache.msg);
    map_remove(&st->chans, chan->hash, chan);
    roster_fini(&chan->roster);
    mem_free(chan);
}

static void ref_locked(struct dir_chan *chan)
{
    atomic_fetch_add_explicit(&chan->refs, 1, memory_order_relaxed);
}

void dir_chan_put_locked(struct dir_stripe *st, struct dir_chan *chan)
{
    CHECK(atomic_fetch_sub_explicit(&chan->refs, 1, memory_order_acq_rel) > 0);
    drop_if_unused_locked(st, chan);
}

void dir_chan_put(struct directory *dir, struct dir_chan *chan)
{
    uint32_t refs = atomic_load_explicit(&chan->refs, memory_order_relaxed);
    while (refs > 1)
        if (atomic_compare_exchange_weak_explicit(&chan->refs, &refs, refs - 1,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return;
    struct dir_stripe *st = stripe_of(dir, chan->hash);
    lock_take(&st->lock);
    dir_chan_put_locked(st, chan);
    lock_drop(&st->lock);
}

/* --- texts about people and counts --- */

static struct post *member_post(struct directory *dir, struct app *app, struct span channel,
                                const struct member *m, bool added)
{
    struct event_member view = member_view(m);
    struct buf b = { 0 };
    msg_begin(&b, 128 + channel.n + 2 * view.id_raw.n + (added ? 2 * view.info_raw.n : 0));
    if (added)
        event_member_added(&b, channel, &view);
    else
        event_member_removed(&b, channel, &view);
    struct msg *msg = msg_finish(&b, dir->hooks.frame_head);
    return msg ? post_new(POST_EVENT, app, msg, dir->n_workers) : NULL;
}

static uint32_t number_and_post_locked(struct directory *dir, struct dir_stripe *st,
                                       struct dir_chan *chan, struct post *post,
                                       struct wakes *wakes)
{
    post->seq = ++st->seq;
    return dir_post_chan_locked(dir, chan, post, wakes);
}

static void send_count_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                              uint64_t now_ms, struct wakes *wakes)
{
    struct buf b = { 0 };
    msg_begin(&b, 128 + chan->name_n);
    event_subscription_count(&b, dir_chan_name(chan), chan->n_subs);
    struct msg *msg = msg_finish(&b, dir->hooks.frame_head);
    struct post *post = msg ? post_new(POST_EVENT, chan->app, msg, dir->n_workers) : NULL;
    if (!post) return; /* a later change tells the count again */
    chan->count_sent_ms = now_ms;
    number_and_post_locked(dir, st, chan, post, wakes);
}

/* A subscription came or went: tell the count, at most once in 5 s on a large channel. */
static void count_changed_locked(struct directory *dir, struct dir_stripe *st,
                                 struct dir_chan *chan, uint64_t now_ms, struct wakes *wakes)
{
    if (!chan->app->s->subscription_count || chan->kind.type == CHAN_PRESENCE) return;
    if (chan->n_subs == 0) return;
    uint64_t due_ms = chan->count_sent_ms + DIR_COUNT_THROTTLE_MS;
    if (chan->n_subs <= DIR_COUNT_THROTTLE_ABOVE || now_ms >= due_ms) {
        send_count_locked(dir, st, chan, now_ms, wakes);
        return;
    }
    if (chan->count_armed) return;
    struct deadline d = { .at_ms = due_ms, .kind = DEADLINE_COUNT, .object = chan };
    if (dir_arm_locked(dir, st, d, wakes)) {
        send_count_locked(dir, st, chan, now_ms, wakes);
        return;
    }
    chan->count_armed = true;
    ref_locked(chan);
}

void dir_count_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                          uint64_t now_ms, struct wakes *wakes)
{
    chan->count_armed = false;
    if (chan->n_subs > 0) send_count_locked(dir, st, chan, now_ms, wakes);
    dir_chan_put_locked(st, chan);
}

/* --- joining and leaving --- */

static struct msg *cached_locked(const struct dir_chan *chan, uint64_t now_ms)
{
    if (!chan->cache.msg || chan->cache.until_ms <= now_ms) return NULL;
    return msg_ref(chan->cache.msg);
}

enum err dir_join(struct directory *dir, struct dir_join *join)
{
    struct post *added = NULL;
    if (join->member) {
        added = member_post(dir, join->app, join->name, join->member, true);
        if (!added) return ERR_NOMEM;
    }
    uint64_t hash = dir_hash(join->app, join->name);
    struct dir_stripe *st = stripe_of(dir, hash);
    struct wakes wakes = { 0 };
    bool first = false;
    enum err err = ERR_NOMEM;

    lock_take(&st->lock);
    struct dir_chan *chan = get_chan_locked(dir, st, join->app, join->name, hash);
    if (!chan) goto out;
    if (join->member) {
        uint32_t limit = (uint32_t)join->app->s->limits.presence_members;
        err = roster_join(&chan->roster, join->member, limit, &first);
        if (err) {
            drop_if_unused_locked(st, chan);
            goto out;
        }
    }
    err = ERR_OK;
    if (first && added) {
        number_and_post_locked(dir, st, chan, added, &wakes); /* before he counts: not to himself */
        added = NULL;
    }
    ref_locked(chan);
    join->occupied = chan->n_subs++ == 0;
    if (join->occupied) chan->occupied_ms = join->now_ms;
    chan->slots[join->worker].n++;
    join->chan = chan;
    join->seq = st->seq;
    join->snapshot = roster_snapshot(&chan->roster);
    join->cached = cached_locked(chan, join->now_ms);
    count_changed_locked(dir, st, chan, join->now_ms, &wakes);
out:
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    post_free(added);
    return err;
}

bool dir_leave(struct directory *dir, struct dir_chan *chan, unsigned worker, struct member *member,
               uint64_t now_ms)
{
    /* Without memory for the text the others are not told; the roster is right all the same. */
    struct post *removed =
        member ? member_post(dir, chan->app, dir_chan_name(chan), member, false) : NULL;
    struct dir_stripe *st = stripe_of(dir, chan->hash);
    struct wakes wakes = { 0 };

    lock_take(&st->lock);
    CHECK(chan->n_subs > 0 && chan->slots[worker].n > 0);
    bool vacated = --chan->n_subs == 0;
    chan->slots[worker].n--;
    bool last = member && roster_leave(&chan->roster, member);
    if (last && removed) {
        number_and_post_locked(dir, st, chan, removed, &wakes);
        removed = NULL;
    }
    count_changed_locked(dir, st, chan, now_ms, &wakes);
    dir_chan_put_locked(st, chan);
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    post_free(removed);
    return vacated;
}

/* What a repeated subscribe may change of the roster, and the texts that tell it. */
struct change {
    struct post *removed, *added, *answer;
};

static void change_free(struct change *c)
{
    post_free(c->removed);
    post_free(c->added);
    post_free(c->answer);
}

static bool is_other_person(const struct dir_repeat *r)
{
    return r->is && !span_eq(member_id(r->was), member_id(r->is));
}

/* Places of the channel for who joins, 0: no limit. Who is about to leave makes room. */
static uint32_t limit_for(const struct dir_repeat *r)
{
    uint32_t limit = (uint32_t)r->chan->app->s->limits.presence_members;
    return limit && roster_is_last_socket(&r->chan->roster, r->was) ? limit + 1 : limit;
}

static bool prepare_change(struct directory *dir, const struct dir_repeat *r, struct change *c)
{
    struct app *app = r->chan->app;
    struct span name = dir_chan_name(r->chan);
    if (!r->silent) c->answer = post_new(POST_ANSWER, app, NULL, dir->n_workers);
    if (!r->silent && !c->answer) return false;
    if (!is_other_person(r)) return true;
    c->removed = member_post(dir, app, name, r->was, false);
    c->added = member_post(dir, app, name, r->is, true);
    if (!c->removed || !c->added) return false;
    c->removed->exclude = c->added->exclude = r->socket_id;
    return true;
}

/* Joining first: when it is refused, nothing has changed. */
static enum err change_roster_locked(struct directory *dir, struct dir_stripe *st,
                                     const struct dir_repeat *r, struct change *c,
                                     struct wakes *wakes)
{
    bool first;
    enum err err = roster_join(&r->chan->roster, r->is, limit_for(r), &first);
    if (err) return err;
    bool last = roster_leave(&r->chan->roster, r->was);
    if (last && c->removed) {
        number_and_post_locked(dir, st, r->chan, c->removed, wakes);
        c->removed = NULL;
    }
    if (first && c->added) {
        number_and_post_locked(dir, st, r->chan, c->added, wakes);
        c->added = NULL;
    }
    return ERR_OK;
}

static void post_answer_locked(struct directory *dir, struct dir_stripe *st,
                               const struct dir_repeat *r, struct post *answer, struct wakes *wakes)
{
    answer->seq = ++st->seq; /* his subscription is older, one made after it is not */
    answer->chan = r->chan;
    ref_locked(r->chan);
    answer->conn = r->conn;
    answer->snapshot = roster_snapshot(&r->chan->roster);
    answer->msg = cached_locked(r->chan, r->now_ms);
    dir_post_one(dir, r->worker, answer, wakes);
}

enum err dir_repeat(struct directory *dir, const struct dir_repeat *r)
{
    struct change c = { 0 };
    struct wakes wakes = { 0 };
    enum err err = ERR_NOMEM;
    if (!prepare_change(dir, r, &c)) goto out;
    struct dir_stripe *st = stripe_of(dir, r->chan->hash);
    lock_take(&st->lock);
    err = r->is ? change_roster_locked(dir, st, r, &c, &wakes) : ERR_OK;
    if (!err && c.answer) {
        post_answer_locked(dir, st, r, c.answer, &wakes);
        c.answer = NULL;
    }
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
out:
    change_free(&c);
    return err;
}

/* --- publishing and the cache --- */

bool dir_wanted(struct directory *dir, struct dir_publish *p)
{
    struct dir_stripe *st = stripe_of(dir, p->hash);
    lock_take(&st->lock);
    const struct dir_chan *chan = dir_chan_find_locked(st, p->app, p->name, p->hash);
    p->n_subs = chan ? chan->n_subs : 0;
    p->n_users = chan ? roster_count(&chan->roster) : 0;
    p->seq = st->seq;
    lock_drop(&st->lock);
    return p->n_subs > 0 || (p->cacheable && p->kind.cache);
}

/* Takes the cached event out; returns it, to be released after the lock. */
static struct msg *uncache_locked(struct dir_chan *chan)
{
    struct msg *old = chan->cache.msg;
    if (!old) return NULL;
    atomic_fetch_sub_explicit(&chan->app->cache_bytes, chan->cache.cost, memory_order_relaxed);
    chan->cache.msg = NULL;
    atomic_fetch_sub_explicit(&chan->refs, 1, memory_order_relaxed); /* the caller's is left */
    return old;
}

void dir_chan_uncache_locked(struct dir_stripe *st, struct dir_chan *chan)
{
    ref_locked(chan);
    msg_unref(uncache_locked(chan));
    dir_chan_put_locked(st, chan);
}

/* Takes the cached events of up to `room` channels of the app out; each gets a reference. */
static size_t uncache_some_locked(struct dir_stripe *st, const struct app *app,
                                  struct dir_chan **chans, size_t room)
{
    size_t n = 0;
    uint32_t pos = 0;
    for (struct dir_chan *c; n < room && (c = map_next(&st->chans, &pos));) {
        if (c->app != app || !c->cache.msg) continue;
        ref_locked(c);
        msg_unref(uncache_locked(c));
        chans[n++] = c;
    }
    return n;
}

void dir_purge(struct directory *dir, const struct app *app)
{
    struct dir_chan *chans[64];
    for (unsigned i = 0; i < DIR_STRIPES; i++) {
        struct dir_stripe *st = &dir->stripes[i];
        size_t n;
        do {
            lock_take(&st->lock);
            n = uncache_some_locked(st, app, chans, ARRAY_LEN(chans));
            for (size_t k = 0; k < n; k++) dir_chan_put_locked(st, chans[k]);
            lock_drop(&st->lock);
        } while (n == ARRAY_LEN(chans));
    }
}

/* What keeping the event costs: mostly nobody is there, and the record exists for its sake. */
static uint32_t cache_cost(const struct directory *dir, const struct dir_chan *chan,
                           const struct msg *msg)
{
    size_t record = sizeof *chan + dir->n_workers * sizeof chan->slots[0] + chan->name_n;
    return msg->n + (uint32_t)record + CACHE_PLACES;
}

static bool take_cache_bytes(struct app *app, uint32_t n)
{
    uint64_t limit = app->s->limits.cache_bytes;
    uint64_t before = atomic_fetch_add_explicit(&app->cache_bytes, n, memory_order_relaxed);
    if (limit == 0 || before + n <= limit) return true;
    atomic_fetch_sub_explicit(&app->cache_bytes, n, memory_order_relaxed);
    return false;
}

/* Stores the event; false when there is no room for it (the older one is gone all the same: it
 * would be stale). The caller holds a reference on the record. */
static bool cache_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                         const struct dir_publish *p, struct msg *msg, struct wakes *wakes)
{
    uint64_t ttl_ms = chan->app->s->cache_ttl_s * 1000;
    uint64_t until_ms = ttl_ms ? p->now_ms + ttl_ms : DEADLINE_NEVER;
    uint32_t cost = cache_cost(dir, chan, msg);
    if (!take_cache_bytes(chan->app, cost)) return false;
    if (until_ms != DEADLINE_NEVER && !chan->cache_armed) {
        struct deadline d = { .at_ms = until_ms, .kind = DEADLINE_CACHE, .object = chan };
        if (dir_arm_locked(dir, st, d, wakes)) {
            atomic_fetch_sub_explicit(&chan->app->cache_bytes, cost, memory_order_relaxed);
            return false;
        }
        chan->cache_armed = true;
        ref_locked(chan);
    }
    chan->cache.msg = msg_ref(msg);
    chan->cache.cost = cost;
    chan->cache.until_ms = until_ms;
    chan->cache.data_at = p->data_at;
    chan->cache.data_n = p->data_n;
    ref_locked(chan);
    return true;
}

void dir_cache_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_chan *chan,
                          uint64_t now_ms, struct wakes *wakes)
{
    chan->cache_armed = false;
    if (chan->cache.msg && chan->cache.until_ms > now_ms) {
        struct deadline d = { chan->cache.until_ms, DEADLINE_CACHE, chan };
        if (dir_arm_locked(dir, st, d, wakes) == ERR_OK) {
            chan->cache_armed = true;
            return;
        }
    }
    msg_unref(uncache_locked(chan));
    dir_chan_put_locked(st, chan);
}

void dir_publish(struct directory *dir, struct dir_publish *p, struct post *post)
{
    struct dir_stripe *st = stripe_of(dir, p->hash);
    struct wakes wakes = { 0 };
    struct msg *stale = NULL;
    bool caches = p->cacheable && p->kind.cache;
    p->n_subs = p->n_users = 0;
    p->cache_full = false;

    lock_take(&st->lock);
    struct dir_chan *chan = caches ? get_chan_locked(dir, st, p->app, p->name, p->hash)
                                   : dir_chan_find_locked(st, p->app, p->name, p->hash);
    if (!chan) {
        p->cache_full = caches;
        lock_drop(&st->lock);
        post_free(post);
        return;
    }
    ref_locked(chan);
    if (caches) {
        stale = uncache_locked(chan);
        p->cached = cache_locked(dir, st, chan, p, post->msg, &wakes);
        p->cache_full = !p->cached;
    }
    p->n_subs = chan->n_subs;
    p->n_users = roster_count(&chan->roster);
    p->n_workers = number_and_post_locked(dir, st, chan, post, &wakes);
    p->seq = st->seq;
    dir_chan_put_locked(st, chan);
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    msg_unref(stale);
}
