/* SPDX-License-Identifier: MIT
 *
 * hub/directory_user.c: signed-in users and those who watch them. A record lives, under its
 * stripe's lock, while a socket is signed in as the user, somebody watches him, or his grace runs.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "hub/directory_priv.h"

struct user_key {
    const struct app *app;
    struct span id;
};

static bool is_user(const void *entry, const void *key)
{
    const struct dir_user *u = entry;
    const struct user_key *k = key;
    return u->app == k->app && span_eq(member_id(u->who), k->id);
}

/* Users and channels share the stripes, so their hashes are kept apart. */
static uint64_t user_hash(const struct app *app, struct span id)
{
    return hash_key2(UINT64_C(1) << 32 | app->index, id);
}

static struct dir_user *find_locked(struct dir_stripe *st, const struct app *app, struct span id,
                                    uint64_t hash)
{
    struct user_key key = { app, id };
    return map_find(&st->users, hash, is_user, &key);
}

static struct dir_user *get_locked(struct directory *dir, struct dir_stripe *st, struct app *app,
                                   struct member *who, uint64_t hash)
{
    struct dir_user *u = find_locked(st, app, member_id(who), hash);
    if (u) return u;
    u = mem_zalloc(sizeof *u + dir->n_workers * sizeof u->watchers[0]);
    if (!u) return NULL;
    u->app = app;
    u->hash = hash;
    u->who = member_ref(who);
    if (map_add(&st->users, hash, u)) {
        member_unref(who);
        mem_free(u);
        return NULL;
    }
    return u;
}

static void drop_if_unused_locked(struct dir_stripe *st, struct dir_user *u)
{
    if (u->n_signed_in > 0 || u->n_watchers > 0 || u->armed) return;
    map_remove(&st->users, u->hash, u);
    member_unref(u->who);
    mem_free(u);
}

/* Tells the watchers. Without memory they learn it with the next change. */
static void announce_locked(struct directory *dir, struct dir_stripe *st, struct dir_user *u,
                            bool online, struct wakes *wakes)
{
    u->online = online;
    if (u->n_watchers == 0) return;
    struct buf b = { 0 };
    msg_begin(&b, 160 + member_id(u->who).n);
    event_watchlist_change(&b, online, member_id(u->who));
    struct msg *msg = msg_finish(&b, dir->hooks.frame_head);
    struct post *post = msg ? post_new(POST_WATCH, u->app, msg, dir->n_workers) : NULL;
    if (!post) return;
    post->user = member_ref(u->who);
    post->seq = ++st->seq;
    dir_post_watchers_locked(dir, u, post, wakes);
}

enum err dir_signin(struct directory *dir, struct app *app, struct member *user, uint64_t *seq)
{
    uint64_t hash = user_hash(app, member_id(user));
    struct dir_stripe *st = stripe_of(dir, hash);
    struct wakes wakes = { 0 };
    lock_take(&st->lock);
    struct dir_user *u = get_locked(dir, st, app, user, hash);
    if (u) {
        u->n_signed_in++;
        if (!u->online) announce_locked(dir, st, u, true, &wakes);
        *seq = st->seq;
    }
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    return u ? ERR_OK : ERR_NOMEM;
}

void dir_signout(struct directory *dir, struct app *app, struct member *user, uint64_t now_ms)
{
    uint64_t hash = user_hash(app, member_id(user));
    struct dir_stripe *st = stripe_of(dir, hash);
    struct wakes wakes = { 0 };
    lock_take(&st->lock);
    struct dir_user *u = find_locked(st, app, member_id(user), hash);
    CHECK(u && u->n_signed_in > 0);
    if (--u->n_signed_in == 0) {
        u->gone_ms = now_ms;
        struct deadline d = { now_ms + DIR_OFFLINE_GRACE_MS, DEADLINE_OFFLINE, u };
        if (u->n_watchers == 0)
            u->online = false;
        else if (!u->armed && dir_arm_locked(dir, st, d, &wakes) == ERR_OK)
            u->armed = true;
        else if (!u->armed)
            announce_locked(dir, st, u, false, &wakes);
    }
    drop_if_unused_locked(st, u);
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
}

void dir_offline_due_locked(struct directory *dir, struct dir_stripe *st, struct dir_user *u,
                            uint64_t now_ms, struct wakes *wakes)
{
    u->armed = false;
    bool gone = u->n_signed_in == 0 && u->online;
    uint64_t due_ms = u->gone_ms + DIR_OFFLINE_GRACE_MS;
    if (gone && due_ms > now_ms) { /* he came and went again meanwhile */
        struct deadline d = { due_ms, DEADLINE_OFFLINE, u };
        u->armed = dir_arm_locked(dir, st, d, wakes) == ERR_OK;
        if (u->armed) return;
    }
    if (gone) announce_locked(dir, st, u, false, wakes);
    drop_if_unused_locked(st, u);
}

enum err dir_watch(struct directory *dir, struct app *app, struct member *user, unsigned worker,
                   bool *online, uint64_t *seq)
{
    uint64_t hash = user_hash(app, member_id(user));
    struct dir_stripe *st = stripe_of(dir, hash);
    lock_take(&st->lock);
    struct dir_user *u = get_locked(dir, st, app, user, hash);
    if (u) {
        u->n_watchers++;
        u->watchers[worker]++;
        *online = u->online;
        *seq = st->seq;
    }
    lock_drop(&st->lock);
    return u ? ERR_OK : ERR_NOMEM;
}

void dir_unwatch(struct directory *dir, struct app *app, struct member *user, unsigned worker)
{
    uint64_t hash = user_hash(app, member_id(user));
    struct dir_stripe *st = stripe_of(dir, hash);
    lock_take(&st->lock);
    struct dir_user *u = find_locked(st, app, member_id(user), hash);
    CHECK(u && u->watchers[worker] > 0);
    u->n_watchers--;
    u->watchers[worker]--;
    if (u->n_watchers == 0 && u->n_signed_in == 0) u->online = false;
    drop_if_unused_locked(st, u);
    lock_drop(&st->lock);
}

uint32_t dir_post_user(struct directory *dir, struct post *post)
{
    uint64_t hash = user_hash(post->app, member_id(post->user));
    struct dir_stripe *st = stripe_of(dir, hash);
    struct wakes wakes = { 0 };
    lock_take(&st->lock);
    const struct dir_user *u = find_locked(st, post->app, member_id(post->user), hash);
    uint32_t n = u ? u->n_signed_in : 0;
    bool wanted = n > 0 || post->kind == POST_TERMINATE;
    if (wanted) {
        post->seq = ++st->seq;
        dir_post_everybody(dir, post, &wakes);
    }
    lock_drop(&st->lock);
    dir_wake_all(dir, &wakes);
    if (!wanted) post_free(post);
    return n;
}

uint32_t dir_user_count(struct directory *dir, struct app *app, struct span user_id)
{
    uint64_t hash = user_hash(app, user_id);
    struct dir_stripe *st = stripe_of(dir, hash);
    lock_take(&st->lock);
    const struct dir_user *u = find_locked(st, app, user_id, hash);
    uint32_t n = u ? u->n_signed_in : 0;
    lock_drop(&st->lock);
    return n;
}
