/* SPDX-License-Identifier: MIT
 *
 * bench/floor.c: the floor: the cheapest honest fan-out server that we can think of, in one thread.
 *
 *     floor [--join | --accept]
 *                         listens on 127.0.0.1, any port: "floor ready host=127.0.0.1 port=N pid=N"
 *
 * It does what no server can leave out and nothing else: epoll, the WebSocket handshake, a frame
 * built once per message, one send() per subscriber and message, and with --join one send() per
 * subscriber and turn of the loop with all messages of the turn in one piece. Every WebSocket is a
 * subscriber of the one channel there is (and of none whose name ends in -nobody); any POST
 * publishes, and the members that a frame repeats are found by searching for them. No JSON, no
 * authentication, no limits, no time-outs, no HTTP beyond the length of a request. Nothing is lost:
 * what a socket does not take is kept and sent when it does. With --accept it only accepts, waits
 * for the end of each connection and closes it.
 *
 * To be measured against only, never to be used.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/rand.h"
#include "ws/decoder.h"
#include "ws/encoder.h"
#include "ws/handshake.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 256
#define READ_BYTES ((size_t)64 * 1024)
#define NO_SLOT UINT32_MAX

struct conn {
    int fd;
    uint32_t slot;      /* in floor.slots; NO_SLOT: not a WebSocket (yet) */
    struct buf in;      /* the part of a request that has come */
    struct buf pending; /* what the socket did not take */
    struct ws_dec dec;
};

/* All that a fan-out has to touch of a subscriber. */
struct slot {
    int fd;
    bool blocked; /* conn->pending is not empty */
    struct conn *conn;
};

struct floor {
    int ep, listener;
    bool join, accept_only;
    struct slot *slots;
    size_t n_slots, cap_slots;
    struct buf frames;  /* of this turn (--join), or of this message */
    struct buf replies; /* to the requests that are being read */
    uint8_t input[READ_BYTES];
};

static const struct ws_limits limits = { .max_message = 1048576, .role = WS_ROLE_SERVER };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct floor *f, int op, struct conn *c, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = c };
    if (epoll_ctl(f->ep, op, c->fd, &ev) != 0) fail("epoll_ctl");
}

static void subscribe(struct floor *f, struct conn *c)
{
    if (f->n_slots == f->cap_slots) {
        f->cap_slots = f->cap_slots ? 2 * f->cap_slots : 1024;
        f->slots = mem_realloc(f->slots, f->cap_slots * sizeof *f->slots);
        if (!f->slots) fail("slots");
    }
    c->slot = (uint32_t)f->n_slots++;
    f->slots[c->slot] = (struct slot) { .fd = c->fd, .conn = c };
}

static void close_conn(struct floor *f, struct conn *c)
{
    if (c->slot != NO_SLOT) {
        f->slots[c->slot] = f->slots[--f->n_slots];
        f->slots[c->slot].conn->slot = c->slot;
    }
    close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->pending);
    ws_dec_fini(&c->dec);
    mem_free(c);
}

/* Keeps what the socket did not take. An error of the socket shows as an event of its own. */
static void keep(struct floor *f, struct conn *c, struct span rest)
{
    if (c->pending.n == 0) watch(f, EPOLL_CTL_MOD, c, EPOLLIN | EPOLLOUT);
    buf_add_span(&c->pending, rest);
    if (buf_failed(&c->pending)) fail("pending");
    if (c->slot != NO_SLOT) f->slots[c->slot].blocked = true;
}

static void send_or_keep(struct floor *f, struct conn *c, struct span bytes)
{
    ssize_t sent = c->pending.n ? 0 : send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    if (sent == (ssize_t)bytes.n || (sent < 0 && errno != EAGAIN)) return;
    keep(f, c, span_skip(bytes, sent > 0 ? (size_t)sent : 0));
}

static void on_writable(struct floor *f, struct conn *c)
{
    ssize_t sent = send(c->fd, c->pending.p, c->pending.n, MSG_NOSIGNAL);
    if (sent > 0) buf_drop(&c->pending, (size_t)sent);
    if (c->pending.n) return;
    buf_fini(&c->pending);
    if (c->slot != NO_SLOT) f->slots[c->slot].blocked = false;
    watch(f, EPOLL_CTL_MOD, c, EPOLLIN);
}

/* The fan-out. */
static void send_frames(struct floor *f)
{
    struct span frames = buf_span(&f->frames);
    if (buf_failed(&f->frames)) fail("frames");
    for (size_t i = 0; i < f->n_slots; i++) {
        struct slot *slot = &f->slots[i];
        ssize_t sent = slot->blocked ? 0 : send(slot->fd, frames.p, frames.n, MSG_NOSIGNAL);
        if (sent == (ssize_t)frames.n || (sent < 0 && errno != EAGAIN)) continue;
        keep(f, slot->conn, span_skip(frames, sent > 0 ? (size_t)sent : 0));
    }
    buf_clear(&f->frames);
}

/* The text between `name` and the next quote. */
static struct span member(struct span body, struct span name)
{
    const char *at = memmem(body.p, body.n, name.p, name.n);
    if (!at) return span_of(NULL, 0);
    struct span rest = span_skip(body, (size_t)(at - body.p) + name.n), value;
    span_cut(&rest, '"', &value);
    return value;
}

#define FRAME_BEGIN "{\"event\":\""
#define FRAME_CHANNEL "\",\"channel\":\""
#define FRAME_DATA "\",\"data\":\""
#define FRAME_END "\"}"
#define NOBODY SPAN("-nobody") /* a channel that ends so has no subscribers */
#define FRAME_FIXED (sizeof(FRAME_BEGIN FRAME_CHANNEL FRAME_DATA FRAME_END) - 1)

static void publish(struct floor *f, struct span body)
{
    uint8_t head[WS_SERVER_HEAD_MAX];
    size_t before = f->frames.n;
    struct span event = member(body, SPAN("\"name\":\""));
    struct span channel = member(body, SPAN("\"channel\":\""));
    struct span data = member(body, SPAN("\"data\":\""));
    buf_add(&f->frames, head, ws_text_head(head, FRAME_FIXED + event.n + channel.n + data.n));
    BUF_ADD_LIT(&f->frames, FRAME_BEGIN);
    buf_add_span(&f->frames, event);
    BUF_ADD_LIT(&f->frames, FRAME_CHANNEL);
    buf_add_span(&f->frames, channel);
    BUF_ADD_LIT(&f->frames, FRAME_DATA);
    buf_add_span(&f->frames, data);
    BUF_ADD_LIT(&f->frames, FRAME_END);
    if (channel.n > NOBODY.n && span_eq(span_skip(channel, channel.n - NOBODY.n), NOBODY))
        f->frames.n = before;
    else if (!f->join)
        send_frames(f);
}

static void greet(struct buf *out)
{
    buf_add_fmt(out, "%s%llu.%llu%s",
                "{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":\\\"",
                (unsigned long long)(rand_u64() >> 34), (unsigned long long)(rand_u64() >> 34),
                "\\\",\\\"activity_timeout\\\":30}\"}");
}

static void upgrade(struct floor *f, struct conn *c, struct span key)
{
    struct buf out = { 0 }, greeting = { 0 };
    char accept[WS_ACCEPT_LEN];
    ws_accept_key(key, accept);
    BUF_ADD_LIT(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    buf_add(&out, accept, sizeof accept);
    BUF_ADD_LIT(&out, "\r\n\r\n");
    greet(&greeting);
    ws_write_text(&out, buf_span(&greeting), NULL);
    subscribe(f, c);
    send_or_keep(f, c, buf_span(&out));
    buf_fini(&greeting);
    buf_fini(&out);
}

/* The value of a header that is written as our clients write it. */
static struct span header(struct span head, struct span name)
{
    const char *at = memmem(head.p, head.n, name.p, name.n);
    if (!at) return span_of(NULL, 0);
    struct span rest = span_skip(head, (size_t)(at - head.p) + name.n), value;
    span_cut(&rest, '\r', &value);
    return value;
}

/* Handles the request at the begin of `in` and returns its length, 0: it is not complete. */
static size_t request(struct floor *f, struct conn *c, struct span in)
{
    const char *end = memmem(in.p, in.n, "\r\n\r\n", 4);
    if (!end) return 0;
    struct span head = span_of(in.p, (size_t)(end - in.p) + 4);
    uint64_t length = 0;
    if (span_starts(in, SPAN("POST "))) {
        if (!span_to_u64(header(head, SPAN("\r\nContent-Length: ")), &length)) length = 0;
        if (in.n - head.n < length) return 0;
        publish(f, span_of(in.p + head.n, (size_t)length));
    } else {
        struct span key = header(head, SPAN("\r\nSec-WebSocket-Key: "));
        if (key.n) {
            upgrade(f, c, key);
            return head.n;
        }
    }
    BUF_ADD_LIT(&f->replies, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: 2\r\n\r\n{}");
    return head.n + (size_t)length;
}

static void on_http(struct floor *f, struct conn *c, size_t n)
{
    struct span rest = span_of(f->input, n);
    if (c->in.n) {
        buf_add(&c->in, f->input, n);
        rest = buf_span(&c->in);
    }
    for (size_t used; rest.n && c->slot == NO_SLOT && (used = request(f, c, rest)) != 0;)
        rest = span_skip(rest, used);
    if (c->in.n)
        buf_drop(&c->in, c->in.n - rest.n);
    else
        buf_add_span(&c->in, rest);
    if (buf_failed(&c->in)) fail("request");
    if (c->in.n == 0) buf_fini(&c->in);
    if (f->replies.n) send_or_keep(f, c, buf_span(&f->replies));
    buf_clear(&f->replies);
}

/* A client sends its one subscription. False: the connection is to be closed. */
static bool on_frames(struct floor *f, struct conn *c, size_t n)
{
    struct ws_ev ev;
    uint8_t *in = f->input;
    do {
        size_t used = ws_decode(&c->dec, &limits, in, n, &ev);
        in += used;
        n -= used;
        if (ev.kind == WS_EV_CLOSE || ev.kind == WS_EV_FAIL) return false;
        if (ev.kind != WS_EV_MESSAGE) continue;
        struct buf out = { 0 };
        ws_write_text(&out,
                      SPAN("{\"event\":\"pusher_internal:subscription_succeeded\","
                           "\"channel\":\"bench\",\"data\":\"{}\"}"),
                      NULL);
        send_or_keep(f, c, buf_span(&out));
        buf_fini(&out);
    } while (ev.kind != WS_EV_MORE);
    return true;
}

static void on_conn(struct floor *f, struct conn *c, uint32_t events)
{
    if (events & EPOLLOUT) on_writable(f, c);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    ssize_t got = recv(c->fd, f->input, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0)
        close_conn(f, c);
    else if (c->slot == NO_SLOT)
        on_http(f, c, (size_t)got);
    else if (!on_frames(f, c, (size_t)got))
        close_conn(f, c);
}

/* --accept: the descriptor is all there is of a connection. */
static void on_accept_only(struct floor *f)
{
    for (int i = 0; i < BATCH; i++) {
        int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct epoll_event ev = { .events = EPOLLRDHUP, .data.u64 = (uint64_t)fd };
        if (epoll_ctl(f->ep, EPOLL_CTL_ADD, fd, &ev) != 0) fail("epoll_ctl");
    }
}

static _Noreturn void accept_only(struct floor *f)
{
    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(f->ep, events, BATCH, -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64)
                close((int)events[i].data.u64);
            else
                on_accept_only(f);
        }
    }
}

static void on_accept(struct floor *f)
{
    const int one = 1;
    for (int i = 0; i < BATCH; i++) {
        int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct conn *c = mem_zalloc(sizeof *c);
        if (!c) fail("connection");
        *c = (struct conn) { .fd = fd, .slot = NO_SLOT };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(f, EPOLL_CTL_ADD, c, EPOLLIN);
    }
}

static uint16_t start(struct floor *f)
{
    const int one = 1;
    struct rlimit files;
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) fail("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("setrlimit");
    f->ep = epoll_create1(EPOLL_CLOEXEC);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (f->ep < 0 || f->listener < 0) fail("socket");
    setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(f->listener, (struct sockaddr *)&at, sizeof at) != 0) fail("bind");
    if (listen(f->listener, SOMAXCONN) != 0) fail("listen");
    if (getsockname(f->listener, (struct sockaddr *)&at, &len) != 0) fail("getsockname");
    struct epoll_event ev = { .events = EPOLLIN }; /* no connection: the listener */
    if (epoll_ctl(f->ep, EPOLL_CTL_ADD, f->listener, &ev) != 0) fail("epoll_ctl");
    return ntohs(at.sin_port);
}

int main(int argc, char **argv)
{
    static struct floor f;
    f.join = argc > 1 && strcmp(argv[1], "--join") == 0;
    f.accept_only = argc > 1 && strcmp(argv[1], "--accept") == 0;
    printf("floor ready host=127.0.0.1 port=%u pid=%d\n", start(&f), (int)getpid());
    fflush(stdout);
    if (f.accept_only) accept_only(&f);
    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(f.ep, events, BATCH, -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                on_conn(&f, events[i].data.ptr, events[i].events);
            else
                on_accept(&f);
        }
        if (f.frames.n) send_frames(&f);
    }
}
