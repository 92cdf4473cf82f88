/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_api.c: signed and unsigned requests to the HTTP API over a real hub.
 *
 * The first octet chooses method, signature and pieces; the line after it is what follows
 * /apps/app-id in the target (or where it begins with '!' the whole target); the rest is the body.
 * Each answer is a whole response with a JSON object, of a status that the protocol page lists, and
 * what subscribers get is JSON. The body stands in memory of its own, as the parser holds it.
 */
#include "api/api.h"
#include "base/utf8.h"
#include "http/url.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S 1700000000

static struct {
    struct app_settings settings;
    struct apps *apps;
    struct directory *dir;
    struct hub *hub;
    struct api *api;
    struct hub_conn conn;
    uint64_t now_ms;
} rig;

static size_t frame_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    out[0] = 0x81;
    out[1] = (uint8_t)(len & 0x7f);
    return 2;
}

static bool check_frame(struct hub_conn *conn, struct msg *msg)
{
    (void)conn;
    CHECK(json_check(msg_text(msg), JSON_MAX_DEPTH, NULL, NULL));
    return true;
}

static void close_conn(struct hub_conn *conn, unsigned code, struct span text)
{
    (void)conn;
    CHECK(code >= 4000 && text.n > 0);
}

static void wake(void *ctx, unsigned worker)
{
    (void)ctx;
    (void)worker;
}

static void make_settings(void)
{
    static struct span secret = { "app-secret", 10 };
    rig.settings = (struct app_settings) {
        .id = SPAN("app-id"),
        .key = SPAN("app-key"),
        .secrets = { &secret, 1 },
        .enabled = true,
        .limits = { .message_bytes = 64,
                    .channels_per_publish = 12,
                    .batch = 3,
                    .channel_name = 40,
                    .event_name = 20,
                    .publishes_per_second = 50,
                    .cache_bytes = 4096 },
    };
}

static void subscribe(const char *channel)
{
    char text[200];
    struct buf auth = { 0 };
    bool presence = strncmp(channel, "presence", 8) == 0;
    struct span who = presence ? SPAN("{\"user_id\":\"7\"}") : (struct span) { NULL, 0 };
    auth_sign_channel(&apps_find_id(rig.apps, SPAN("app-id"))->rules->keys, SPAN("1.2"),
                      span_str(channel), who, &auth);
    int n = snprintf(text, sizeof text,
                     "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\",\"auth\":\""
                     "%.*s\"%s}}",
                     channel, SPAN_FMT(buf_span(&auth)),
                     presence ? ",\"channel_data\":\"{\\\"user_id\\\":\\\"7\\\"}\"" : "");
    hub_on_text(rig.hub, &rig.conn, span_of(text, (size_t)n));
    buf_fini(&auth);
}

static void start(void)
{
    if (rig.api) return;
    struct dir_hooks hooks = { .frame_head = frame_head, .wake = wake };
    struct hub_sink sink = { .frame_head = frame_head,
                             .deliver = check_frame,
                             .close = close_conn };
    make_settings();
    hash_seed(1, 2);
    CHECK(apps_new(&rig.apps, &rig.settings, 1, false, NULL) == ERR_OK);
    CHECK(dir_new(&rig.dir, 1, 1 << 20, &hooks) == ERR_OK);
    CHECK(hub_new(&rig.hub, rig.dir, 0, &sink) == ERR_OK);
    struct api_settings set = {
        .apps = rig.apps,
        .hub = rig.hub,
        .path_prefix = SPAN("/ws"),
        .auth_window_s = 600,
        .explain = true,
    };
    CHECK(api_new(&rig.api, &set) == ERR_OK);
    hub_turn_begin(rig.hub, 1000);
    hub_conn_open(rig.hub, &rig.conn, apps_find_id(rig.apps, SPAN("app-id")),
                  UINT64_C(1) << 32 | 2);
    subscribe("a");
    subscribe("presence-c");
    subscribe("cache-x");
    CHECK(rig.conn.n_subs == 3);
}

/* --- the request --- */

static const struct span methods[] = { SPAN("POST"), SPAN("GET"), SPAN("HEAD"), SPAN("OPTIONS") };

static struct span decoded(struct span raw, struct buf *scratch)
{
    struct span out = raw;
    return url_text(raw, URL_PLUS_LITERAL, scratch, &out) == ERR_OK ? out : raw;
}

/* Adds auth parameters that fit, unless there are too many to sign. */
static void sign(struct span method, struct buf *target, struct span body)
{
    struct auth_param params[AUTH_MAX_PARAMS];
    struct buf scratch = { 0 }, string = { 0 };
    struct url_target t;
    char hex[SHA256_HEX_LEN], md5[MD5_HEX_LEN];
    buf_add_byte(target, memchr(target->p, '?', target->n) ? '&' : '?');
    BUF_ADD_LIT(target, "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0");
    md5_hex(body, md5);
    if (body.n) buf_add_fmt(target, "&body_md5=%.*s", MD5_HEX_LEN, md5);
    if (!url_split(buf_span(target), &t, NULL)) return;
    CHECK(buf_room(&scratch, target->n));
    struct auth_request req = { method, t.path, params, 0, false };
    struct url_query it = url_query(t.query);
    struct url_pair pair;
    while (url_query_next(&it, &pair) && req.n_params < AUTH_MAX_PARAMS)
        params[req.n_params++] =
            (struct auth_param) { decoded(pair.key, &scratch), decoded(pair.value, &scratch) };
    CHECK(auth_request_string(&req, &string) == ERR_OK);
    auth_sign_string(&apps_find_id(rig.apps, SPAN("app-id"))->rules->keys, buf_span(&string), hex);
    buf_add_fmt(target, "&auth_signature=%.*s", SHA256_HEX_LEN, hex);
    buf_fini(&scratch);
    buf_fini(&string);
}

static void check_answer(const struct buf *out, const struct api_call *call, bool head)
{
    static const uint16_t known[] = { 200, 204, 400, 401, 403, 404, 405, 413, 426, 429, 503 };
    bool ok = false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) ok |= call->status == known[i];
    CHECK(ok && out->n > 13);
    CHECK(strtoul(out->p + 9, NULL, 10) == call->status);
    const char *end = memmem(out->p, out->n, "\r\n\r\n", 4);
    CHECK(end);
    struct span body = span_skip(buf_span(out), (size_t)(end - out->p) + 4);
    CHECK(utf8_valid(buf_span(out)));
    if (head || call->status == 204) {
        CHECK(body.n == 0);
        return;
    }
    struct json_val root = { .type = JSON_ABSENT };
    bool json = json_check(body, JSON_MAX_DEPTH, &root, NULL);
    CHECK(span_eq(body, SPAN("OK")) || (json && root.type == JSON_OBJECT));
}

static void feed(struct span bytes, size_t piece, bool head)
{
    struct http1_req req;
    struct api_call call = { 0 };
    struct buf out = { 0 };
    enum http1_ev ev = HTTP1_EV_MORE;
    http1_req_init(&req, &http1_limits_default);
    while (ev != HTTP1_EV_FAIL && ev != HTTP1_EV_DONE && (bytes.n || ev == HTTP1_EV_HEAD)) {
        size_t used = http1_req_feed(&req, bytes.p, piece < bytes.n ? piece : bytes.n, &ev);
        bytes = span_skip(bytes, used);
        if (ev != HTTP1_EV_HEAD) continue;
        api_head(rig.api, &req, NOW_S, &call);
        CHECK(call.body_limit >= API_SMALL_BODY && call.body_option);
        http1_req_limit_body(&req, call.body_limit, call.body_option);
    }
    if (ev == HTTP1_EV_DONE) {
        CHECK(api_finish(rig.api, &req, http1_reply_to(&req), &call, &out) == ERR_OK);
        CHECK(!call.refused || call.status >= 400);
        check_answer(&out, &call, head);
    }
    http1_req_fini(&req);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    start();
    uint8_t choice = data[0];
    struct span method = methods[choice % ARRAY_LEN(methods)];
    struct span body = span_of(data + 1, size - 1), line;
    struct buf target = { 0 }, bytes = { 0 };
    span_cut(&body, '\n', &line);
    bool whole = line.n && line.p[0] == '!';
    if (!whole) BUF_ADD_LIT(&target, "/apps/app-id");
    buf_add_span(&target, span_skip(line, whole));
    if (!(choice & 4) && target.n) sign(method, &target, body);
    buf_add_span(&bytes, method);
    buf_add_byte(&bytes, ' ');
    buf_add_span(&bytes, buf_span(&target));
    BUF_ADD_LIT(&bytes, " HTTP/1.1\r\nHost: x\r\n");
    if (body.n) buf_add_fmt(&bytes, "Content-Length: %zu\r\n", body.n);
    BUF_ADD_LIT(&bytes, "\r\n");
    buf_add_span(&bytes, body);
    feed(buf_span(&bytes), choice & 8 ? 7 : bytes.n, span_eq(method, SPAN("HEAD")));
    while (hub_run_mailbox(rig.hub)) hub_turn_end(rig.hub);
    hub_turn_end(rig.hub);
    rig.now_ms += 100;
    hub_turn_begin(rig.hub, 1000 + rig.now_ms);
    buf_fini(&target);
    buf_fini(&bytes);
    return 0;
}
