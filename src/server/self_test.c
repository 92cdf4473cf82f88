/* SPDX-License-Identifier: MIT
 * server/self_test.c: see self_test.h. */
#include "server/self_test.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "server/conn.h"
#include "server/server_priv.h"
#include <errno.h>

#define NAME "peal-self-test"
#define EVENT "self-test"
#define EVERY_MS 5000
#define LATE_MS 10000
#define FAILED_EVERY_MS 60000 /* one that waits in a mailbox goes on by itself */
#define REOPEN_MS 1000
#define AUTH_WINDOW_S 600
#define HEARD_MAX 4096

struct self_test_end {
    struct io io; /* the client's end of the pair */
    struct worker *worker;
    struct api *api;
    bool is_open;
    uint64_t reopen_ms;
};

/* --- the server's part --- */

enum err self_test_new(struct self_test **out)
{
    struct self_test *st = mem_zalloc(sizeof *st);
    if (!st) return ERR_NOMEM;
    lock_init(&st->_lock);
    st->every_ms = EVERY_MS;
    st->late_ms = LATE_MS;
    internal_app_init(&st->app, SPAN(NAME));
    enum err err = internal_app_open(&st->app);
    if (err) {
        self_test_free(st);
        return err;
    }
    *out = st;
    return ERR_OK;
}

void self_test_free(struct self_test *st)
{
    if (!st) return;
    internal_app_close(&st->app);
    lock_fini(&st->_lock);
    mem_free_secret(st, sizeof *st);
}

static struct self_test *test_of(const struct worker *w)
{
    return w->server->self_test;
}

static uint64_t waits_ms(const struct self_test *st)
{
    uint64_t since_ms = count_get(&st->_waiting_ms), now_ms = clock_mono_ms();
    return since_ms && now_ms > since_ms ? now_ms - since_ms : 0;
}

bool self_test_ok(const struct self_test *st)
{
    return waits_ms(st) < st->late_ms;
}

bool self_test_age_ms(const struct self_test *st, uint64_t *age_ms)
{
    uint64_t good_ms = count_get(&st->_good_ms), now_ms = clock_mono_ms();
    *age_ms = good_ms && now_ms > good_ms ? now_ms - good_ms : 0;
    return good_ms > 0;
}

uint64_t self_test_took_us(const struct self_test *st)
{
    return count_get(&st->_took_us);
}

uint64_t self_test_count(const struct self_test *st)
{
    return count_get(&st->_n_good);
}

static void add_age(struct buf *out, uint64_t ms)
{
    if (ms < 1000)
        buf_add_fmt(out, "%llu ms", (unsigned long long)ms);
    else
        buf_add_fmt(out, "%llu s", (unsigned long long)(ms / 1000));
}

static void add_failure(struct self_test *st, struct buf *out)
{
    BUF_ADD_LIT(out, "no publish has come back for ");
    add_age(out, waits_ms(st));
    lock_take(&st->_lock);
    if (st->_why[0])
        buf_add_fmt(out, ": %s", st->_why);
    else
        buf_add_fmt(out, ": worker %u does not pass it on",
                    atomic_load_explicit(&st->_at, memory_order_relaxed));
    lock_drop(&st->_lock);
}

void self_test_text(struct self_test *st, struct buf *out)
{
    uint64_t age_ms;
    if (!self_test_ok(st)) {
        add_failure(st, out);
    } else if (!self_test_age_ms(st, &age_ms)) {
        BUF_ADD_LIT(out, "the first publish is on its way");
    } else {
        BUF_ADD_LIT(out, "the last publish came back ");
        add_age(out, age_ms);
        buf_add_fmt(out, " ago in %.1f ms", (double)self_test_took_us(st) / 1e3);
    }
}

/* --- publishing --- */

static void note_refusal(struct self_test *st, unsigned worker, unsigned status, struct span why)
{
    lock_take(&st->_lock);
    snprintf(st->_why, sizeof st->_why, "worker %u answered %u: %.*s", worker, status,
             (int)span_head(why, 100).n, why.p ? why.p : "");
    lock_drop(&st->_lock);
}

/* The request, as a back end would send it. */
static void write_request(const struct self_test *st, unsigned to, uint64_t round, struct buf *out)
{
    char md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    struct buf body = { 0 }, query = { 0 }, string = { 0 };
    buf_add_fmt(&body, "{\"name\":\"" EVENT "\",\"channel\":\"" EVENT "-%u\",\"data\":\"%llu\"}",
                to, (unsigned long long)round);
    md5_hex(buf_span(&body), md5);
    buf_add_fmt(&query, "auth_key=" NAME "&auth_timestamp=%llu&auth_version=1.0&body_md5=%.*s",
                (unsigned long long)clock_unix_s(), MD5_HEX_LEN, md5);
    buf_add_fmt(&string, "POST\n/apps/" NAME "/events\n%.*s", SPAN_FMT(buf_span(&query)));
    const struct peer_rules *rules = internal_app(&st->app)->rules;
    auth_sign_string(&rules->keys, buf_span(&string), signature);
    buf_add_fmt(out,
                "POST /apps/" NAME "/events?%.*s&auth_signature=%.*s HTTP/1.1\r\n"
                "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                SPAN_FMT(buf_span(&query)), SHA256_HEX_LEN, signature, body.n);
    buf_add_span(out, buf_span(&body));
    if (buf_failed(&body) || buf_failed(&query) || buf_failed(&string)) buf_fail(out);
    buf_fini(&body);
    buf_fini(&query);
    buf_fini(&string);
}

/* What the API answered; 0: nothing, as memory is short. */
static unsigned call_api(struct api *api, struct span text)
{
    struct http1_req req;
    struct api_call call = { 0 };
    struct buf answer = { 0 };
    enum http1_ev ev;
    http1_req_init(&req, &http1_limits_default);
    do {
        text = span_skip(text, http1_req_feed(&req, text.p, text.n, &ev));
        if (ev != HTTP1_EV_HEAD) continue;
        api_head(api, &req, clock_unix_s(), &call);
        http1_req_limit_body(&req, call.body_limit, call.body_option);
    } while (ev == HTTP1_EV_HEAD);
    bool answered =
        ev == HTTP1_EV_DONE && !api_finish(api, &req, http1_reply_to(&req), &call, &answer);
    buf_fini(&answer);
    http1_req_fini(&req);
    return answered ? call.status : 0;
}

static void publish(struct worker *w, uint64_t round)
{
    struct self_test *st = test_of(w);
    unsigned to = (w->index + 1) % w->server->n_workers;
    struct buf request = { 0 };
    atomic_store_explicit(&st->_at, w->index, memory_order_relaxed);
    write_request(st, to, round, &request);
    hub_turn_begin_ns(w->hub, loop_now_ns(w->loop));
    atomic_store_explicit(&st->_at, to, memory_order_relaxed);
    unsigned status = 0;
    if (!buf_failed(&request)) status = call_api(w->self_test->api, buf_span(&request));
    if (status == 0)
        note_refusal(st, w->index, 503, SPAN("out of memory"));
    else if (status != 200)
        note_refusal(st, w->index, status, api_why(w->self_test->api));
    buf_fini(&request);
}

/* --- receiving --- */

static void came_back(struct self_test *st, uint64_t round)
{
    bool was_late = !self_test_ok(st);
    uint64_t took_us = (clock_mono_ns() - st->_began_ns) / 1000;
    if (round == st->_round) atomic_store_explicit(&st->_took_us, took_us, memory_order_relaxed);
    atomic_store_explicit(&st->_good_ms, clock_mono_ms(), memory_order_relaxed);
    atomic_store_explicit(&st->_waiting_ms, 0, memory_order_relaxed);
    count_add(&st->_n_good, 1);
    lock_take(&st->_lock);
    st->_why[0] = '\0';
    lock_drop(&st->_lock);
    if (was_late) log_info("server", "self-test: publishes come back again");
}

static void pass_on(struct worker *w, uint64_t round)
{
    if (w->index == 0)
        came_back(test_of(w), round);
    else
        publish(w, round);
}

/* A frame may be cut in two, and is lost then: the next round comes. */
static void hear(struct worker *w, struct span bytes)
{
    static const char event[] = "{\"event\":\"" EVENT "\"", data[] = "\"data\":\"";
    const char *at;
    while ((at = memmem(bytes.p, bytes.n, event, sizeof event - 1))) {
        uint64_t round;
        struct span digits;
        bytes = span_skip(bytes, (size_t)(at - bytes.p) + sizeof event - 1);
        if (!(at = memmem(bytes.p, bytes.n, data, sizeof data - 1))) return;
        bytes = span_skip(bytes, (size_t)(at - bytes.p) + sizeof data - 1);
        if (span_cut(&bytes, '"', &digits) && span_to_u64(digits, &round)) pass_on(w, round);
        if (!bytes.p) return;
    }
}

static void close_end(struct self_test_end *end)
{
    if (!end->is_open) return;
    end->is_open = false;
    end->reopen_ms = loop_now_ms(end->worker->loop) + REOPEN_MS;
    poller_del(end->worker->poller, &end->io);
    sock_close(end->io.fd);
}

/* The client lives: an empty pong, masked with zeros. */
static bool give_sign(struct self_test_end *end)
{
    static const uint8_t pong[] = { 0x8A, 0x80, 0, 0, 0, 0 };
    size_t n;
    return sock_send(end->io.fd, pong, sizeof pong, &n) == SOCK_OK && n == sizeof pong;
}

static void on_ready(struct io *io, uint32_t events)
{
    struct self_test_end *end = CONTAINER_OF(io, struct self_test_end, io);
    char bytes[HEARD_MAX];
    size_t n;
    (void)events;
    switch (sock_recv(io->fd, bytes, sizeof bytes, &n)) {
    case SOCK_OK:
        if (give_sign(end))
            hear(end->worker, span_of(bytes, n));
        else
            close_end(end);
        break;
    case SOCK_AGAIN:
        break;
    case SOCK_CLOSED:
    case SOCK_ERROR:
        close_end(end);
        break;
    }
}

/* --- the pair --- */

static void subscribe(struct worker *w, struct conn *c)
{
    struct buf text = { 0 };
    buf_add_fmt(&text, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"" EVENT "-%u\"}}",
                w->index);
    hub_turn_begin_ns(w->hub, loop_now_ns(w->loop));
    conn_ws_open_inside(c, internal_app(&test_of(w)->app));
    if (!buf_failed(&text)) hub_on_text(w->hub, &c->hub, buf_span(&text));
    buf_fini(&text);
}

static enum err open_pair(struct worker *w)
{
    struct self_test_end *end = w->self_test;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) return ERR_IO;
    fds_opened(2);
    end->io = (struct io) { .on_ready = on_ready, .fd = fds[1] };
    enum err err = poller_add(w->poller, &end->io, IO_READ);
    if (err) {
        sock_close(fds[0]);
        sock_close(fds[1]);
        return err;
    }
    end->is_open = true;
    struct conn *c = conn_new_inside(w, fds[0]);
    if (c) subscribe(w, c);
    return c ? ERR_OK : ERR_NOMEM;
}

static void open_or_retry(struct worker *w)
{
    enum err err = open_pair(w);
    if (!err) return;
    log_warn("server", "self-test: no subscriber could be made", kv_u64("worker", w->index),
             kv_str("why", err_text(err)));
    close_end(w->self_test);
    w->self_test->reopen_ms = loop_now_ms(w->loop) + REOPEN_MS;
}

enum err self_test_open(struct worker *w)
{
    const struct api_settings settings = {
        .apps = test_of(w)->app.apps,
        .hub = w->hub,
        .auth_window_s = AUTH_WINDOW_S,
    };
    w->self_test = mem_zalloc(sizeof *w->self_test);
    if (!w->self_test) return ERR_NOMEM;
    w->self_test->worker = w;
    if (w->index == 0) { /* of workers before these nothing comes back */
        test_of(w)->next_ms = 0;
        atomic_store_explicit(&test_of(w)->_waiting_ms, 0, memory_order_relaxed);
    }
    enum err err = api_new(&w->self_test->api, &settings);
    if (!err) open_or_retry(w);
    return err;
}

void self_test_stop(struct worker *w)
{
    if (w->self_test) close_end(w->self_test);
}

void self_test_close(struct worker *w)
{
    if (!w->self_test) return;
    api_free(w->self_test->api);
    mem_free(w->self_test);
    w->self_test = NULL;
}

/* --- time --- */

static void begin_round(struct self_test *st, struct worker *w, uint64_t now_ms)
{
    bool late = !self_test_ok(st);
    if (late) {
        struct buf why = { 0 };
        self_test_text(st, &why);
        if (!buf_failed(&why))
            log_warn("server", "self-test failed", kv_span("why", buf_span(&why)));
        buf_fini(&why);
    }
    if (count_get(&st->_waiting_ms) == 0)
        atomic_store_explicit(&st->_waiting_ms, now_ms, memory_order_relaxed);
    st->next_ms = now_ms + (late ? FAILED_EVERY_MS : st->every_ms);
    st->_began_ns = clock_mono_ns();
    publish(w, ++st->_round);
}

void self_test_step(struct worker *w)
{
    struct self_test_end *end = w->self_test;
    struct self_test *st = test_of(w);
    uint64_t now_ms = loop_now_ms(w->loop);
    if (w->phase != WORKER_SERVES) return;
    if (!end->is_open && now_ms >= end->reopen_ms) open_or_retry(w);
    if (w->index == 0 && now_ms >= st->next_ms) begin_round(st, w, now_ms);
}

uint64_t self_test_deadline_ms(const struct worker *w)
{
    const struct self_test_end *end = w->self_test;
    if (w->phase != WORKER_SERVES) return LOOP_NEVER;
    uint64_t at_ms = end->is_open ? LOOP_NEVER : end->reopen_ms;
    uint64_t next_ms = w->index == 0 ? test_of(w)->next_ms : LOOP_NEVER;
    return next_ms < at_ms ? next_ms : at_ms;
}
