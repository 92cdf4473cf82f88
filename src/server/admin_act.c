/* SPDX-License-Identifier: MIT
 *
 * server/admin_act.c: what the admin listener does: ends connections, publishes events, shows a
 * secret. All come through the guard's strictest door (server/guard.h).
 */
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "server/admin_call.h"
#include "server/ask.h"
#include "server/client_addr.h"
#include "server/server_priv.h"

#define BODY_DEPTH 64

/* The body's fields; false after an answer. */
static bool read_body(struct admin_call *call, struct json_field *fields, size_t n,
                      enum admin_result *result)
{
    struct json_val root;
    struct json_bad bad;
    struct span body = http1_req_body(call->req);
    if (!buf_room(&call->text, body.n + 1)) {
        *result = ADMIN_FAILED;
        return false;
    }
    if (json_check(body, BODY_DEPTH, &root, &bad) && root.type == JSON_OBJECT &&
        !json_fields(root, fields, n))
        return true;
    *result = admin_error(call, 400, SPAN("The body must be one JSON object, each member once."));
    return false;
}

/* A field's text; p == NULL where it is none. */
static struct span text_of(struct admin_call *call, const struct json_field *field)
{
    if (field->val.type != JSON_STRING) return (struct span) { NULL, 0 };
    return json_text(field->val, &call->text);
}

/* --- secrets --- */

/* The one answer that has a secret, for who is logged in and asks. The admin listener has no
 * log-in: whoever can reach it would have the secrets of all apps for ever. */
enum admin_result admin_secret(struct admin_call *call)
{
    struct json_field fields[] = { { .name = "app" } };
    enum admin_result result;
    char client[SOCK_ADDR_TEXT_MAX];
    const struct conn *c = call->c;
    if (!call->session)
        return admin_error(call, 403, SPAN("Secrets are shown only to who is logged in."));
    if (!read_body(call, fields, ARRAY_LEN(fields), &result)) return result;
    struct span id = text_of(call, &fields[0]);
    const struct app *app = id.p ? apps_find_id(c->worker->apps, id) : NULL;
    if (!app) return admin_error(call, 404, SPAN("There is no app with this id."));
    log_info("dashboard", "secret shown", kv_span("app", id),
             kv_span("client", client_addr(c->io.fd, call->req, c->worker->cfg, client)));
    struct buf b = { 0 };
    json_open(&b, '{');
    json_key(&b, SPAN("secret"));
    json_string(&b, app->s->secrets.items[0]);
    json_close(&b, '}');
    return admin_done(call, &b);
}

/* --- ending connections --- */

struct end_question {
    uint64_t socket_id;
    unsigned code;
};

static void collect_end(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct end_question *q = ask->ctx;
    struct conn *c = admin_find(w, q->socket_id);
    if (!c) return;
    conn_ws_refuse(c, q->code, SPAN("You got disconnected by the operator."));
    buf_add_byte(out, '1');
}

static void answer_count(struct ask *ask, uint64_t n)
{
    struct buf b = { 0 };
    json_open(&b, '{');
    watch_key_u64(&b, "disconnected", n);
    json_close(&b, '}');
    ask_answer(ask, 200, &b);
}

static void answer_end(struct ask *ask)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < ask->n_parts; i++) n += ask->parts[i].got.n;
    if (n)
        answer_count(ask, n);
    else
        ask_fail(ask, 404, SPAN("There is no connection with this socket_id."));
}

static enum admin_result end_user(struct admin_call *call, struct span app_id, struct span user_id)
{
    struct worker *w = call->c->worker;
    struct app *app = apps_find_id(w->apps, app_id);
    if (!app) return admin_error(call, 404, SPAN("There is no app with this id."));
    uint32_t n = dir_user_count(w->server->dir, app, user_id);
    if (hub_terminate(w->hub, app, user_id)) return ADMIN_FAILED;
    struct buf b = { 0 };
    json_open(&b, '{');
    watch_key_u64(&b, "disconnected", n);
    json_close(&b, '}');
    return admin_done(call, &b);
}

static enum admin_result end_socket(struct admin_call *call, uint64_t socket_id, unsigned code)
{
    struct end_question *q = mem_zalloc(sizeof *q);
    if (!q) return ADMIN_FAILED;
    *q = (struct end_question) { socket_id, code };
    struct ask *ask = ask_new(call->c, q, mem_free);
    if (!ask) return ADMIN_FAILED;
    ask_round(ask, collect_end, answer_end);
    return ADMIN_WAITS;
}

static bool read_code(struct json_val val, uint64_t *code)
{
    if (val.type == JSON_ABSENT || val.type == JSON_NULL) return true;
    return val.type == JSON_NUMBER && json_to_u64(val, code) && *code >= 4000 && *code <= 4299;
}

enum admin_result admin_disconnect(struct admin_call *call)
{
    enum { SOCKET, APP, USER, CODE, N };
    struct json_field fields[N] = {
        { .name = "socket_id" }, { .name = "app" }, { .name = "user_id" }, { .name = "code" }
    };
    enum admin_result result;
    uint64_t code = 4009, socket_id = 0;
    if (!read_body(call, fields, N, &result)) return result;
    struct span socket = text_of(call, &fields[SOCKET]), app = text_of(call, &fields[APP]);
    struct span user = text_of(call, &fields[USER]);
    if (!read_code(fields[CODE].val, &code))
        return admin_error(call, 400, SPAN("code must be a number from 4000 to 4299."));
    if (socket.p && socket_id_read(socket, &socket_id) && socket_id)
        return end_socket(call, socket_id, (unsigned)code);
    if (!socket.p && app.p && user.n) return end_user(call, app, user);
    return admin_error(call, 400, SPAN("Say socket_id, or app and user_id."));
}

/* --- publishing --- */

struct event {
    struct app *app;
    struct span channel, name, name_raw, data_raw;
    size_t data_len; /* as limits.message_bytes counts */
    uint64_t exclude;
};

/* Why the event may not be published; the text goes to `why`. */
static bool check_event(const struct event *e, struct buf *why)
{
    const struct app_settings *s = e->app->s;
    size_t name_chars = utf8_count(e->name);
    if (!chan_name_ok(e->channel, e->app->rules->names, why)) return false;
    if (e->name.n == 0 || span_starts(e->name, SPAN("pusher:")) ||
        span_starts(e->name, SPAN("pusher_internal:"))) {
        BUF_ADD_LIT(why, "name must be an event's name, and none of the protocol's own.");
        return false;
    }
    if (s->limits.event_name && name_chars > s->limits.event_name) {
        buf_add_fmt(why, "The name has %zu characters; limits.event_name allows %llu.", name_chars,
                    (unsigned long long)s->limits.event_name);
        return false;
    }
    if (s->limits.message_bytes && e->data_len > s->limits.message_bytes) {
        buf_add_fmt(why, "The data has %zu bytes; limits.message_bytes allows %llu.", e->data_len,
                    (unsigned long long)s->limits.message_bytes);
        return false;
    }
    return true;
}

static bool read_event(struct admin_call *call, struct event *e, enum admin_result *result)
{
    enum { APP, CHANNEL, NAME, DATA, SOCKET, N };
    struct json_field fields[N] = { { .name = "app" },
                                    { .name = "channel" },
                                    { .name = "name" },
                                    { .name = "data" },
                                    { .name = "socket_id" } };
    struct buf why = { 0 };
    if (!read_body(call, fields, N, result)) return false;
    struct span app = text_of(call, &fields[APP]), socket = text_of(call, &fields[SOCKET]);
    struct json_val data = fields[DATA].val;
    if (data.type == JSON_ABSENT) data = (struct json_val) { SPAN("null"), JSON_NULL, false };
    *e = (struct event) {
        .app = app.p ? apps_find_id(call->c->worker->apps, app) : NULL,
        .channel = text_of(call, &fields[CHANNEL]),
        .name = text_of(call, &fields[NAME]),
        .name_raw = fields[NAME].val.raw,
        .data_raw = data.raw,
        .data_len = json_data_len(data),
    };
    if (!e->app)
        *result = admin_error(call, 404, SPAN("There is no app with this id."));
    else if (!e->app->s->enabled)
        *result = admin_error(call, 403, SPAN("The app is not enabled (option enabled)."));
    else if (socket.p && !socket_id_read(socket, &e->exclude))
        *result = admin_error(call, 400, SPAN("socket_id is not of the form 123.456."));
    else if (!check_event(e, &why))
        *result = admin_error(call, 400, buf_span(&why));
    else
        return true;
    buf_fini(&why);
    return false;
}

enum admin_result admin_publish(struct admin_call *call)
{
    struct worker *w = call->c->worker;
    enum admin_result result;
    struct event e;
    if (!read_event(call, &e, &result)) return result;
    if (hub_overloaded(w->hub))
        return admin_error(call, 503, SPAN("The workers have too much to hand out; try again."));
    struct hub_publish p = {
        .app = e.app,
        .channel = e.channel,
        .kind = chan_kind_of(e.channel),
        .name_raw = e.name_raw,
        .data_raw = e.data_raw,
        .exclude = e.exclude,
        .source = FACT_SOURCE_ADMIN,
    };
    if (hub_publish(w->hub, &p)) return ADMIN_FAILED;
    log_info("admin", "event published", kv_span("app", e.app->s->id),
             kv_span("channel", e.channel));
    return admin_explain_publish(call->c, p.fact);
}
