/* SPDX-License-Identifier: MIT
 *
 * tests/unit/api/rig.h: the HTTP API over a real hub with one worker, and clients that write down
 * what they get. Requests are bytes, as a back end sends them; the app is that of the protocol
 * page.
 */
#ifndef TESTS_UNIT_API_RIG_H
#define TESTS_UNIT_API_RIG_H
#include "api/api.h"
#include "http/url.h"
#include "unit/test.h"
#include <stdlib.h>

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
    uint64_t now_ms, unix_s;
    uint64_t mailbox_bytes;
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

static inline void rig_deliver(struct hub_conn *conn, struct msg *msg)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    buf_add_span(&c->got, msg_text(msg));
    buf_add_byte(&c->got, '\n');
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
    auth_sign_channel(&rig_app(rig)->rules.keys, socket_id, span_str(channel), span_str(user),
                      &auth);
    buf_add_fmt(&text, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"", channel);
    buf_add_fmt(&text, ",\"auth\":\"%.*s\"", SPAN_FMT(buf_span(&auth)));
    if (user) {
        BUF_ADD_LIT(&text, ",\"channel_data\":\"");
        for (const char *p = user; *p; p++) {
            if (*p == '"') buf_add_byte(&text, '\\');
            buf_add_byte(&text, *p);
        }
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
    auth_sign_user(&rig_app(rig)->rules.keys, socket_id, buf_span(&user), &auth);
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

/* What the client got since the last question, then forgets it. */
#define assert_got(client, text)                                                                   \
    do {                                                                                           \
        assert_buf(&(client)->got, text);                                                          \
        buf_clear(&(client)->got);                                                                 \
    } while (0)

/* --- requests --- */

static inline void rig_read_answer(struct rig *rig)
{
    struct span out = buf_span(&rig->out);
    const char *end = memmem(out.p, out.n, "\r\n\r\n", 4);
    assert_non_null(end);
    rig->head = span_of(out.p, (size_t)(end - out.p) + 2);
    rig->body = span_skip(out, rig->head.n + 2);
    rig->status = (unsigned)strtoul(out.p + 9, NULL, 10);
    assert_int_equal(rig->status, rig->call.status);
}

/* Sends the bytes of one request. Returns what api_finish did. */
static inline enum err rig_send(struct rig *rig, struct span bytes)
{
    struct http1_req req;
    enum http1_ev ev = HTTP1_EV_MORE;
    enum err err = ERR_OK;
    http1_req_init(&req, &http1_limits_default);
    buf_clear(&rig->out);
    do {
        size_t n = rig->chop && rig->chop < bytes.n ? rig->chop : bytes.n;
        size_t used = http1_req_feed(&req, bytes.p, n, &ev);
        bytes = span_skip(bytes, used);
        if (ev == HTTP1_EV_HEAD) {
            memset(&rig->call, 0xa5, sizeof rig->call);
            api_head(rig->api, &req, rig->unix_s, &rig->call);
            http1_req_limit_body(&req, rig->call.body_limit, rig->call.body_option);
        } else if (ev == HTTP1_EV_DONE) {
            err = api_finish(rig->api, &req, http1_reply_to(&req), &rig->call, &rig->out);
            break;
        }
    } while (ev != HTTP1_EV_FAIL && (bytes.n || ev == HTTP1_EV_HEAD));
    if (ev == HTTP1_EV_FAIL) {
        rig->call.status = http1_req_fail(&req)->status;
        assert_int_equal(http1_res_fail(&rig->out, &req), ERR_OK);
    }
    http1_req_fini(&req);
    return err;
}

/* Sends and delivers. */
static inline void rig_raw(struct rig *rig, const char *method, const char *target,
                           const char *body)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "%s %s HTTP/1.1\r\nHost: x\r\n", method, target);
    if (body) buf_add_fmt(&b, "Content-Length: %zu\r\n", strlen(body));
    BUF_ADD_LIT(&b, "\r\n");
    if (body) buf_add_span(&b, span_str(body));
    assert_int_equal(rig_send(rig, buf_span(&b)), ERR_OK);
    buf_fini(&b);
    rig_read_answer(rig);
    rig_turn(rig);
}

/* Appends the auth parameters of a request to `query` and signs with the app's secret. */
static inline void rig_sign(struct rig *rig, const char *method, const char *path,
                            struct buf *query, const char *body)
{
    struct auth_param params[AUTH_MAX_PARAMS];
    struct auth_request req = { span_str(method), span_str(path), params, 0, false };
    struct buf scratch = { 0 }, string = { 0 };
    char hex[SHA256_HEX_LEN], md5[MD5_HEX_LEN];
    if (query->n) buf_add_byte(query, '&');
    buf_add_fmt(query, "auth_key=app-key&auth_timestamp=%llu&auth_version=1.0",
                (unsigned long long)rig->unix_s);
    if (body && *body) {
        md5_hex(span_str(body), md5);
        buf_add_fmt(query, "&body_md5=%.*s", MD5_HEX_LEN, md5);
    }
    assert_non_null(buf_room(&scratch, 2 * query->n));
    struct url_query it = url_query(buf_span(query));
    for (struct url_pair pair; url_query_next(&it, &pair); req.n_params++) {
        struct auth_param *p = &params[req.n_params];
        assert_int_equal(url_text(pair.key, URL_PLUS_LITERAL, &scratch, &p->key), ERR_OK);
        assert_int_equal(url_text(pair.value, URL_PLUS_LITERAL, &scratch, &p->value), ERR_OK);
    }
    assert_int_equal(auth_request_string(&req, &string), ERR_OK);
    auth_sign_string(&rig_app(rig)->rules.keys, buf_span(&string), hex);
    buf_add_fmt(query, "&auth_signature=%.*s", SHA256_HEX_LEN, hex);
    buf_fini(&scratch);
    buf_fini(&string);
}

/* A signed request; `path` behind /apps/app-id, `query` without auth parameters or NULL. */
static inline void rig_ask(struct rig *rig, const char *method, const char *path, const char *query,
                           const char *body)
{
    struct buf target = { 0 }, whole = { 0 };
    buf_add_fmt(&target, "/apps/app-id%s", path);
    buf_add_byte(&target, '\0');
    buf_add_span(&whole, span_str(query));
    rig_sign(rig, method, target.p, &whole, body);
    target.p[target.n - 1] = '?';
    buf_add_span(&target, buf_span(&whole));
    buf_add_byte(&target, '\0');
    rig_raw(rig, method, target.p, body);
    buf_fini(&target);
    buf_fini(&whole);
}

static inline void rig_post(struct rig *rig, const char *path, const char *body)
{
    rig_ask(rig, "POST", path, NULL, body);
}

static inline void rig_get(struct rig *rig, const char *path, const char *query)
{
    rig_ask(rig, "GET", path, query, NULL);
}

#define assert_answer(rig, want_status, want_body)                                                 \
    do {                                                                                           \
        assert_span((rig)->body, want_body);                                                       \
        assert_int_equal((rig)->status, want_status);                                              \
    } while (0)

/* A refusal `{"error":TEXT,"code":STATUS}`. */
#define assert_refused(rig, want_status, want_text)                                                \
    assert_answer(rig, want_status, "{\"error\":\"" want_text "\",\"code\":" #want_status "}")

static inline bool rig_has(struct span in, const char *what)
{
    return memmem(in.p, in.n, what, strlen(what)) != NULL;
}

/* The answer's head has this line. */
#define assert_header(rig, line) assert_true(rig_has((rig)->head, line "\r\n"))

static inline int rig_setup(void **state)
{
    struct rig *rig = test_malloc(sizeof *rig);
    rig_init(rig);
    rig_start(rig);
    *state = rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    rig_stop(*state);
    test_free(*state);
    return 0;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#endif
