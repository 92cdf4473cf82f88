/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/server_rig.h: a whole server in this process, and raw clients on loopback.
 *
 * Every wait is a poll() with a bound, far above what it takes; running into it fails the test.
 * Failures are CHECKs, so that they work in threads and child processes, too.
 */
#ifndef TESTS_SERVER_RIG_H
#define TESTS_SERVER_RIG_H
#include "base/clock.h"
#include "http/http1_req.h"
#include "net/sock.h"
#include "server/server_priv.h"
#include "unit/test.h"
#include "ws/encoder.h"
#include "ws/handshake.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RIG_WAIT_MS 30000
#define RIG_FLAGS 12

struct rig {
    struct config *cfg;
    struct server *server;
    uint16_t port, admin_port;
    pthread_t runner; /* in server_run() */
    int code;         /* what it returned */
};

/* "name=value" settings beside the development app app-id, app-key, app-secret; NULL at the end. */
static inline void rig_load(struct rig *rig, const char *const *settings)
{
    static char names[RIG_FLAGS][64];
    struct config_flag flags[RIG_FLAGS] = { { "listen", "127.0.0.1:0", "--set" },
                                            { "admin.listen", "127.0.0.1:0", "--set" },
                                            { "workers", "2", "--set" } };
    struct config_sources src = {
        .yaml_path = "", .env_path = "", .flags = flags, .n_flags = 3, .dev = true
    };
    for (; *settings; settings++) {
        CHECK(src.n_flags < RIG_FLAGS);
        const char *equals = strchr(*settings, '=');
        char *name = names[src.n_flags];
        snprintf(name, sizeof names[0], "%.*s", (int)(equals - *settings), *settings);
        flags[src.n_flags++] = (struct config_flag) { name, equals + 1, "--set" };
    }
    struct diag d = { "" };
    *rig = (struct rig) { .code = -1 };
    if (config_load(&rig->cfg, &src, &d) == ERR_OK) return;
    fprintf(stderr, "%s\n", d.text);
    abort();
}

static inline void rig_start(struct rig *rig)
{
    struct diag d = { "" };
    static int nowhere = -1; /* all lines are written, nobody reads them */
    if (nowhere < 0) nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_setup(LOG_DEBUG, LOG_JSON, nowhere);
    if (server_start(&rig->server, rig->cfg, &d)) {
        fprintf(stderr, "%s\n", d.text);
        abort();
    }
    struct server_ready ready;
    server_ready_info(rig->server, &ready);
    rig->port = (uint16_t)ready.port;
    rig->admin_port = (uint16_t)strtoul(strrchr(ready.admin, ':') + 1, NULL, 10);
}

#define LOAD(rig, ...) rig_load((rig), (const char *const[]) { __VA_ARGS__ __VA_OPT__(, ) NULL })
#define START(rig, ...) (LOAD(rig, __VA_ARGS__), rig_start(rig))

static inline void rig_stop(struct rig *rig)
{
    server_free(&rig->server);
    config_free(&rig->cfg);
}

static inline void *rig_run(void *arg)
{
    struct rig *rig = arg;
    rig->code = server_run(rig->server);
    return NULL;
}

/* server_run() in a thread of its own; a SIGTERM ends it. */
static inline void rig_serve(struct rig *rig)
{
    CHECK(pthread_create(&rig->runner, NULL, rig_run, rig) == 0);
}

static inline void rig_signal(void)
{
    CHECK(kill(getpid(), SIGTERM) == 0);
}

static inline void rig_join(struct rig *rig)
{
    CHECK(pthread_join(rig->runner, NULL) == 0);
}

/* --- clients --- */

enum peer_end { STILL_OPEN, ENDED, RESET };

struct cl {
    int fd;
    enum peer_end end;
    struct buf in;
    struct buf text; /* of the last event or body */
    struct ws_dec dec;
    uint64_t received; /* octets */
};

static inline void cl_dial_with(struct cl *c, uint16_t port, int rcvbuf)
{
    *c = (struct cl) { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    CHECK(c->fd >= 0);
    if (rcvbuf) CHECK(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf) == 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    CHECK(connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0);
}

static inline void cl_dial(struct cl *c, uint16_t port)
{
    cl_dial_with(c, port, 0);
}

static inline void cl_close(struct cl *c)
{
    close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->text);
    ws_dec_fini(&c->dec);
}

/* As a process that is killed. */
static inline void cl_reset(struct cl *c)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    CHECK(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    cl_close(c);
}

static inline void cl_send(struct cl *c, struct span s)
{
    while (s.n) {
        ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
        CHECK(n > 0);
        s = span_skip(s, (size_t)n);
    }
}

static inline void cl_says(struct cl *c, const char *text)
{
    cl_send(c, span_str(text));
}

/* Reads what has come, or waits for it. False at the end of the stream. */
static inline bool cl_fill(struct cl *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    CHECK(poll(&p, 1, RIG_WAIT_MS) == 1);
    char *room = buf_room(&c->in, 65536);
    CHECK(room);
    ssize_t n = recv(c->fd, room, 65536, 0);
    if (n <= 0) {
        CHECK(n == 0 || errno == ECONNRESET || errno == EPIPE);
        c->end = n == 0 ? ENDED : RESET;
        return false;
    }
    buf_grew(&c->in, (size_t)n);
    c->received += (size_t)n;
    return true;
}

/* Everything up to the end. */
static inline void cl_drain(struct cl *c)
{
    while (cl_fill(c)) continue;
}

static inline bool cl_has(const struct cl *c, const char *text)
{
    return c->in.n && memmem(c->in.p, c->in.n, text, strlen(text)) != NULL;
}

/* The next whole response: its status, the body in `text`; 0: the stream ended before. Interim
 * responses are skipped. */
static inline unsigned cl_response(struct cl *c)
{
    for (;;) {
        const char *end = c->in.n ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
        if (!end) {
            if (!cl_fill(c)) return 0;
            continue;
        }
        size_t head = (size_t)(end + 4 - c->in.p), length = 0;
        const char *at = memmem(c->in.p, head, "Content-Length: ", 16);
        if (at) length = strtoul(at + 16, NULL, 10);
        if (c->in.n < head + length) {
            if (!cl_fill(c)) return 0;
            continue;
        }
        unsigned status = (unsigned)strtoul(c->in.p + 9, NULL, 10);
        buf_clear(&c->text);
        buf_add(&c->text, c->in.p + head, length);
        buf_drop(&c->in, head + length);
        if (status != 100) return status;
    }
}

/* A request of a browser-like client for a key; without the upgrade's answer. */
static inline void cl_upgrade(struct cl *c, const char *key, const char *headers)
{
    struct buf b = { 0 };
    buf_add_fmt(&b,
                "GET /app/%s?protocol=7&client=js HTTP/1.1\r\nHost: localhost\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                key, headers);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
}

/* The next event of the WebSocket, its data in `text`; WS_EV_MORE: the stream ended. */
static inline struct ws_ev cl_event(struct cl *c)
{
    static const struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    for (;;) {
        struct ws_ev ev;
        size_t used = ws_decode(&c->dec, &limits, (uint8_t *)c->in.p, c->in.n, &ev);
        buf_clear(&c->text);
        buf_add_span(&c->text, ev.data);
        buf_drop(&c->in, used);
        CHECK(ev.kind != WS_EV_FAIL);
        ev.data = buf_span(&c->text);
        if (ev.kind != WS_EV_MORE || !cl_fill(c)) return ev;
    }
}

static inline bool cl_text_has(const struct cl *c, const char *text)
{
    return c->text.n && memmem(c->text.p, c->text.n, text, strlen(text)) != NULL;
}

/* Reads on until a message has `word`; others are left out. False: closed before. */
static inline bool cl_hears(struct cl *c, const char *word)
{
    for (;;) {
        struct ws_ev ev = cl_event(c);
        if (ev.kind == WS_EV_MORE || ev.kind == WS_EV_CLOSE) return false;
        if (ev.kind == WS_EV_MESSAGE && cl_text_has(c, word)) return true;
    }
}

/* Reads on to the close frame: its code. 0: the stream ended without one. */
static inline unsigned cl_closed(struct cl *c)
{
    for (;;) {
        struct ws_ev ev = cl_event(c);
        if (ev.kind == WS_EV_MORE) return 0;
        if (ev.kind == WS_EV_CLOSE) return ev.close_code;
    }
}

/* The close frame and then a proper end of the stream: nothing was lost by a reset. */
static inline unsigned cl_closed_well(struct cl *c)
{
    unsigned code = cl_closed(c);
    if (c->end == STILL_OPEN) cl_drain(c);
    return c->end == ENDED ? code : 0;
}

static inline void cl_accepted(struct cl *c)
{
    CHECK(cl_response(c) == 101);
}

static inline void cl_open_with(struct cl *c, const struct rig *rig, const char *key, int rcvbuf)
{
    cl_dial_with(c, rig->port, rcvbuf);
    cl_upgrade(c, key, "");
    cl_accepted(c);
}

/* Connected, welcomed. */
static inline void cl_open(struct cl *c, const struct rig *rig)
{
    cl_open_with(c, rig, "app-key", 0);
    CHECK(cl_hears(c, "pusher:connection_established"));
}

static inline void cl_frame(struct cl *c, struct span text)
{
    static const uint8_t mask[4] = { 1, 2, 3, 4 };
    struct buf b = { 0 };
    ws_write_text(&b, text, mask);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
}

/* Header and (unmasked by a mask of zeros) payload of any frame. */
static inline void cl_raw_frame(struct cl *c, uint8_t first, struct span payload)
{
    CHECK(payload.n < 126);
    uint8_t head[6] = { first, (uint8_t)(0x80 | payload.n) };
    cl_send(c, span_of(head, 6));
    cl_send(c, payload);
}

static inline void cl_subscribe(struct cl *c, const char *channel)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"}}", channel);
    cl_frame(c, buf_span(&b));
    buf_fini(&b);
    CHECK(cl_hears(c, "subscription_succeeded"));
}

/* --- the HTTP API --- */

static inline struct hmac_key *rig_secret(void)
{
    static struct hmac_key *key;
    if (!key) key = hmac_key_new(SPAN("app-secret"));
    CHECK(key);
    return key;
}

/* Appends a signed POST of an event with `size` octets of data to a channel. */
static inline void write_publish(struct buf *out, const char *channel, const char *name,
                                 size_t size)
{
    struct buf body = { 0 }, query = { 0 };
    buf_add_fmt(&body, "{\"name\":\"%s\",\"channel\":\"%s\",\"data\":\"", name, channel);
    for (size_t i = 0; i < size; i++) buf_add_byte(&body, 'x');
    BUF_ADD_LIT(&body, "\"}");
    char md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    md5_hex(buf_span(&body), md5);
    buf_add_fmt(&query, "auth_key=app-key&auth_timestamp=%lld&auth_version=1.0&body_md5=%.*s",
                (long long)(clock_unix_ms() / 1000), MD5_HEX_LEN, md5);
    struct span parts[] = { SPAN("POST\n/apps/app-id/events\n"), buf_span(&query) };
    hmac_sha256_hex(rig_secret(), parts, 2, signature);
    buf_add_fmt(out,
                "POST /apps/app-id/events?%.*s&auth_signature=%.*s HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                SPAN_FMT(buf_span(&query)), SHA256_HEX_LEN, signature, body.n);
    buf_add_span(out, buf_span(&body));
    buf_fini(&body);
    buf_fini(&query);
}

/* Publishes over `c`, which stays open; the status. */
static inline unsigned cl_publish(struct cl *c, const char *channel, const char *name, size_t size)
{
    struct buf b = { 0 };
    write_publish(&b, channel, name, size);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
    return cl_response(c);
}

/* Over a connection of its own. */
static inline unsigned rig_publish(const struct rig *rig, const char *channel, const char *name,
                                   size_t size)
{
    struct cl c;
    cl_dial(&c, rig->port);
    unsigned status = cl_publish(&c, channel, name, size);
    cl_close(&c);
    return status;
}

/* GET on the admin listener, the body in c->text; the connection stays open. */
static inline unsigned admin_get(struct cl *c, const struct rig *rig, const char *path)
{
    struct buf b = { 0 };
    cl_dial(c, rig->admin_port);
    buf_add_fmt(&b, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
    return cl_response(c);
}

/* --- what the server counts --- */

static inline uint64_t rig_count(const struct rig *rig, size_t offset)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < rig->server->n_workers; i++) {
        const char *counts = (const char *)&rig->server->workers[i].counts;
        n += atomic_load((const _Atomic uint64_t *)(const void *)(counts + offset));
    }
    return n;
}
#define COUNT(rig, field) rig_count((rig), offsetof(struct worker_counts, field))

/* What happens on other threads without telling us: looks again until it is so. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t until_ms_ = clock_mono_ms() + RIG_WAIT_MS;                                        \
        while (!(cond)) {                                                                          \
            CHECK(clock_mono_ms() < until_ms_);                                                    \
            poll(NULL, 0, 1);                                                                      \
        }                                                                                          \
    } while (0)

/* Nobody is connected and nothing is kept for anybody. */
static inline void rig_settles(const struct rig *rig)
{
    UNTIL(COUNT(rig, n_ws) == 0 && COUNT(rig, n_http) == 0);
    UNTIL(atomic_load(&rig->server->pending_bytes) == 0);
    UNTIL(atomic_load(&rig->server->held_bytes) == 0);
}
#endif
