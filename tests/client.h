/* SPDX-License-Identifier: MIT
 *
 * tests/client.h: the clients of a world (tests/world.h): what they say and what they heard, and
 * the world's other end: publishing, and that nothing is left when it ends.
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H
#include "base/json_write.h"
#include "world.h"

/* Zeroes `c` but for what it does with what it hears. */
static inline void client_open_as(struct client *c, struct world *w, unsigned worker, size_t app,
                                  uint64_t socket_id)
{
    void (*hears)(struct client *, struct msg *) = c->hears;
    *c = (struct client) { .world = w, .worker = worker, .hears = hears };
    list_push(&w->clients, &c->node);
    hub_turn_begin(w->hubs[worker], w->now_ms);
    hub_conn_open(w->hubs[worker], &c->conn, &w->apps->all[app], socket_id);
    hub_turn_end(w->hubs[worker]);
}

/* Skips connection_established. */
static inline void client_open(struct client *c, struct world *w, unsigned worker, uint32_t number)
{
    client_open_as(c, w, worker, 0, (uint64_t)number << 32 | number);
    c->n_read = c->n_heard;
}

static inline struct hub *client_hub(struct client *c)
{
    return c->world->hubs[c->worker];
}

static inline void client_close(struct client *c)
{
    hub_turn_begin(client_hub(c), c->world->now_ms);
    hub_conn_close(client_hub(c), &c->conn);
    hub_turn_end(client_hub(c));
}

/* Its memory may be used for another client then. No post may be under way to it. */
static inline void client_forget(struct client *c)
{
    CHECK(c->conn.closed && c->conn.pins == 0);
    for (size_t i = 0; i < CLIENT_HEARS; i++) msg_unref(c->heard[i]);
    memset(c->heard, 0, sizeof c->heard);
    list_remove(&c->node);
}

static inline void client_says_span(struct client *c, struct span text)
{
    hub_turn_begin(client_hub(c), c->world->now_ms);
    hub_on_text(client_hub(c), &c->conn, text);
    hub_turn_end(client_hub(c));
}

static inline void client_says(struct client *c, const char *text)
{
    client_says_span(c, span_str(text));
}

static inline struct span client_socket(const struct client *c, char out[SOCKET_ID_MAX])
{
    return span_of(out, socket_id_write(c->conn.socket_id, out));
}

/* Appends a subscribe as the app's back end signs it. */
static inline void write_subscribe(struct buf *out, const struct client *c, struct span channel,
                                   struct span channel_data)
{
    char id[SOCKET_ID_MAX];
    struct buf auth = { 0 };
    auth_sign_channel(&c->conn.app->rules->keys, client_socket(c, id), channel, channel_data,
                      &auth);
    BUF_ADD_LIT(out, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":");
    json_string(out, buf_span(&auth));
    json_key(out, SPAN("channel"));
    json_string(out, channel);
    if (channel_data.p) {
        json_key(out, SPAN("channel_data"));
        json_string(out, channel_data);
    }
    BUF_ADD_LIT(out, "}}");
    buf_fini(&auth);
}

static inline void write_signin(struct buf *out, const struct client *c, struct span user_data)
{
    char id[SOCKET_ID_MAX];
    struct buf auth = { 0 };
    auth_sign_user(&c->conn.app->rules->keys, client_socket(c, id), user_data, &auth);
    BUF_ADD_LIT(out, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":");
    json_string(out, buf_span(&auth));
    json_key(out, SPAN("user_data"));
    json_string(out, user_data);
    BUF_ADD_LIT(out, "}}");
    buf_fini(&auth);
}

static inline void client_subscribes(struct client *c, const char *channel, const char *data)
{
    struct buf text = { 0 };
    write_subscribe(&text, c, span_str(channel), span_str(data));
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

static inline void client_unsubscribes(struct client *c, const char *channel)
{
    struct buf text = { 0 };
    buf_add_fmt(&text, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"%s\"}}", channel);
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

static inline void client_signs_in(struct client *c, const char *user_data)
{
    struct buf text = { 0 };
    write_signin(&text, c, span_str(user_data));
    client_says_span(c, buf_span(&text));
    buf_fini(&text);
}

/* The next text that the client has not read yet; p == NULL: none. */
static inline struct span client_reads(struct client *c)
{
    if (c->n_read == c->n_heard) return (struct span) { NULL, 0 };
    return msg_text(c->heard[c->n_read++ % CLIENT_HEARS]);
}

static inline void client_skips(struct client *c)
{
    c->n_read = c->n_heard;
}

/* Through the first app; `name` and `data` are JSON values. */
static inline struct hub_publish world_publish_as(struct world *w, unsigned worker,
                                                  const char *channel, const char *data,
                                                  uint64_t exclude)
{
    struct hub_publish p = {
        .app = &w->apps->all[0],
        .channel = span_str(channel),
        .kind = chan_kind_of(span_str(channel)),
        .name_raw = SPAN("\"e\""),
        .data_raw = span_str(data),
        .exclude = exclude,
    };
    hub_turn_begin(w->hubs[worker], w->now_ms);
    CHECK(hub_publish(w->hubs[worker], &p) == ERR_OK);
    hub_turn_end(w->hubs[worker]);
    return p;
}

static inline void world_publish(struct world *w, const char *channel, const char *data)
{
    world_publish_as(w, 0, channel, data, 0);
}

/* Closes everybody, settles, and frees: the CHECKs of the directory and ASan look for leaks. */
static inline void world_end(struct world *w)
{
    for (struct list *n = w->clients.next; n != &w->clients; n = n->next)
        client_close(CONTAINER_OF(n, struct client, node));
    world_settle(w);
    for (struct list *n; (n = list_first(&w->clients));)
        client_forget(CONTAINER_OF(n, struct client, node));
    for (unsigned i = 0; i < w->n_workers; i++) CHECK(dir_backlog_bytes(w->dir, i) == 0);
    for (unsigned i = 0; i < w->n_workers; i++) hub_free(w->hubs[i]);
    dir_free(w->dir);
    for (size_t i = 0; i < w->n_apps; i++) CHECK(atomic_load(&w->apps->all[i].cache_bytes) == 0);
    apps_free(w->apps);
}
#endif
