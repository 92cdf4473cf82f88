/* SPDX-License-Identifier: MIT
 * server/ask.c: see ask.h. */
#include "server/ask.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "server/server_priv.h"

struct ask *ask_new(struct conn *c, void *ctx, void (*free_ctx)(void *ctx))
{
    unsigned n = c->worker->server->n_workers;
    struct ask *ask = mem_zalloc(sizeof *ask + n * sizeof ask->parts[0]);
    if (!ask) {
        if (free_ctx) free_ctx(ctx);
        return NULL;
    }
    ask->conn = c;
    ask->home = c->worker;
    ask->ctx = ctx;
    ask->free_ctx = free_ctx;
    ask->n_parts = n;
    return ask;
}

static void run_part(struct worker *w, struct task *t)
{
    struct ask_part *part = CONTAINER_OF(t, struct ask_part, task);
    struct ask *ask = part->ask;
    ask->collect(w, ask, &part->got);
    if (atomic_fetch_sub_explicit(&ask->n_open, 1, memory_order_acq_rel) == 1)
        worker_post(ask->home, &ask->reply);
}

static void run_done(struct worker *w, struct task *t)
{
    struct ask *ask = CONTAINER_OF(t, struct ask, reply);
    struct buf none = { 0 };
    (void)w;
    if (ask_is_vain(ask)) {
        ask_answer(ask, 503, &none);
        return;
    }
    ask->done(ask);
}

void ask_round(struct ask *ask, ask_collect *collect, ask_done *done)
{
    struct server *s = ask->home->server;
    ask->collect = collect;
    ask->done = done;
    ask->reply.run = run_done;
    atomic_store_explicit(&ask->n_open, ask->n_parts, memory_order_relaxed);
    unsigned n = ask->n_parts; /* the last part may end the question before this loop does */
    for (unsigned i = 0; i < n; i++) {
        ask->parts[i].ask = ask;
        ask->parts[i].task.run = run_part;
        buf_clear(&ask->parts[i].got);
    }
    for (unsigned i = 0; i < n; i++) worker_post(&s->workers[i], &ask->parts[i].task);
}

bool ask_is_vain(const struct ask *ask)
{
    return ask->conn->state != CONN_HTTP;
}

void ask_answer(struct ask *ask, unsigned status, struct buf *json)
{
    conn_http_answer(ask->conn, status, json);
    for (unsigned i = 0; i < ask->n_parts; i++) buf_fini(&ask->parts[i].got);
    if (ask->free_ctx) ask->free_ctx(ask->ctx);
    mem_free(ask);
}

void ask_fail(struct ask *ask, unsigned status, struct span why)
{
    struct buf json = { 0 };
    json_open(&json, '{');
    json_key(&json, SPAN("error"));
    json_string(&json, why);
    json_key(&json, SPAN("code"));
    json_u64(&json, status);
    json_close(&json, '}');
    ask_answer(ask, status, &json);
}

void ask_join(const struct ask *ask, struct buf *out)
{
    json_open(out, '[');
    for (unsigned i = 0; i < ask->n_parts; i++) {
        const struct buf *got = &ask->parts[i].got;
        if (got->n) json_raw(out, buf_span(got));
        if (buf_failed(got)) buf_fail(out);
    }
    json_close(out, ']');
}
