/* SPDX-License-Identifier: MIT
 *
 * bench/subs.c: a connection's life: connect, upgrade, greeting, subscribe, messages.
 *
 *     SUB_CONNECTING -> SUB_UPGRADING -> SUB_GREETING -> SUB_JOINING -> SUB_READY
 *
 * Reading costs more here than writing costs the server, and both share the machine; so one large
 * buffer serves all connections, frames are decoded where they lie, and nothing is parsed as JSON:
 * the numbered text is looked for where it stood the last time.
 */
#include "bench/subs.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bench/die.h"
#include "bench/text.h"
#include "ws/decoder.h"
#include "ws/encoder.h"
#include "ws/handshake.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 * 1024)
#define SOURCES 32 /* 127.0.0.2 and the 31 after it */

enum sub_state { SUB_CONNECTING, SUB_UPGRADING, SUB_GREETING, SUB_JOINING, SUB_READY };

struct sub {
    int fd;
    enum sub_state state;
    uint64_t next_seq;
    char key[WS_KEY_LEN];
    struct buf head; /* of the server's reply, while upgrading */
    struct ws_dec dec;
};

struct subs {
    int ep;
    uint16_t port;
    size_t max, n, n_ready;
    size_t hint; /* where in a frame the text stood the last time */
    struct sub *items;
    uint8_t *input;
};

static const struct ws_limits limits = { .max_message = 1048576, .role = WS_ROLE_CLIENT };

struct subs *subs_new(int ep, uint16_t port, size_t max)
{
    struct subs *s = must_alloc(sizeof *s);
    *s = (struct subs) { .ep = ep, .port = port, .max = max };
    s->items = must_alloc(max * sizeof *s->items);
    s->input = must_alloc(READ_BYTES);
    return s;
}

void subs_free(struct subs *s)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    for (size_t i = 0; i < s->n; i++) {
        setsockopt(s->items[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(s->items[i].fd);
        buf_fini(&s->items[i].head);
        ws_dec_fini(&s->items[i].dec);
    }
    mem_free(s->items);
    mem_free(s->input);
    mem_free(s);
}

size_t subs_open(const struct subs *s)
{
    return s->n;
}

size_t subs_ready(const struct subs *s)
{
    return s->n_ready;
}

static int dial(size_t index, uint16_t port)
{
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die_errno("connection %zu: socket", index);
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index % SOURCES));
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die_errno("bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        die_errno("connection %zu: connect", index);
    return fd;
}

static void watch_fd(struct subs *s, size_t index, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.u64 = index };
    if (epoll_ctl(s->ep, op, s->items[index].fd, &ev) != 0) die_errno("epoll_ctl");
}

void subs_open_one(struct subs *s, uint64_t next_seq)
{
    CHECK(s->n < s->max);
    struct sub *sub = &s->items[s->n];
    *sub = (struct sub) { .fd = dial(s->n, s->port), .next_seq = next_seq };
    watch_fd(s, s->n, EPOLL_CTL_ADD, EPOLLOUT);
    s->n++;
}

/* What we send is small and rare: the socket always has room for it. */
static void send_all(const struct sub *sub, struct buf *out)
{
    if (buf_failed(out)) die("out of memory");
    ssize_t sent = send(sub->fd, out->p, out->n, MSG_NOSIGNAL);
    if (sent != (ssize_t)out->n) die_errno("sending to the server");
    buf_fini(out);
}

static void send_upgrade(struct subs *s, size_t index)
{
    struct sub *sub = &s->items[index];
    struct buf out = { 0 };
    char host[32];
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(sub->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    errno = error;
    if (error) die_errno("connection %zu", index);
    uint64_t nonce[2] = { rand_u64(), rand_u64() };
    ws_key_encode((uint8_t *)nonce, sub->key);
    int n = snprintf(host, sizeof host, "127.0.0.1:%u", s->port);
    struct ws_dial request = {
        .host = span_of(host, (size_t)n),
        .target = SPAN("/app/" TEXT_APP_KEY "?protocol=7&client=bench&version=1"),
        .key = span_of(sub->key, WS_KEY_LEN),
    };
    if (ws_write_request(&out, &request) != ERR_OK) die("the upgrade request could not be made");
    send_all(sub, &out);
    sub->state = SUB_UPGRADING;
    watch_fd(s, index, EPOLL_CTL_MOD, EPOLLIN);
}

static void send_subscribe(struct sub *sub)
{
    struct buf out = { 0 };
    uint64_t mask = rand_u64();
    ws_write_text(
        &out, SPAN("{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"" TEXT_CHANNEL "\"}}"),
        (const uint8_t *)&mask);
    send_all(sub, &out);
}

static bool has(struct span s, const char *word)
{
    return memmem(s.p, s.n, word, strlen(word)) != NULL;
}

static void on_message(struct subs *s, struct sub *sub, struct span text, struct subs_watch *watch)
{
    uint64_t seq;
    if (!text_find(text, watch->data_bytes, &s->hint, &seq))
        die("connection %td got something else than what was published: %.*s", sub - s->items,
            (int)(text.n < 300 ? text.n : 300), text.p);
    if (seq != sub->next_seq)
        die("connection %td got message %llu where %llu was due: %s", sub - s->items,
            (unsigned long long)seq, (unsigned long long)sub->next_seq,
            seq > sub->next_seq ? "lost or swapped" : "doubled or swapped");
    sub->next_seq++;
    watch->n_received++;
    if (watch->latency)
        hist_add(watch->latency, watch->now_ns - watch->sent_ns[seq % watch->n_sent]);
}

static void on_text(struct subs *s, struct sub *sub, struct span text, struct subs_watch *watch)
{
    switch (sub->state) {
    case SUB_READY:
        on_message(s, sub, text, watch);
        return;
    case SUB_GREETING:
        if (!has(text, "pusher:connection_established")) break;
        send_subscribe(sub);
        sub->state = SUB_JOINING;
        return;
    case SUB_JOINING:
        if (!has(text, "subscription_succeeded")) break;
        sub->state = SUB_READY;
        s->n_ready++;
        return;
    case SUB_CONNECTING:
    case SUB_UPGRADING:
        break;
    }
    die("connection %td: the server says: %.*s", sub - s->items, SPAN_FMT(text));
}

static void on_frames(struct subs *s, struct sub *sub, uint8_t *in, size_t n,
                      struct subs_watch *watch)
{
    struct ws_ev ev;
    do {
        size_t used = ws_decode(&sub->dec, &limits, in, n, &ev);
        in += used;
        n -= used;
        switch (ev.kind) {
        case WS_EV_MESSAGE:
            on_text(s, sub, ev.data, watch);
            break;
        case WS_EV_PING: {
            struct buf out = { 0 };
            uint64_t mask = rand_u64();
            ws_write_pong(&out, ev.data, (const uint8_t *)&mask);
            send_all(sub, &out);
            break;
        }
        case WS_EV_CLOSE:
        case WS_EV_FAIL:
            die("connection %td: closed with %u %.*s", sub - s->items, ev.close_code,
                SPAN_FMT(ev.data));
        case WS_EV_PONG:
        case WS_EV_MORE:
            break;
        }
    } while (ev.kind != WS_EV_MORE);
}

/* Collects the reply to the upgrade; frames may follow it at once. */
static void on_reply(struct subs *s, struct sub *sub, size_t n, struct subs_watch *watch)
{
    struct ws_reply reply;
    buf_add(&sub->head, s->input, n);
    if (buf_failed(&sub->head)) die("out of memory");
    ws_reply_read(buf_span(&sub->head), span_of(sub->key, WS_KEY_LEN), &reply);
    if (reply.kind == WS_REPLY_MORE) return;
    if (reply.kind != WS_REPLY_OPEN)
        die("connection %td: the upgrade was refused: status %u %s", sub - s->items, reply.status,
            reply.text);
    struct buf rest = { 0 };
    buf_take(&rest, &sub->head);
    buf_drop(&rest, reply.used);
    sub->state = SUB_GREETING;
    on_frames(s, sub, (uint8_t *)rest.p, rest.n, watch);
    buf_fini(&rest);
}

void subs_on_event(struct subs *s, size_t index, uint32_t events, struct subs_watch *watch)
{
    struct sub *sub = &s->items[index];
    if (sub->state == SUB_CONNECTING) {
        send_upgrade(s, index);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    ssize_t got = recv(sub->fd, s->input, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) die_errno("connection %zu", index);
    if (got == 0) die("connection %zu: the server closed it without a word", index);
    if (watch->latency) watch->now_ns = clock_mono_ns();
    if (sub->state == SUB_UPGRADING)
        on_reply(s, sub, (size_t)got, watch);
    else
        on_frames(s, sub, s->input, (size_t)got, watch);
}
