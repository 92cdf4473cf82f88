/* SPDX-License-Identifier: MIT
 *
 * load/subs.c: a connection's life: connect, upgrade, greeting, subscribe, messages.
 *
 *     SUB_CONNECTING -> SUB_UPGRADING -> SUB_GREETING -> SUB_JOINING -> SUB_READY
 *
 * Reading costs more here than writing costs the server, and both share the machine; so one large
 * buffer serves all connections, and frames are decoded where they lie.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "load/subs_priv.h"
#include "ws/encoder.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 * 1024)

static const struct ws_limits limits = { .max_message = 16777216, .role = WS_ROLE_CLIENT };

struct subs *subs_new(int ep, const struct load_target *target, const struct load_layout *layout,
                      struct load_faults *faults)
{
    CHECK(layout->n_channels > 0 && layout->per_conn > 0);
    CHECK(layout->n_channels % layout->per_conn == 0);
    struct subs *s = mem_zalloc(sizeof *s);
    if (!s) return NULL;
    *s = (struct subs) { .ep = ep, .target = target, .layout = *layout, .faults = faults };
    size_t max = layout->max ? layout->max : 1;
    s->items = mem_zalloc(max * sizeof *s->items);
    s->chans = mem_zalloc(max * layout->per_conn * sizeof *s->chans);
    s->common = mem_zalloc(layout->n_channels * sizeof *s->common);
    s->input = mem_alloc(READ_BYTES);
    buf_add_fmt(&s->mark, "\"%s-", layout->prefix);
    if (s->items && s->chans && s->common && s->input && !buf_failed(&s->mark)) return s;
    subs_free(s);
    return NULL;
}

void subs_free(struct subs *s)
{
    if (!s) return;
    for (size_t i = 0; s->items && i < s->layout.max; i++) subs_close(s, i);
    mem_free(s->items);
    mem_free(s->chans);
    for (uint32_t c = 0; s->common && c < s->layout.n_channels; c++)
        buf_fini(&s->common[c].refused);
    mem_free(s->common);
    mem_free(s->input);
    buf_fini(&s->out);
    buf_fini(&s->scratch);
    buf_fini(&s->mark);
    mem_free(s);
}

/* --- who counts --- */

static void count_out(struct subs *s, size_t index)
{
    const struct sub_chan *chans = sub_chans(s, index);
    s->n_ready--;
    for (uint32_t k = 0; k < s->layout.per_conn; k++) {
        struct sub_common *common = &s->common[sub_channel(s, index, k)];
        common->n_ready--;
        /* What has come up to here counts as received; what is under way is not waited for. */
        s->expected -=
            common->next_seq - chans[k].next_seq - sub_refused_since(common, chans[k].next_seq);
    }
}

/* --- opening and closing --- */

static void watch_fd(struct subs *s, size_t index, int op, uint32_t events)
{
    const struct sub *sub = &s->items[index];
    uint64_t data = (uint64_t)(sub->generation & INT32_MAX) << 32 | index;
    struct epoll_event ev = { .events = events, .data.u64 = data };
    if (epoll_ctl(s->ep, op, sub->fd, &ev) != 0)
        load_fault(s->faults, LOAD_BROKEN, "epoll_ctl: %s", strerror(errno));
}

void subs_open(struct subs *s, size_t index)
{
    CHECK(index < s->layout.max);
    struct sub *sub = &s->items[index];
    CHECK(sub->state == SUB_CLOSED);
    int fd = load_dial(s->target, index, index < s->n_narrow);
    if (fd < 0) {
        /* Running out of ports or descriptors is ours, all else the server's. */
        bool ours = errno == EMFILE || errno == ENFILE || errno == EADDRNOTAVAIL;
        load_fault(s->faults, ours ? LOAD_BROKEN : LOAD_UNOPENED, "connection %zu: %s", index,
                   strerror(errno));
        return;
    }
    *sub = (struct sub) { .fd = fd, .generation = sub->generation + 1, .state = SUB_CONNECTING };
    s->n++;
    watch_fd(s, index, EPOLL_CTL_ADD, EPOLLOUT);
}

void subs_close(struct subs *s, size_t index)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    struct sub *sub = &s->items[index];
    if (sub->state == SUB_CLOSED) return;
    if (sub_counts(sub)) count_out(s, index);
    setsockopt(sub->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(sub->fd);
    buf_fini(&sub->head);
    ws_dec_fini(&sub->dec);
    sub->state = SUB_CLOSED;
    s->n--;
}

void subs_narrow(struct subs *s, size_t n)
{
    s->n_narrow = n;
}

void subs_stop_reading(struct subs *s, size_t index)
{
    struct sub *sub = &s->items[index];
    CHECK(sub_counts(sub));
    count_out(s, index);
    sub->slow = true;
    watch_fd(s, index, EPOLL_CTL_DEL, 0);
}

void subs_read_again(struct subs *s, size_t index)
{
    CHECK(s->items[index].slow);
    if (s->items[index].state == SUB_READY) watch_fd(s, index, EPOLL_CTL_ADD, EPOLLIN);
}

void subs_lose(struct subs *s, size_t index, const char *what, struct span why)
{
    const struct sub *sub = &s->items[index];
    enum load_fault kind = sub->state == SUB_READY ? LOAD_CLOSED : LOAD_UNOPENED;
    if (sub->slow) {
        *(sub->error == 4100 ? &s->told_4100 : &s->told_other) += sub->error != 0;
    } else {
        load_fault(s->faults, kind, "connection %zu: %s%.*s", index, what,
                   (int)(why.n < 200 ? why.n : 200), why.n ? why.p : "");
    }
    subs_close(s, index);
}

/* --- talking --- */

/* What we send is small and rare: the socket always has room for it. */
static void send_all(struct subs *s, size_t index, const struct buf *out)
{
    if (buf_failed(out)) {
        load_fault(s->faults, LOAD_BROKEN, "out of memory");
        return;
    }
    ssize_t sent = send(s->items[index].fd, out->p, out->n, MSG_NOSIGNAL);
    if (sent != (ssize_t)out->n)
        subs_lose(s, index, "sending failed: ",
                  span_str(sent < 0 ? strerror(errno) : "the server does not read"));
}

void subs_say(struct subs *s, size_t index)
{
    uint64_t mask = rand_u64();
    buf_clear(&s->scratch);
    ws_write_text(&s->scratch, buf_span(&s->out), (const uint8_t *)&mask);
    if (buf_failed(&s->out)) buf_fail(&s->scratch);
    buf_clear(&s->out);
    send_all(s, index, &s->scratch);
}

static void send_upgrade(struct subs *s, size_t index)
{
    struct sub *sub = &s->items[index];
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(sub->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        subs_lose(s, index, "connecting: ", span_str(strerror(error)));
        return;
    }
    uint64_t nonce[2] = { rand_u64(), rand_u64() };
    ws_key_encode((uint8_t *)nonce, sub->key);
    buf_clear(&s->scratch);
    buf_add_fmt(&s->scratch, "%.*s/app/%.*s?protocol=7&client=peal-bench&version=" PEAL_VERSION,
                SPAN_FMT(s->target->path), SPAN_FMT(s->target->keys.key));
    struct ws_dial request = {
        .host = s->target->host,
        .target = buf_span(&s->scratch),
        .key = span_of(sub->key, WS_KEY_LEN),
    };
    buf_clear(&s->out);
    if (ws_write_request(&s->out, &request) != ERR_OK) buf_fail(&s->out);
    sub->state = SUB_UPGRADING;
    watch_fd(s, index, EPOLL_CTL_MOD, EPOLLIN);
    send_all(s, index, &s->out);
    buf_clear(&s->out);
}

static void send_pong(struct subs *s, size_t index, struct span payload)
{
    uint64_t mask = rand_u64();
    buf_clear(&s->scratch);
    ws_write_pong(&s->scratch, payload, (const uint8_t *)&mask);
    send_all(s, index, &s->scratch);
}

static void on_close(struct subs *s, size_t index, const struct ws_ev *ev)
{
    char what[64];
    snprintf(what, sizeof what, "%s, code %u%s",
             ev->kind == WS_EV_CLOSE ? "closed by the server" : "no WebSocket frame",
             ev->close_code, ev->data.n ? ": " : "");
    subs_lose(s, index, what, ev->data);
}

static void on_frames(struct subs *s, size_t index, uint8_t *in, size_t n)
{
    struct sub *sub = &s->items[index];
    uint32_t generation = sub->generation;
    struct ws_ev ev;
    do {
        size_t used = ws_decode(&sub->dec, &limits, in, n, &ev);
        in += used;
        n -= used;
        switch (ev.kind) {
        case WS_EV_MESSAGE:
            subs_on_text(s, index, ev.data);
            break;
        case WS_EV_PING:
            send_pong(s, index, ev.data);
            break;
        case WS_EV_CLOSE:
        case WS_EV_FAIL:
            on_close(s, index, &ev);
            return;
        case WS_EV_PONG:
        case WS_EV_MORE:
            break;
        }
        if (sub->state == SUB_CLOSED || sub->generation != generation) return;
    } while (ev.kind != WS_EV_MORE);
}

/* Collects the reply to the upgrade; frames may follow it at once. */
static void on_reply(struct subs *s, size_t index, size_t n)
{
    struct sub *sub = &s->items[index];
    struct ws_reply reply;
    char what[64];
    buf_add(&sub->head, s->input, n);
    if (buf_failed(&sub->head)) {
        load_fault(s->faults, LOAD_BROKEN, "out of memory");
        return;
    }
    ws_reply_read(buf_span(&sub->head), span_of(sub->key, WS_KEY_LEN), &reply);
    if (reply.kind == WS_REPLY_MORE) return;
    if (reply.kind != WS_REPLY_OPEN) {
        snprintf(what, sizeof what, "the upgrade was answered with %u ", reply.status);
        subs_lose(s, index, what, span_str(reply.text));
        return;
    }
    struct buf rest = { 0 };
    buf_take(&rest, &sub->head);
    buf_drop(&rest, reply.used);
    sub->state = SUB_GREETING;
    on_frames(s, index, (uint8_t *)rest.p, rest.n);
    buf_fini(&rest);
}

/* The connection ended without a close frame. */
static void on_end(struct subs *s, size_t index, const char *error)
{
    char what[64];
    unsigned code = s->items[index].error;
    if (error)
        snprintf(what, sizeof what, "reading: %s", error);
    else if (code)
        snprintf(what, sizeof what, "closed by the server after pusher:error %u", code);
    else
        snprintf(what, sizeof what, "closed by the server without a word");
    subs_lose(s, index, what, span_of(NULL, 0));
}

static void read_some(struct subs *s, size_t index)
{
    ssize_t got = recv(s->items[index].fd, s->input, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        on_end(s, index, got < 0 ? strerror(errno) : NULL);
        return;
    }
    if (s->latency) s->now_ns = clock_mono_ns();
    if (s->items[index].state == SUB_UPGRADING)
        on_reply(s, index, (size_t)got);
    else
        on_frames(s, index, s->input, (size_t)got);
}

void subs_on_event(struct subs *s, uint64_t data, uint32_t events)
{
    size_t index = (size_t)(data & UINT32_MAX);
    struct sub *sub = &s->items[index];
    if (sub->state == SUB_CLOSED || (sub->generation & INT32_MAX) != data >> 32) return;
    if (sub->state == SUB_CONNECTING) {
        send_upgrade(s, index);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_some(s, index);
}

/* --- questions --- */

size_t subs_count(const struct subs *s)
{
    return s->n;
}

size_t subs_ready(const struct subs *s)
{
    return s->n_ready;
}

bool subs_is_ready(const struct subs *s, size_t index)
{
    return s->items[index].state == SUB_READY;
}

bool subs_is_open(const struct subs *s, size_t index)
{
    return s->items[index].state != SUB_CLOSED;
}

size_t subs_told(const struct subs *s, unsigned code)
{
    return code == 4100 ? s->told_4100 : s->told_other;
}
