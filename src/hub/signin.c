/* SPDX-License-Identifier: MIT
 *
 * hub/signin.c: signed-in users of one worker: sign-in, watchlists, messages to a user, terminate.
 *
 * A sign-in remembers the number of its user's stripe and skips older sends; a watch remembers the
 * number at which it learned the state and skips older changes.
 */
#include "base/mem.h"
#include "hub/hub_priv.h"

#define WATCHLIST_MAX 100 /* protocol page 3.5 */

struct watch {
    struct user_link link;
    struct member *who;
    uint64_t seq;
    bool online; /* at the sign-in */
};

struct signin {
    struct member *who;
    struct user_link link;
    uint64_t seq;
    struct hub_conn *conn;
    uint32_t n_watches, cap_watches;
    struct watch watches[];
};

struct span hub_conn_user(const struct hub_conn *conn)
{
    return conn->signin ? member_id(conn->signin->who) : (struct span) { NULL, 0 };
}

struct peer_user signin_user(const struct hub_conn *conn)
{
    if (!conn->signin) return (struct peer_user) { 0 };
    struct event_member m = member_view(conn->signin->who);
    return (struct peer_user) { .id = m.id, .id_raw = m.id_raw, .info_raw = m.info_raw };
}

/* --- watchlist --- */

static bool watches_already(const struct signin *s, struct span id)
{
    for (uint32_t i = 0; i < s->n_watches; i++)
        if (span_eq(member_id(s->watches[i].who), id)) return true;
    return false;
}

static bool add_watch(struct hub *hub, struct signin *s, struct span id)
{
    CHECK(s->n_watches < s->cap_watches);
    struct watch *w = &s->watches[s->n_watches];
    struct event_member who = { .id = id };
    struct app *app = s->conn->app;
    *w = (struct watch) { .link.conn = s->conn, .who = member_new(&who) };
    if (!w->who) return false;
    if (user_link_add(&hub->users, app, w->who, USER_WATCHER, &w->link) == ERR_OK) {
        if (dir_watch(hub->dir, app, w->who, hub->worker, &w->online, &w->seq) == ERR_OK) {
            s->n_watches++;
            return true;
        }
        user_link_drop(&hub->users, &w->link);
    }
    member_unref(w->who);
    return false;
}

/* How many watches the list can need. */
static uint32_t count_watches(struct json_val list)
{
    struct json_iter it = json_begin(list);
    uint32_t n = 0;
    for (struct json_val item; n < WATCHLIST_MAX && json_next_item(&it, &item);) n++;
    return n;
}

/* Watches the first WATCHLIST_MAX users of the list; `*over` says that there were more. */
static bool add_watches(struct hub *hub, struct signin *s, struct json_val list, bool *over)
{
    struct json_iter it = json_begin(list);
    struct buf scratch = { 0 };
    bool ok = true;
    for (struct json_val item; ok && json_next_item(&it, &item);) {
        buf_clear(&scratch);
        struct span id = item.type == JSON_STRING ? json_text(item, &scratch) : item.raw;
        if (buf_failed(&scratch)) ok = false;
        if (!ok || watches_already(s, id)) continue;
        if (s->n_watches == WATCHLIST_MAX) {
            *over = true;
            break;
        }
        ok = add_watch(hub, s, id);
    }
    buf_fini(&scratch);
    return ok;
}

static void send_watch_states(struct hub *hub, const struct signin *s)
{
    struct span online[WATCHLIST_MAX], offline[WATCHLIST_MAX];
    struct event_ids on = { online, 0 }, off = { offline, 0 };
    for (uint32_t i = 0; i < s->n_watches; i++) {
        struct span id = member_id(s->watches[i].who);
        if (s->watches[i].online)
            online[on.n++] = id;
        else
            offline[off.n++] = id;
    }
    if (event_watchlist_state(hub_text_begin(hub, 256), on, off)) hub_text_send(hub, s->conn);
}

/* --- signing in and out --- */

static void signin_free(struct hub *hub, struct signin *s)
{
    for (uint32_t i = 0; i < s->n_watches; i++) {
        struct watch *w = &s->watches[i];
        user_link_drop(&hub->users, &w->link);
        dir_unwatch(hub->dir, s->conn->app, w->who, hub->worker);
        member_unref(w->who);
    }
    user_link_drop(&hub->users, &s->link);
    member_unref(s->who);
    mem_free(s);
}

static bool wants_watchlist(const struct hub_conn *conn, const struct peer_action *a)
{
    return conn->app->s->watchlist && a->watchlist.type == JSON_ARRAY;
}

static struct signin *signin_new(struct hub *hub, struct hub_conn *conn,
                                 const struct peer_action *a, bool watches)
{
    uint32_t cap_watches = watches ? count_watches(a->watchlist) : 0;
    struct signin *s = mem_zalloc(sizeof *s + cap_watches * sizeof s->watches[0]);
    if (!s) return NULL;
    s->cap_watches = cap_watches;
    s->conn = s->link.conn = conn;
    s->who = member_new(&a->user);
    if (!s->who) {
        mem_free(s);
        return NULL;
    }
    if (user_link_add(&hub->users, conn->app, s->who, USER_SIGNED_IN, &s->link) ||
        dir_signin(hub->dir, conn->app, s->who, &s->seq)) {
        signin_free(hub, s);
        return NULL;
    }
    return s;
}

static void send_success(struct hub *hub, struct hub_conn *conn, struct span user_data)
{
    event_signin_success(hub_text_begin(hub, 128 + 2 * user_data.n), user_data);
    hub_text_send(hub, conn);
}

static void refuse_other_user(struct hub *hub, struct hub_conn *conn)
{
    struct peer_refusal r = {
        .code = 4009,
        .text = SPAN("Connection not authorized: it is signed in as another user already."),
    };
    hub_refuse(hub, conn, &r);
}

void hub_signin(struct hub *hub, struct hub_conn *conn, const struct peer_action *a)
{
    if (conn->signin) {
        if (span_eq(member_id(conn->signin->who), a->user.id))
            send_success(hub, conn, a->user_data);
        else
            refuse_other_user(hub, conn);
        return;
    }
    bool watches = wants_watchlist(conn, a); /* asked once: a reload may change it meanwhile */
    struct signin *s = signin_new(hub, conn, a, watches);
    if (!s) {
        hub_no_memory(hub, conn);
        return;
    }
    conn->signin = s;
    conn->authorised = true;
    send_success(hub, conn, a->user_data);
    if (conn->closed || !watches) return;
    bool over = false;
    if (!add_watches(hub, s, a->watchlist, &over)) {
        hub_no_memory(hub, conn);
        return;
    }
    send_watch_states(hub, s);
    if (!over || conn->closed) return;
    struct peer_refusal r = {
        .code = 4302,
        .text = SPAN("Watchlist limit exceeded. Only the first 100 user IDs are accepted."),
    };
    hub_refuse(hub, conn, &r);
}

void hub_signout(struct hub *hub, struct hub_conn *conn)
{
    struct signin *s = conn->signin;
    if (!s) return;
    conn->signin = NULL;
    dir_signout(hub->dir, conn->app, s->who, hub->now_ms);
    signin_free(hub, s);
}

/* --- what the directory posted about a user --- */

void hub_deliver_user(struct hub *hub, const struct post *post)
{
    struct user *u = users_find(&hub->users, post->app, post->user);
    if (!u) return;
    const struct list *head = &u->links[USER_SIGNED_IN];
    for (struct list *node = head->next; node != head; node = node->next) {
        const struct signin *s = CONTAINER_OF(node, struct signin, link.node);
        if (s->seq >= post->seq) {
            hub->tally.later++;
            continue;
        }
        if (post->exclude && s->conn->socket_id == post->exclude) {
            hub->tally.excluded++;
            continue;
        }
        hub->sink.deliver(s->conn, post->msg);
        hub->tally.delivered++;
        count_delivered(hub, post->app, post->msg, 1);
    }
}

void hub_deliver_watch(struct hub *hub, const struct post *post)
{
    struct user *u = users_find(&hub->users, post->app, post->user);
    if (!u) return;
    const struct list *head = &u->links[USER_WATCHER];
    for (struct list *node = head->next; node != head; node = node->next) {
        const struct watch *w = CONTAINER_OF(node, struct watch, link.node);
        if (w->seq < post->seq) hub->sink.deliver(w->link.conn, post->msg);
    }
}

/* Closing takes links out of these lists (or later, as the server likes), so each round takes the
 * next one that is not closed yet. */
static struct hub_conn *next_open(struct user *u)
{
    for (unsigned role = USER_SIGNED_IN; role <= USER_PRESENT; role++) {
        const struct list *head = &u->links[role];
        for (struct list *node = head->next; node != head; node = node->next) {
            struct hub_conn *conn = CONTAINER_OF(node, struct user_link, node)->conn;
            if (!conn->closed) return conn;
        }
    }
    return NULL;
}

void hub_terminate_here(struct hub *hub, const struct post *post)
{
    for (;;) {
        struct user *u = users_find(&hub->users, post->app, post->user);
        struct hub_conn *conn = u ? next_open(u) : NULL;
        if (!conn) return;
        hub->sink.close(conn, 4009, SPAN("You got disconnected by the app."));
        hub_conn_close(hub, conn);
    }
}
