/* SPDX-License-Identifier: MIT
 *
 * cli/signing.c: socket_id:channel[:channel_data], socket_id::user::user_data, METHOD\nPATH\nQUERY,
 * and the body of a webhook.
 */
#include "cli/signing.h"
#include "base/json_read.h"
#include "http/url.h"
#include "pusher/chan_name.h"
#include <stdio.h>

/* --- requests --- */

/* The values decoded into one buffer, which must not move: it is as long as the query. */
static enum err decode(struct span raw, const struct signing_reading *reading, struct buf *room,
                       struct span *out)
{
    enum url_plus plus = reading->how == SIGNING_FORM ? URL_PLUS_SPACE : URL_PLUS_LITERAL;
    *out = raw;
    if (reading->how == SIGNING_RAW) return ERR_OK;
    return url_text(raw, plus, room, out);
}

static enum err collect(const struct signing *s, const struct signing_reading *reading,
                        struct buf *room, struct auth_request *req, struct auth_param *params)
{
    struct url_query it = url_query(s->query);
    struct url_pair pair;
    req->params = params;
    while (url_query_next(&it, &pair)) {
        struct auth_param p = { .key = { "", 0 } };
        if (req->n_params == AUTH_MAX_PARAMS) return ERR_LIMIT;
        enum err err = decode(pair.key, reading, room, &p.key);
        if (!err) err = decode(pair.value, reading, room, &p.value);
        if (err) return err;
        if (reading->body_md5 && span_eq_nocase(p.key, SPAN("body_md5"))) continue;
        params[req->n_params++] = p;
    }
    if (!reading->body_md5 || !reading->body_md5->p) return ERR_OK;
    if (req->n_params == AUTH_MAX_PARAMS) return ERR_LIMIT;
    params[req->n_params++] = (struct auth_param) { SPAN("body_md5"), *reading->body_md5 };
    return ERR_OK;
}

enum err signing_request_string(const struct signing *s, const struct signing_reading *reading,
                                struct buf *out)
{
    struct auth_param params[AUTH_MAX_PARAMS];
    struct auth_request req = { .method = s->method,
                                .path = s->path,
                                .keep_case = reading->keep_case };
    struct buf room = { 0 };
    enum err err = buf_room(&room, s->query.n + 1) ? ERR_OK : ERR_NOMEM;
    if (!err) err = collect(s, reading, &room, &req, params);
    if (!err) err = auth_request_string(&req, out);
    buf_fini(&room);
    return err;
}

static void add_missing(struct span query, const char *name, struct span value, struct buf *out)
{
    if (url_query_find(query, span_str(name), NULL)) return;
    buf_add_fmt(out, "%s%s=", out->n ? "&" : "", name);
    url_encode(value, out);
}

void signing_complete(const struct signing *s, const struct signing_auth *auth, struct buf *query)
{
    struct url_query it = url_query(s->query);
    struct url_pair pair;
    char time[24], md5[MD5_HEX_LEN];
    while (url_query_next(&it, &pair)) {
        if (url_eq(pair.key, URL_PLUS_LITERAL, SPAN("auth_signature"))) continue;
        buf_add_fmt(query, "%s%.*s", query->n ? "&" : "", SPAN_FMT(pair.key));
        if (pair.value.p) buf_add_fmt(query, "=%.*s", SPAN_FMT(pair.value));
    }
    int n = snprintf(time, sizeof time, "%llu", (unsigned long long)auth->unix_s);
    add_missing(s->query, "auth_key", auth->key, query);
    add_missing(s->query, "auth_timestamp", span_of(time, (size_t)n), query);
    add_missing(s->query, "auth_version", SPAN("1.0"), query);
    md5_hex(s->body, md5);
    if (s->body.n) add_missing(s->query, "body_md5", span_of(md5, sizeof md5), query);
}

/* --- all --- */

enum err signing_string(const struct signing *s, struct buf *out)
{
    static const struct signing_reading usual = { SIGNING_DECODED, false, NULL };
    switch (s->kind) {
    case SIGNING_CHANNEL:
        buf_add_fmt(out, "%.*s:%.*s", SPAN_FMT(s->socket_id), SPAN_FMT(s->channel));
        if (s->data.n) buf_add_fmt(out, ":%.*s", SPAN_FMT(s->data));
        break;
    case SIGNING_USER:
        buf_add_fmt(out, "%.*s::user::%.*s", SPAN_FMT(s->socket_id), SPAN_FMT(s->data));
        break;
    case SIGNING_REQUEST:
        return signing_request_string(s, &usual, out);
    case SIGNING_WEBHOOK:
        buf_add_span(out, s->body);
        break;
    }
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}

/* --- doubts --- */

/* \d+\.\d+ */
static bool is_socket_id(struct span s)
{
    struct span fraction = s, whole;
    uint64_t n;
    return span_cut(&fraction, '.', &whole) && span_to_u64(whole, &n) && span_to_u64(fraction, &n);
}

static const char *doubt_channel(const struct signing *s)
{
    struct chan_kind kind = chan_kind_of(s->channel);
    if (kind.type == CHAN_USER)
        return "this channel is not signed: a user gets it by signing in (peal sign user)";
    if (kind.type == CHAN_PUBLIC)
        return "this is a public channel, which needs no signature: names that need one begin with "
               "private- or presence-";
    if (kind.type == CHAN_PRESENCE && !s->data.n)
        return "a presence channel needs CHANNEL_DATA (with user_id), unless the connection is "
               "signed in";
    return NULL;
}

/* channel_data of a presence channel, or user_data. */
static const char *doubt_data(const struct signing *s)
{
    struct json_field id = { .name = s->kind == SIGNING_USER ? "id" : "user_id" };
    struct json_val root;
    bool user = s->kind == SIGNING_USER;
    if (!user && (!s->data.n || chan_kind_of(s->channel).type != CHAN_PRESENCE)) return NULL;
    bool object = json_check(s->data, 64, &root, NULL) && root.type == JSON_OBJECT;
    if (!object || json_fields(root, &id, 1))
        return user ? "USER_DATA must be a JSON object like {\"id\":\"42\"}"
                    : "CHANNEL_DATA must be a JSON object like {\"user_id\":\"42\"}";
    if (id.val.type == JSON_ABSENT)
        return user ? "USER_DATA has no member id" : "CHANNEL_DATA has no member user_id";
    return NULL;
}

const char *signing_doubt(const struct signing *s, unsigned i)
{
    const char *doubts[4];
    unsigned n = 0;
    bool client = s->kind == SIGNING_CHANNEL || s->kind == SIGNING_USER;
    if (client && !is_socket_id(s->socket_id))
        doubts[n++] = "a socket id is two numbers with a dot between them, like 1234.5678";
    const char *channel = s->kind == SIGNING_CHANNEL ? doubt_channel(s) : NULL;
    if (channel) doubts[n++] = channel;
    const char *data = client ? doubt_data(s) : NULL;
    if (data) doubts[n++] = data;
    if (s->kind == SIGNING_REQUEST && !span_starts(s->path, SPAN("/apps/")))
        doubts[n++] =
            "the path that is signed begins with /apps/: what a proxy or path_prefix puts "
            "in front is not signed";
    return i < n ? doubts[i] : NULL;
}
