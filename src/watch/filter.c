/* SPDX-License-Identifier: MIT
 *
 * watch/filter.c: see filter.h. The cheap comparisons come first; names of events are the only ones
 * that may have to be unescaped.
 */
#include "watch/filter.h"
#include "base/json_read.h"
#include "watch/base64url.h"

#define FILTER_MAX 2048 /* octets of the encoded filter */

enum { F_APP, F_CHANNEL, F_EVENT, F_USER, F_SOCKET, F_TYPES, F_N };

/* --- reading --- */

static bool read_types(struct json_val list, uint32_t *types)
{
    struct json_iter it = json_begin(list);
    for (struct json_val item; json_next_item(&it, &item);) {
        unsigned type = 0;
        if (item.type != JSON_STRING) return false;
        while (type < WATCH_N_TYPES &&
               !json_str_eq(item, span_str(watch_type_name((enum watch_type)type))))
            type++;
        if (type == WATCH_N_TYPES) return false;
        *types |= UINT32_C(1) << type;
    }
    return true;
}

static bool is_there(const struct json_val *val)
{
    return val->type != JSON_ABSENT && val->type != JSON_NULL;
}

static bool read_texts(struct watch_filter *f, const struct json_field *fields)
{
    struct span *to[] = { &f->app, &f->channel, &f->event, &f->user };
    for (unsigned i = F_APP; i <= F_USER; i++) {
        const struct json_val *val = &fields[i].val;
        if (!is_there(val)) continue;
        if (val->type != JSON_STRING) return false;
        *to[i] = json_text(*val, &f->_text);
    }
    return true;
}

static const char *read_socket(struct watch_filter *f, const struct json_val *socket)
{
    if (!is_there(socket)) return NULL;
    if (socket->type != JSON_STRING) return "socket is a text";
    return socket_id_read(json_inner(*socket), &f->socket) ? NULL : "socket is no socket id";
}

static const char *read_fields(struct watch_filter *f, struct span json)
{
    struct json_val root;
    struct json_field fields[F_N] = {
        { .name = "app" },  { .name = "channel" }, { .name = "event" },
        { .name = "user" }, { .name = "socket" },  { .name = "types" },
    };
    if (!json_check(json, 4, &root, NULL) || root.type != JSON_OBJECT ||
        json_fields(root, fields, F_N))
        return "the filter is no JSON object";
    if (!read_texts(f, fields)) return "app, channel, event and user are texts";
    const struct json_val *types = &fields[F_TYPES].val;
    const char *why = read_socket(f, &fields[F_SOCKET].val);
    if (why || !is_there(types)) return why;
    if (types->type != JSON_ARRAY) return "types is a list";
    return read_types(*types, &f->types) ? NULL : "there is no such type";
}

bool watch_filter_read(struct span channel, struct watch_filter *out, const char **why)
{
    struct span text = span_skip(channel, sizeof WATCH_CHANNEL_FILTER - 1);
    struct buf json = { 0 };
    *out = (struct watch_filter) { .kind = -1 };
    *why = NULL;
    if (text.n > FILTER_MAX)
        *why = "the filter is too long";
    else if (!base64url_decode(text, &json))
        *why = "the filter is no base64url";
    /* Room for all texts at once: nothing that points into it may move. */
    else if (!buf_room(&out->_text, 4 * json.n + 1))
        *why = "out of memory";
    else {
        buf_add_span(&out->_text, buf_span(&json));
        *why = read_fields(out, buf_span(&out->_text));
    }
    buf_fini(&json);
    if (!*why) return true;
    watch_filter_fini(out);
    return false;
}

void watch_filter_fini(struct watch_filter *filter)
{
    buf_fini(&filter->_text);
    *filter = (struct watch_filter) { .kind = -1 };
}

/* --- fitting --- */

/* Whether the JSON string with this inside is the text. */
static bool is_text(struct span inside, struct span text)
{
    struct buf token = { 0 };
    if (!inside.n || !memchr(inside.p, '\\', inside.n)) return span_eq(inside, text);
    buf_add_byte(&token, '"');
    buf_add_span(&token, inside);
    buf_add_byte(&token, '"');
    struct json_val val = { .raw = buf_span(&token), .type = JSON_STRING, .escaped = true };
    bool same = !buf_failed(&token) && json_str_eq(val, text);
    buf_fini(&token);
    return same;
}

static bool is_user(struct span channel, struct span user)
{
    return chan_kind_of(channel).type == CHAN_USER && span_eq(chan_user_id(channel), user);
}

/* What events and facts have in common. */
struct subject {
    struct span app, channel, event; /* the inside of the name's string */
    struct span user;                /* whom it concerns; p == NULL: nobody */
    uint64_t socket, exclude;
};

static bool wants(struct span wish, struct span is)
{
    return !wish.p || span_eq(wish, is);
}

static bool fits(const struct watch_filter *f, const struct subject *s)
{
    if (!wants(f->app, s->app) || !wants(f->channel, s->channel)) return false;
    if (f->socket && f->socket != s->socket && f->socket != s->exclude) return false;
    if (f->user.p && !(s->user.p && span_eq(f->user, s->user)) && !is_user(s->channel, f->user))
        return false;
    return !f->event.p || is_text(s->event, f->event);
}

bool watch_filter_fits(const struct watch_filter *f, const struct watch_event *ev)
{
    struct span raw = ev->event_raw;
    const struct subject s = {
        .app = ev->app,
        .channel = ev->channel,
        .event = raw.n > 2 ? span_of(raw.p + 1, raw.n - 2) : SPAN(""),
        .user = ev->user_id,
        .socket = ev->socket_id,
        .exclude = ev->exclude,
    };
    return (!f->types || (f->types >> ev->type & 1)) && fits(f, &s);
}

bool watch_filter_fits_fact(const struct watch_filter *f, const struct fact *fact)
{
    struct subject s = {
        .app = fact_app(fact),
        .channel = fact_channel(fact),
        .event = fact_event_raw(fact),
        .user = { NULL, 0 },
        .socket = fact->socket_id,
        .exclude = fact->exclude,
    };
    /* Any publish may be one that it missed; the rest is none of its business unless it is its own.
     */
    if (fact->kind == FACT_PUBLISH) s.socket = f->socket;
    return (f->kind < 0 || f->kind == fact->kind) && fits(f, &s);
}
