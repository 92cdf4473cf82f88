/* SPDX-License-Identifier: MIT
 *
 * tests/world.h: apps, a directory, hubs and clients in one thread with a virtual clock.
 *
 * What a client hears is kept as references in a ring of the last CLIENT_HEARS messages, so that
 * recording allocates nothing and a test of failing allocations fails the hub's only. Time stands
 * still until world_advance.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H
#include "base/list.h"
#include "base/mem.h"
#include "hub/hub.h"

#define WORLD_APPS 4
#define WORLD_WORKERS 8
#define WORLD_START_MS 1000000
#define CLIENT_HEARS 32

struct world {
    struct app_settings settings[WORLD_APPS]; /* change them between init and open */
    struct span secrets[WORLD_APPS];
    size_t n_apps;
    uint64_t mailbox_bytes;
    unsigned n_workers;
    msg_frame_head *frame_head;
    bool closes_late; /* connections that the hub closes stay until the world settles */
    struct apps *apps;
    struct directory *dir;
    struct hub *hubs[WORLD_WORKERS];
    _Atomic bool woken[WORLD_WORKERS]; /* a test may give each worker a thread */
    uint64_t now_ms;
    struct list clients;
    _Atomic unsigned n_refused, n_cache_full;
};

struct client {
    struct hub_conn conn;
    struct world *world;
    struct list node;
    unsigned worker;
    uint32_t n_heard, n_read;
    struct msg *heard[CLIENT_HEARS];
    unsigned close_code; /* 0: the hub did not close it */
    char close_text[128];
    void (*hears)(struct client *c, struct msg *msg); /* instead of the ring */
};

/* A frame head for layers that know no WebSocket. */
static inline size_t world_plain_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    memset(out, 'H', 4);
    return len < 126 ? 2 : 4;
}

static inline bool world_deliver(struct hub_conn *conn, struct msg *msg)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    if (c->conn.closed || c->close_code) return true;
    if (c->hears) {
        c->hears(c, msg);
        return true;
    }
    CHECK(c->n_heard - c->n_read < CLIENT_HEARS);
    struct msg **place = &c->heard[c->n_heard++ % CLIENT_HEARS];
    msg_unref(*place);
    *place = msg_ref(msg);
    return true;
}

static inline void world_close_conn(struct hub_conn *conn, unsigned code, struct span text)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    if (!c->close_code) {
        c->close_code = code;
        snprintf(c->close_text, sizeof c->close_text, "%.*s", SPAN_FMT(text));
    }
    if (!c->world->closes_late) hub_conn_close(c->world->hubs[c->worker], conn);
}

static inline void world_refused(struct hub_conn *conn, const struct peer_refusal *r)
{
    CHECK(r->code || r->type);
    CONTAINER_OF(conn, struct client, conn)->world->n_refused++;
}

static inline void world_cache_full(void *ctx, struct app *app, struct span channel)
{
    CHECK(app && channel.n);
    ((struct world *)ctx)->n_cache_full++;
}

static inline void world_wake(void *ctx, unsigned worker)
{
    ((struct world *)ctx)->woken[worker] = true;
}

/* The app of the protocol page as the first one; further ones are copies under other names. */
static inline void world_init(struct world *w, unsigned n_workers)
{
    static const struct span ids[] = { SPAN("app-id"), SPAN("app-2"), SPAN("app-3"),
                                       SPAN("app-4") };
    static const struct span keys[] = { SPAN("app-key"), SPAN("key-2"), SPAN("key-3"),
                                        SPAN("key-4") };
    *w = (struct world) { .n_apps = 2, .n_workers = n_workers, .now_ms = WORLD_START_MS };
    w->frame_head = world_plain_head;
    list_init(&w->clients);
    for (size_t i = 0; i < WORLD_APPS; i++) {
        w->secrets[i] = SPAN("app-secret");
        w->settings[i] = (struct app_settings) {
            .id = ids[i],
            .key = keys[i],
            .secrets = { &w->secrets[i], 1 },
            .enabled = true,
            .client_events = true,
            .activity_timeout_s = 30,
            .cache_ttl_s = 1800,
            .limits = { .message_bytes = 262144,
                        .client_events_per_second = 10,
                        .presence_member_bytes = 2048,
                        .channel_name = 200,
                        .event_name = 200,
                        .subscriptions = 1000,
                        .cache_bytes = 1 << 20 },
        };
    }
}

static inline void world_open(struct world *w)
{
    struct diag diag = { "" };
    CHECK(apps_new(&w->apps, w->settings, w->n_apps, true, &diag) == ERR_OK);
    struct dir_hooks hooks = { .frame_head = w->frame_head, .wake = world_wake, .ctx = w };
    CHECK(dir_new(&w->dir, w->n_workers, w->mailbox_bytes, &hooks) == ERR_OK);
    struct hub_sink sink = {
        .frame_head = w->frame_head,
        .deliver = world_deliver,
        .close = world_close_conn,
        .refused = world_refused,
        .cache_full = world_cache_full,
        .ctx = w,
    };
    for (unsigned i = 0; i < w->n_workers; i++) {
        CHECK(hub_new(&w->hubs[i], w->dir, i, &sink) == ERR_OK);
        hub_turn_begin(w->hubs[i], w->now_ms);
    }
}

/* One turn of a worker's mailbox. True when it has work left. */
static inline bool world_turn(struct world *w, unsigned worker)
{
    w->woken[worker] = false;
    hub_turn_begin(w->hubs[worker], w->now_ms);
    bool more = hub_run_mailbox(w->hubs[worker]);
    hub_turn_end(w->hubs[worker]);
    return more;
}

static inline void world_carry_out_closes(struct world *w)
{
    for (struct list *n = w->clients.next; n != &w->clients; n = n->next) {
        struct client *c = CONTAINER_OF(n, struct client, node);
        if (c->close_code && !c->conn.closed) hub_conn_close(w->hubs[c->worker], &c->conn);
    }
}

/* Turns of all workers until nothing is under way. */
static inline void world_settle(struct world *w)
{
    for (bool more = true; more;) {
        more = false;
        world_carry_out_closes(w);
        for (unsigned i = 0; i < w->n_workers; i++) more |= world_turn(w, i);
        for (unsigned i = 0; i < w->n_workers; i++) more |= w->woken[i];
    }
}

/* Moves the clock, stopping at each deadline. */
static inline void world_advance(struct world *w, uint64_t by_ms)
{
    uint64_t until_ms = w->now_ms + by_ms;
    for (;;) {
        uint64_t next_ms = until_ms;
        for (unsigned i = 0; i < w->n_workers; i++) {
            uint64_t at_ms = hub_next_deadline_ms(w->hubs[i]);
            if (at_ms < next_ms) next_ms = at_ms;
        }
        if (next_ms > w->now_ms) w->now_ms = next_ms;
        world_settle(w);
        if (next_ms == until_ms) return;
    }
}
#endif
