/* SPDX-License-Identifier: MIT
 *
 * server/statistics.c: see statistics.h.
 *
 * Messages are counted upwards for ever, and a row has the difference to the one before it, so that
 * none is lost between a worker and us. The peak of an interval is the largest number of
 * connections that a worker saw when it took one in (each sees that of all workers), and at least
 * what there was when the interval began, as laravel-websockets has it. What happens in the very
 * moment of summing counts for one of the two intervals.
 */
#include "server/statistics.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "server/server_priv.h"
#include <limits.h>

/* SQLite: the file, its log and index, one more; a server: a socket. */
#define STORE_DESCRIPTORS 4

/* Of an app, by the index of its slot. */
struct summed {
    uint64_t websocket_messages, api_messages; /* as they were in the last row */
    uint32_t peak;                             /* since then */
};

struct statistics {
    struct store *store; /* NULL while the workers do not run */
    struct summed *apps;
    size_t n_apps;
    uint64_t last_ms; /* when the last rows were made */
    uint64_t at_s;    /* what they have for a time */
};

/* --- summing --- */

static struct summed *summed_of(struct statistics *st, const struct app *app)
{
    if (app->index >= st->n_apps) {
        size_t n = (size_t)app->index + 16;
        struct summed *apps = mem_realloc(st->apps, n * sizeof *apps);
        if (!apps) return NULL;
        memset(apps + st->n_apps, 0, (n - st->n_apps) * sizeof *apps);
        st->apps = apps;
        st->n_apps = n;
    }
    return &st->apps[app->index];
}

/* What all workers have counted; the peak goes to `s`. */
static struct stats_counts sum_workers(const struct app *app, unsigned n_workers, struct summed *s)
{
    struct stats_counts c = { 0 };
    for (unsigned i = 0; i < n_workers; i++) {
        struct app_tally *t = app_tally(app, i);
        if (!t) break;
        c.websocket_messages += atomic_load_explicit(&t->websocket_messages, memory_order_relaxed);
        c.api_messages += atomic_load_explicit(&t->api_messages, memory_order_relaxed);
        uint32_t peak = atomic_exchange_explicit(&t->peak, 0, memory_order_relaxed);
        if (peak > s->peak) s->peak = peak;
    }
    return c;
}

/* Adds a row unless there is nothing to say. Without memory the counts stay for the next one. */
static void add_row(struct server *s, const struct app *app, uint64_t at_s, struct list *rows)
{
    struct summed *before = summed_of(s->statistics, app);
    if (!before) return;
    struct stats_counts now = sum_workers(app, s->n_workers, before);
    const struct stats_counts counts = {
        .peak_connections = before->peak,
        .websocket_messages = now.websocket_messages - before->websocket_messages,
        .api_messages = now.api_messages - before->api_messages,
    };
    bool some = counts.peak_connections || counts.websocket_messages || counts.api_messages;
    if (some && app->s->statistics) {
        struct stats_row *row = stats_row_new(app->s->id);
        if (!row) return;
        row->at_s = at_s;
        row->counts = counts;
        list_push(rows, &row->link);
    }
    before->websocket_messages = now.websocket_messages;
    before->api_messages = now.api_messages;
    before->peak = atomic_load_explicit(&app->n_conns, memory_order_relaxed);
}

/* The apps of `which`; where `but` is not NULL, only those that it does not have. */
static void collect(struct server *s, const struct apps *which, const struct apps *but)
{
    struct statistics *st = s->statistics;
    struct list rows;
    const struct app *app;
    uint64_t at_s = clock_unix_ms() / 1000;
    if (at_s == st->at_s) at_s++; /* the rows of an app are told apart by their time */
    st->at_s = at_s;
    list_init(&rows);
    for (size_t i = 0; (app = apps_at(which, i)); i++)
        if (!but || !apps_find_id(but, app->s->id)) add_row(s, app, at_s, &rows);
    if (!list_empty(&rows)) store_add(st->store, &rows);
}

/* --- time --- */

static uint64_t due_ms(const struct server *s)
{
    return s->statistics->last_ms + (uint64_t)s->cfg->statistics.interval_seconds * 1000;
}

void statistics_beat(struct server *s)
{
    if (!statistics_store(s)) return;
    uint64_t now = clock_mono_ms();
    if (now < due_ms(s)) return;
    s->statistics->last_ms = now;
    collect(s, s->apps, NULL);
}

int statistics_wait_ms(const struct server *s)
{
    if (!statistics_store(s)) return -1;
    uint64_t now = clock_mono_ms(), due = due_ms(s);
    uint64_t wait = due > now ? due - now : 0;
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

/* --- life --- */

static void say_where(const struct server *s)
{
    struct buf shown = { 0 };
    store_url_mask(s->cfg->store, &shown);
    if (!buf_failed(&shown))
        log_info("store", "statistics are kept", kv_span("store", buf_span(&shown)),
                 kv_u64("interval_seconds", s->cfg->statistics.interval_seconds));
    buf_fini(&shown);
}

/* What was summed before (a restart in place that failed) stays known. */
static enum err start(struct server *s, struct store_url *url)
{
    if (!s->statistics) s->statistics = mem_zalloc(sizeof *s->statistics);
    struct statistics *st = s->statistics;
    if (!st) {
        store_url_fini(url);
        return ERR_NOMEM;
    }
    enum err err = store_open(&st->store, url);
    if (err) return err;
    st->last_ms = clock_mono_ms();
    fds_opened(STORE_DESCRIPTORS);
    store_keep_days(st->store, s->cfg->statistics.retention_days);
    return ERR_OK;
}

void statistics_start(struct server *s)
{
    struct store_url url = { .kind = STORE_NONE };
    struct diag d = { "" };
    enum err err = store_url_parse(s->cfg->store, &url, &d);
    if (!err && url.kind == STORE_NONE) {
        store_url_fini(&url);
        return;
    }
    if (!err) err = start(s, &url);
    if (err)
        log_warn("store", "no statistics are kept", kv_str("why", err_text(err)));
    else
        say_where(s);
}

void statistics_stop(struct server *s)
{
    struct store *store = statistics_store(s);
    if (!store) return;
    collect(s, s->apps, NULL);
    store_forget(store);
    store_close(&s->statistics->store, server_restarting(s) ? STORE_RESTART_MS : STORE_CLOSE_MS);
    fds_closed(STORE_DESCRIPTORS);
}

void statistics_free(struct server *s)
{
    statistics_stop(s);
    if (s->statistics) mem_free(s->statistics->apps);
    mem_free(s->statistics);
    s->statistics = NULL;
}

void statistics_reloaded(struct server *s, const struct apps *was, const struct apps *now)
{
    if (!statistics_store(s)) return;
    collect(s, was, now);
    store_keep_days(s->statistics->store, s->cfg->statistics.retention_days);
}

struct store *statistics_store(const struct server *s)
{
    return s->statistics ? s->statistics->store : NULL;
}

uint64_t statistics_figure(const struct server *s, enum statistics_figure which)
{
    const struct store *store = statistics_store(s);
    if (!store) return 0;
    const struct store_stats *stats = store_stats(store);
    switch (which) {
    case STATISTICS_WAITING:
        return store_waiting(store);
    case STATISTICS_WRITTEN:
        return count_get(&stats->written);
    case STATISTICS_SUMMED:
        return count_get(&stats->summed);
    case STATISTICS_LOST:
        return count_get(&stats->lost);
    case STATISTICS_FAILURES:
        return count_get(&stats->failures);
    }
    UNREACHABLE();
}
