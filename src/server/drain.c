/* SPDX-License-Identifier: MIT
 * server/drain.c: see drain.h. */
#include "server/drain.h"
#include "base/log.h"
#include "server/conn.h"
#include "server/self_test.h"
#include "server/server_priv.h"

static void enter(struct worker *w, enum worker_phase phase)
{
    w->phase = phase;
    w->phase_since_ms = loop_now_ms(w->loop);
}

static void close_one(struct worker *w, unsigned code)
{
    struct conn *c = CONTAINER_OF(list_first(&w->ws), struct conn, link);
    conn_ws_refuse(c, code, SPAN("Server closed. Please reconnect shortly."));
}

static void pause_listeners(struct worker *w)
{
    for (size_t i = 0; i < w->n_listeners; i++) listener_pause(w->listeners[i]);
}

static void begin_finish(struct worker *w)
{
    enter(w, WORKER_FINISHES);
    /* Not closed: who comes now waits in the backlog, for the next generation, or until he is reset
     * when we exit, after which clients try again in a second; after a refusal they wait for
     * fifteen (protocol page 1.7). */
    pause_listeners(w);
    w->to_close = true;
    const struct list *head = &w->ending;
    for (struct list *node = head->next; node != head; node = node->next)
        conn_hurry(CONTAINER_OF(node, struct conn, link));
    loop_again(w->loop);
}

static void begin_requests(struct worker *w)
{
    enter(w, WORKER_REQUESTS);
    pause_listeners(w);
}

void drain_begin(struct worker *w)
{
    if (w->phase != WORKER_SERVES) return;
    self_test_stop(w); /* or its connection would be waited for */
    w->n_to_drain = count_get(&w->counts.n_ws);
    if (server_restarting(w->server))
        begin_requests(w);
    else if (w->cfg->drain_ms)
        enter(w, WORKER_DRAINS);
    else
        begin_finish(w);
    loop_again(w->loop);
}

/* As many are closed as their share of the time has passed. */
static void drain_some(struct worker *w)
{
    uint64_t drain_ms = w->cfg->drain_ms;
    uint64_t passed = loop_now_ms(w->loop) - w->phase_since_ms;
    if (passed >= drain_ms) {
        begin_finish(w);
        return;
    }
    uint64_t keep = w->n_to_drain - w->n_to_drain * passed / drain_ms;
    unsigned code = server_drain_code(w);
    while (count_get(&w->counts.n_ws) > keep) close_one(w, code);
}

/* Who came or asked a moment ago may have a request on the way, which a close would lose. */
static bool is_fresh(const struct conn *c)
{
    uint64_t age_ms = loop_now_ms(c->worker->loop) - c->seen_ms;
    return c->worker->phase == WORKER_REQUESTS && age_ms < DRAIN_FRESH_MS;
}

/* Idle ones are closed; the others say `Connection: close` with their answer. */
static void end_idle_http(struct worker *w, bool all)
{
    const struct list *head = &w->http;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (all || (conn_http_idle(c) && !is_fresh(c))) conn_end(c, CONN_ENDING_MS);
    }
}

static void run_finish(struct worker *w, struct task *t)
{
    (void)t;
    if (w->phase == WORKER_REQUESTS) begin_finish(w);
}

/* The last worker that has finished its requests lets all go on. */
static void finish_requests(struct worker *w)
{
    struct server *s = w->server;
    end_idle_http(w, loop_now_ms(w->loop) - w->phase_since_ms >= DRAIN_HTTP_MS);
    if (w->told_finished || !list_empty(&w->http)) return;
    w->told_finished = true;
    if (atomic_fetch_sub_explicit(&s->n_with_requests, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < s->n_workers; i++) {
        s->workers[i].finish_task.run = run_finish;
        worker_post(&s->workers[i], &s->workers[i].finish_task);
    }
}

static void close_all(struct worker *w)
{
    unsigned code = server_drain_code(w);
    while (!list_empty(&w->ws)) close_one(w, code);
    w->to_close = false;
}

static void finish_some(struct worker *w)
{
    uint64_t passed = loop_now_ms(w->loop) - w->phase_since_ms;
    if (w->to_close && (!w->mailbox_left || passed >= DRAIN_HTTP_MS)) close_all(w);
    end_idle_http(w, passed >= DRAIN_HTTP_MS);
    if (!list_empty(&w->http) || !list_empty(&w->ws) || !list_empty(&w->ending)) return;
    enter(w, WORKER_DONE);
    loop_stop(w->loop);
}

void drain_step(struct worker *w)
{
    if (w->phase == WORKER_DRAINS) drain_some(w);
    if (w->phase == WORKER_REQUESTS) finish_requests(w);
    if (w->phase == WORKER_FINISHES) finish_some(w);
}

uint64_t drain_deadline_ms(const struct worker *w)
{
    uint64_t now_ms = loop_now_ms(w->loop);
    switch (w->phase) {
    case WORKER_DRAINS:
        return now_ms + DRAIN_STEP_MS;
    case WORKER_REQUESTS:
        return now_ms + DRAIN_QUICK_MS;
    case WORKER_FINISHES:
        return now_ms + (server_restarting(w->server) ? DRAIN_QUICK_MS : DRAIN_STEP_MS);
    case WORKER_SERVES:
    case WORKER_DONE:
        break;
    }
    return LOOP_NEVER;
}
