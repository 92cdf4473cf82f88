/* SPDX-License-Identifier: MIT
 *
 * pusher/peer.c: what one text message of a client asks for.
 *
 *     text ─event_parse─> name ─┬─ pusher:X   ─> the row of `commands`, unknown: refused
 *                               ├─ client-X   ─> read_client_event
 *                               └─ other      ─> ignored
 *
 * There is no state here: who is signed in is given, what follows is returned. All text that the
 * action refers to and that is not in the message itself (unescaped strings, words for people) goes
 * to the scratch buffer, whose room is taken at once in the beginning. Invariant: it does not move
 * while an action is made, so spans into it stay good.
 */
#include "pusher/peer.h"
#include "base/utf8.h"
#include "pusher/user_object.h"

/* --- socket ids (protocol page 1.2) --- */

size_t socket_id_write(uint64_t socket_id, char out[SOCKET_ID_MAX])
{
    char text[SOCKET_ID_MAX + 1];
    int n = snprintf(text, sizeof text, "%u.%u", (unsigned)(socket_id >> 32),
                     (unsigned)(socket_id & UINT32_MAX));
    CHECK(n > 0 && n <= SOCKET_ID_MAX);
    memcpy(out, text, (size_t)n);
    return (size_t)n;
}

static bool is_digits(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* One half as we write it; 0 for any other number. */
static uint64_t half_of(struct span digits)
{
    uint64_t v;
    bool ours = digits.p[0] != '0' && span_to_u64(digits, &v) && v <= UINT32_MAX;
    return ours ? v : 0;
}

bool socket_id_read(struct span text, uint64_t *socket_id)
{
    struct span low = text, high;
    if (!span_cut(&low, '.', &high) || !low.p) return false;
    if (!is_digits(high) || !is_digits(low)) return false;
    uint64_t h = half_of(high), l = half_of(low);
    *socket_id = h && l ? h << 32 | l : 0;
    return true;
}

/* --- refusals --- */

/* What the functions below share. */
struct reading {
    const struct peer_rules *rules;
    const struct peer_user *user;
    struct span socket_id; /* its text */
    struct buf *scratch;
    struct peer_action *action;
};

/* The words that a block of appends put into scratch since `from`. */
static struct span words_since(const struct buf *scratch, size_t from)
{
    return span_skip(buf_span(scratch), from);
}

static struct peer_refusal *refuse(struct reading *r, struct span channel)
{
    r->action->ask = PEER_ASK_REFUSE;
    r->action->refusal = (struct peer_refusal) { .channel = channel };
    return &r->action->refusal;
}

/* The frame is not of the form that the protocol wants (1.6); `why` is a part of a sentence. */
static void refuse_form(struct reading *r, const char *why)
{
    struct peer_refusal *no = refuse(r, (struct span) { NULL, 0 });
    size_t from = r->scratch->n;
    buf_add_fmt(r->scratch, "Invalid message format: %s", why);
    no->code = 4200;
    no->text = words_since(r->scratch, from);
}

/* A subscription is not allowed (2.3); the detail follows with explain(). */
static void refuse_auth(struct reading *r, struct span channel)
{
    struct peer_refusal *no = refuse(r, channel);
    no->type = "AuthError";
    no->why = PEER_WHY_AUTH;
    no->status = 401;
    no->text = SPAN("The connection is unauthorized.");
    no->code = 4009;
    no->error_text = SPAN("Connection is unauthorized");
}

/* A subscription breaks a limit (2.2, 2.5); `from` is where the words for it start in scratch. */
static void refuse_limit(struct reading *r, struct span channel, unsigned status, size_t from)
{
    struct peer_refusal *no = refuse(r, channel);
    no->type = "LimitReached";
    no->why = PEER_WHY_LIMIT;
    no->status = status;
    no->text = words_since(r->scratch, from);
}

static void refuse_signin(struct reading *r, struct span text)
{
    struct peer_refusal *no = refuse(r, (struct span) { NULL, 0 });
    no->code = 4009;
    no->text = text;
    no->signin = true;
}

static void refuse_client_event(struct reading *r, const struct event_in *ev, enum peer_why why,
                                size_t from)
{
    struct peer_refusal *no = refuse(r, r->action->channel);
    no->event_raw = ev->name_raw;
    no->why = (uint8_t)why;
    no->code = 4301;
    no->text = words_since(r->scratch, from);
}

/* The detail of a refusal, for the log and for developers. */
static void explain(struct reading *r, struct span detail)
{
    r->action->refusal.detail = detail;
}

/* Why a signature was refused and what should have been signed: `socket_id`, `separator`, `first`
 * and, where not empty, a colon and `second`. */
static void explain_verdict(struct reading *r, enum auth_verdict verdict, const char *separator,
                            struct span first, struct span second)
{
    struct buf *b = r->scratch;
    size_t from = b->n;
    buf_add_fmt(b, "%s; the string to sign is ", auth_verdict_text(verdict));
    buf_add_span(b, r->socket_id);
    buf_add_span(b, span_str(separator));
    buf_add_span(b, first);
    if (second.n) {
        buf_add_byte(b, ':');
        buf_add_span(b, second);
    }
    explain(r, words_since(b, from));
}

/* Appends "N KB" where it is whole kilobytes, else "N bytes". */
static void add_size(struct buf *out, size_t bytes)
{
    bool whole = bytes % 1024 == 0;
    buf_add_fmt(out, "%zu %s", whole ? bytes / 1024 : bytes, whole ? "KB" : "bytes");
}

/* Ends a sentence with whose limit it is: ` (app ID, option NAME).` */
static void add_option(struct reading *r, const char *option)
{
    BUF_ADD_LIT(r->scratch, " (app ");
    buf_add_span(r->scratch, r->rules->app_id);
    buf_add_fmt(r->scratch, ", option %s).", option);
}

/* --- pusher:subscribe (2.3, 2.5, 2.9) --- */

/* The data of a subscribe or unsubscribe. */
struct sub_data {
    struct span channel;
    struct span auth;         /* n == 0 where absent */
    struct span channel_data; /* n == 0 where absent */
    bool object_data;         /* channel_data is an object, which nobody can have signed */
};

/* A member that should be a string: its text, and nothing where it is absent or null. */
static bool optional_text(struct json_val val, struct buf *scratch, struct span *text)
{
    *text = (struct span) { NULL, 0 };
    if (val.type == JSON_ABSENT || val.type == JSON_NULL) return true;
    if (val.type != JSON_STRING) return false;
    *text = json_text(val, scratch);
    return true;
}

/* NULL, or why the data has not the form. */
static const char *read_sub_data(struct reading *r, struct json_val data, struct sub_data *sub)
{
    struct json_field fields[] = { { .name = "channel" },
                                   { .name = "auth" },
                                   { .name = "channel_data" } };
    const char *why;
    *sub = (struct sub_data) { 0 };
    if (!event_data_fields(data, fields, ARRAY_LEN(fields), r->scratch, &why)) return why;
    if (fields[0].val.type != JSON_STRING) return "data.channel must be a string";
    sub->channel = json_text(fields[0].val, r->scratch);
    if (!optional_text(fields[1].val, r->scratch, &sub->auth)) return "data.auth must be a string";
    sub->object_data = fields[2].val.type == JSON_OBJECT;
    if (sub->object_data) return NULL;
    if (!optional_text(fields[2].val, r->scratch, &sub->channel_data))
        return "data.channel_data must be a string";
    return NULL;
}

/* The user_info counts as it stands, a string without quotes and escapes. */
static size_t info_size(struct span info_raw)
{
    if (info_raw.n == 0 || info_raw.p[0] != '"') return info_raw.n;
    bool escaped = memchr(info_raw.p, '\\', info_raw.n) != NULL;
    return json_unescaped_len((struct json_val) { info_raw, JSON_STRING, escaped });
}

/* False after a refusal. */
static bool check_member_limits(struct reading *r, const struct event_member *m)
{
    struct buf *b = r->scratch;
    size_t from = b->n, limit = r->rules->member_info_limit;
    size_t id_chars = utf8_count(m->id), info = info_size(m->info_raw);
    if (id_chars > USER_ID_MAX) {
        buf_add_fmt(b,
                    "The user_id of a channel member is longer than the allowed %d characters. It "
                    "has %zu.",
                    USER_ID_MAX, id_chars);
    } else if (limit && info > limit) {
        BUF_ADD_LIT(b, "The maximum size for a channel member is ");
        add_size(b, limit);
        buf_add_fmt(b, ". The user_info has %zu bytes", info);
        add_option(r, "limits.presence_member_bytes");
    } else {
        return true;
    }
    refuse_limit(r, r->action->channel, 4301, from);
    return false;
}

/* Who joins a presence channel, after the signature was found right. False after a refusal. */
static bool read_member(struct reading *r, const struct sub_data *sub)
{
    struct user_object object = {
        .member = { r->user->id, r->user->id_raw, r->user->info_raw },
    };
    const char *why = NULL;
    if (sub->channel_data.n)
        why = user_object_read(sub->channel_data, "user_id", r->scratch, &object);
    if (why) {
        refuse_auth(r, sub->channel);
        size_t from = r->scratch->n;
        buf_add_fmt(r->scratch, "channel_data: %s", why);
        explain(r, words_since(r->scratch, from));
        return false;
    }
    r->action->member = object.member;
    return check_member_limits(r, &object.member);
}

/* Private and presence channels. False after a refusal. */
static bool authorise(struct reading *r, const struct sub_data *sub)
{
    bool presence = r->action->kind.type == CHAN_PRESENCE;
    if (sub->object_data) {
        refuse_auth(r, sub->channel);
        explain(r, SPAN("channel_data is an object; it must be the string that was signed"));
        return false;
    }
    if (presence && sub->channel_data.n == 0 && !r->user->id.p) {
        refuse_auth(r, sub->channel);
        explain(r, SPAN("a presence channel needs channel_data or a signed-in user"));
        return false;
    }
    enum auth_verdict verdict = auth_check_channel(&r->rules->keys, sub->auth, r->socket_id,
                                                   sub->channel, sub->channel_data);
    if (verdict != AUTH_OK) {
        refuse_auth(r, sub->channel);
        explain_verdict(r, verdict, ":", sub->channel, sub->channel_data);
        return false;
    }
    return !presence || read_member(r, sub);
}

/* #server-to-user-{id}: for that user only. False after a refusal. */
static bool authorise_user(struct reading *r, struct span channel)
{
    if (r->user->id.p && span_eq(r->user->id, chan_user_id(channel))) return true;
    refuse_auth(r, channel);
    explain(r, r->user->id.p ? SPAN("somebody else is signed in on this connection")
                             : SPAN("nobody is signed in on this connection"));
    return false;
}

static void read_subscribe(struct reading *r, const struct event_in *ev)
{
    struct sub_data sub;
    const char *why = read_sub_data(r, ev->data, &sub);
    if (why) {
        refuse_form(r, why);
        return;
    }
    size_t from = r->scratch->n;
    if (!chan_name_ok(sub.channel, r->rules->names, r->scratch)) {
        refuse_limit(r, sub.channel, 4009, from);
        return;
    }
    r->action->channel = sub.channel;
    r->action->kind = chan_kind_of(sub.channel);
    if (r->action->kind.type == CHAN_USER && !authorise_user(r, sub.channel)) return;
    if (chan_needs_auth(r->action->kind) && !authorise(r, &sub)) return;
    r->action->ask = PEER_ASK_SUBSCRIBE;
}

static void read_unsubscribe(struct reading *r, const struct event_in *ev)
{
    struct json_field fields[] = { { .name = "channel" } };
    const char *why;
    if (!event_data_fields(ev->data, fields, ARRAY_LEN(fields), r->scratch, &why)) {
        refuse_form(r, why);
        return;
    }
    if (fields[0].val.type != JSON_STRING) {
        refuse_form(r, "data.channel must be a string");
        return;
    }
    r->action->ask = PEER_ASK_UNSUBSCRIBE;
    r->action->channel = json_text(fields[0].val, r->scratch);
    r->action->kind = chan_kind_of(r->action->channel);
}

/* --- pusher:signin (3.4, 3.5) --- */

/* Absent and null are no watchlist; else it must be an array of ids. */
static bool is_watchlist(struct json_val list)
{
    if (list.type == JSON_ABSENT || list.type == JSON_NULL) return true;
    if (list.type != JSON_ARRAY) return false;
    struct json_iter it = json_begin(list);
    struct json_val item;
    while (json_next_item(&it, &item))
        if (item.type != JSON_STRING && item.type != JSON_NUMBER) return false;
    return true;
}

/* The signed user_data. False after a refusal. */
static bool read_user(struct reading *r, struct span user_data)
{
    struct user_object object;
    const char *why = user_object_read(user_data, "id", r->scratch, &object);
    if (why) {
        refuse_signin(r, object.no_id
                             ? SPAN("The returned user data must contain the \"id\" field.")
                             : SPAN("Connection not authorized."));
        explain(r, span_str(why));
        return false;
    }
    size_t chars = utf8_count(object.member.id), from = r->scratch->n;
    if (chars > USER_ID_MAX) {
        buf_add_fmt(r->scratch, "The user id is longer than the allowed %d characters. It has %zu.",
                    USER_ID_MAX, chars);
        refuse_signin(r, words_since(r->scratch, from));
        return false;
    }
    if (!is_watchlist(object.watchlist)) {
        refuse_signin(r, SPAN("The watchlist in the user data must be an array of user ids."));
        return false;
    }
    r->action->user = object.member;
    if (object.watchlist.type == JSON_ARRAY) r->action->watchlist = object.watchlist;
    return true;
}

static void read_signin(struct reading *r, const struct event_in *ev)
{
    struct json_field fields[] = { { .name = "auth" }, { .name = "user_data" } };
    const char *why;
    struct span auth;
    if (!event_data_fields(ev->data, fields, ARRAY_LEN(fields), r->scratch, &why)) {
        refuse_form(r, why);
        return;
    }
    if (!optional_text(fields[0].val, r->scratch, &auth)) {
        refuse_form(r, "data.auth must be a string");
        return;
    }
    if (fields[1].val.type != JSON_STRING) {
        refuse_signin(r, SPAN("Connection not authorized."));
        explain(r, SPAN("user_data must be the string that was signed"));
        return;
    }
    struct span user_data = json_text(fields[1].val, r->scratch);
    enum auth_verdict verdict = auth_check_user(&r->rules->keys, auth, r->socket_id, user_data);
    if (verdict != AUTH_OK) {
        refuse_signin(r, SPAN("Connection not authorized."));
        explain_verdict(r, verdict, "::user::", user_data, (struct span) { NULL, 0 });
        return;
    }
    if (!read_user(r, user_data)) return;
    r->action->ask = PEER_ASK_SIGNIN;
    r->action->user_data = user_data;
}

/* --- client events (2.8) --- */

/* Appends why client events are not possible here; false where it appended something. */
static bool client_events_allowed(struct reading *r)
{
    struct buf *b = r->scratch;
    if (!r->rules->client_events) {
        BUF_ADD_LIT(b, "The app does not have client messaging enabled");
        add_option(r, "client_events");
        return false;
    }
    if (r->action->kind.type == CHAN_USER) {
        BUF_ADD_LIT(b, "Client events are not possible on a server-to-user channel.");
        return false;
    }
    if (!chan_needs_auth(r->action->kind) && !r->rules->client_events_public) {
        BUF_ADD_LIT(b, "Client events are accepted on private and presence channels only");
        add_option(r, "client_events_on_public_channels");
        return false;
    }
    return true;
}

/* The same for the limits of this event. */
static bool client_event_fits(struct reading *r, const struct event_in *ev)
{
    struct buf *b = r->scratch;
    size_t limit = r->rules->event_name_limit, chars = utf8_count(ev->name);
    if (limit && chars > limit) {
        buf_add_fmt(b, "Event name is too long. Maximum allowed size is %zu. It has %zu characters",
                    limit, chars);
        add_option(r, "limits.event_name");
        return false;
    }
    limit = r->rules->message_limit;
    size_t size = json_data_len(ev->data);
    if (limit && size > limit) {
        BUF_ADD_LIT(b, "The event data should be less than ");
        add_size(b, limit);
        buf_add_fmt(b, ". It has %zu bytes, the limit is %zu", size, limit);
        add_option(r, "limits.message_bytes");
        return false;
    }
    return true;
}

static void read_client_event(struct reading *r, const struct event_in *ev)
{
    if (!ev->channel.p) {
        refuse_form(r, "a client event needs a channel");
        return;
    }
    r->action->channel = ev->channel;
    r->action->kind = chan_kind_of(ev->channel);
    size_t from = r->scratch->n;
    if (!client_events_allowed(r)) {
        refuse_client_event(r, ev, PEER_WHY_CLIENT_EVENTS_OFF, from);
        return;
    }
    r->action->unfit = !client_event_fits(r, ev);
    if (r->action->unfit) refuse_client_event(r, ev, PEER_WHY_CLIENT_EVENT, from);
    r->action->ask = PEER_ASK_CLIENT_EVENT;
    r->action->event_raw = ev->name_raw;
    r->action->data_raw = ev->data.raw;
}

/* --- any message --- */

static void read_ping(struct reading *r, const struct event_in *ev)
{
    (void)ev; /* whatever data it has (trap 12) */
    r->action->ask = PEER_ASK_PONG;
}

static void read_pong(struct reading *r, const struct event_in *ev)
{
    (void)ev; /* any frame is a sign of life, this one is nothing else */
    r->action->ask = PEER_ASK_NOTHING;
}

static const struct command {
    const char *name;
    void (*read)(struct reading *r, const struct event_in *ev);
} commands[] = {
    { "pusher:ping", read_ping },           { "pusher:pong", read_pong },
    { "pusher:subscribe", read_subscribe }, { "pusher:unsubscribe", read_unsubscribe },
    { "pusher:signin", read_signin },
};

static void read_command(struct reading *r, const struct event_in *ev)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!span_eq(ev->name, span_str(commands[i].name))) continue;
        commands[i].read(r, ev);
        return;
    }
    refuse_form(r, "there is no such pusher: event");
}

static void read_message(struct reading *r, struct span text)
{
    struct event_in ev;
    const char *why;
    if (!event_parse(text, &ev, r->scratch, &why))
        refuse_form(r, why);
    else if (span_starts(ev.name, SPAN("pusher:")))
        read_command(r, &ev);
    else if (span_starts(ev.name, SPAN("client-")))
        read_client_event(r, &ev);
}

/* Room for all that one message can put into scratch: its strings unescaped (at most once for the
 * frame, once for a string that holds the data, once for the strings in that, once for an id inside
 * channel_data), the string that was signed, and words for people. */
#define SCRATCH_COPIES 5
#define SCRATCH_WORDS 1024
static bool take_room(struct buf *scratch, size_t text, size_t app_id)
{
    size_t room;
    buf_clear(scratch);
    if (!size_mul(text, SCRATCH_COPIES, &room)) return false;
    if (!size_add(room, SCRATCH_WORDS, &room) || !size_add(room, app_id, &room)) return false;
    return buf_room(scratch, room) != NULL;
}

void peer_on_message(uint64_t socket_id, const struct peer_rules *rules,
                     const struct peer_user *user, struct span text, struct buf *scratch,
                     struct peer_action *action)
{
    char id[SOCKET_ID_MAX];
    struct reading r = {
        .rules = rules,
        .user = user,
        .socket_id = span_of(id, socket_id_write(socket_id, id)),
        .scratch = scratch,
        .action = action,
    };
    *action = (struct peer_action) { .ask = PEER_ASK_NOTHING };
    if (!take_room(scratch, text.n, rules->app_id.n)) {
        struct peer_refusal *no = refuse(&r, (struct span) { NULL, 0 });
        no->code = 4100;
        no->text = SPAN("The server is out of memory.");
        return;
    }
    size_t room = scratch->cap;
    read_message(&r, text);
    CHECK(scratch->cap == room && !buf_failed(scratch)); /* it did not grow, so it did not move */
}
