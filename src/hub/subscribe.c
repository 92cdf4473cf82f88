/* SPDX-License-Identifier: MIT
 *
 * hub/subscribe.c: subscriptions of one worker's connections.
 *
 * A first subscribe is answered at once; the number that dir_join gave keeps everything older away
 * from it. A repeated one is answered through the worker's own mailbox, so that its snapshot stands
 * in the channel's order. However often it is repeated meanwhile, one answer is under way and at
 * most one more follows: only who becomes somebody else needs an answer each time, since he is not
 * told of it otherwise and what he hears next would not fit. Everything that can fail for want of
 * memory is allocated before the directory is asked, or undone by leaving again.
 */
#include "base/mem.h"
#include "hub/hub_priv.h"

#define SHORT_HASH 0x0fffffffu /* what a subscription keeps of it */
#define MAX_ANSWERS 7          /* under way to one subscription */

/* --- the connection's own list --- */

struct hub_sub *sub_find(struct hub_conn *conn, struct span channel)
{
    uint32_t hash = dir_hash(conn->app, channel) & SHORT_HASH;
    for (uint32_t i = 0; i < conn->n_subs; i++) {
        struct hub_sub *sub = &conn->subs[i];
        if (sub->hash == hash && span_eq(dir_chan_name(sub->chan->rec), channel)) return sub;
    }
    return NULL;
}

void hub_conn_sub_moved(struct hub_conn *conn, uint32_t sub, uint32_t at)
{
    CHECK(sub < conn->n_subs);
    conn->subs[sub].at = at;
}

static enum err reserve_sub(struct hub_conn *conn)
{
    if (conn->n_subs < conn->cap_subs) return ERR_OK;
    if (conn->n_subs == 0) {
        conn->subs = &conn->one_sub;
        conn->cap_subs = 1;
        return ERR_OK;
    }
    bool inside = conn->subs == &conn->one_sub;
    uint32_t cap = conn->cap_subs < 4 ? 4 : conn->cap_subs * 2;
    struct hub_sub *subs = mem_realloc(inside ? NULL : conn->subs, cap * sizeof *subs);
    if (!subs) return ERR_NOMEM;
    if (inside) subs[0] = conn->one_sub;
    conn->subs = subs;
    conn->cap_subs = cap;
    return ERR_OK;
}

static void drop_sub(struct hub_conn *conn, struct hub_sub *sub)
{
    struct hub_sub *last = &conn->subs[--conn->n_subs];
    if (sub != last) {
        *sub = *last;
        sub->chan->subs[sub->at].back = (uint32_t)(sub - conn->subs);
    }
    if (conn->n_subs > 0) return;
    if (conn->subs != &conn->one_sub) mem_free(conn->subs);
    conn->subs = NULL;
    conn->cap_subs = 0;
}

/* --- presence --- */

static void presence_free(struct hub *hub, struct presence *p)
{
    if (!p) return;
    user_link_drop(&hub->users, &p->link);
    member_unref(p->member);
    mem_free(p);
}

static struct presence *presence_new(struct hub *hub, struct hub_conn *conn,
                                     const struct event_member *who)
{
    struct presence *p = mem_zalloc(sizeof *p);
    if (!p) return NULL;
    p->link.conn = conn;
    p->member = member_new(who);
    if (p->member &&
        user_link_add(&hub->users, conn->app, p->member, USER_PRESENT, &p->link) == ERR_OK)
        return p;
    presence_free(hub, p);
    return NULL;
}

/* --- answers --- */

static void write_snapshot(struct buf *out, struct span channel, const struct roster_view *view)
{
    uint32_t n = view ? view->n_members : 0;
    struct event_snapshot s = event_snapshot_begin(out, channel, n);
    for (uint32_t i = 0; i < n; i++) {
        struct event_member m = member_view(roster_view_at(view, i));
        event_snapshot_id(&s, &m);
    }
    event_snapshot_middle(&s);
    for (uint32_t i = 0; i < n; i++) {
        struct event_member m = member_view(roster_view_at(view, i));
        event_snapshot_info(&s, &m);
    }
    event_snapshot_end(&s);
}

/* Sends subscription_succeeded, then the cached event or cache_miss. Takes `cached` (or NULL).
 * Returns the octets of it. */
static size_t answer(struct hub *hub, struct hub_conn *conn, const struct dir_chan *chan,
                     const struct roster_view *snapshot, struct msg *cached)
{
    struct span name = dir_chan_name(chan);
    struct buf *out = hub_text_begin(hub, 128 + name.n);
    CHECK(!conn->closed); /* it holds the channel */
    if (chan->kind.type == CHAN_PRESENCE)
        write_snapshot(out, name, snapshot);
    else
        event_subscription_succeeded(out, name);
    size_t octets = out->n + (cached ? cached->n : 0);
    hub_text_send(hub, conn);
    if (conn->closed) { /* no memory; the channel may be gone, too */
        msg_unref(cached);
        return octets;
    }
    if (cached) {
        hub_deliver_one(hub, conn, cached);
    } else if (chan->kind.cache) {
        event_cache_miss(hub_text_begin(hub, 128 + name.n), name);
        hub_text_send(hub, conn);
    }
    return octets;
}

/* --- refusals that only the hub can make --- */

static void refuse_limit(struct hub *hub, struct hub_conn *conn, struct span channel,
                         unsigned status, struct span text)
{
    struct peer_refusal r = {
        .channel = channel,
        .why = PEER_WHY_LIMIT,
        .type = "LimitReached",
        .status = status,
        .text = text,
    };
    hub_refuse(hub, conn, &r);
}

static bool too_many_subs(struct hub *hub, struct hub_conn *conn, struct span channel)
{
    uint64_t limit = conn->app->s->limits.subscriptions;
    if (limit == 0 || conn->n_subs < limit) return false;
    struct buf b = { 0 };
    buf_add_fmt(
        &b, "The connection has %u subscriptions; limits.subscriptions of app %.*s allows %llu.",
        conn->n_subs, SPAN_FMT(conn->app->s->id), (unsigned long long)limit);
    refuse_limit(hub, conn, channel, 4301, buf_span(&b));
    buf_fini(&b);
    return true;
}

static void refuse_members(struct hub *hub, struct hub_conn *conn, struct span channel)
{
    const struct app_settings *s = conn->app->s;
    struct buf b = { 0 };
    buf_add_fmt(&b,
                "The maximum members per presence channel limit was reached: "
                "limits.presence_members of app %.*s allows %llu.",
                SPAN_FMT(s->id), (unsigned long long)s->limits.presence_members);
    refuse_limit(hub, conn, channel, 4100, buf_span(&b));
    buf_fini(&b);
}

/* Channels of internal apps are the server's business. */
static bool may_watch(struct hub *hub, struct hub_conn *conn, struct span channel)
{
    if (!hub->sink.watcher_comes) return true;
    const char *why = hub->sink.watcher_comes(hub->sink.ctx, conn, channel);
    if (why) refuse_limit(hub, conn, channel, 403, span_str(why));
    return !why;
}

/* --- subscribing --- */

static void subscribed(struct hub *hub, struct hub_conn *conn, struct chan_kind kind)
{
    if (chan_needs_auth(kind)) conn->authorised = true;
    if (!conn->app->internal) stat_add(&hub->stats.subscribed, 1);
}

/* After dir_join: puts the subscription into the worker's lists. False without memory. */
static bool enter(struct hub *hub, struct hub_conn *conn, const struct dir_join *join,
                  struct presence *presence)
{
    struct chan *chan = chan_get(join->chan, hub->worker);
    if (!chan) return false;
    if (chan_reserve(chan) || reserve_sub(conn)) {
        chan_drop_if_empty(chan, hub->worker);
        return false;
    }
    struct hub_sub *sub = &conn->subs[conn->n_subs];
    struct chan_entry entry = { .conn = conn, .joined = join->seq, .back = conn->n_subs };
    *sub = (struct hub_sub) { .chan = chan, .presence = presence };
    sub->hash = join->chan->hash & SHORT_HASH;
    sub->at = chan_append(chan, entry);
    conn->n_subs++;
    return true;
}

/* False: he is not subscribed, and was told why. */
static bool subscribe_first(struct hub *hub, struct hub_conn *conn, const struct peer_action *a)
{
    if (too_many_subs(hub, conn, a->channel)) return false;
    struct presence *presence = NULL;
    if (a->kind.type == CHAN_PRESENCE) {
        presence = presence_new(hub, conn, &a->member);
        if (!presence) {
            hub_no_memory(hub, conn);
            return false;
        }
    }
    struct dir_join join = {
        .app = conn->app,
        .name = a->channel,
        .kind = a->kind,
        .worker = hub->worker,
        .member = presence ? presence->member : NULL,
        .now_ms = hub->now_ms,
    };
    enum err err = dir_join(hub->dir, &join);
    if (err == ERR_OK && enter(hub, conn, &join, presence)) {
        subscribed(hub, conn, a->kind);
        struct span user_id = { NULL, 0 };
        if (presence) user_id = member_id(presence->member);
        hub_note_joined(hub, conn, join.chan, user_id, join.occupied);
        answer(hub, conn, join.chan, join.snapshot, join.cached);
        roster_view_unref(join.snapshot);
        return true;
    }
    if (err == ERR_OK) { /* no memory after joining: leave again */
        roster_view_unref(join.snapshot);
        msg_unref(join.cached);
        dir_leave(hub->dir, join.chan, hub->worker, join.member, hub->now_ms);
    }
    presence_free(hub, presence);
    if (err == ERR_LIMIT)
        refuse_members(hub, conn, a->channel);
    else
        hub_no_memory(hub, conn);
    return false;
}

/* Takes over the change from the present member to `is` (NULL: none) and has it answered. */
static enum err repeat(struct hub *hub, struct hub_conn *conn, struct hub_sub *sub,
                       struct member *is)
{
    struct member *was = sub->presence ? sub->presence->member : NULL;
    bool same = !is || span_eq(member_id(was), member_id(is));
    struct dir_repeat repeat = {
        .chan = sub->chan->rec,
        .worker = hub->worker,
        .conn = conn,
        .socket_id = conn->socket_id,
        .was = was,
        .is = is,
        .now_ms = hub->now_ms,
        .silent = same && sub->n_answers > 0,
    };
    if (repeat.silent && !is) return ERR_OK; /* what is under way says all that there is to say */
    bool many = sub->n_answers == MAX_ANSWERS || conn->pins == UINT16_MAX;
    if (!repeat.silent && many) return ERR_BUSY;
    enum err err = dir_repeat(hub->dir, &repeat);
    if (err) return err;
    sub->again = repeat.silent;
    if (repeat.silent) return ERR_OK;
    sub->n_answers++;
    conn->pins++;
    return ERR_OK;
}

static void refuse_repeat(struct hub *hub, struct hub_conn *conn, struct span channel, enum err err)
{
    if (err == ERR_LIMIT)
        refuse_members(hub, conn, channel);
    else if (err == ERR_BUSY)
        hub->sink.close(conn, 4100, SPAN("Too many answers to repeated subscribes wait for you."));
    else
        hub_no_memory(hub, conn);
}

static void subscribe_again(struct hub *hub, struct hub_conn *conn, struct hub_sub *sub,
                            const struct peer_action *a)
{
    struct presence *is = NULL;
    if (sub->presence) {
        is = presence_new(hub, conn, &a->member);
        if (!is) {
            hub_no_memory(hub, conn);
            return;
        }
    }
    enum err err = repeat(hub, conn, sub, is ? is->member : NULL);
    if (err) {
        presence_free(hub, is);
        refuse_repeat(hub, conn, a->channel, err);
    } else if (is) {
        presence_free(hub, sub->presence);
        sub->presence = is;
    }
}

size_t hub_deliver_answer(struct hub *hub, struct post *post)
{
    struct hub_conn *conn = post->conn;
    CHECK(conn->pins > 0);
    conn->pins--;
    struct hub_sub *sub = sub_find(conn, dir_chan_name(post->chan));
    /* He left meanwhile; if he joined anew, he got an answer that is newer than this one. */
    if (!sub || sub->chan->subs[sub->at].joined >= post->seq) return 0;
    sub->n_answers--;
    struct msg *cached = post->msg ? msg_ref(post->msg) : NULL;
    size_t octets = answer(hub, conn, post->chan, post->snapshot, cached);
    if (conn->closed || sub->n_answers > 0 || !sub->again) return octets;
    enum err err = repeat(hub, conn, sub, NULL);
    if (err) refuse_repeat(hub, conn, dir_chan_name(post->chan), err);
    return octets;
}

void hub_subscribe(struct hub *hub, struct hub_conn *conn, const struct peer_action *a)
{
    if (a->kind.type == CHAN_USER) { /* the sign-in subscribes; this only wants its answer */
        event_subscription_succeeded(hub_text_begin(hub, 128 + a->channel.n), a->channel);
        hub_text_send(hub, conn);
        return;
    }
    struct hub_sub *sub = sub_find(conn, a->channel);
    if (sub)
        subscribe_again(hub, conn, sub, a);
    else if (!conn->app->internal)
        subscribe_first(hub, conn, a);
    else if (may_watch(hub, conn, a->channel) && !subscribe_first(hub, conn, a))
        hub_note_left(hub, conn, a->channel);
}

/* --- unsubscribing --- */

static void leave(struct hub *hub, struct hub_conn *conn, struct hub_sub *sub)
{
    struct chan *chan = sub->chan;
    struct dir_chan *rec = chan->rec;
    struct presence *presence = sub->presence;
    uint64_t hash = rec->hash;
    struct buf name = { 0 }; /* only somebody who watches needs it when the record is gone */
    if (hub_watched(hub)) buf_add_span(&name, dir_chan_name(rec));
    hub_note_left(hub, conn, dir_chan_name(rec));
    chan_remove(chan, sub->at);
    drop_sub(conn, sub);
    chan_drop_if_empty(chan, hub->worker);
    struct member *member = presence ? presence->member : NULL;
    bool vacated = dir_leave(hub->dir, rec, hub->worker, member, hub->now_ms);
    if (vacated) hub_note_vacated(hub, conn, hash, buf_span(&name));
    buf_fini(&name);
    presence_free(hub, presence);
}

void hub_unsubscribe(struct hub *hub, struct hub_conn *conn, struct span channel)
{
    struct hub_sub *sub = sub_find(conn, channel);
    if (sub) leave(hub, conn, sub);
}

void hub_unsubscribe_all(struct hub *hub, struct hub_conn *conn)
{
    while (conn->n_subs > 0) leave(hub, conn, &conn->subs[conn->n_subs - 1]);
}
