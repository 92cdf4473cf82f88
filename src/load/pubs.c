/* SPDX-License-Identifier: MIT
 *
 * load/pubs.c: signing (protocol page section 3), sending, and the accounts of what was asked on
 * each connection. Responses are read by load/answer.c.
 */
#include "load/pubs.h"
#include "base/clock.h"
#include "base/mem.h"
#include "load/answer.h"
#include "load/text.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 * 1024)
#define OUT_MAX ((size_t)64 << 20) /* that may wait to be sent on a connection */

/* One or more requests that were sent together. */
struct asked {
    uint32_t n; /* still to be answered */
    uint32_t first_channel, n_channels;
    uint64_t seq, due_ns;
};

struct pub {
    int fd; /* -1: to be dialled */
    struct buf out, in;
    struct buf asked; /* struct asked, in order; the first `n_done` are answered */
    size_t n_done, waiting;
    bool blocked; /* waits for EPOLLOUT */
};

struct pubs {
    int ep;
    uint64_t events;
    const struct load_target *target;
    struct load_faults *faults;
    struct pubs_hooks hooks;
    struct hist *latency;
    size_t n, waiting;
    uint64_t n_accepted, n_answered; /* since pubs_watch */
    struct buf body;                 /* of the request that is being written */
    struct buf string;               /* to be signed */
    struct pub items[PUBS_MAX];
};

static void watch_fd(struct pubs *p, size_t index, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.u64 = p->events + index };
    if (epoll_ctl(p->ep, op, p->items[index].fd, &ev) != 0)
        load_fault(p->faults, LOAD_BROKEN, "epoll_ctl: %s", strerror(errno));
}

struct pubs *pubs_new(int ep, uint64_t events, const struct load_target *target, size_t n,
                      struct load_faults *faults)
{
    CHECK(n <= PUBS_MAX);
    struct pubs *p = mem_zalloc(sizeof *p);
    if (!p) return NULL;
    *p = (struct pubs) { .ep = ep, .events = events, .target = target, .n = n, .faults = faults };
    for (size_t i = 0; i < PUBS_MAX; i++) p->items[i].fd = -1;
    return p;
}

void pubs_on_refused(struct pubs *p, const struct pubs_hooks *hooks)
{
    p->hooks = *hooks;
}

static void hang_up(struct pub *pub)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    if (pub->fd < 0) return;
    setsockopt(pub->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(pub->fd);
    pub->fd = -1;
    pub->blocked = false;
    buf_clear(&pub->out);
    buf_clear(&pub->in);
}

void pubs_free(struct pubs *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n; i++) {
        struct pub *pub = &p->items[i];
        hang_up(pub);
        buf_fini(&pub->out);
        buf_fini(&pub->in);
        buf_fini(&pub->asked);
    }
    buf_fini(&p->body);
    buf_fini(&p->string);
    mem_free(p);
}

/* --- requests --- */

static void write_event(struct pubs *p, const struct pubs_event *event)
{
    const struct text_head head = { p->target->run, event->seq, event->due_ns };
    bool one = event->n_channels == 1;
    buf_add_fmt(&p->body, "{\"name\":\"" TEXT_EVENT "\",\"channel%s\":", one ? "" : "s");
    for (size_t i = 0; i < event->n_channels; i++)
        buf_add_fmt(&p->body, "%s\"%.*s\"", i ? "," : one ? "" : "[", SPAN_FMT(event->channels[i]));
    buf_add_fmt(&p->body, "%s,\"data\":\"", one ? "" : "]");
    text_write(&p->body, &head, event->bytes);
    BUF_ADD_LIT(&p->body, "\"}");
}

static void write_body(struct pubs *p, const struct pubs_event *event)
{
    buf_clear(&p->body);
    if (event->batch == 0) {
        write_event(p, event);
        return;
    }
    for (size_t i = 0; i < event->batch; i++) {
        buf_add_span(&p->body, i ? SPAN(",") : SPAN("{\"batch\":["));
        write_event(p, event);
    }
    BUF_ADD_LIT(&p->body, "]}");
}

void pubs_write_event(struct pubs *p, struct buf *out, const struct pubs_event *event)
{
    const struct load_target *t = p->target;
    const char *route = event->batch ? "batch_events" : "events";
    char query[512], md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    write_body(p, event);
    md5_hex(buf_span(&p->body), md5);
    int n = snprintf(
        query, sizeof query, "auth_key=%.*s&auth_timestamp=%llu&auth_version=1.0&body_md5=%.*s",
        SPAN_FMT(t->keys.key), (unsigned long long)(clock_unix_ms() / 1000), MD5_HEX_LEN, md5);
    buf_clear(&p->string);
    buf_add_fmt(&p->string, "POST\n/apps/%.*s/%s\n%.*s", SPAN_FMT(t->id), route, n, query);
    auth_sign_string(&t->keys, buf_span(&p->string), signature);
    buf_add_fmt(out,
                "POST %.*s/apps/%.*s/%s?%s&auth_signature=%.*s HTTP/1.1\r\nHost: %.*s\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                SPAN_FMT(t->path), SPAN_FMT(t->id), route, query, SHA256_HEX_LEN, signature,
                SPAN_FMT(t->host), p->body.n);
    buf_add_span(out, buf_span(&p->body));
    if ((size_t)n >= sizeof query || buf_failed(&p->body) || buf_failed(&p->string)) buf_fail(out);
}

void pubs_write_static(struct pubs *p, struct buf *out)
{
    buf_add_fmt(out, "GET %.*s/up HTTP/1.1\r\nHost: %.*s\r\n\r\n", SPAN_FMT(p->target->path),
                SPAN_FMT(p->target->host));
}

/* --- sending --- */

static void lose(struct pubs *p, size_t index, const char *what, const char *why);

static void flush(struct pubs *p, size_t index)
{
    struct pub *pub = &p->items[index];
    if (pub->out.n) {
        ssize_t sent = send(pub->fd, pub->out.p, pub->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
            lose(p, index, "sending: ", strerror(errno));
            return;
        }
        if (sent > 0) buf_drop(&pub->out, (size_t)sent);
    }
    bool blocked = pub->out.n > 0;
    if (blocked != pub->blocked)
        watch_fd(p, index, EPOLL_CTL_MOD, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    pub->blocked = blocked;
}

/* From the last source address, so that the ports of the subscribers stay theirs. */
static bool dial(struct pubs *p, size_t index)
{
    const struct load_target *t = p->target;
    struct pub *pub = &p->items[index];
    pub->fd = load_dial(t, t->sources ? t->sources - 1 : 0, false);
    if (pub->fd < 0) {
        load_fault(p->faults, LOAD_UNANSWERED, "no connection for publishing: %s", strerror(errno));
        return false;
    }
    watch_fd(p, index, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    pub->blocked = true;
    return true;
}

static void give_up(struct pubs *p, const struct asked *asked)
{
    for (uint32_t i = 0; i < asked->n && asked->n_channels && p->hooks.refused; i++)
        p->hooks.refused(p->hooks.ctx, asked->first_channel, asked->n_channels, asked->seq);
}

void pubs_send(struct pubs *p, size_t index, const struct pubs_batch *batch)
{
    CHECK(index < p->n);
    struct pub *pub = &p->items[index];
    const struct asked asked = { (uint32_t)batch->n, batch->first_channel, batch->n_channels,
                                 batch->seq, batch->due_ns };
    if (pub->fd < 0 && !dial(p, index)) {
        give_up(p, &asked);
        return;
    }
    buf_add_span(&pub->out, batch->requests);
    buf_add(&pub->asked, &asked, sizeof asked);
    if (buf_failed(&pub->out) || buf_failed(&pub->asked)) {
        load_fault(p->faults, LOAD_BROKEN, "out of memory");
        return;
    }
    pub->waiting += batch->n;
    p->waiting += batch->n;
    if (!pub->blocked && !batch->hold) flush(p, index);
}

bool pubs_has_room(const struct pubs *p, size_t index)
{
    return p->items[index].out.n < OUT_MAX;
}

void pubs_flush(struct pubs *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].fd >= 0 && !p->items[i].blocked) flush(p, i);
}

/* --- answers --- */

static struct asked *first_asked(struct pub *pub)
{
    return pub->asked.p ? (struct asked *)(void *)pub->asked.p + pub->n_done : NULL;
}

/* Forgets what is answered, now and then, since that moves the rest. */
static void tidy(struct pub *pub, bool all)
{
    if (!all && pub->n_done * 2 * sizeof(struct asked) < pub->asked.n) return;
    buf_drop(&pub->asked, pub->n_done * sizeof(struct asked));
    pub->n_done = 0;
}

/* The next request of the connection is answered. */
static void settle(struct pubs *p, struct pub *pub, const struct answer *answer, uint64_t now_ns)
{
    struct asked *asked = first_asked(pub);
    p->n_answered++;
    if (answer->status != 200) {
        const struct asked one = { 1, asked->first_channel, asked->n_channels, asked->seq, 0 };
        load_fault(p->faults, LOAD_REFUSED, "a request was answered with %u %.*s", answer->status,
                   (int)(answer->body.n < 180 ? answer->body.n : 180),
                   answer->body.n ? answer->body.p : "");
        give_up(p, &one);
    } else {
        p->n_accepted++;
        if (p->latency && asked->due_ns)
            hist_add(p->latency, now_ns > asked->due_ns ? now_ns - asked->due_ns : 0);
    }
    if (--asked->n == 0) pub->n_done++;
    pub->waiting--;
    p->waiting--;
}

/* The connection is gone; it is dialled again for the next request. */
static void lose(struct pubs *p, size_t index, const char *what, const char *why)
{
    struct pub *pub = &p->items[index];
    size_t n = pub->waiting;
    hang_up(pub);
    tidy(pub, true);
    const struct asked *asked = first_asked(pub);
    for (size_t i = 0; i * sizeof *asked < pub->asked.n; i++) give_up(p, &asked[i]);
    buf_clear(&pub->asked);
    pub->waiting = 0;
    p->waiting -= n;
    if (n == 0) return;
    load_fault(p->faults, LOAD_UNANSWERED, "a connection for publishing ended: %s%s", what, why);
    load_faults_add(p->faults, LOAD_UNANSWERED, n - 1);
}

/* Reads the responses that are complete. False: the connection is to be closed. */
static bool take_answers(struct pubs *p, struct pub *pub, size_t *n)
{
    struct span rest = buf_span(&pub->in);
    struct answer answer = { .close = false };
    uint64_t now_ns = p->latency ? clock_mono_ns() : 0;
    while (rest.n && !answer.close && pub->waiting) {
        size_t used = answer_read(rest, &answer);
        if (used == 0) break;
        rest = span_skip(rest, used);
        settle(p, pub, &answer, now_ns);
        ++*n;
    }
    tidy(pub, false);
    buf_drop(&pub->in, pub->in.n - rest.n);
    return !answer.close && (pub->waiting || rest.n == 0);
}

size_t pubs_on_event(struct pubs *p, size_t index, uint32_t events)
{
    struct pub *pub = &p->items[index];
    size_t n = 0;
    if (pub->fd < 0) return 0; /* an event of before */
    if (events & EPOLLOUT) flush(p, index);
    if (pub->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return 0;
    char *room = buf_room(&pub->in, READ_BYTES);
    if (!room) {
        load_fault(p->faults, LOAD_BROKEN, "out of memory");
        return 0;
    }
    ssize_t got = recv(pub->fd, room, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) {
        lose(p, index, "", got < 0 ? strerror(errno) : "closed by the server");
        return 0;
    }
    buf_grew(&pub->in, (size_t)got);
    if (!take_answers(p, pub, &n)) lose(p, index, "", "closed after an answer");
    return n;
}

size_t pubs_waiting(const struct pubs *p)
{
    return p->waiting;
}

void pubs_give_up(struct pubs *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].waiting) lose(p, i, "", "no answer came");
}

void pubs_watch(struct pubs *p, struct hist *latency)
{
    p->latency = latency;
    p->n_accepted = p->n_answered = 0;
}

uint64_t pubs_answered(const struct pubs *p)
{
    return p->n_answered;
}

uint64_t pubs_accepted(const struct pubs *p)
{
    return p->n_accepted;
}
