/* SPDX-License-Identifier: MIT
 *
 * load/load.c: one epoll set over subscribers and publishers, and the loops that load the server.
 *
 * A turn handles few events, so that an open loop looks at the clock often; what is late then is in
 * the `lag` histogram.
 */
#include "load/load.h"
#include "base/clock.h"
#include "base/mem.h"
#include "load/pubs.h"
#include "load/text.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64
#define LATE_MAX 64           /* messages that are published in a turn */
#define TURN_NS 100000000u    /* the longest sleep; then the deadline is looked at */
#define N_SIGNED ((size_t)64) /* different requests that are prepared */
#define PUBLISH_BYTES 200
#define EMPTY_CHANNEL SPAN("bench-nobody")

struct load {
    int ep;
    const struct load_target *target;
    struct load_layout layout;
    struct load_faults faults;
    struct subs *subs;
    struct pubs *pubs;
    size_t n_pubs;
    uint64_t patience_ms;
    bool (*stop)(void *ctx);
    void *stop_ctx;
    uint32_t at;     /* the channel whose turn it is */
    uint64_t n_sent; /* prepared requests so far */
    struct buf out;
    struct buf names;          /* of the channels of a request */
    struct span *channels;     /* into names */
    uint64_t progress_ms;      /* when something came the last time */
    size_t answered[PUBS_MAX]; /* responses that were not asked for yet by load_requests() */
};

static void on_refused(void *ctx, uint32_t first, uint32_t n, uint64_t seq)
{
    struct load *l = ctx;
    for (uint32_t i = 0; i < n; i++) subs_refused(l->subs, first + i, seq);
}

struct load *load_new(const struct load_target *target, const struct load_layout *layout,
                      size_t n_pubs)
{
    struct load *l = mem_zalloc(sizeof *l);
    if (!l) return NULL;
    l->target = target;
    l->layout = *layout;
    l->n_pubs = n_pubs;
    l->patience_ms = LOAD_STALL_MS;
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->ep >= 0) {
        l->subs = subs_new(l->ep, target, layout, &l->faults);
        l->pubs = pubs_new(l->ep, SUBS_EVENTS, target, n_pubs, &l->faults);
    }
    l->channels = mem_zalloc(layout->n_channels * sizeof *l->channels);
    if (!l->subs || !l->pubs || !l->channels) {
        load_free(l);
        return NULL;
    }
    const struct pubs_hooks hooks = { .refused = on_refused, .ctx = l };
    pubs_on_refused(l->pubs, &hooks);
    return l;
}

void load_set_patience(struct load *l, uint64_t ms)
{
    l->patience_ms = ms;
}

void load_stop_when(struct load *l, bool (*stop)(void *ctx), void *ctx)
{
    l->stop = stop;
    l->stop_ctx = ctx;
}

static bool stopped(const struct load *l)
{
    return l->stop && l->stop(l->stop_ctx);
}

void load_free(struct load *l)
{
    if (!l) return;
    subs_free(l->subs);
    pubs_free(l->pubs);
    buf_fini(&l->out);
    buf_fini(&l->names);
    if (l->ep >= 0) close(l->ep);
    mem_free(l->channels);
    mem_free(l);
}

struct load_faults *load_faults(struct load *l)
{
    return &l->faults;
}

struct subs *load_subs(struct load *l)
{
    return l->subs;
}

/* --- turns --- */

/* Waits for events, at most `wait_ns`, and handles a batch of them. False: nothing has come for too
 * long, or the run is broken. */
static bool turn(struct load *l, uint64_t wait_ns)
{
    struct epoll_event events[BATCH];
    const struct timespec wait = { .tv_nsec = (long)(wait_ns < TURN_NS ? wait_ns : TURN_NS) };
    int n = epoll_pwait2(l->ep, events, BATCH, &wait, NULL);
    if (n < 0 && errno != EINTR)
        load_fault(&l->faults, LOAD_BROKEN, "epoll_pwait2: %s", strerror(errno));
    if (n > 0)
        l->progress_ms = clock_mono_ms();
    else if (clock_mono_ms() - l->progress_ms > l->patience_ms)
        return false;
    for (int i = 0; i < n; i++) {
        uint64_t data = events[i].data.u64;
        if (data < SUBS_EVENTS)
            subs_on_event(l->subs, data, events[i].events);
        else
            l->answered[data - SUBS_EVENTS] +=
                pubs_on_event(l->pubs, (size_t)(data - SUBS_EVENTS), events[i].events);
    }
    return l->faults.n[LOAD_BROKEN] == 0;
}

static void begin(struct load *l, const struct load_plan *plan)
{
    l->progress_ms = clock_mono_ms();
    subs_watch(l->subs, plan->data_bytes, plan->latency);
    pubs_watch(l->pubs, plan->api);
}

/* Until all subscribers have all messages and all requests are answered; what does not come is
 * given up. */
static bool drain(struct load *l)
{
    while (subs_missing(l->subs) || pubs_waiting(l->pubs)) {
        if (turn(l, TURN_NS)) continue;
        pubs_give_up(l->pubs);
        subs_give_up(l->subs);
        return false;
    }
    return true;
}

/* --- connecting --- */

bool load_connect(struct load *l, size_t total, size_t window)
{
    uint64_t failed = l->faults.n[LOAD_UNOPENED];
    l->progress_ms = clock_mono_ms();
    size_t next = 0; /* places in front of it are open, or were tried */
    CHECK(total <= l->layout.max);
    while (subs_ready(l->subs) < total && !stopped(l)) {
        while (next < total && subs_count(l->subs) - subs_ready(l->subs) < window) {
            if (!subs_is_open(l->subs, next)) subs_open(l->subs, next);
            next++;
        }
        if (next == total && subs_count(l->subs) == subs_ready(l->subs)) break;
        if (turn(l, TURN_NS)) continue;
        size_t waiting = subs_count(l->subs) - subs_ready(l->subs);
        load_fault(&l->faults, LOAD_UNOPENED, "%zu of %zu connections are not subscribed yet",
                   waiting, total);
        load_faults_add(&l->faults, LOAD_UNOPENED, waiting - 1);
        break;
    }
    return l->faults.n[LOAD_UNOPENED] == failed && l->faults.n[LOAD_BROKEN] == 0;
}

/* --- publishing --- */

static uint32_t n_channels_of(const struct load *l, const struct load_plan *plan)
{
    return plan->n_channels ? plan->n_channels : l->layout.n_channels;
}

/* The connection that the next message goes over: a channel's always go over the same one, so that
 * they stay in order. */
static size_t next_pub(const struct load *l, const struct load_plan *plan)
{
    uint32_t at = plan->to_nobody || l->at >= n_channels_of(l, plan) ? 0 : l->at;
    return at / (plan->width ? plan->width : 1) % l->n_pubs;
}

/* Appends a request to `width` channels, and what is to be said about it. */
static void write_request(struct load *l, const struct load_plan *plan, uint64_t due_ns,
                          struct pubs_batch *batch)
{
    uint32_t width = plan->width ? plan->width : 1;
    uint32_t n_channels = n_channels_of(l, plan);
    CHECK(n_channels <= l->layout.n_channels && n_channels % width == 0);
    if (l->at >= n_channels) l->at = 0;
    uint64_t seq = subs_next_seq(l->subs, l->at);
    buf_clear(&l->names);
    for (uint32_t i = 0; i < width; i++) {
        size_t begin_at = l->names.n;
        CHECK(subs_next_seq(l->subs, l->at + i) == seq);
        subs_channel_name(l->subs, l->at + i, &l->names);
        l->channels[i].n = l->names.n - begin_at;
        subs_published(l->subs, l->at + i);
    }
    size_t at = 0;
    for (uint32_t i = 0; i < width; at += l->channels[i++].n) l->channels[i].p = l->names.p + at;
    const struct pubs_event event = { .channels = l->channels,
                                      .n_channels = width,
                                      .seq = seq,
                                      .due_ns = due_ns,
                                      .bytes = plan->data_bytes };
    if (buf_failed(&l->names))
        buf_fail(&l->out);
    else
        pubs_write_event(l->pubs, &l->out, &event);
    batch->first_channel = l->at;
    batch->n_channels = width;
    batch->seq = seq;
    l->at += width;
}

/* One message. */
static void publish(struct load *l, const struct load_plan *plan, uint64_t due_ns, bool hold)
{
    const struct span nobody = EMPTY_CHANNEL;
    const struct pubs_event unheard = {
        .channels = &nobody, .n_channels = 1, .due_ns = due_ns, .bytes = plan->data_bytes
    };
    size_t pub = next_pub(l, plan);
    struct pubs_batch batch = { .n = 1, .due_ns = due_ns, .hold = hold };
    buf_clear(&l->out);
    if (plan->to_nobody)
        pubs_write_event(l->pubs, &l->out, &unheard);
    else
        write_request(l, plan, due_ns, &batch);
    if (buf_failed(&l->out)) load_fault(&l->faults, LOAD_BROKEN, "out of memory");
    batch.requests = buf_span(&l->out);
    pubs_send(l->pubs, pub, &batch);
}

/* All that goes over one connection is in one piece. */
static void publish_burst(struct load *l, const struct load_plan *plan, unsigned n)
{
    uint64_t now_ns = clock_mono_ns();
    for (unsigned i = 0; i < n; i++) publish(l, plan, now_ns, true);
    pubs_flush(l->pubs);
}

/* How long it took: to the last progress where what was missing did not come. */
static uint64_t took_ns(const struct load *l, uint64_t start_ns, bool complete)
{
    uint64_t end = complete ? clock_mono_ns() : l->progress_ms * 1000000;
    return end > start_ns ? end - start_ns : 1;
}

struct load_done load_closed(struct load *l, const struct load_plan *plan)
{
    struct load_done done = { 0 };
    uint64_t start = clock_mono_ns(), accepted_ms = clock_mono_ms(), accepted, answered;
    bool complete, had_subs = subs_ready(l->subs) > 0;
    begin(l, plan);
    do {
        accepted = pubs_accepted(l->pubs);
        answered = pubs_answered(l->pubs);
        publish_burst(l, plan, plan->burst);
        done.n += plan->burst;
        complete = drain(l);
        done.ns = took_ns(l, start, complete);
        if (pubs_accepted(l->pubs) > accepted) accepted_ms = clock_mono_ms();
        done.gone = !complete || pubs_answered(l->pubs) == answered ||
                    clock_mono_ms() - accepted_ms > l->patience_ms ||
                    (had_subs && subs_ready(l->subs) == 0);
    } while (!done.gone && done.ns < plan->run_ns && !stopped(l));
    done.asked = done.n;
    done.accepted = pubs_accepted(l->pubs);
    done.deliveries = subs_received(l->subs);
    return done;
}

void load_expect(struct load *l, const struct load_plan *plan)
{
    begin(l, plan);
    subs_published(l->subs, 0);
}

uint64_t load_await(struct load *l)
{
    l->progress_ms = clock_mono_ms();
    drain(l);
    return subs_received(l->subs);
}

/* The steady beat of an open loop. */
struct beat {
    uint64_t start_ns, end_ns; /* UINT64_MAX: no end */
    double gap_ns;             /* 0: nothing is published */
    uint64_t n;                /* published so far */
};

static struct beat beat_of(const struct load_plan *plan)
{
    uint64_t now = clock_mono_ns();
    return (struct beat) {
        .start_ns = now,
        .end_ns = plan->run_ns == UINT64_MAX ? UINT64_MAX : now + plan->run_ns,
        .gap_ns = plan->rate > 0 ? 1e9 / plan->rate : 0,
    };
}

/* When message number `n` is due; UINT64_MAX: there is none. */
static uint64_t due_ns(const struct beat *b, uint64_t n)
{
    uint64_t due = b->gap_ns > 0 ? b->start_ns + (uint64_t)((double)n * b->gap_ns) : UINT64_MAX;
    return due < b->end_ns ? due : UINT64_MAX;
}

/* The messages that were due before this time. */
static uint64_t n_due(const struct beat *b, uint64_t ns)
{
    uint64_t n = b->n;
    while (due_ns(b, n) < ns) n++;
    return n;
}

/* Publishes what is due, but not so much at once that nothing is read meanwhile; then waits for
 * what comes. */
static bool beat_turn(struct load *l, const struct load_plan *plan, struct beat *b)
{
    uint64_t now = clock_mono_ns();
    for (unsigned i = 0; i < LATE_MAX && due_ns(b, b->n) <= now; i++) {
        if (!pubs_has_room(l->pubs, next_pub(l, plan))) break;
        if (plan->lag) hist_add(plan->lag, now - due_ns(b, b->n));
        publish(l, plan, due_ns(b, b->n++), false);
        now = clock_mono_ns();
    }
    uint64_t next = due_ns(b, b->n) < b->end_ns ? due_ns(b, b->n) : b->end_ns;
    /* Where nothing is missing silence is as it should be. */
    if (!subs_missing(l->subs) && !pubs_waiting(l->pubs)) l->progress_ms = clock_mono_ms();
    return turn(l, next > now ? next - now : 0);
}

/* Whether there is something to be published yet, or the time is not over. */
static bool goes_on(const struct load *l, const struct beat *b)
{
    uint64_t now = clock_mono_ns();
    return now < b->end_ns ||
           (due_ns(b, b->n) != UINT64_MAX && now < b->end_ns + l->patience_ms * 1000000);
}

struct load_done load_open(struct load *l, const struct load_plan *plan)
{
    struct beat beat = beat_of(plan);
    begin(l, plan);
    bool alive = true;
    while (alive && goes_on(l, &beat) && !stopped(l)) alive = beat_turn(l, plan, &beat);
    uint64_t end = clock_mono_ns();
    bool complete = drain(l);
    return (struct load_done) {
        .n = beat.n,
        .asked = n_due(&beat, end),
        .accepted = pubs_accepted(l->pubs),
        .ns = took_ns(l, beat.start_ns, complete && alive),
        .gone = !alive,
        .deliveries = subs_received(l->subs),
    };
}

/* --- requests alone --- */

/* Requests that are written once and sent again and again: a server has to check each of them all
 * the same, and signing here would cost more than it does there. Twice the same, so that any run of
 * up to N_SIGNED is in one piece. */
struct prepared {
    struct buf text;
    size_t at[2 * N_SIGNED + 1];
};

static void prepare(struct load *l, enum load_request kind, struct prepared *p)
{
    char names[LOAD_WIDTH][32];
    struct span channels[LOAD_WIDTH] = { EMPTY_CHANNEL };
    for (size_t i = 1; i < LOAD_WIDTH; i++) {
        int n = snprintf(names[i], sizeof names[i], "bench-%zu-nobody", i);
        channels[i] = span_of(names[i], (size_t)n);
    }
    for (size_t i = 0; i < 2 * N_SIGNED; i++) {
        const struct pubs_event event = {
            .channels = channels,
            .n_channels = kind == LOAD_PUBLISH_WIDE ? LOAD_WIDTH : 1,
            .batch = kind == LOAD_BATCH ? LOAD_BATCH_EVENTS : 0,
            .seq = i % N_SIGNED,
            .bytes = PUBLISH_BYTES,
        };
        p->at[i] = p->text.n;
        if (kind == LOAD_STATIC)
            pubs_write_static(l->pubs, &p->text);
        else
            pubs_write_event(l->pubs, &p->text, &event);
    }
    p->at[2 * N_SIGNED] = p->text.n;
    if (buf_failed(&p->text)) load_fault(&l->faults, LOAD_BROKEN, "out of memory");
}

static void send_prepared(struct load *l, const struct prepared *p, size_t pub, size_t n)
{
    CHECK(n <= N_SIGNED);
    size_t first = l->n_sent++ % N_SIGNED;
    struct span all = buf_span(&p->text);
    const struct pubs_batch batch = {
        .requests = span_of(all.p + p->at[first], p->at[first + n] - p->at[first]),
        .n = n,
    };
    pubs_send(l->pubs, pub, &batch);
}

struct load_done load_requests(struct load *l, enum load_request kind, size_t n_pubs, size_t depth,
                               uint64_t run_ns)
{
    const struct load_plan plan = { .data_bytes = PUBLISH_BYTES };
    struct load_done done = { 0 };
    struct prepared prepared = { 0 };
    CHECK(n_pubs <= l->n_pubs);
    prepare(l, kind, &prepared);
    begin(l, &plan);
    uint64_t start = clock_mono_ns();
    bool alive = !buf_failed(&prepared.text);
    for (size_t i = 0; i < n_pubs; i++) l->answered[i] = depth;
    while (alive && (done.n == 0 || done.ns < run_ns)) {
        for (size_t i = 0; i < n_pubs; i++) {
            if (l->answered[i] == 0) continue;
            send_prepared(l, &prepared, i, l->answered[i]);
            done.n += l->answered[i];
            l->answered[i] = 0;
        }
        alive = run_ns == 0 || turn(l, TURN_NS);
        done.ns = clock_mono_ns() - start;
    }
    drain(l);
    done.accepted = pubs_accepted(l->pubs);
    done.ns = clock_mono_ns() - start;
    buf_fini(&prepared.text);
    return done;
}

/* --- coming and going --- */

struct load_done load_churn(struct load *l, size_t stay, uint64_t cycles, size_t window)
{
    struct load_done done = { 0 };
    uint64_t start = clock_mono_ns(), opened = 0;
    bool alive = true;
    CHECK(stay + window <= l->layout.max);
    l->progress_ms = clock_mono_ms();
    while (alive && done.n < cycles) {
        for (size_t i = stay; i < stay + window; i++) {
            if (subs_is_ready(l->subs, i)) {
                subs_close(l->subs, i);
                done.n++;
            }
            if (opened == cycles || subs_is_open(l->subs, i)) continue;
            subs_open(l->subs, i);
            opened++;
        }
        alive = turn(l, TURN_NS) && l->faults.n[LOAD_UNOPENED] == 0;
    }
    done.ns = clock_mono_ns() - start;
    return done;
}

/* Dials once more into the epoll set. */
static void knock(struct load *l, int ep, uint64_t i)
{
    int fd = load_dial(l->target, (size_t)i, false);
    struct epoll_event ev = { .events = EPOLLOUT, .data.fd = fd };
    if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
        load_fault(&l->faults, LOAD_BROKEN, "connection %llu: %s", (unsigned long long)i,
                   strerror(errno));
}

struct load_done load_knock(struct load *l, uint64_t cycles, size_t window)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    struct epoll_event events[BATCH];
    struct load_done done = { 0 };
    uint64_t start = clock_mono_ns(), opened = 0;
    int ep = epoll_create1(EPOLL_CLOEXEC), n = 1;
    if (ep < 0) load_fault(&l->faults, LOAD_BROKEN, "epoll_create1: %s", strerror(errno));
    while (n > 0 && done.n < cycles && l->faults.n[LOAD_BROKEN] == 0) {
        while (opened < cycles && opened - done.n < window) knock(l, ep, opened++);
        n = epoll_wait(ep, events, BATCH, (int)l->patience_ms);
        for (int i = 0; i < n; i++, done.n++) {
            int fd = events[i].data.fd, error = 0;
            socklen_t len = sizeof error;
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
            if (error) load_fault(&l->faults, LOAD_UNOPENED, "connecting: %s", strerror(error));
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fd);
        }
    }
    if (n == 0) load_fault(&l->faults, LOAD_UNOPENED, "the server does not accept");
    if (ep >= 0) close(ep);
    done.ns = clock_mono_ns() - start;
    return done;
}

uint64_t load_storm(struct load *l)
{
    const struct load_plan plan = { .data_bytes = PUBLISH_BYTES };
    size_t n = subs_ready(l->subs), next = 0;
    begin(l, &plan);
    for (size_t i = 0; i < n; i++) subs_close(l->subs, i);
    uint64_t start = clock_mono_ns();
    bool alive = true;
    while (alive && subs_ready(l->subs) < n && load_clean(&l->faults)) {
        /* As fast as we can, yet not so that those who are answered wait for us. */
        for (size_t i = 0; next < n && i < BATCH; i++) subs_open(l->subs, next++);
        alive = turn(l, next < n ? 0 : TURN_NS);
    }
    if (!alive)
        load_fault(&l->faults, LOAD_UNOPENED, "%zu of %zu are back", subs_ready(l->subs), n);
    return clock_mono_ns() - start;
}
