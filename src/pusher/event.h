/* SPDX-License-Identifier: MIT
 *
 * pusher/event.h: protocol frames <-> bytes. Reads what clients send, writes everything that Peal
 * sends (protocol page 1.2-1.6, 2.3-2.8, 3.4, 3.5). One function per frame; each appends the JSON
 * text, without WebSocket framing; ask buf_failed() at the end.
 *
 * Arguments named `*_raw` are JSON values copied as they are; the others are UTF-8 text and get
 * escaped. A string of data that was published is relayed byte for byte.
 */
#ifndef PUSHER_EVENT_H
#define PUSHER_EVENT_H
#include "base/json_read.h"

/* A frame from a client, checked to be a JSON object with a string `event`, `channel` a string
 * where present, no member of these doubled. Spans borrow from the frame's text or the scratch
 * buffer. */
struct event_in {
    struct span name;     /* unescaped */
    struct span name_raw; /* the JSON string token */
    struct span channel;  /* unescaped; p == NULL where absent */
    struct json_val data; /* JSON_ABSENT where absent */
};

#define EVENT_MAX_DEPTH 64

/* False with a static reason in `*why` where the text is not such a frame. `scratch` must outlive
 * the use of the spans. */
bool event_parse(struct span text, struct event_in *ev, struct buf *scratch, const char **why);

/* The members of a `pusher:*` event's data, which may be an object or a string that holds one
 * (unescaped into scratch). False with a reason where it is neither or a field is doubled. */
bool event_data_fields(struct json_val data, struct json_field *fields, size_t n,
                       struct buf *scratch, const char **why);

/* --- frames from Peal --- */
void event_connection_established(struct buf *out, struct span socket_id, unsigned activity_s);
void event_pong(struct buf *out);
void event_ping(struct buf *out);
/* channel.p NULL: no channel member. code 0: null. */
void event_error(struct buf *out, struct span channel, unsigned code, struct span message);
/* type is "AuthError" or "LimitReached". */
void event_subscription_error(struct buf *out, struct span channel, struct span type,
                              struct span error, unsigned status);
void event_subscription_succeeded(struct buf *out, struct span channel);

/* A person as others see him: identity and what was said about it in channel_data or user_data. */
struct event_member {
    struct span id;       /* unescaped text: what identity means */
    struct span id_raw;   /* JSON token as it arrived: a string or a number */
    struct span info_raw; /* JSON value, n == 0 where absent (then null) */
};
/* The presence snapshot, written member by member since a roster may be large:
 * begin, one _id each, middle, one _info each in any order, end. */
struct event_snapshot {
    struct buf *out;
    bool some;
};
struct event_snapshot event_snapshot_begin(struct buf *out, struct span channel, size_t count);
void event_snapshot_id(struct event_snapshot *s, const struct event_member *m);
void event_snapshot_middle(struct event_snapshot *s);
void event_snapshot_info(struct event_snapshot *s, const struct event_member *m);
void event_snapshot_end(struct event_snapshot *s);

void event_member_added(struct buf *out, struct span channel, const struct event_member *m);
void event_member_removed(struct buf *out, struct span channel, const struct event_member *m);
void event_subscription_count(struct buf *out, struct span channel, uint64_t count);
void event_cache_miss(struct buf *out, struct span channel);
void event_signin_success(struct buf *out, struct span user_data);
/* "online"/"offline" change of one user. */
void event_watchlist_change(struct buf *out, bool online, struct span user_id);
/* The current states after a sign-in; either list may be empty (left out); both empty: writes
 * nothing and returns false. */
struct event_ids {
    const struct span *ids;
    size_t n;
};
bool event_watchlist_state(struct buf *out, struct event_ids online, struct event_ids offline);

/* A channel event: `{"event":…,"channel":…,"data":…[,"user_id":…]}`. data_raw.n == 0: no data
 * member. user_id.p NULL: none. `*data_at` (may be NULL) gets the offset of data_raw within what
 * was appended to `out` from out->n at the call. */
struct event_out {
    struct span name_raw;
    struct span channel;
    struct span data_raw;
    struct span user_id;
};
void event_channel(struct buf *out, const struct event_out *ev, size_t *data_at);
#endif
