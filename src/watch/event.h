/* SPDX-License-Identifier: MIT
 *
 * watch/event.h: one event of the live stream (docs/internals/watch.md), as those who make it give
 * it, and as JSON. Made only while somebody watches. Pure.
 */
#ifndef WATCH_EVENT_H
#define WATCH_EVENT_H
#include "base/buf.h"
#include "pusher/peer.h"

#define WATCH_TYPES(X)                                                                             \
    X(CONNECTED, "connected")                                                                      \
    X(DISCONNECTED, "disconnected")                                                                \
    X(SUBSCRIBED, "subscribed")                                                                    \
    X(UNSUBSCRIBED, "unsubscribed")                                                                \
    X(OCCUPIED, "occupied")                                                                        \
    X(VACATED, "vacated")                                                                          \
    X(CLIENT_MESSAGE, "client-message")                                                            \
    X(API_MESSAGE, "api-message")                                                                  \
    X(DELIVERED, "delivered")                                                                      \
    X(REFUSED, "refused")
enum watch_type {
#define X(id, name) WATCH_##id,
    WATCH_TYPES(X)
#undef X
        WATCH_N_TYPES
};

#define WATCH_DATA_MAX 4096 /* octets of a payload that are shown */

/* What a type does not have stays zero (p == NULL). All borrowed for the call. */
struct watch_event {
    enum watch_type type;
    uint64_t unix_ms;
    struct span app;
    uint64_t socket_id, exclude, fact;
    struct span channel, user_id, why;
    struct span event_raw, data_raw;     /* JSON values */
    struct span client, origin, address; /* CONNECTED */
    const char *source, *kind;           /* static */
    uint32_t n_subs, n_workers, delivered, excluded, later;
    unsigned status, code;
    uint64_t lasted_ms;
};

const char *watch_type_name(enum watch_type type);
/* Appends the JSON object. Texts that are not UTF-8 are repaired. */
void watch_event_write(const struct watch_event *ev, struct buf *out);

/* --- helpers of all writers of this layer --- */
/* "123.456", or null for 0. */
void watch_key_socket(struct buf *out, const char *key, uint64_t socket_id);
/* "0-17", or null for 0. */
void watch_key_fact(struct buf *out, const char *key, uint64_t id);
#define FACT_ID_TEXT_MAX 24
size_t watch_fact_write(uint64_t id, char out[FACT_ID_TEXT_MAX]); /* returns the length */
bool watch_fact_read(struct span text, uint64_t *id);
/* A text, or null where p is NULL. */
void watch_key_text(struct buf *out, const char *key, struct span text);
/* The string whose inside this is, or null where p is NULL. */
void watch_key_inside(struct buf *out, const char *key, struct span inside);
void watch_key_u64(struct buf *out, const char *key, uint64_t v);
/* The number, or null for 0. */
void watch_key_some(struct buf *out, const char *key, uint64_t v);
#endif
