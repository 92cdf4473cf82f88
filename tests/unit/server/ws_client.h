/* SPDX-License-Identifier: MIT
 * tests/unit/server/ws_client.h: a raw client that speaks WebSocket, well or badly. */
#ifndef TESTS_SERVER_WS_CLIENT_H
#define TESTS_SERVER_WS_CLIENT_H
#include "unit/server/raw_client.h"
#include "ws/encoder.h"

/* A request of a browser-like client for a key; without the upgrade's answer. */
static inline void cl_upgrade(struct cl *c, const char *key, const char *headers)
{
    struct buf b = { 0 };
    buf_add_fmt(&b,
                "GET /app/%s?protocol=7&client=js HTTP/1.1\r\nHost: localhost\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                key, headers);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
}

/* The next event of the WebSocket, its data in `text`; WS_EV_MORE: the stream ended. */
static inline struct ws_ev cl_event(struct cl *c)
{
    static const struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    for (;;) {
        struct ws_ev ev;
        size_t used = ws_decode(&c->dec, &limits, (uint8_t *)c->in.p, c->in.n, &ev);
        buf_clear(&c->text);
        buf_add_span(&c->text, ev.data);
        buf_drop(&c->in, used);
        CHECK(ev.kind != WS_EV_FAIL);
        ev.data = buf_span(&c->text);
        if (ev.kind != WS_EV_MORE || !cl_fill(c)) return ev;
    }
}

static inline bool cl_text_has(const struct cl *c, const char *text)
{
    return c->text.n && memmem(c->text.p, c->text.n, text, strlen(text)) != NULL;
}

/* Reads on until a message has `word`; others are left out. False: closed before. */
static inline bool cl_hears(struct cl *c, const char *word)
{
    for (;;) {
        struct ws_ev ev = cl_event(c);
        if (ev.kind == WS_EV_MORE || ev.kind == WS_EV_CLOSE) return false;
        if (ev.kind == WS_EV_MESSAGE && cl_text_has(c, word)) return true;
    }
}

/* Reads on to the close frame: its code. 0: the stream ended without one. */
static inline unsigned cl_closed(struct cl *c)
{
    for (;;) {
        struct ws_ev ev = cl_event(c);
        if (ev.kind == WS_EV_MORE) return 0;
        if (ev.kind == WS_EV_CLOSE) return ev.close_code;
    }
}

/* The close frame and then a proper end of the stream: nothing was lost by a reset. */
static inline unsigned cl_closed_well(struct cl *c)
{
    unsigned code = cl_closed(c);
    if (c->end == STILL_OPEN) cl_drain(c);
    return c->end == ENDED ? code : 0;
}

static inline void cl_accepted(struct cl *c)
{
    CHECK(cl_response(c) == 101);
}

static inline void cl_frame(struct cl *c, struct span text)
{
    static const uint8_t mask[4] = { 1, 2, 3, 4 };
    struct buf b = { 0 };
    ws_write_text(&b, text, mask);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
}

/* Header and (unmasked by a mask of zeros) payload of any frame. */
static inline void cl_raw_frame(struct cl *c, uint8_t first, struct span payload)
{
    CHECK(payload.n < 126);
    uint8_t head[6] = { first, (uint8_t)(0x80 | payload.n) };
    cl_send(c, span_of(head, 6));
    cl_send(c, payload);
}

static inline void cl_subscribe(struct cl *c, const char *channel)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"}}", channel);
    cl_frame(c, buf_span(&b));
    buf_fini(&b);
    CHECK(cl_hears(c, "subscription_succeeded"));
}
#endif
