/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/peer.h: one client of the app of the protocol page, and what it says. */
#ifndef TESTS_UNIT_PUSHER_PEER_H
#define TESTS_UNIT_PUSHER_PEER_H
#include "base/json_write.h"
#include "base/mem.h"
#include "unit/pusher/app.h"

#define PEER_SOCKET (UINT64_C(1234) << 32 | 5678)

struct peer {
    struct app app;
    struct peer_rules rules;
    struct peer_user user;
    struct buf scratch;
    struct buf text; /* the last message that was built here */
    struct peer_action action;
};

static inline int peer_open(void **state)
{
    static struct peer p;
    p = (struct peer) { 0 };
    app_open(&p.app, "app-key", "app-secret", NULL);
    p.rules = (struct peer_rules) {
        .keys = p.app.keys,
        .names = { .limit = 200, .strict = true },
        .event_name_limit = 200,
        .message_limit = 262144,
        .member_info_limit = 2048,
        .client_events = true,
        .app_id = SPAN("app-id"),
    };
    *state = &p;
    return 0;
}

static inline int peer_close(void **state)
{
    struct peer *p = *state;
    buf_fini(&p->scratch);
    buf_fini(&p->text);
    app_close(&p->app);
    return 0;
}

/* The message stands in memory of its exact size, so that ASan sees a read beyond it. */
static inline const struct peer_action *peer_hears_span(struct peer *p, struct span text)
{
    struct buf exact = { 0 };
    buf_add_span(&exact, text);
    buf_take(&p->text, &exact);
    peer_on_message(PEER_SOCKET, &p->rules, &p->user, buf_span(&p->text), &p->scratch, &p->action);
    return &p->action;
}

static inline const struct peer_action *peer_hears(struct peer *p, const char *text)
{
    return peer_hears_span(p, span_str(text));
}

/* Appends the data of a subscription that is signed as the back end does. */
static inline void peer_subscribe_data(struct peer *p, struct buf *out, const char *channel,
                                       const char *channel_data)
{
    struct buf auth = { 0 };
    auth_sign_channel(&p->app.keys, SPAN(SOCKET_ID), span_str(channel), span_str(channel_data),
                      &auth);
    json_open(out, '{');
    json_key(out, SPAN("channel"));
    json_string(out, span_str(channel));
    json_key(out, SPAN("auth"));
    json_string(out, buf_span(&auth));
    if (channel_data) {
        json_key(out, SPAN("channel_data"));
        json_string(out, span_str(channel_data));
    }
    json_close(out, '}');
    buf_fini(&auth);
}

static inline const struct peer_action *peer_subscribes(struct peer *p, const char *channel,
                                                        const char *channel_data)
{
    struct buf text = { 0 };
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:subscribe\",\"data\":");
    peer_subscribe_data(p, &text, channel, channel_data);
    BUF_ADD_LIT(&text, "}");
    peer_hears_span(p, buf_span(&text));
    buf_fini(&text);
    return &p->action;
}

/* A sign-in that the back end signed. */
static inline const struct peer_action *peer_signs_in(struct peer *p, const char *user_data)
{
    struct buf text = { 0 }, auth = { 0 };
    auth_sign_user(&p->app.keys, SPAN(SOCKET_ID), span_str(user_data), &auth);
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":");
    json_string(&text, buf_span(&auth));
    json_key(&text, SPAN("user_data"));
    json_string(&text, span_str(user_data));
    BUF_ADD_LIT(&text, "}}");
    peer_hears_span(p, buf_span(&text));
    buf_fini(&text);
    buf_fini(&auth);
    return &p->action;
}
#endif
