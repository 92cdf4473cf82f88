/* SPDX-License-Identifier: MIT
 *
 * bench/load.c: one epoll set over subscribers and publishers, and the loops that load the server.
 *
 * A turn handles few events, so that an open loop looks at the clock often; what is late then is in
 * the `lag` histogram.
 */
#include "bench/load.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bench/die.h"
#include "bench/pubs.h"
#include "bench/subs.h"
#include "bench/text.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64
#define TURN_NS 100000000u    /* the longest sleep; then the deadline is looked at */
#define SENT_SLOTS 65536      /* messages that may be under way in an open loop */
#define N_SIGNED ((size_t)64) /* different requests that are prepared */
#define PUBLISH_BYTES 200

struct load {
    int ep;
    struct subs *subs;
    struct pubs *pubs;
    uint64_t seq; /* of the next message */
    struct subs_watch watch;
    uint64_t *sent_ns;
    struct buf out;
    uint64_t progress_ms;      /* when something came the last time */
    size_t answered[PUBS_MAX]; /* responses that were not asked for yet by load_requests() */
};

struct load *load_new(uint16_t port, size_t max, size_t n_pubs)
{
    struct load *l = must_alloc(sizeof *l);
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->ep < 0) die_errno("epoll_create1");
    l->subs = subs_new(l->ep, port, max);
    l->pubs = pubs_new(l->ep, port, n_pubs);
    l->sent_ns = must_alloc(SENT_SLOTS * sizeof *l->sent_ns);
    return l;
}

void load_free(struct load *l)
{
    if (!l) return;
    subs_free(l->subs);
    pubs_free(l->pubs);
    buf_fini(&l->out);
    close(l->ep);
    mem_free(l->sent_ns);
    mem_free(l);
}

/* Waits for events, at most `wait_ns`, and handles a batch of them. */
static void turn(struct load *l, uint64_t wait_ns)
{
    struct epoll_event events[BATCH];
    const struct timespec wait = { .tv_nsec = (long)(wait_ns < TURN_NS ? wait_ns : TURN_NS) };
    int n = epoll_pwait2(l->ep, events, BATCH, &wait, NULL);
    if (n < 0 && errno != EINTR) die_errno("epoll_pwait2");
    if (n > 0)
        l->progress_ms = clock_mono_ms();
    else if (clock_mono_ms() - l->progress_ms > LOAD_STALL_MS)
        die("nothing came from the server for %d s (%zu of %zu connections ready, %llu deliveries, "
            "%zu requests waiting)",
            LOAD_STALL_MS / 1000, subs_ready(l->subs), subs_open(l->subs),
            (unsigned long long)l->watch.n_received, pubs_waiting(l->pubs));
    for (int i = 0; i < n; i++) {
        uint64_t at = events[i].data.u64;
        if (at < PUBS_EVENT)
            subs_on_event(l->subs, (size_t)at, events[i].events, &l->watch);
        else
            l->answered[at - PUBS_EVENT] +=
                pubs_on_event(l->pubs, (size_t)(at - PUBS_EVENT), events[i].events);
    }
}

void load_connect(struct load *l, size_t total, size_t window)
{
    l->progress_ms = clock_mono_ms();
    while (subs_ready(l->subs) < total) {
        while (subs_open(l->subs) < total && subs_open(l->subs) - subs_ready(l->subs) < window)
            subs_open_one(l->subs, l->seq);
        turn(l, TURN_NS);
    }
}

/* Begins to count anew. */
static void begin(struct load *l, size_t data_bytes, struct hist *latency)
{
    l->progress_ms = clock_mono_ms();
    l->watch = (struct subs_watch) {
        .data_bytes = data_bytes,
        .latency = latency,
        .sent_ns = l->sent_ns,
        .n_sent = SENT_SLOTS,
    };
}

/* Until all subscribers have all `n` messages and all requests are answered. */
static void drain(struct load *l, uint64_t n)
{
    while (l->watch.n_received < n * subs_ready(l->subs) || pubs_waiting(l->pubs)) turn(l, TURN_NS);
}

struct load_done load_bursts(struct load *l, size_t data_bytes, unsigned burst, uint64_t run_ns)
{
    struct load_done done = { 0 };
    uint64_t start = clock_mono_ns();
    begin(l, data_bytes, NULL);
    do {
        buf_clear(&l->out);
        for (unsigned i = 0; i < burst; i++)
            pubs_write_event(l->pubs, &l->out, TEXT_CHANNEL, l->seq++, data_bytes);
        pubs_send(l->pubs, 0, buf_span(&l->out), burst);
        done.n += burst;
        drain(l, done.n);
        done.ns = clock_mono_ns() - start;
    } while (done.ns < run_ns);
    done.deliveries = l->watch.n_received;
    return done;
}

struct load_done load_rate(struct load *l, size_t data_bytes, double rate, uint64_t run_ns,
                           struct hist *latency, struct hist *lag)
{
    struct load_done done = { 0 };
    uint64_t gap_ns = (uint64_t)(1e9 / rate), start = clock_mono_ns(), due = start;
    size_t n_subs = subs_ready(l->subs);
    CHECK(n_subs > 0);
    begin(l, data_bytes, latency);
    while (due - start < run_ns) {
        uint64_t now = clock_mono_ns();
        for (; due <= now && due - start < run_ns; due += gap_ns) {
            if (done.n - l->watch.n_received / n_subs >= SENT_SLOTS)
                die("the server is %d messages behind", SENT_SLOTS);
            hist_add(lag, now - due);
            l->sent_ns[l->seq % SENT_SLOTS] = due;
            buf_clear(&l->out);
            pubs_write_event(l->pubs, &l->out, TEXT_CHANNEL, l->seq++, data_bytes);
            pubs_send(l->pubs, 0, buf_span(&l->out), 1);
            done.n++;
        }
        now = clock_mono_ns();
        turn(l, due > now ? due - now : 0);
    }
    drain(l, done.n);
    done.ns = clock_mono_ns() - start;
    done.deliveries = l->watch.n_received;
    return done;
}

/* Requests that are written once and sent again and again: a server has to check each of them all
 * the same, and signing here would cost more than it does there. */
struct prepared {
    struct buf text;
    size_t at[2 * N_SIGNED +
              1]; /* twice the same, so that any run of up to N_SIGNED is in one piece */
};

static void prepare(struct load *l, enum load_request kind, struct prepared *p)
{
    for (size_t i = 0; i < 2 * N_SIGNED; i++) {
        p->at[i] = p->text.n;
        if (kind == LOAD_STATIC)
            pubs_write_static(l->pubs, &p->text);
        else
            pubs_write_event(l->pubs, &p->text, TEXT_EMPTY_CHANNEL, i % N_SIGNED, PUBLISH_BYTES);
    }
    p->at[2 * N_SIGNED] = p->text.n;
    if (buf_failed(&p->text)) die("out of memory");
}

static void send_prepared(struct load *l, const struct prepared *p, size_t pub, size_t n)
{
    CHECK(n <= N_SIGNED);
    size_t first = l->seq++ % N_SIGNED;
    struct span all = buf_span(&p->text);
    struct span part = span_of(all.p + p->at[first], p->at[first + n] - p->at[first]);
    pubs_send(l->pubs, pub, part, n);
}

struct load_done load_requests(struct load *l, enum load_request kind, size_t n_pubs, size_t depth,
                               uint64_t run_ns)
{
    struct load_done done = { 0 };
    struct prepared prepared = { 0 };
    CHECK(subs_open(l->subs) == 0); /* the sequence numbers are no messages here */
    prepare(l, kind, &prepared);
    begin(l, 0, NULL);
    uint64_t start = clock_mono_ns();
    for (size_t i = 0; i < n_pubs; i++) l->answered[i] = depth;
    do {
        for (size_t i = 0; i < n_pubs; i++) {
            if (l->answered[i] == 0) continue;
            send_prepared(l, &prepared, i, l->answered[i]);
            done.n += l->answered[i];
            l->answered[i] = 0;
        }
        turn(l, TURN_NS);
        done.ns = clock_mono_ns() - start;
    } while (done.ns < run_ns);
    drain(l, 0);
    done.ns = clock_mono_ns() - start;
    buf_fini(&prepared.text);
    return done;
}
