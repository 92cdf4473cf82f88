/* SPDX-License-Identifier: MIT
 *
 * server/conn_ws.c: a connection that speaks WebSocket: frames in, frames out, admission after the
 * upgrade, keep-alive (protocol page 1.2, 1.5, 1.6).
 *
 * Admission comes after the 101, so that browsers see a protocol error with its code and text and
 * not a failed request.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "http/url.h"
#include "net/fds.h"
#include "server/conn.h"
#include "server/login.h"
#include "server/notes.h"
#include "server/origin.h"
#include "server/server_priv.h"
#include "server/watchers.h"
#include "ws/encoder.h"

#define SESSION_LOOK_MS 1000
#define WS_FRAME_ROOM 65536 /* of a frame, beside the data: names, channel_data, envelope */
#define WS_ESCAPE_FACTOR 6  /* \u0000: what an octet may become in JSON */
#define WS_MIN_MESSAGE 10000
#define WS_MAX_FRAGMENTS 1024
#define SHOWN_MAX 60 /* octets of what a client sent, in a text for him */

/* --- the hub's sink --- */

static bool sink_deliver(struct hub_conn *hc, struct msg *msg)
{
    struct conn *c = conn_of_hub(hc);
    bool first = out_empty(&c->out);
    conn_send_msg(c, msg);
    return first;
}

static void sink_close(struct hub_conn *hc, unsigned code, struct span text)
{
    conn_ws_refuse(conn_of_hub(hc), code, text);
}

static void sink_refused(struct hub_conn *hc, const struct peer_refusal *r)
{
    const struct conn *c = conn_of_hub(hc);
    struct worker_counts *counts = &c->worker->counts;
    count_code(&counts->refusals, counts_codes, r->code ? r->code : (unsigned)r->status);
    char id[SOCKET_ID_MAX];
    struct span text = r->text.p ? r->text : r->error_text;
    log_info("client", "refused", kv_span("app", hc->app->s->id),
             kv_span("socket_id", span_of(id, socket_id_write(hc->socket_id, id))),
             kv_span("channel", r->channel), kv_u64("code", r->code ? r->code : r->status),
             kv_span("why", text));
    if (r->detail.n && config_explains(c->worker->cfg))
        log_info("client", "refused because", kv_span("channel", r->channel),
                 kv_span("detail", r->detail));
}

static void sink_cache_full(void *ctx, struct app *app, struct span channel)
{
    (void)ctx;
    log_warn("cache", "event not kept", kv_span("app", app->s->id), kv_span("channel", channel),
             kv_str("option", "limits.cache_bytes"), kv_u64("limit", app->s->limits.cache_bytes));
}

const struct hub_sink conn_hub_sink = {
    .frame_head = ws_text_head,
    .deliver = sink_deliver,
    .close = sink_close,
    .refused = sink_refused,
    .cache_full = sink_cache_full,
};

/* --- frames of our own --- */

static void begin_bytes(struct buf *b, size_t payload)
{
    buf_init(b);
    msg_begin(b, MSG_HEAD_MAX + payload);
}

static void count_close(const struct conn *c, unsigned code)
{
    count_code(&c->worker->counts.closes, counts_codes, code);
}

static void send_close(struct conn *c, uint16_t code, struct span reason)
{
    count_close(c, code);
    struct buf b;
    begin_bytes(&b, WS_CONTROL_MAX);
    ws_write_close(&b, code, reason, NULL);
    conn_send_bytes(c, &b);
}

void conn_ws_refuse(struct conn *c, unsigned code, struct span text)
{
    conn_ws_refuse_within(c, code, text, CONN_ENDING_MS);
}

void conn_ws_refuse_within(struct conn *c, unsigned code, struct span text, uint16_t ending_ms)
{
    if (c->state != CONN_WS) return;
    count_close(c, code);
    note_closing(c, code, true, text);
    struct buf error = { 0 }, b;
    event_error(&error, (struct span) { NULL, 0 }, code, text);
    begin_bytes(&b, error.n + WS_CONTROL_MAX);
    ws_write_text(&b, buf_span(&error), NULL);
    ws_write_close(&b, (uint16_t)code, text, NULL);
    if (buf_failed(&error)) buf_fail(&b);
    conn_send_bytes(c, &b);
    buf_fini(&error);
    conn_end(c, ending_ms);
}

void conn_ws_fini(struct conn *c)
{
    struct worker *w = c->worker;
    ws_dec_fini(&c->in.dec);
    mem_free(c->told_address);
    c->told_address = NULL;
    if (!c->hub.app) return; /* was not admitted */
    hub_conn_close(w->hub, &c->hub);
    note_closed(c);
    if (c->counted) app_conn_drop(c->hub.app);
    c->counted = false;
    if (!c->hub.app->internal) count_add(&w->counts.closed, 1);
    struct app_tally *tally = app_tally(c->hub.app, w->index);
    if (tally) count_add(&tally->closed, 1);
}

/* --- admission --- */

struct refusal {
    unsigned code;
    struct buf text;
};

/* For texts that go to the client: what is not UTF-8 would make him refuse our frame. */
static struct span shown(struct span s)
{
    if (!utf8_valid(s)) return SPAN("(not UTF-8)");
    size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;
    while (n < s.n && n > 0 && ((uint8_t)s.p[n] & 0xC0) == 0x80) n--;
    return span_head(s, n);
}

static bool no_descriptors(const struct server *s)
{
    return fds_in_use() > s->n_upgrade_fds;
}

static void refuse_origin(struct refusal *r, const struct app *app, struct span origin)
{
    r->code = 4009;
    buf_add_fmt(&r->text, "Origin not allowed: ");
    if (origin.p)
        buf_add_fmt(
            &r->text, "%.*s is not in allowed_origins of app %.*s. To allow it, add \"%.*s\".",
            SPAN_FMT(shown(origin)), SPAN_FMT(app->s->id), SPAN_FMT(shown(origin_pattern(origin))));
    else
        buf_add_fmt(&r->text, "the request has no Origin and app %.*s has allowed_origins.",
                    SPAN_FMT(app->s->id));
}

static bool take_place(const struct conn *c, struct app *app)
{
    uint32_t n = app_conn_take(app);
    app_count_peak(app, c->worker->index, n);
    return n > 0;
}

/* Fills `r` and returns false where the client may not come in. */
static bool admit(struct conn *c, const struct ws_open *open, struct app *app, struct span key,
                  struct refusal *r)
{
    const struct server *s = c->worker->server;
    if (open->watch == WATCH_DENIED) {
        r->code = 4009;
        BUF_ADD_LIT(&r->text, "Watching over this listener needs a token that is good and not "
                              "over.");
    } else if (!app && apps_have_secret(c->worker->apps, key)) {
        r->code = 4001;
        BUF_ADD_LIT(&r->text, "This is not the key of an app, but its secret, which no client may "
                              "have; it has travelled in a URL now, so change it.");
    } else if (!app) {
        r->code = 4001;
        buf_add_fmt(&r->text, "App key %.*s does not exist.", SPAN_FMT(shown(key)));
    } else if (!app->s->enabled) {
        r->code = 4003;
        buf_add_fmt(&r->text, "The app is not enabled (app %.*s, option enabled).",
                    SPAN_FMT(app->s->id));
    } else if (!origin_allowed(&app->s->allowed_origins, open->origin)) {
        refuse_origin(r, app, open->origin);
    } else if (server_stopping(s)) {
        r->code = server_drain_code(c->worker);
        BUF_ADD_LIT(&r->text, "Server closed. Please reconnect shortly.");
    } else if (no_descriptors(s)) {
        r->code = 4100;
        buf_add_fmt(&r->text,
                    "The server has no room for more connections: %llu descriptors are open, "
                    "%llu may be (limits.reserved_descriptors).",
                    (unsigned long long)fds_in_use(), (unsigned long long)s->n_upgrade_fds);
    } else if (!take_place(c, app)) {
        r->code = (unsigned)app->s->connection_limit_code;
        buf_add_fmt(&r->text,
                    "The current concurrent connections quota has been reached: "
                    "limits.connections of app %.*s allows %llu.",
                    SPAN_FMT(app->s->id), (unsigned long long)app->s->limits.connections);
    } else {
        c->counted = true;
        return true;
    }
    return false;
}

/* Both halves of the socket id are not 0. */
static uint64_t new_socket_id(void)
{
    for (;;) {
        uint64_t id = rand_u64();
        if ((uint32_t)id && id >> 32) return id;
    }
}

static bool is_utf8_key(struct span raw, struct buf *scratch, struct span *key)
{
    return url_text(raw, URL_PLUS_LITERAL, scratch, key) == ERR_OK && utf8_valid(*key);
}

void conn_ws_open(struct conn *c, const struct ws_open *open)
{
    struct worker *w = c->worker;
    struct buf scratch = { 0 };
    struct refusal r = { 0 };
    struct span key = { "", 0 };
    struct app *app = NULL;
    if (open->watch == WATCH_ALL || open->watch == WATCH_ONE)
        app = watchers_app(w->server->watchers);
    else if (is_utf8_key(open->key, &scratch, &key))
        app = apps_find_key(w->apps, key);
    c->scope = open->scope;
    if (c->scope) c->until_s = open->until_s;
    conn_upgraded(c);
    ws_dec_init(&c->in.dec);
    if (admit(c, open, app, key, &r)) {
        if (!app->internal) count_add(&w->counts.opened, 1);
        struct app_tally *tally = app_tally(app, w->index);
        if (tally) count_add(&tally->opened, 1);
        if (open->client_told) c->told_address = mem_dup(open->client.p, open->client.n);
        hub_conn_open(w->hub, &c->hub, app, new_socket_id());
        note_opened(c, open);
        conn_set_timer(c);
    } else {
        bool secret = apps_have_secret(w->apps, key);
        log_info("conn", "client not admitted", kv_span("client", open->client),
                 kv_span("key", secret ? SPAN("(a secret)") : span_head(key, 100)),
                 kv_span("origin", span_head(open->origin, 200)), kv_u64("code", r.code),
                 kv_span("why", buf_span(&r.text)));
        note_not_admitted(c, app, secret ? SPAN("(a secret)") : key, r.code, buf_span(&r.text));
        conn_ws_refuse(c, r.code, buf_span(&r.text));
    }
    buf_fini(&r.text);
    buf_fini(&scratch);
}

void conn_ws_open_inside(struct conn *c, struct app *app)
{
    const struct ws_open open = { .watch = WATCH_NO };
    conn_http_fini(c);
    conn_upgraded(c);
    ws_dec_init(&c->in.dec);
    c->counted = take_place(c, app);
    hub_conn_open(c->worker->hub, &c->hub, app, new_socket_id());
    note_opened(c, &open);
    conn_set_timer(c);
}

/* --- input --- */

static void on_message(struct conn *c, const struct ws_ev *ev)
{
    if (ev->op == WS_OP_BINARY && !utf8_valid(ev->data)) {
        struct peer_refusal r = { .code = 4200, .text = SPAN("Invalid message format: binary") };
        sink_refused(&c->hub, &r);
        struct buf *out = hub_text_begin(c->worker->hub, 128);
        event_error(out, r.channel, r.code, r.text);
        hub_text_send(c->worker->hub, &c->hub);
        return;
    }
    hub_on_text(c->worker->hub, &c->hub, ev->data);
}

static void on_ping(struct conn *c, struct span payload)
{
    struct buf b;
    begin_bytes(&b, payload.n);
    ws_write_pong(&b, payload, NULL);
    conn_send_bytes(c, &b);
}

/* What a limit is about is said with it; the frame's limit is derived from what users may send. */
static void log_frames(const struct conn *c, const struct ws_ev *ev)
{
    const struct app_settings *s = c->hub.app->s;
    char id[SOCKET_ID_MAX];
    struct span socket_id = span_of(id, socket_id_write(c->hub.socket_id, id));
    if (ev->close_code == WS_CODE_TOO_BIG)
        log_info("client", "frames refused", kv_span("app", s->id), kv_span("socket_id", socket_id),
                 kv_u64("code", ev->close_code), kv_span("why", ev->data),
                 kv_str("option", "limits.message_bytes"),
                 kv_u64("limit", s->limits.message_bytes));
    else
        log_info("client", "frames refused", kv_span("app", s->id), kv_span("socket_id", socket_id),
                 kv_u64("code", ev->close_code), kv_span("why", ev->data));
}

static void on_end(struct conn *c, const struct ws_ev *ev)
{
    if (ev->kind == WS_EV_FAIL) log_frames(c, ev);
    note_closing(c, ev->close_code, ev->kind == WS_EV_FAIL, ev->data);
    send_close(c, ev->close_code, ev->data);
    conn_end(c, CONN_ENDING_MS);
}

static struct ws_limits limits_of(const struct app *app)
{
    uint64_t data = app->s->limits.message_bytes;
    size_t max = data ? (size_t)data * WS_ESCAPE_FACTOR + WS_FRAME_ROOM : 0;
    return (struct ws_limits) {
        .max_message = max && max < WS_MIN_MESSAGE ? WS_MIN_MESSAGE : max,
        .max_fragments = WS_MAX_FRAGMENTS,
        .role = WS_ROLE_SERVER,
    };
}

static void on_event(struct conn *c, const struct ws_ev *ev)
{
    switch (ev->kind) {
    case WS_EV_MESSAGE:
        on_message(c, ev);
        break;
    case WS_EV_PING:
        on_ping(c, ev->data);
        break;
    case WS_EV_PONG:
    case WS_EV_MORE:
        break;
    case WS_EV_CLOSE:
    case WS_EV_FAIL:
        on_end(c, ev);
        break;
    }
}

size_t conn_ws_input(struct conn *c, uint8_t *in, size_t n)
{
    const struct ws_limits limits = limits_of(c->hub.app);
    size_t left = n;
    while (c->state == CONN_WS && (left == 0 || conn_may_go_on(c))) {
        struct ws_ev ev;
        uint64_t waited_bytes = c->out.bytes;
        size_t used = ws_decode(&c->in.dec, &limits, in, left, &ev);
        in += used;
        left -= used;
        if (ev.kind == WS_EV_MORE) break;
        on_event(c, &ev);
        conn_worked(c, WORK_MESSAGE, waited_bytes);
        if (c->state == CONN_WS && !ws_dec_is_busy(&c->in.dec)) c->begun_ms = 0;
    }
    if (c->state == CONN_WS && !c->begun_ms && ws_dec_is_busy(&c->in.dec)) {
        c->begun_ms = loop_now_ms(c->worker->loop);
        conn_set_timer(c);
    }
    return n - left;
}

/* --- time: silence for ping_interval_s → ping; no sign of life for pong_timeout_s → 4201; a
 * message that does not end within body_timeout_ms, or no sign-in → 4100, 4009 --- */

uint64_t conn_ws_since_ms(const struct conn *c)
{
    return c->begun_ms ? c->begun_ms : c->seen_ms;
}

/* He could not go on with his message either. */
void conn_ws_progress(struct conn *c)
{
    c->seen_ms = loop_now_ms(c->worker->loop);
    if (c->begun_ms) c->begun_ms = c->seen_ms;
}

static uint64_t message_deadline(const struct conn *c)
{
    uint64_t timeout_ms = c->worker->cfg->body_timeout_ms;
    return c->begun_ms && timeout_ms ? c->begun_ms + timeout_ms : WHEEL_NEVER;
}

static uint64_t auth_deadline(const struct conn *c)
{
    const struct app_settings *s = c->hub.app->s;
    if (!s->user_authentication || c->hub.authorised) return WHEEL_NEVER;
    return c->since_ms + s->user_authentication_timeout_ms;
}

/* A session every second from now on: it ends by a request to another worker, too. */
static uint64_t session_deadline(const struct conn *c)
{
    if (c->scope) return (uint64_t)c->until_s * 1000;
    return c->session ? loop_now_ms(c->worker->loop) + SESSION_LOOK_MS : WHEEL_NEVER;
}

void conn_ws_check_session(struct conn *c)
{
    if (c->scope && session_deadline(c) <= loop_now_ms(c->worker->loop))
        conn_ws_refuse(c, 4009, SPAN("The token for the live stream is over; take a new one."));
    else if (!c->scope && !login_lasts(c))
        conn_ws_refuse(c, 4009, SPAN("The log-in to the dashboard is over."));
}

uint64_t conn_ws_deadline(const struct conn *c)
{
    const struct app_settings *s = c->hub.app->s;
    uint64_t quiet_s = s->ping_interval_s + (c->pinged ? s->pong_timeout_s : 0);
    uint64_t alive = c->seen_ms + quiet_s * 1000, auth = auth_deadline(c);
    uint64_t whole = message_deadline(c), first = alive < auth ? alive : auth;
    uint64_t session = session_deadline(c);
    if (session < first) first = session;
    return whole < first ? whole : first;
}

static void refuse_unfinished(struct conn *c, uint64_t now_ms)
{
    const struct app_settings *s = c->hub.app->s;
    unsigned long long ms = now_ms - c->begun_ms, limit = c->worker->cfg->body_timeout_ms;
    char id[SOCKET_ID_MAX];
    log_info("client", "message timed out", kv_span("app", s->id),
             kv_span("socket_id", span_of(id, socket_id_write(c->hub.socket_id, id))),
             kv_u64("ms", ms), kv_u64("held_bytes", c->held), kv_str("option", "body_timeout_ms"),
             kv_u64("limit", limit));
    struct buf text = { 0 };
    buf_add_fmt(&text,
                "A message was begun %llu ms ago and has not ended; body_timeout_ms allows %llu.",
                ms, limit);
    conn_ws_refuse(c, 4100, buf_span(&text));
    buf_fini(&text);
}

/* What was waited for in vain. */
struct lateness {
    const char *option;
    uint64_t limit, waited_ms;
};

/* Closes it, and says which option of the app, how much it allows, and what was measured. */
static void close_late(struct conn *c, unsigned code, const char *text, const struct lateness *late)
{
    struct span app = c->hub.app->s->id;
    struct buf why = { 0 };
    char id[SOCKET_ID_MAX];
    buf_add_fmt(&why, "%s (%s of app %.*s: %llu)", text, late->option, SPAN_FMT(span_head(app, 40)),
                (unsigned long long)late->limit);
    log_info("client", "closed", kv_span("app", app),
             kv_span("socket_id", span_of(id, socket_id_write(c->hub.socket_id, id))),
             kv_u64("code", code), kv_str("why", text), kv_str("option", late->option),
             kv_u64("limit", late->limit), kv_u64("waited_ms", late->waited_ms));
    conn_ws_refuse(c, code, buf_span(&why));
    buf_fini(&why);
}

void conn_ws_timeout(struct conn *c)
{
    uint64_t now = loop_now_ms(c->worker->loop);
    const struct app_settings *s = c->hub.app->s;
    if (auth_deadline(c) <= now) {
        close_late(c, 4009, "Connection not authorized within timeout.",
                   &(struct lateness) { "user_authentication_timeout_ms",
                                        s->user_authentication_timeout_ms, now - c->since_ms });
    } else if (message_deadline(c) <= now) {
        refuse_unfinished(c, now);
    } else if (c->pinged) {
        count_add(&c->worker->counts.ping_cut, 1);
        close_late(c, 4201, "Pong reply not received in time",
                   &(struct lateness) { "pong_timeout_s", s->pong_timeout_s,
                                        now - c->seen_ms - s->ping_interval_s * 1000 });
    } else {
        struct buf b;
        begin_bytes(&b, 0);
        ws_write_ping(&b, (struct span) { "", 0 }, NULL);
        conn_send_bytes(c, &b);
        c->pinged = true;
        /* The answer has its whole time from now on, also when we were late (a stopped process). */
        c->seen_ms = now - c->hub.app->s->ping_interval_s * 1000;
    }
}
