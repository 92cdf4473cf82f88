/* SPDX-License-Identifier: MIT
 *
 * hub/hub.c: the worker's turn: mailbox, fan-out, and the one entrance for publishing.
 *
 * Posts are handled strictly in order. A fan-out over many subscribers is bounded per turn: it is
 * suspended at a position and nothing overtakes it, so that I/O and flushing run in between.
 */
#include "base/mem.h"
#include "hub/hub_priv.h"

/* What a turn may cost. It bounds the time between two looks at the sockets (16,384 writes at
 * most). A write is a system call of some microseconds; a delivery that joins one that is due
 * anyway costs less than a hundredth of that, so full load is joined even where subscribers are
 * many: 32 messages to 10,000 fit into a turn (./dev bench fanout). */
#define COST_WRITE 64 /* of a delivery that makes a write necessary */
#define COST_JOIN 1   /* of one that joins it */
#define TURN_BUDGET (16384 * COST_WRITE)
#define ANSWER_OCTETS 16 /* of a snapshot cost 1: it is written for one connection alone */

enum err hub_new(struct hub **out, struct directory *dir, unsigned worker,
                 const struct hub_sink *sink)
{
    struct hub *hub = mem_zalloc(sizeof *hub);
    if (!hub) return ERR_NOMEM;
    hub->dir = dir;
    hub->worker = worker;
    hub->sink = *sink;
    hub->names = mem_zalloc(sizeof *hub->names);
    if (!hub->names || facts_new(&hub->facts, worker, dir_n_workers(dir))) {
        mem_free(hub->names);
        mem_free(hub);
        return ERR_NOMEM;
    }
    *out = hub;
    return ERR_OK;
}

void hub_free(struct hub *hub)
{
    if (!hub) return;
    while (hub_run_mailbox(hub)) hub_turn_end(hub);
    hub_turn_end(hub);
    users_fini(&hub->users);
    buf_fini(&hub->text);
    buf_fini(&hub->scratch);
    mem_free(hub->kept);
    facts_free(hub->facts);
    mem_free(hub->names);
    mem_free(hub);
}

const struct hub_stats *hub_stats(const struct hub *hub)
{
    return &hub->stats;
}

struct directory *hub_directory(const struct hub *hub)
{
    return hub->dir;
}

uint64_t hub_now_ms(const struct hub *hub)
{
    return hub->now_ms;
}

void hub_turn_begin_ns(struct hub *hub, uint64_t now_ns)
{
    hub->now_ms = now_ns / 1000000;
    hub->now_ns = now_ns;
}

void hub_turn_begin(struct hub *hub, uint64_t now_ms)
{
    hub_turn_begin_ns(hub, now_ms * 1000000);
}

uint64_t hub_next_deadline_ms(const struct hub *hub)
{
    return dir_next_deadline_ms(hub->dir, hub->worker);
}

/* --- messages of this turn --- */

static bool reserve_kept(struct hub *hub)
{
    if (hub->n_kept < hub->cap_kept) return true;
    size_t cap = hub->cap_kept ? hub->cap_kept * 2 : 64;
    struct msg **kept = mem_realloc(hub->kept, cap * sizeof(struct msg *));
    if (!kept) return false;
    hub->kept = kept;
    hub->cap_kept = cap;
    return true;
}

void hub_turn_end(struct hub *hub)
{
    for (size_t i = 0; i < hub->n_kept; i++) msg_unref(hub->kept[i]);
    hub->n_kept = 0;
}

void hub_no_memory(struct hub *hub, struct hub_conn *conn)
{
    if (conn->closed) return;
    hub->sink.close(conn, 4100, SPAN("The server is out of memory."));
}

void hub_deliver_one(struct hub *hub, struct hub_conn *conn, struct msg *msg)
{
    if (!reserve_kept(hub)) {
        msg_unref(msg);
        hub_no_memory(hub, conn);
        return;
    }
    hub->kept[hub->n_kept++] = msg;
    struct app_tally *tally = app_tally(conn->app, hub->worker);
    if (tally) {
        stat_add(&tally->answers, 1);
        stat_add(&tally->sent_bytes, msg->n);
    }
    hub->sink.deliver(conn, msg);
}

struct buf *hub_text_begin(struct hub *hub, size_t size_hint)
{
    msg_begin(&hub->text, size_hint);
    return &hub->text;
}

void hub_text_send(struct hub *hub, struct hub_conn *conn)
{
    struct msg *msg = msg_finish(&hub->text, hub->sink.frame_head);
    if (msg)
        hub_deliver_one(hub, conn, msg);
    else
        hub_no_memory(hub, conn);
}

/* --- delivery --- */

static void spend(uint32_t *budget, size_t cost)
{
    *budget -= cost < *budget ? (uint32_t)cost : *budget;
}

/* From hub->resume_at on; true when all are served. */
static bool fan_out(struct hub *hub, const struct post *post, struct chan *chan, uint32_t *budget)
{
    uint32_t i = hub->resume_at;
    uint32_t delivered = 0, excluded = 0, cost = 0, from = i;
    for (; i < chan->n && cost < *budget; i++) {
        const struct chan_entry *e = &chan->subs[i];
        if (!e->conn || e->joined >= post->seq) continue;
        if (post->exclude && e->conn->socket_id == post->exclude) {
            excluded++;
            continue;
        }
        cost += hub->sink.deliver(e->conn, post->msg) ? COST_WRITE : COST_JOIN;
        delivered++;
    }
    *budget -= cost < *budget ? cost : *budget;
    count_delivered(hub, post->app, post->msg, delivered);
    hub->tally.delivered += delivered;
    hub->tally.excluded += excluded;
    hub->tally.later += i - from - delivered - excluded; /* or left while it was suspended */
    hub->resume_at = i;
    return i >= chan->n;
}

/* The message must outlive the turn, since receivers borrow it until they are flushed. */
static bool keep_post_msg(struct hub *hub, const struct post *post)
{
    if (!reserve_kept(hub)) return false;
    hub->kept[hub->n_kept++] = msg_ref(post->msg);
    return true;
}

/* True when the post is done. Without memory to keep the message the post waits for a turn that
 * has some. */
static bool deliver_event(struct hub *hub, const struct post *post, uint32_t *budget)
{
    struct chan *chan = post->chan->slots[hub->worker].chan;
    if (!chan) return true;
    if (!keep_post_msg(hub, post)) return false;
    bool done = fan_out(hub, post, chan, budget);
    chan->busy = !done;
    if (!done) return false;
    hub->resume_at = 0;
    chan_compact(chan);
    chan_drop_if_empty(chan, hub->worker);
    return true;
}

static bool handle_post(struct hub *hub, struct post *post, uint32_t *budget)
{
    switch (post->kind) {
    case POST_EVENT:
        return deliver_event(hub, post, budget);
    case POST_ANSWER:
        spend(budget, hub_deliver_answer(hub, post) / ANSWER_OCTETS);
        return true;
    case POST_USER:
        if (!keep_post_msg(hub, post)) return false;
        hub_deliver_user(hub, post);
        return true;
    case POST_WATCH:
        if (!keep_post_msg(hub, post)) return false;
        hub_deliver_watch(hub, post);
        return true;
    case POST_TERMINATE:
        hub_terminate_here(hub, post);
        return true;
    }
    UNREACHABLE();
}

static void time_delivery(struct hub *hub, const struct post *post)
{
    if (hub->tally.delivered == 0) return;
    if (hub->n_delivered++ == 0 || post->at_ns < hub->delivered_ns) hub->delivered_ns = post->at_ns;
}

uint32_t hub_take_delivered(struct hub *hub, uint64_t *oldest_ns)
{
    uint32_t n = hub->n_delivered;
    *oldest_ns = hub->delivered_ns;
    hub->n_delivered = 0;
    return n;
}

bool hub_run_mailbox(struct hub *hub)
{
    uint32_t budget = TURN_BUDGET;
    dir_tick(hub->dir, hub->worker, hub->now_ms);
    if (!hub->inbox) hub->inbox = dir_take(hub->dir, hub->worker);
    while (hub->inbox && budget > 0) {
        struct mpsc_node *node = hub->inbox;
        struct mpsc_node *next = node->next; /* the node goes with its post */
        struct post *post = post_of(node);
        if (!handle_post(hub, post, &budget)) break;
        if (post->fact) {
            time_delivery(hub, post);
            hub_note_tally(hub, post);
        }
        hub->tally = (struct fact_tally) { 0 };
        hub->inbox = next;
        if (!post->app->internal) stat_add(&hub->stats.posts, 1);
        dir_post_done(hub->dir, hub->worker, post);
        /* A post costs something even if nobody hears it. */
        spend(&budget, COST_WRITE);
        if (!hub->inbox) hub->inbox = dir_take(hub->dir, hub->worker);
    }
    return hub->inbox != NULL;
}

/* --- publishing --- */

bool hub_overloaded(const struct hub *hub)
{
    return dir_overloaded(hub->dir);
}

static struct msg *encode(struct hub *hub, const struct hub_publish *p, size_t *data_at)
{
    struct buf b = { 0 };
    msg_begin(&b, 64 + p->name_raw.n + p->channel.n + p->data_raw.n + p->user_id.n);
    struct event_out ev = {
        .name_raw = p->name_raw,
        .channel = p->channel,
        .data_raw = p->data_raw,
        .user_id = p->user_id,
    };
    event_channel(&b, &ev, data_at);
    return msg_finish(&b, hub->sink.frame_head);
}

static enum err publish_to_user(struct hub *hub, struct hub_publish *p)
{
    struct span id = chan_user_id(p->channel);
    p->hash = dir_hash(p->app, p->channel);
    if (dir_user_count(hub->dir, p->app, id) == 0) return ERR_OK;
    struct event_member who = { .id = id };
    struct member *user = member_new(&who);
    struct msg *msg = user ? encode(hub, p, NULL) : NULL;
    struct post *post = msg ? post_new(POST_USER, p->app, msg, dir_n_workers(hub->dir)) : NULL;
    if (!post) {
        member_unref(user);
        return ERR_NOMEM;
    }
    post->user = user;
    post->exclude = p->exclude;
    post->fact = p->fact;
    post->at_ns = hub->now_ns;
    p->n_subs = dir_post_user(hub->dir, post);
    if (p->n_subs) p->n_workers = dir_n_workers(hub->dir);
    return ERR_OK;
}

static enum err publish_to_channel(struct hub *hub, struct hub_publish *p)
{
    struct dir_publish to = {
        .app = p->app,
        .name = p->channel,
        .kind = p->kind,
        .hash = dir_hash(p->app, p->channel),
        .cacheable = !p->from_client,
        .now_ms = hub->now_ms,
    };
    p->hash = to.hash;
    bool wanted = dir_wanted(hub->dir, &to);
    if (wanted) {
        size_t data_at = 0;
        struct msg *msg = encode(hub, p, &data_at);
        struct post *post = msg ? post_new(POST_EVENT, p->app, msg, dir_n_workers(hub->dir)) : NULL;
        if (!post) return ERR_NOMEM;
        post->exclude = p->exclude;
        post->fact = p->fact;
        post->at_ns = hub->now_ns;
        to.data_at = (uint32_t)data_at;
        to.data_n = (uint32_t)p->data_raw.n;
        dir_publish(hub->dir, &to, post);
        if (to.cache_full && hub->sink.cache_full)
            hub->sink.cache_full(hub->sink.ctx, p->app, p->channel);
    }
    p->n_subs = to.n_subs;
    p->n_users = to.n_users;
    p->n_workers = to.n_workers;
    p->seq = to.seq;
    p->cached = to.cached;
    return ERR_OK;
}

enum err hub_publish(struct hub *hub, struct hub_publish *p)
{
    bool noted = !p->app->internal;
    p->n_subs = p->n_users = p->n_workers = 0;
    p->fact = noted ? facts_take_id(hub->facts) : 0;
    if (noted) {
        stat_add(p->from_client ? &hub->stats.client_events : &hub->stats.published, 1);
        histo_add(&hub->stats.data_bytes, p->data_raw.n, 1);
    }
    struct app_tally *tally = app_tally(p->app, hub->worker);
    if (tally && !p->from_client) stat_add(&tally->api_messages, 1);
    bool user = p->kind.type == CHAN_USER;
    enum err err = user ? publish_to_user(hub, p) : publish_to_channel(hub, p);
    if (noted) hub_note_publish(hub, p, err);
    return err;
}

enum err hub_terminate(struct hub *hub, struct app *app, struct span user_id)
{
    struct event_member who = { .id = user_id };
    struct member *user = member_new(&who);
    struct post *post = user ? post_new(POST_TERMINATE, app, NULL, dir_n_workers(hub->dir)) : NULL;
    if (!post) {
        member_unref(user);
        return ERR_NOMEM;
    }
    post->user = user;
    dir_post_user(hub->dir, post);
    return ERR_OK;
}
