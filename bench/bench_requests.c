/* SPDX-License-Identifier: MIT
 *
 * bench/bench_requests.c: what requests of the HTTP API cost from their bytes to the bytes of their
 * answers: the parser, the signature, the body, the hub. No sockets, so nothing of the kernel's.
 *
 * CPU time of the thread, best of many rounds over 64 different requests that stand in one piece,
 * so that other load on the machine counts little. Nobody subscribes to the channels. The digests
 * that a publish cannot do without are measured alone beside it.
 */
#include "api/api.h"
#include <stdio.h>
#include <time.h>

#define ROUNDS 400
#define REQUESTS 64
#define NOW_S 1700000000
#define AUTH "auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0&body_md5="

struct kind {
    const char *name;
    size_t n_events;   /* 0: GET /up; more than 1, or `batch`: a batch */
    size_t n_channels; /* of the event */
    size_t data_bytes;
    bool batch;
};

enum { STATIC, PUBLISH, PUBLISH_2K, CHANNELS_10, CHANNELS_100, BATCH_1, BATCH_10, N_KINDS };

static const struct kind kinds[N_KINDS] = {
    [STATIC] = { .name = "GET /up" },
    [PUBLISH] = { .name = "publish, 200 B", .n_events = 1, .n_channels = 1, .data_bytes = 200 },
    [PUBLISH_2K] = { .name = "publish, 2 KB", .n_events = 1, .n_channels = 1, .data_bytes = 2048 },
    [CHANNELS_10] = { .name = "publish to 10 channels, 200 B",
                      .n_events = 1,
                      .n_channels = 10,
                      .data_bytes = 200 },
    [CHANNELS_100] = { .name = "publish to 100 channels, 200 B",
                       .n_events = 1,
                       .n_channels = 100,
                       .data_bytes = 200 },
    [BATCH_1] = { .name = "batch of 1, 200 B",
                  .n_events = 1,
                  .n_channels = 1,
                  .data_bytes = 200,
                  .batch = true },
    [BATCH_10] = { .name = "batch of 10, 200 B each",
                   .n_events = 10,
                   .n_channels = 1,
                   .data_bytes = 200,
                   .batch = true },
};

static struct {
    struct apps *apps;
    struct directory *dir;
    struct hub *hub;
    struct api *api;
    struct hmac_key *secret;
} server;

static double cpu_ns(void)
{
    struct timespec ts;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* --- the server: one app, one worker, no connections --- */

static size_t frame_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    (void)len;
    out[0] = 0x81;
    return 2;
}

static bool deliver(struct hub_conn *conn, struct msg *msg)
{
    (void)conn;
    (void)msg;
    return true;
}

static void close_conn(struct hub_conn *conn, unsigned code, struct span text)
{
    (void)conn;
    (void)code;
    (void)text;
}

static void wake(void *ctx, unsigned worker)
{
    (void)ctx;
    (void)worker;
}

static void start(void)
{
    static struct span secret = SPAN("app-secret");
    static const struct app_settings settings = {
        .id = SPAN("app-id"),
        .key = SPAN("app-key"),
        .secrets = { &secret, 1 },
        .enabled = true,
        .limits = { .message_bytes = 10240,
                    .channels_per_publish = 100,
                    .batch = 10,
                    .channel_name = 200,
                    .event_name = 200,
                    .cache_bytes = 1 << 20 },
    };
    const struct dir_hooks hooks = { .frame_head = frame_head, .wake = wake };
    const struct hub_sink sink = { .frame_head = frame_head,
                                   .deliver = deliver,
                                   .close = close_conn };
    CHECK(apps_new(&server.apps, &settings, 1, true, NULL) == ERR_OK);
    CHECK(dir_new(&server.dir, 1, 0, &hooks) == ERR_OK);
    CHECK(hub_new(&server.hub, server.dir, 0, &sink) == ERR_OK);
    const struct api_settings set = { .apps = server.apps,
                                      .hub = server.hub,
                                      .auth_window_s = 600 };
    CHECK(api_new(&server.api, &set) == ERR_OK);
    server.secret = hmac_key_new(secret);
    CHECK(server.secret);
    hub_turn_begin(server.hub, 1000);
}

static void stop(void)
{
    hub_turn_end(server.hub);
    api_free(server.api);
    hub_free(server.hub);
    dir_free(server.dir);
    apps_free(server.apps);
    hmac_key_free(server.secret);
}

/* --- requests --- */

static void write_event(struct buf *b, const struct kind *k, size_t number)
{
    BUF_ADD_LIT(b, "{\"name\":\"my-event\",");
    if (k->n_channels == 1) {
        BUF_ADD_LIT(b, "\"channel\":\"my-channel\"");
    } else {
        for (size_t i = 0; i < k->n_channels; i++)
            buf_add_fmt(b, "%s\"my-channel-%zu\"", i ? "," : "\"channels\":[", i);
        buf_add_byte(b, ']');
    }
    buf_add_fmt(b, ",\"data\":\"%08zu", number);
    for (size_t i = 8; i < k->data_bytes; i++) buf_add_byte(b, "abcdefghij"[i % 10]);
    BUF_ADD_LIT(b, "\"}");
}

static void write_body(struct buf *b, const struct kind *k, size_t number)
{
    buf_clear(b);
    if (k->batch) BUF_ADD_LIT(b, "{\"batch\":[");
    for (size_t i = 0; i < k->n_events; i++) {
        if (i) buf_add_byte(b, ',');
        write_event(b, k, number);
    }
    if (k->batch) BUF_ADD_LIT(b, "]}");
}

/* The signed part of the query, and its signature. */
static void sign(const struct kind *k, struct span body, struct buf *query)
{
    char md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    buf_clear(query);
    md5_hex(body, md5);
    BUF_ADD_LIT(query, AUTH);
    buf_add(query, md5, sizeof md5);
    const struct span parts[] = { k->batch ? SPAN("POST\n/apps/app-id/batch_events\n")
                                           : SPAN("POST\n/apps/app-id/events\n"),
                                  buf_span(query) };
    hmac_sha256_hex(server.secret, parts, ARRAY_LEN(parts), signature);
    buf_add_fmt(query, "&auth_signature=%.*s", SHA256_HEX_LEN, signature);
}

static void write_requests(struct buf *b, const struct kind *k)
{
    struct buf body = { 0 }, query = { 0 };
    buf_clear(b);
    for (size_t i = 0; i < REQUESTS; i++) {
        if (k->n_events == 0) {
            BUF_ADD_LIT(b, "GET /up HTTP/1.1\r\nHost: 127.0.0.1:6001\r\n\r\n");
            continue;
        }
        write_body(&body, k, i);
        sign(k, buf_span(&body), &query);
        buf_add_fmt(b,
                    "POST /apps/app-id/%s?%.*s HTTP/1.1\r\nHost: 127.0.0.1:6001\r\n"
                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                    k->batch ? "batch_events" : "events", SPAN_FMT(buf_span(&query)), body.n);
        buf_add_span(b, buf_span(&body));
    }
    CHECK(!buf_failed(b));
    buf_fini(&body);
    buf_fini(&query);
}

/* All requests once, as a connection does it that has them in one piece. */
static void serve(struct span in, struct buf *out)
{
    struct http1_req req;
    struct api_call call;
    enum http1_ev ev;
    size_t n = 0;
    http1_req_init(&req, &http1_limits_default);
    do {
        in = span_skip(in, http1_req_feed(&req, in.p, in.n, &ev));
        if (ev == HTTP1_EV_HEAD) {
            api_head(server.api, &req, NOW_S, &call);
            http1_req_limit_body(&req, call.body_limit, call.body_option);
        } else if (ev == HTTP1_EV_DONE) {
            buf_clear(out);
            enum err err = api_finish(server.api, &req, http1_reply_to(&req), &call, out);
            CHECK(err == ERR_OK && call.status == 200);
            http1_req_next(&req);
            n++;
        }
    } while (ev != HTTP1_EV_MORE && ev != HTTP1_EV_FAIL);
    CHECK(n == REQUESTS);
    http1_req_fini(&req);
}

/* --- measuring --- */

/* Nanoseconds of one request, best round. */
static double measure(const struct kind *k)
{
    struct buf in = { 0 }, out = { 0 };
    double best = 0;
    write_requests(&in, k);
    serve(buf_span(&in), &out);
    for (unsigned round = 0; round < ROUNDS; round++) {
        double began = cpu_ns();
        serve(buf_span(&in), &out);
        double ns = (cpu_ns() - began) / REQUESTS;
        if (round == 0 || ns < best) best = ns;
    }
    buf_fini(&in);
    buf_fini(&out);
    return best;
}

/* The MD5 of such a body and the HMAC of such a query, alone. */
static double measure_digests(const struct kind *k)
{
    struct buf body = { 0 }, query = { 0 };
    double best = 0;
    write_body(&body, k, 0);
    sign(k, buf_span(&body), &query);
    struct span text = span_head(buf_span(&query), query.n - SHA256_HEX_LEN);
    for (unsigned round = 0; round < ROUNDS; round++) {
        double began = cpu_ns();
        for (size_t i = 0; i < REQUESTS; i++) {
            uint8_t digest[MD5_LEN];
            char hex[SHA256_HEX_LEN];
            md5(buf_span(&body), digest);
            hmac_sha256_hex(server.secret, &text, 1, hex);
            body.p[0] = (char)digest[0]; /* so that none can begin before the last is there */
            query.p[0] = hex[0];
        }
        double ns = (cpu_ns() - began) / REQUESTS;
        if (round == 0 || ns < best) best = ns;
    }
    buf_fini(&body);
    buf_fini(&query);
    return best;
}

int main(void)
{
    double ns[N_KINDS];
    start();
    printf("%-32s %8s %8s %8s %14s\n", "best of rounds, ns", "request", "digests", "rest",
           "rest / GET /up");
    for (size_t i = 0; i < N_KINDS; i++) {
        ns[i] = measure(&kinds[i]);
        double digests = i == STATIC ? 0 : measure_digests(&kinds[i]);
        printf("%-32s %8.0f %8.0f %8.0f %14.2f\n", kinds[i].name, ns[i], digests, ns[i] - digests,
               (ns[i] - digests) / ns[STATIC]);
    }
    double publish = ns[PUBLISH];
    double channel = (ns[CHANNELS_100] - ns[CHANNELS_10]) / 90;
    double event = (ns[BATCH_10] - ns[BATCH_1]) / 9;
    printf("a further channel: %.0f ns, %.2f of a publish; a further event of a batch: %.0f ns, "
           "%.2f of a publish\n",
           channel, channel / publish, event, event / publish);
    stop();
    return 0;
}
