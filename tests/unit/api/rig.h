/* SPDX-License-Identifier: MIT
 *
 * tests/unit/api/rig.h: the HTTP API over a real hub with one worker, and clients that write down
 * what they get. Requests are bytes, as a back end sends them; the app is the protocol page's. */
#ifndef TESTS_UNIT_API_RIG_H
#define TESTS_UNIT_API_RIG_H
#include "api/api.h"
#include "base/json_write.h"
#include "unit/test.h"

#define RIG_UNIX_S 1700000000
#define RIG_CLIENTS 4

struct client {
    struct hub_conn conn;
    struct buf got; /* each message and a line feed */
    unsigned close_code;
};

struct rig {
    struct app_settings settings[2];
    struct apps *apps;
    struct directory *dir;
    struct hub *hub;
    struct api *api;
    struct api_settings set;
    struct client clients[RIG_CLIENTS];
    size_t n_clients;
    uint64_t now_ms, unix_s, mailbox_bytes;
    size_t chop; /* 0: requests come whole; else so many octets at once */
    /* the last answer */
    struct buf out;
    unsigned status;
    struct span head, body;
    struct api_call call;
};

static inline size_t rig_frame_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    out[0] = 0x81;
    out[1] = (uint8_t)(len & 0x7f);
    return 2;
}

static inline bool rig_deliver(struct hub_conn *conn, struct msg *msg)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    buf_add_span(&c->got, msg_text(msg));
    buf_add_byte(&c->got, '\n');
    return true;
}

static inline void rig_close(struct hub_conn *conn, unsigned code, struct span text)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    c->close_code = code;
    (void)text;
}

static inline void rig_wake(void *ctx, unsigned worker)
{
    (void)ctx;
    (void)worker;
}

/* The settings that a test may change between rig_init and rig_start. */
static inline void rig_init(struct rig *rig)
{
    static struct span secret = { "app-secret", 10 };
    *rig = (struct rig) { .now_ms = 1000000, .unix_s = RIG_UNIX_S };
    struct app_settings s = {
        .id = SPAN("app-id"),
        .key = SPAN("app-key"),
        .secrets = { &secret, 1 },
        .enabled = true,
        .client_events = true,
        .cache_ttl_s = 1800,
        .limits = { .message_bytes = 1000,
                    .channels_per_publish = 20,
                    .batch = 10,
                    .presence_member_bytes = 2048,
                    .channel_name = 200,
                    .event_name = 200,
                    .cache_bytes = 1 << 20 },
    };
    rig->settings[0] = s;
    s.id = SPAN("off");
    s.key = SPAN("off-key");
    s.enabled = false;
    rig->settings[1] = s;
    rig->set.auth_window_s = 600;
}

static inline void rig_start(struct rig *rig)
{
    struct dir_hooks hooks = { .frame_head = rig_frame_head, .wake = rig_wake };
    struct hub_sink sink = { .frame_head = rig_frame_head,
                             .deliver = rig_deliver,
                             .close = rig_close };
    assert_int_equal(apps_new(&rig->apps, rig->settings, 2, true, NULL), ERR_OK);
    assert_int_equal(dir_new(&rig->dir, 1, rig->mailbox_bytes, &hooks), ERR_OK);
    assert_int_equal(hub_new(&rig->hub, rig->dir, 0, &sink), ERR_OK);
    rig->set.apps = rig->apps;
    rig->set.hub = rig->hub;
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    hub_turn_begin(rig->hub, rig->now_ms);
}

/* Lets the hub deliver what is posted. */
static inline void rig_turn(struct rig *rig)
{
    while (hub_run_mailbox(rig->hub)) hub_turn_end(rig->hub);
    hub_turn_end(rig->hub);
    hub_turn_begin(rig->hub, rig->now_ms);
}

static inline void rig_stop(struct rig *rig)
{
    rig_turn(rig);
    for (size_t i = 0; i < rig->n_clients; i++) hub_conn_close(rig->hub, &rig->clients[i].conn);
    rig_turn(rig);
    for (size_t i = 0; i < rig->n_clients; i++) buf_fini(&rig->clients[i].got);
    api_free(rig->api);
    hub_free(rig->hub);
    dir_free(rig->dir);
    apps_free(rig->apps);
    buf_fini(&rig->out);
}

/* --- clients --- */

static inline struct app *rig_app(struct rig *rig)
{
    return apps_find_id(rig->apps, SPAN("app-id"));
}

static inline struct client *rig_connect(struct rig *rig, uint32_t high, uint32_t low)
{
    assert_true(rig->n_clients < RIG_CLIENTS);
    struct client *c = &rig->clients[rig->n_clients++];
    assert_true(app_conn_take(rig_app(rig)));
    hub_conn_open(rig->hub, &c->conn, rig_app(rig), (uint64_t)high << 32 | low);
    buf_clear(&c->got);
    return c;
}

static inline void rig_say(struct rig *rig, struct client *c, const char *text)
{
    hub_on_text(rig->hub, &c->conn, span_str(text));
    rig_turn(rig);
}

/* Subscribes with a right signature where one is needed; `user`: channel_data, or NULL. */
static inline void rig_subscribe(struct rig *rig, struct client *c, const char *channel,
                                 const char *user)
{
    struct buf text = { 0 };
    struct buf auth = { 0 };
    char id[SOCKET_ID_MAX];
    struct span socket_id = span_of(id, socket_id_write(c->conn.socket_id, id));
    auth_sign_channel(&rig_app(rig)->rules->keys, socket_id, span_str(channel), span_str(user),
                      &auth);
    buf_add_fmt(&text, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"", channel);
    buf_add_fmt(&text, ",\"auth\":\"%.*s\"", SPAN_FMT(buf_span(&auth)));
    if (user) {
        BUF_ADD_LIT(&text, ",\"channel_data\":\"");
        json_escape(&text, span_str(user));
        buf_add_byte(&text, '"');
    }
    BUF_ADD_LIT(&text, "}}");
    buf_add_byte(&text, '\0');
    buf_clear(&c->got);
    rig_say(rig, c, text.p);
    assert_non_null(memmem(c->got.p, c->got.n, "subscription_succeeded", 22));
    for (size_t i = 0; i < rig->n_clients; i++) buf_clear(&rig->clients[i].got);
    buf_fini(&text);
    buf_fini(&auth);
}

static inline void rig_signin(struct rig *rig, struct client *c, const char *id)
{
    struct buf text = { 0 }, user = { 0 }, auth = { 0 };
    char socket[SOCKET_ID_MAX];
    struct span socket_id = span_of(socket, socket_id_write(c->conn.socket_id, socket));
    buf_add_fmt(&user, "{\"id\":\"%s\"}", id);
    auth_sign_user(&rig_app(rig)->rules->keys, socket_id, buf_span(&user), &auth);
    buf_add_fmt(&text,
                "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"%.*s\",\"user_data\":\"{\\\"id"
                "\\\":\\\"%s\\\"}\"}}",
                SPAN_FMT(buf_span(&auth)), id);
    buf_add_byte(&text, '\0');
    rig_say(rig, c, text.p);
    assert_non_null(memmem(c->got.p, c->got.n, "signin_success", 14));
    buf_clear(&c->got);
    buf_fini(&text);
    buf_fini(&user);
    buf_fini(&auth);
}
#endif
