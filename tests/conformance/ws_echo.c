/* SPDX-License-Identifier: MIT
 *
 * tests/conformance/ws_echo.c: a WebSocket server that sends each message back, on our own ws, http
 * and net layers: what the conformance cases (run.js, or a test suite of somebody else) talk to.
 *
 *     ws_echo --port N [--max-message BYTES]      prints "ws_echo ready port=N" (0: any free port)
 *
 * One thread serves, the main thread waits for SIGTERM and then the exit code is 0. There is one
 * way out for a connection: its last bytes (a close frame, or the refusal of a handshake) are
 * flushed, the sending side is shut, and what the peer still sends is read and dropped until it
 * closes too or ENDING_MS are over; so no reset overtakes the last words. A peer that does not read
 * is not read from, and all that messages hold together is bounded: neither makes us grow.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "http/http1_res.h"
#include "net/fds.h"
#include "net/listener.h"
#include "net/signals.h"
#include "net/wheel.h"
#include "ws/decoder.h"
#include "ws/encoder.h"
#include "ws/handshake.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sysexits.h>

#define CONN_MAGIC 0x4563686fu
#define READ_BYTES ((size_t)64 * 1024)
#define PENDING_BYTES ((size_t)1024 * 1024)      /* waiting to be sent: not read from */
#define TOTAL_BYTES ((size_t)1024 * 1024 * 1024) /* of messages, in all connections */
#define HANDSHAKE_MS 10000
#define ENDING_MS 3000
#define STOP_MS 500
#define TIMERS_PER_TURN 1000

enum conn_state { CONN_HTTP, CONN_WS, CONN_ENDING, CONN_DEAD };

struct conn {
    uint32_t magic;
    enum conn_state state;
    struct echo *echo;
    struct list link; /* echo->conns, or echo->dead */
    struct io io;
    struct timer timer;
    struct http1_req req; /* CONN_HTTP only */
    struct ws_dec dec;    /* CONN_WS only */
    struct buf out;
    size_t sent; /* of `out` */
    size_t held; /* what echo->held has of us */
    bool eof;    /* the peer sends nothing more */
    bool shut;   /* nor do we */
};

struct echo {
    struct ws_limits limits;
    struct loop *loop;
    struct poller *poller;
    struct listener *listener;
    struct wheel wheel;
    struct list conns, dead;
    size_t held;
    uint64_t stop_at; /* 0: serves */
    atomic_bool stop;
    uint8_t in[READ_BYTES];
};

/* --- ending --- */

static void die(struct conn *c)
{
    if (c->state == CONN_DEAD) return;
    struct echo *e = c->echo;
    if (c->state == CONN_HTTP) http1_req_fini(&c->req);
    ws_dec_fini(&c->dec);
    buf_fini(&c->out);
    e->held -= c->held;
    c->held = 0;
    c->state = CONN_DEAD;
    wheel_clear(&e->wheel, &c->timer);
    poller_del(e->poller, &c->io);
    sock_close(c->io.fd);
    list_remove(&c->link);
    list_push(&e->dead, &c->link);
    loop_again(e->loop);
}

/* After the last bytes were written to `out`: nothing of the input counts any more. */
static void end(struct conn *c)
{
    if (c->state >= CONN_ENDING) return;
    if (c->state == CONN_HTTP) http1_req_fini(&c->req);
    ws_dec_fini(&c->dec);
    c->state = CONN_ENDING;
    wheel_set(&c->echo->wheel, &c->timer, loop_now_ms(c->echo->loop) + ENDING_MS);
}

static void end_with(struct conn *c, uint16_t code, struct span reason)
{
    ws_write_close(&c->out, code, reason, NULL);
    end(c);
}

/* --- output --- */

static void want(struct conn *c)
{
    size_t pending = c->out.n - c->sent;
    bool reads = !c->eof && (pending <= PENDING_BYTES || c->state == CONN_ENDING);
    poller_set(c->echo->poller, &c->io, (reads ? IO_READ : 0) | (pending ? IO_WRITE : 0));
}

/* All of `out` is gone. */
static void on_sent(struct conn *c)
{
    buf_fini(&c->out);
    c->sent = 0;
    if (c->state != CONN_ENDING) return;
    if (c->eof) {
        die(c);
        return;
    }
    if (!c->shut) sock_shutdown_write(c->io.fd);
    c->shut = true;
}

static void flush(struct conn *c)
{
    while (c->state != CONN_DEAD && c->sent < c->out.n) {
        size_t n = 0;
        enum sock_status status = sock_send(c->io.fd, c->out.p + c->sent, c->out.n - c->sent, &n);
        if (status == SOCK_AGAIN) break;
        if (status != SOCK_OK) {
            die(c);
            return;
        }
        c->sent += n;
        if (c->state == CONN_ENDING) /* it does read: a long message before the close may take */
            wheel_set(&c->echo->wheel, &c->timer, loop_now_ms(c->echo->loop) + ENDING_MS);
    }
    if (c->state == CONN_DEAD) return;
    if (c->sent == c->out.n)
        on_sent(c);
    else if (c->sent > c->out.n / 2) {
        buf_drop(&c->out, c->sent);
        c->sent = 0;
    }
    if (c->state != CONN_DEAD) want(c);
}

/* --- frames --- */

/* False when all connections together hold too much: this one goes. */
static bool hold(struct conn *c)
{
    size_t now = ws_dec_memory(&c->dec) + c->out.cap;
    bool more = now > c->held;
    c->echo->held += now - c->held;
    c->held = now;
    return !more || c->echo->held <= TOTAL_BYTES;
}

static void on_event(struct conn *c, const struct ws_ev *ev)
{
    switch (ev->kind) {
    case WS_EV_MORE:
    case WS_EV_PONG:
        break;
    case WS_EV_MESSAGE:
        if (ev->op == WS_OP_TEXT)
            ws_write_text(&c->out, ev->data, NULL);
        else
            ws_write_binary(&c->out, ev->data, NULL);
        break;
    case WS_EV_PING:
        ws_write_pong(&c->out, ev->data, NULL);
        break;
    case WS_EV_CLOSE: /* RFC 6455 section 5.5.1: the code comes back */
        end_with(c, ev->close_code, SPAN(""));
        break;
    case WS_EV_FAIL:
        end_with(c, ev->close_code, ev->data);
        break;
    }
}

static void read_frames(struct conn *c, uint8_t *in, size_t n)
{
    struct ws_ev ev;
    do {
        size_t used = ws_decode(&c->dec, &c->echo->limits, in, n, &ev);
        in += used;
        n -= used;
        on_event(c, &ev);
    } while (c->state == CONN_WS && ev.kind != WS_EV_MORE);
    if (c->state == CONN_WS && !hold(c)) end_with(c, 1013, SPAN("Too many messages in the works"));
}

/* --- the handshake --- */

static void judge(struct conn *c)
{
    struct ws_request wr = { .method = http1_req_method_name(&c->req),
                             .http_minor = (int)http1_req_minor(&c->req) };
    struct ws_verdict verdict;
    struct http1_field f;
    for (size_t at = 0; http1_header_next(&c->req, &at, &f);)
        ws_request_header(&wr, f.name, f.value);
    ws_request_judge(&wr, &verdict);
    verdict.protocol = SPAN(""); /* we know none, so we agree to none */
    ws_write_verdict(&c->out, &verdict);
    if (verdict.status != 101) {
        end(c);
        return;
    }
    http1_req_fini(&c->req);
    c->state = CONN_WS;
    wheel_clear(&c->echo->wheel, &c->timer);
}

static void refuse(struct conn *c)
{
    bool tls = http1_req_fail(&c->req)->kind == HTTP1_FAIL_TLS; /* reads no HTTP */
    if (!tls && http1_res_fail(&c->out, &c->req) != ERR_OK) buf_fail(&c->out);
    end(c);
}

static void read_request(struct conn *c, char *in, size_t n)
{
    enum http1_ev ev = HTTP1_EV_HEAD;
    while (c->state == CONN_HTTP && ev != HTTP1_EV_MORE) {
        size_t used = http1_req_feed(&c->req, in, n, &ev);
        in += used;
        n -= used;
        if (ev == HTTP1_EV_DONE) judge(c);
        if (ev == HTTP1_EV_FAIL) refuse(c);
    }
    if (c->state == CONN_WS && n > 0) read_frames(c, (uint8_t *)in, n);
}

/* --- input --- */

static void on_eof(struct conn *c)
{
    c->eof = true;
    if (c->state == CONN_WS) end_with(c, WS_CODE_PROTOCOL, SPAN("No close frame"));
    end(c);
}

static void read_some(struct conn *c)
{
    size_t n;
    struct echo *e = c->echo;
    switch (sock_recv(c->io.fd, e->in, sizeof e->in, &n)) {
    case SOCK_AGAIN:
        return;
    case SOCK_CLOSED:
        on_eof(c);
        return;
    case SOCK_ERROR:
        die(c);
        return;
    case SOCK_OK:
        break;
    }
    if (c->state == CONN_HTTP)
        read_request(c, (char *)e->in, n);
    else if (c->state == CONN_WS)
        read_frames(c, e->in, n);
}

static void on_ready(struct io *io, uint32_t events)
{
    struct conn *c = CONTAINER_OF(io, struct conn, io);
    CHECK_MAGIC(c, CONN_MAGIC);
    if ((events & IO_GONE) && (c->eof || !(events & IO_READ))) {
        die(c);
        return;
    }
    if (events & IO_READ) read_some(c);
    if (c->state == CONN_DEAD) return;
    if (buf_failed(&c->out))
        die(c);
    else
        flush(c);
}

static void on_accept(void *ctx, int fd, const struct sock_addr *peer)
{
    (void)peer;
    struct echo *e = ctx;
    struct conn *c = mem_zalloc(sizeof *c);
    if (!c) {
        sock_close(fd);
        return;
    }
    c->magic = CONN_MAGIC;
    c->echo = e;
    c->io = (struct io) { .on_ready = on_ready, .fd = fd };
    if (poller_add(e->poller, &c->io, IO_READ) != ERR_OK) {
        sock_close(fd);
        mem_free(c);
        return;
    }
    http1_req_init(&c->req, &http1_limits_default);
    list_push(&e->conns, &c->link);
    wheel_set(&e->wheel, &c->timer, loop_now_ms(e->loop) + HANDSHAKE_MS);
}

/* --- the loop --- */

static void on_expire(struct timer *t, void *ctx)
{
    (void)ctx;
    die(CONTAINER_OF(t, struct conn, timer));
}

/* All get a close frame; the last one out, or STOP_MS, ends the loop. */
static void begin_stop(struct echo *e)
{
    e->stop_at = loop_now_ms(e->loop) + STOP_MS;
    listener_close(&e->listener);
    for (struct list *node = e->conns.next, *next; node != &e->conns; node = next) {
        next = node->next;
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (c->state == CONN_HTTP) {
            die(c);
        } else if (c->state == CONN_WS) {
            end_with(c, WS_CODE_GOING_AWAY, SPAN("Stopping"));
            flush(c);
        }
    }
}

static void on_mailbox(void *ctx)
{
    struct echo *e = ctx;
    if (atomic_load(&e->stop) && !e->stop_at) begin_stop(e);
}

static void on_timers(void *ctx)
{
    struct echo *e = ctx;
    uint64_t now = loop_now_ms(e->loop);
    if (wheel_advance(&e->wheel, now, TIMERS_PER_TURN)) loop_again(e->loop);
    if (e->stop_at && (now >= e->stop_at || list_empty(&e->conns))) loop_stop(e->loop);
}

static void on_close(void *ctx)
{
    struct echo *e = ctx;
    for (struct list *node; (node = list_pop(&e->dead));)
        mem_free(CONTAINER_OF(node, struct conn, link));
}

static uint64_t deadline(void *ctx)
{
    struct echo *e = ctx;
    uint64_t next = wheel_next_ms(&e->wheel);
    return e->stop_at && e->stop_at < next ? e->stop_at : next;
}

static void *serve(void *ctx)
{
    struct echo *e = ctx;
    signals_block_all();
    loop_run(e->loop);
    for (struct list *node; (node = list_first(&e->conns));)
        die(CONTAINER_OF(node, struct conn, link));
    on_close(e);
    return NULL;
}

/* --- the program --- */

static enum err open_all(struct echo *e, struct endpoint *ep)
{
    const struct loop_hooks hooks = { .ctx = e,
                                      .mailbox = on_mailbox,
                                      .timers = on_timers,
                                      .close = on_close,
                                      .deadline = deadline };
    const struct listener_hooks accepting = { .ctx = e, .on_accept = on_accept };
    list_init(&e->conns);
    list_init(&e->dead);
    enum err err = loop_new(&hooks, &e->loop);
    if (!err) err = poller_open(e->loop, &e->poller);
    if (!err) err = wheel_init(&e->wheel, WHEEL_TICK_MS, loop_now_ms(e->loop), on_expire, e);
    if (!err) err = listener_open(ep, 0, e->poller, &accepting, &e->listener);
    return err;
}

static void close_all(struct echo *e)
{
    listener_close(&e->listener);
    wheel_fini(&e->wheel);
    poller_close(&e->poller);
    loop_free(&e->loop);
}

static enum err run(struct echo *e, struct endpoint *ep)
{
    pthread_t thread;
    enum err err = open_all(e, ep);
    if (!err && pthread_create(&thread, NULL, serve, e) != 0) err = ERR_NOMEM;
    if (!err) {
        printf("ws_echo ready port=%u\n", sock_addr_port(endpoint_addr(ep)));
        fflush(stdout);
        while (signals_wait(-1) != SIGNALS_STOP) continue;
        atomic_store(&e->stop, true);
        loop_wake(e->loop);
        pthread_join(thread, NULL);
    }
    close_all(e);
    return err;
}

static bool read_number(const char *word, uint64_t max, uint64_t *out)
{
    return word && span_to_u64(span_str(word), out) && *out <= max;
}

/* False: usage. */
static bool read_arguments(int argc, char **argv, uint64_t *port, uint64_t *max_message)
{
    *port = UINT64_MAX;
    *max_message = (uint64_t)64 * 1024 * 1024;
    for (int i = 1; i < argc; i += 2) {
        bool is_port = strcmp(argv[i], "--port") == 0;
        if (!is_port && strcmp(argv[i], "--max-message") != 0) return false;
        uint64_t most = is_port ? UINT16_MAX : SIZE_MAX / 2;
        if (!read_number(argv[i + 1], most, is_port ? port : max_message)) return false;
    }
    return *port != UINT64_MAX;
}

int main(int argc, char **argv)
{
    static struct echo e; /* its read buffer is large */
    uint64_t port, max_message;
    if (!read_arguments(argc, argv, &port, &max_message)) {
        fputs("usage: ws_echo --port N [--max-message BYTES]\n", stderr);
        return EX_USAGE;
    }
    log_setup(LOG_WARN, LOG_TEXT, 2);
    signals_start();
    struct fds_forecast forecast;
    fds_start(0, &forecast);
    e.limits = (struct ws_limits) { .max_message = (size_t)max_message,
                                    .max_fragments = 65536,
                                    .role = WS_ROLE_SERVER };
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)port);
    struct sock_addr addr;
    struct endpoint *ep = NULL;
    struct diag d = { "" };
    enum err err = endpoint_parse(span_str(text), &addr, &d);
    if (!err) err = endpoint_open(&addr, 1, &ep, &d);
    if (!err) err = run(&e, ep);
    endpoint_close(&ep);
    if (err) fprintf(stderr, "ws_echo: %s\n", d.text[0] ? d.text : err_text(err));
    return err ? EX_UNAVAILABLE : EX_OK;
}
