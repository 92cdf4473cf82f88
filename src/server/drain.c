/* SPDX-License-Identifier: MIT
 * server/drain.c: see drain.h. */
#include "server/drain.h"
#include "base/log.h"
#include "server/conn.h"
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

static void begin_finish(struct worker *w)
{
    enter(w, WORKER_FINISHES);
    /* Not closed: who comes now waits in the backlog and is reset when we exit, after which clients
     * try again in a second; after a refusal they wait for fifteen (protocol page 1.7). */
    for (size_t i = 0; i < w->n_listeners; i++) listener_pause(w->listeners[i]);
    unsigned code = (unsigned)w->server->cfg->drain_code;
    while (!list_empty(&w->ws)) close_one(w, code);
    const struct list *head = &w->ending;
    for (struct list *node = head->next; node != head; node = node->next)
        conn_hurry(CONTAINER_OF(node, struct conn, link));
}

void drain_begin(struct worker *w)
{
    if (w->phase != WORKER_SERVES) return;
    w->n_to_drain = count_get(&w->counts.n_ws);
    if (w->server->cfg->drain_ms)
        enter(w, WORKER_DRAINS);
    else
        begin_finish(w);
    loop_again(w->loop);
}

/* As many are closed as their share of the time has passed. */
static void drain_some(struct worker *w)
{
    uint64_t drain_ms = w->server->cfg->drain_ms;
    uint64_t passed = loop_now_ms(w->loop) - w->phase_since_ms;
    if (passed >= drain_ms) {
        begin_finish(w);
        return;
    }
    uint64_t keep = w->n_to_drain - w->n_to_drain * passed / drain_ms;
    unsigned code = (unsigned)w->server->cfg->drain_code;
    while (count_get(&w->counts.n_ws) > keep) close_one(w, code);
}

/* Idle ones are closed; the others say `Connection: close` with their answer. */
static void end_idle_http(struct worker *w, bool all)
{
    const struct list *head = &w->http;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (all || conn_http_idle(c)) conn_end(c, CONN_ENDING_MS);
    }
}

static void finish_some(struct worker *w)
{
    uint64_t passed = loop_now_ms(w->loop) - w->phase_since_ms;
    end_idle_http(w, passed >= DRAIN_HTTP_MS);
    if (!list_empty(&w->http) || !list_empty(&w->ws) || !list_empty(&w->ending)) return;
    enter(w, WORKER_DONE);
    loop_stop(w->loop);
}

void drain_step(struct worker *w)
{
    if (w->phase == WORKER_DRAINS) drain_some(w);
    if (w->phase == WORKER_FINISHES) finish_some(w);
}

uint64_t drain_deadline_ms(const struct worker *w)
{
    bool waits = w->phase == WORKER_DRAINS || w->phase == WORKER_FINISHES;
    return waits ? loop_now_ms(w->loop) + DRAIN_STEP_MS : LOOP_NEVER;
}
