/* SPDX-License-Identifier: MIT
 * server/admin_look.c: what is there now: apps, channels, one channel, one connection. */
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "server/admin_call.h"
#include "server/ask.h"
#include "server/notes.h"
#include "server/server_priv.h"

enum admin_result admin_apps(struct admin_call *call)
{
    const struct apps *apps = call->c->worker->apps;
    const struct app *app;
    struct buf b = { 0 };
    json_open(&b, '[');
    for (size_t i = 0; (app = apps_at(apps, i)); i++) {
        json_open(&b, '{');
        watch_key_text(&b, "id", app->s->id);
        watch_key_text(&b, "key", app->s->key);
        json_key(&b, SPAN("enabled"));
        json_bool(&b, app->s->enabled);
        watch_key_u64(&b, "connections", atomic_load_explicit(&app->n_conns, memory_order_relaxed));
        json_key(&b, SPAN("client_events"));
        json_bool(&b, app->s->client_events);
        json_close(&b, '}');
    }
    json_close(&b, ']');
    return admin_done(call, &b);
}

enum admin_result admin_figures(struct admin_call *call)
{
    enum admin_result result;
    struct app *app = admin_app(call, &result);
    if (!app) return result;
    static const struct {
        const char *key;
        size_t at;
    } counters[] = {
        { "messages_in", offsetof(struct app_tally, websocket_messages) },
        { "bytes_in", offsetof(struct app_tally, websocket_bytes) },
        { "messages_out", offsetof(struct app_tally, delivered) },
        { "bytes_out", offsetof(struct app_tally, sent_bytes) },
        { "api_messages", offsetof(struct app_tally, api_messages) },
        { "requests", offsetof(struct app_tally, requests) },
        { "opened", offsetof(struct app_tally, opened) },
        { "closed", offsetof(struct app_tally, closed) },
    };
    struct buf b = { 0 };
    json_open(&b, '{');
    watch_key_text(&b, "app", app->s->id);
    watch_key_u64(&b, "time", clock_unix_ms());
    watch_key_u64(&b, "connections", atomic_load_explicit(&app->n_conns, memory_order_relaxed));
    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        watch_key_u64(&b, counters[i].key,
                      app_count(app, call->c->worker->server->n_workers, counters[i].at));
    json_close(&b, '}');
    return admin_done(call, &b);
}

/* --- channels --- */

static void write_kind(struct span name, struct buf *b)
{
    struct chan_kind kind = chan_kind_of(name);
    static const char *const words[] = {
        [CHAN_PUBLIC] = "public",
        [CHAN_PRIVATE] = "private",
        [CHAN_PRESENCE] = "presence",
        [CHAN_USER] = "user",
    };
    watch_key_text(b, "name", name);
    watch_key_text(b, "kind", span_str(words[kind.type]));
    json_key(b, SPAN("encrypted"));
    json_bool(b, kind.encrypted);
    json_key(b, SPAN("cache"));
    json_bool(b, kind.cache);
}

static void write_counts(struct span name, uint32_t n_subs, uint32_t n_users, struct buf *b)
{
    watch_key_u64(b, "subscriptions", n_subs);
    json_key(b, SPAN("users"));
    if (chan_kind_of(name).type == CHAN_PRESENCE)
        json_u64(b, n_users);
    else
        json_null(b);
}

enum admin_result admin_channels(struct admin_call *call)
{
    enum admin_result result;
    struct app *app = admin_app(call, &result);
    if (!app) return result;
    struct span prefix = admin_param(call, "prefix");
    struct dir_list list;
    if (dir_list(call->c->worker->server->dir, app, prefix, &list)) return ADMIN_FAILED;
    struct buf b = { 0 };
    json_open(&b, '[');
    for (size_t i = 0; i < list.n; i++) {
        const struct dir_listed *l = &list.items[i];
        json_open(&b, '{');
        write_kind(l->name, &b);
        write_counts(l->name, l->n_subs, l->n_users, &b);
        json_close(&b, '}');
    }
    json_close(&b, ']');
    dir_list_fini(&list);
    return admin_done(call, &b);
}

/* --- one channel --- */

struct channel_question {
    struct app *app;
    struct buf name;
};

static void free_channel(void *ctx)
{
    struct channel_question *q = ctx;
    buf_fini(&q->name);
    mem_free(q);
}

struct writing {
    struct buf *out;
    unsigned worker, n;
};

static void write_address(const struct conn *c, struct buf *b)
{
    char text[SOCK_ADDR_TEXT_MAX];
    watch_key_text(b, "address", conn_address(c, text));
}

static bool write_subscriber(void *ctx, struct hub_conn *hc, const struct member *member,
                             uint64_t joined)
{
    struct writing *wr = ctx;
    const struct conn *c = conn_of_hub(hc);
    (void)joined;
    json_open(wr->out, '{');
    watch_key_socket(wr->out, "socket_id", hc->socket_id);
    watch_key_u64(wr->out, "worker", wr->worker);
    watch_key_text(wr->out, "user_id", member ? member_id(member) : hub_conn_user(hc));
    write_address(c, wr->out);
    json_close(wr->out, '}');
    return ++wr->n < ADMIN_SHOWN_MAX;
}

static void collect_channel(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct channel_question *q = ask->ctx;
    struct writing wr = { .out = out, .worker = w->index };
    hub_each_subscriber(w->hub, q->app, buf_span(&q->name), write_subscriber, &wr);
}

static void write_members(struct directory *dir, const struct channel_question *q, struct buf *b)
{
    struct roster_view *view = dir_roster(dir, q->app, buf_span(&q->name));
    uint32_t n = view ? view->n_members : 0;
    json_key(b, SPAN("members"));
    json_open(b, '[');
    for (uint32_t i = 0; i < n && i < ADMIN_SHOWN_MAX; i++) {
        struct event_member m = member_view(roster_view_at(view, i));
        json_open(b, '{');
        watch_key_text(b, "id", m.id);
        json_key(b, SPAN("info"));
        if (m.info_raw.n)
            json_raw(b, m.info_raw);
        else
            json_null(b);
        json_close(b, '}');
    }
    json_close(b, ']');
    roster_view_unref(view);
}

static void answer_channel(struct ask *ask)
{
    const struct channel_question *q = ask->ctx;
    struct directory *dir = ask->home->server->dir;
    struct span name = buf_span(&q->name);
    struct dir_facts facts;
    struct buf b = { 0 };
    dir_facts(dir, q->app, name, loop_now_ms(ask->home->loop), &facts);
    json_open(&b, '{');
    write_kind(name, &b);
    write_counts(name, facts.n_subs, facts.n_users, &b);
    json_key(&b, SPAN("cached"));
    json_bool(&b, facts.cached != NULL);
    msg_unref(facts.cached);
    write_members(dir, q, &b);
    json_key(&b, SPAN("connections"));
    ask_join(ask, &b);
    json_key(&b, SPAN("more"));
    json_bool(&b, facts.n_users > ADMIN_SHOWN_MAX || facts.n_subs > ADMIN_SHOWN_MAX);
    json_close(&b, '}');
    ask_answer(ask, 200, &b);
}

enum admin_result admin_channel(struct admin_call *call)
{
    enum admin_result result;
    struct app *app = admin_app(call, &result);
    if (!app) return result;
    struct span name = admin_param(call, "name");
    if (!name.p) return admin_error(call, 400, SPAN("Say which channel: &name=CHANNEL."));
    struct channel_question *q = mem_zalloc(sizeof *q);
    if (!q) return ADMIN_FAILED;
    q->app = app;
    buf_add_span(&q->name, name);
    struct ask *ask = ask_new(call->c, q, free_channel);
    if (!ask) return ADMIN_FAILED;
    ask_round(ask, collect_channel, answer_channel);
    return ADMIN_WAITS;
}

/* --- one connection --- */

struct socket_question {
    uint64_t socket_id;
};

static uint64_t unix_of(const struct worker *w, uint64_t mono_ms)
{
    return clock_unix_ms() - (loop_now_ms(w->loop) - mono_ms);
}

static void write_subscriptions(const struct hub_conn *hc, struct buf *b)
{
    json_key(b, SPAN("subscriptions"));
    json_open(b, '[');
    for (uint32_t i = 0; i < hc->n_subs; i++) {
        const struct hub_sub *sub = &hc->subs[i];
        json_open(b, '{');
        write_kind(dir_chan_name(sub->chan->rec), b);
        struct span none = { NULL, 0 };
        watch_key_text(b, "user_id", sub->presence ? member_id(sub->presence->member) : none);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_connection(const struct worker *w, const struct conn *c, struct buf *b)
{
    json_open(b, '{');
    watch_key_socket(b, "socket_id", c->hub.socket_id);
    watch_key_text(b, "app", c->hub.app->s->id);
    watch_key_u64(b, "worker", w->index);
    watch_key_text(b, "client", client_name(w->clients, c->client));
    write_address(c, b);
    watch_key_u64(b, "since", unix_of(w, c->since_ms));
    watch_key_u64(b, "seen", unix_of(w, c->seen_ms));
    watch_key_text(b, "user_id", hub_conn_user(&c->hub));
    watch_key_u64(b, "pending_bytes", c->out.bytes);
    write_subscriptions(&c->hub, b);
    json_close(b, '}');
}

static void write_end(const struct worker *w, const struct fact_end *end, struct buf *b)
{
    json_open(b, '{');
    watch_key_text(b, "error", SPAN("This connection has ended."));
    watch_key_u64(b, "code", 404);
    json_key(b, SPAN("ended"));
    json_open(b, '{');
    watch_key_text(b, "app", span_of(end->app, end->app_n));
    watch_key_u64(b, "at", unix_of(w, end->at_ms));
    watch_key_some(b, "code", end->code);
    watch_key_text(b, "by", end->ours ? SPAN("server") : SPAN("client"));
    json_close(b, '}');
    json_close(b, '}');
}

/* The connection, or how it ended, told apart by the error. */
static void collect_connection(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct socket_question *q = ask->ctx;
    const struct conn *c = admin_find(w, q->socket_id);
    const struct fact_end *end = c ? NULL : facts_find_end(hub_facts(w->hub), q->socket_id);
    if (c) write_connection(w, c, out);
    if (end) write_end(w, end, out);
}

static void answer_connection(struct ask *ask)
{
    for (unsigned i = 0; i < ask->n_parts; i++) {
        struct buf *got = &ask->parts[i].got, all = { 0 };
        if (!got->n) continue;
        bool ended = span_starts(buf_span(got), SPAN("{\"error\""));
        buf_take(&all, got);
        ask_answer(ask, ended ? 404 : 200, &all);
        return;
    }
    ask_fail(ask, 404, SPAN("There is no connection with this socket_id."));
}

enum admin_result admin_connection(struct admin_call *call)
{
    enum admin_result result;
    uint64_t socket_id;
    if (!admin_socket(call, "socket_id", true, &socket_id, &result)) return result;
    struct socket_question *q = mem_zalloc(sizeof *q);
    if (!q) return ADMIN_FAILED;
    q->socket_id = socket_id;
    struct ask *ask = ask_new(call->c, q, mem_free);
    if (!ask) return ADMIN_FAILED;
    ask_round(ask, collect_connection, answer_connection);
    return ADMIN_WAITS;
}
