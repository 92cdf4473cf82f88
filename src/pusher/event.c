/* SPDX-License-Identifier: MIT
 *
 * pusher/event.c: reads the frames of clients, writes the frames of Peal.
 *
 * The writers put literal text and escaped arguments one after the other, since each frame has one
 * form and `data` is mostly JSON inside a JSON string: a tree or a generic writer would hide the
 * bytes that the protocol page shows. Inside such a string, JSON that came from outside is escaped
 * once and text is escaped twice.
 */
#include "pusher/event.h"
#include "base/json_write.h"

/* --- reading --- */

bool event_parse(struct span text, struct event_in *ev, struct buf *scratch, const char **why)
{
    struct json_val root;
    struct json_bad bad;
    *ev = (struct event_in) { 0 };
    if (!json_check(text, EVENT_MAX_DEPTH, &root, &bad)) {
        *why = bad.why;
        return false;
    }
    *why = "it is not a JSON object";
    if (root.type != JSON_OBJECT) return false;
    struct json_field fields[] = { { .name = "event" }, { .name = "channel" }, { .name = "data" } };
    *why = "a member stands there twice";
    if (json_fields(root, fields, ARRAY_LEN(fields))) return false;
    struct json_val name = fields[0].val, channel = fields[1].val;
    *why = "event must be a string";
    if (name.type != JSON_STRING) return false;
    *why = "channel must be a string";
    bool has_channel = channel.type == JSON_STRING;
    if (!has_channel && channel.type != JSON_ABSENT && channel.type != JSON_NULL) return false;
    /* Both texts together are shorter than the frame: once this much room is there, the second
     * cannot move the first. */
    *why = "out of memory";
    if (!buf_room(scratch, text.n)) return false;
    ev->name_raw = name.raw;
    ev->name = json_text(name, scratch);
    if (has_channel) ev->channel = json_text(channel, scratch);
    ev->data = fields[2].val;
    *why = NULL;
    return true;
}

bool event_data_fields(struct json_val data, struct json_field *fields, size_t n,
                       struct buf *scratch, const char **why)
{
    struct json_val object = data;
    if (data.type == JSON_STRING) {
        struct span text = json_text(data, scratch);
        *why = "out of memory";
        if (buf_failed(scratch)) return false;
        struct json_bad bad;
        *why = "data is a string that holds no JSON object";
        if (!json_check(text, EVENT_MAX_DEPTH, &object, &bad)) return false;
    }
    *why = "data must be an object or a string that holds one";
    if (object.type != JSON_OBJECT) return false;
    *why = "a member of data stands there twice";
    if (json_fields(object, fields, n)) return false;
    *why = NULL;
    return true;
}

/* --- writing: escapes --- */

/* Half of a surrogate pair, as json_unescape() writes it: ED A0..BF xx. Such text can only come
 * from the names and ids of clients. It goes out as the escape that it came as: as octets it would
 * not be UTF-8, and browsers close a connection for that. */
static bool is_surrogate(struct span s)
{
    return s.n >= 3 && (unsigned char)s.p[0] == 0xed && (unsigned char)s.p[1] >= 0xa0;
}

static void add_surrogate(struct buf *out, const char *slash, const char *p)
{
    unsigned high = (unsigned char)p[1] & 0x3fu, low = (unsigned char)p[2] & 0x3fu;
    buf_add_fmt(out, "%su%04x", slash, 0xd000u | high << 6 | low);
}

/* Text into a JSON string. */
static void escape_text(struct buf *out, struct span text)
{
    while (text.n) {
        if (is_surrogate(text)) {
            add_surrogate(out, "\\", text.p);
            text = span_skip(text, 3);
            continue;
        }
        const char *next = memchr(text.p + 1, 0xed, text.n - 1);
        size_t n = next ? (size_t)(next - text.p) : text.n;
        json_escape(out, span_head(text, n));
        text = span_skip(text, n);
    }
}

/* How many octets from the start on stand for themselves, whatever string they are in. */
static size_t plain_run(struct span s)
{
    size_t n = 0;
    for (; n < s.n; n++) {
        unsigned char c = (unsigned char)s.p[n];
        if (c < ' ' || c == '"' || c == '\\' || c == 0xed) break;
    }
    return n;
}

/* Text into a JSON string within a JSON string. */
static void escape_twice(struct buf *out, struct span text)
{
    for (size_t n; text.n; text = span_skip(text, n)) {
        n = plain_run(text);
        if (n) {
            buf_add(out, text.p, n);
            continue;
        }
        n = is_surrogate(text) ? 3 : 1;
        if (n == 3)
            add_surrogate(out, "\\\\", text.p);
        else if (text.p[0] == '"')
            BUF_ADD_LIT(out, "\\\\\\\"");
        else if (text.p[0] == '\\')
            BUF_ADD_LIT(out, "\\\\\\\\");
        else if ((unsigned char)text.p[0] < ' ')
            buf_add_fmt(out, "\\\\u%04x", (unsigned)text.p[0]);
        else
            buf_add_byte(out, text.p[0]); /* the first octet of a Hangul syllable */
    }
}

/* `\"text\"`: a string of JSON that is itself inside a string. */
static void add_inner_string(struct buf *out, struct span utf8)
{
    BUF_ADD_LIT(out, "\\\"");
    escape_twice(out, utf8);
    BUF_ADD_LIT(out, "\\\"");
}

static void add_channel(struct buf *out, struct span channel)
{
    BUF_ADD_LIT(out, ",\"channel\":\"");
    escape_text(out, channel);
    BUF_ADD_LIT(out, "\"");
}

/* --- writing: frames about the connection --- */

void event_connection_established(struct buf *out, struct span socket_id, unsigned activity_s)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":");
    add_inner_string(out, socket_id);
    BUF_ADD_LIT(out, ",\\\"activity_timeout\\\":");
    buf_add_u64(out, activity_s);
    BUF_ADD_LIT(out, "}\"}");
}

void event_pong(struct buf *out)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:pong\",\"data\":\"{}\"}");
}

void event_ping(struct buf *out)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:ping\",\"data\":\"{}\"}");
}

void event_error(struct buf *out, struct span channel, unsigned code, struct span message)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:error\"");
    if (channel.p) add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":{\"code\":");
    if (code) {
        buf_add_u64(out, code);
    } else {
        BUF_ADD_LIT(out, "null");
    }
    BUF_ADD_LIT(out, ",\"message\":\"");
    escape_text(out, message);
    BUF_ADD_LIT(out, "\"}}");
}

void event_signin_success(struct buf *out, struct span user_data)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:signin_success\",\"data\":\"{\\\"user_data\\\":");
    add_inner_string(out, user_data);
    BUF_ADD_LIT(out, "}\"}");
}

/* --- writing: frames about a subscription --- */

void event_subscription_error(struct buf *out, struct span channel, struct span type,
                              struct span error, unsigned status)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:subscription_error\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":{\"type\":\"");
    escape_text(out, type);
    BUF_ADD_LIT(out, "\",\"error\":\"");
    escape_text(out, error);
    BUF_ADD_LIT(out, "\",\"status\":");
    buf_add_u64(out, status);
    BUF_ADD_LIT(out, "}}");
}

void event_subscription_succeeded(struct buf *out, struct span channel)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:subscription_succeeded\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{}\"}");
}

void event_subscription_count(struct buf *out, struct span channel, uint64_t count)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:subscription_count\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{\\\"subscription_count\\\":");
    buf_add_u64(out, count);
    BUF_ADD_LIT(out, "}\"}");
}

void event_cache_miss(struct buf *out, struct span channel)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher:cache_miss\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{}\"}");
}

/* --- writing: presence --- */

static void add_info(struct buf *out, const struct event_member *m)
{
    json_escape(out, m->info_raw.n ? m->info_raw : SPAN("null"));
}

struct event_snapshot event_snapshot_begin(struct buf *out, struct span channel, size_t count)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:subscription_succeeded\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{\\\"presence\\\":{\\\"count\\\":");
    buf_add_u64(out, count);
    BUF_ADD_LIT(out, ",\\\"ids\\\":[");
    return (struct event_snapshot) { .out = out, .some = false };
}

static void add_comma(struct event_snapshot *s)
{
    if (s->some) buf_add_byte(s->out, ',');
    s->some = true;
}

void event_snapshot_id(struct event_snapshot *s, const struct event_member *m)
{
    add_comma(s);
    json_escape(s->out, m->id_raw);
}

void event_snapshot_middle(struct event_snapshot *s)
{
    BUF_ADD_LIT(s->out, "],\\\"hash\\\":{");
    s->some = false;
}

void event_snapshot_info(struct event_snapshot *s, const struct event_member *m)
{
    add_comma(s);
    add_inner_string(s->out, m->id);
    buf_add_byte(s->out, ':');
    add_info(s->out, m);
}

void event_snapshot_end(struct event_snapshot *s)
{
    BUF_ADD_LIT(s->out, "}}}\"}");
}

void event_member_added(struct buf *out, struct span channel, const struct event_member *m)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:member_added\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{\\\"user_id\\\":");
    json_escape(out, m->id_raw);
    BUF_ADD_LIT(out, ",\\\"user_info\\\":");
    add_info(out, m);
    BUF_ADD_LIT(out, "}\"}");
}

void event_member_removed(struct buf *out, struct span channel, const struct event_member *m)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:member_removed\"");
    add_channel(out, channel);
    BUF_ADD_LIT(out, ",\"data\":\"{\\\"user_id\\\":");
    json_escape(out, m->id_raw);
    BUF_ADD_LIT(out, "}\"}");
}

/* --- writing: watchlist --- */

static void begin_watchlist(struct buf *out)
{
    BUF_ADD_LIT(out, "{\"event\":\"pusher_internal:watchlist_events\","
                     "\"data\":\"{\\\"events\\\":[");
}

static void end_watchlist(struct buf *out)
{
    BUF_ADD_LIT(out, "]}\"}");
}

static void add_watched(struct buf *out, bool online, struct event_ids users)
{
    BUF_ADD_LIT(out, "{\\\"name\\\":");
    add_inner_string(out, online ? SPAN("online") : SPAN("offline"));
    BUF_ADD_LIT(out, ",\\\"user_ids\\\":[");
    for (size_t i = 0; i < users.n; i++) {
        if (i > 0) buf_add_byte(out, ',');
        add_inner_string(out, users.ids[i]);
    }
    BUF_ADD_LIT(out, "]}");
}

void event_watchlist_change(struct buf *out, bool online, struct span user_id)
{
    begin_watchlist(out);
    add_watched(out, online, (struct event_ids) { &user_id, 1 });
    end_watchlist(out);
}

bool event_watchlist_state(struct buf *out, struct event_ids online, struct event_ids offline)
{
    if (online.n == 0 && offline.n == 0) return false;
    begin_watchlist(out);
    if (online.n) add_watched(out, true, online);
    if (online.n && offline.n) buf_add_byte(out, ',');
    if (offline.n) add_watched(out, false, offline);
    end_watchlist(out);
    return true;
}

/* --- writing: channel events --- */

#define CHANNEL_FRAME_EXTRA 64 /* member names and punctuation, about 45 octets */

void event_channel(struct buf *out, const struct event_out *ev, size_t *data_at)
{
    size_t from = out->n;
    /* One allocation for the usual case that nothing needs an escape; where the memory is refused,
     * the appends below do nothing. */
    size_t room = CHANNEL_FRAME_EXTRA + ev->name_raw.n + ev->channel.n + ev->user_id.n;
    if (!buf_room(out, room + ev->data_raw.n)) return;
    BUF_ADD_LIT(out, "{\"event\":");
    buf_add_span(out, ev->name_raw);
    add_channel(out, ev->channel);
    if (ev->data_raw.n) {
        BUF_ADD_LIT(out, ",\"data\":");
        if (data_at) *data_at = out->n - from;
        buf_add_span(out, ev->data_raw);
    }
    if (ev->user_id.p) {
        BUF_ADD_LIT(out, ",\"user_id\":\"");
        escape_text(out, ev->user_id);
        BUF_ADD_LIT(out, "\"");
    }
    BUF_ADD_LIT(out, "}");
}
