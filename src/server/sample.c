/* SPDX-License-Identifier: MIT
 *
 * server/sample.c: see sample.h. Counters are told as they are: who listens takes differences, and
 * can add up workers and seconds as he likes. That goes for the histogram of delivery times, too.
 */
#include "server/sample.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "server/metrics.h"
#include "server/server_priv.h"

static void add(struct buf *out, const char *key, uint64_t value)
{
    json_key(out, span_str(key));
    json_u64(out, value);
}

static uint64_t relaxed(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void write_traffic(const struct worker *w, struct buf *out)
{
    const struct hub_stats *hub = hub_stats(w->hub);
    add(out, "connections", count_get(&w->counts.n_ws));
    add(out, "http_connections", count_get(&w->counts.n_http));
    add(out, "messages_in", count_get(&hub->texts));
    add(out, "messages_out", count_get(&hub->delivered));
    add(out, "api_messages", count_get(&hub->published));
    add(out, "client_messages", count_get(&hub->client_events));
    add(out, "refused", count_get(&hub->refused));
    add(out, "slow_cut", count_get(&w->counts.slow_cut));
    add(out, "pending_bytes_all", relaxed(&w->server->pending_bytes));
    add(out, "mailbox_bytes", dir_backlog_bytes(w->server->dir, w->index));
}

static void write_delivery(const struct worker *w, struct buf *out)
{
    struct histo_view v = { 0 };
    histo_read(&w->counts.delivery_us, &v);
    json_key(out, SPAN("delivery_us"));
    json_open(out, '[');
    for (unsigned i = 0; i < HISTO_BUCKETS; i++) json_u64(out, v.n[i]);
    json_close(out, ']');
}

static void write_memory(struct server *s, struct buf *out)
{
    struct metrics_memory m;
    metrics_memory(s, &m);
    json_key(out, SPAN("memory"));
    json_open(out, '{');
    add(out, "resident", m.resident);
    add(out, "heap", m.heap);
    add(out, "connections", m.connections);
    add(out, "output", m.output);
    add(out, "input", m.input);
    add(out, "mailboxes", m.mailboxes);
    add(out, "caches", m.caches);
    json_close(out, '}');
}

void sample_write(const struct worker *w, const struct sample_span *since, struct buf *out)
{
    json_open(out, '{');
    add(out, "worker", w->index);
    add(out, "workers", w->server->n_workers);
    add(out, "time", clock_unix_ms());
    write_traffic(w, out);
    add(out, "cpu_ns", since->cpu_ns);
    add(out, "wall_ns", since->wall_ns);
    add(out, "lag_us", since->busy_max_ns / 1000);
    write_delivery(w, out);
    if (w->index == 0) write_memory(w->server, out);
    json_close(out, '}');
}
