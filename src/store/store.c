/* SPDX-License-Identifier: MIT
 *
 * store/store.c: see store.h.
 *
 *     store_add ──> backlog ──> sending ──> database
 *
 * `sending` is one transaction's rows; it stays as it is until it is known to be written, while the
 * backlog behind it may be summed. The lock protects what other threads touch and is never held
 * while the database is asked.
 */
#include "store/store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/backlog.h"
#include "store/db.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define BATCH_ROWS 500
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000
#define WARN_EVERY_MS 600000 /* while it stays away */
#define CLEAN_EVERY_MS 3600000

struct store {
    pthread_mutex_t lock;
    pthread_cond_t wake, gone;
    pthread_t thread;
    struct store_stats stats;
    struct store_url url;

    /* --- under the lock --- */
    struct backlog backlog;
    struct list queries;
    struct store_query *asked; /* the one whose answer is being looked up; NULL: forgotten */
    size_t n_queries;
    uint32_t keep_days;
    uint64_t clean_ms; /* when to look for old rows */
    bool closing, ended;
    bool orphan; /* nobody waits for the thread any more: it frees what it has */

    /* --- the thread's own --- */
    struct db *db;
    struct list sending;
    size_t n_sending;
    bool unsure;       /* `sending` may have been written */
    bool away;         /* the last attempt failed */
    uint64_t retry_ms; /* when to try again */
    uint64_t pause_ms;
    uint64_t warned_ms;
    uint64_t n_summed, n_lost; /* as they were told last */
};

static void lock(struct store *s)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
}

static void unlock(struct store *s)
{
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
}

static void count_set(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, n, memory_order_relaxed);
}

static void count_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Under the lock. */
static void note_backlog(struct store *s)
{
    count_set(&s->stats.summed, s->backlog.n_summed);
    count_set(&s->stats.lost, s->backlog.n_lost);
}

uint64_t store_waiting(const struct store *s)
{
    const struct store_stats *n = &s->stats;
    uint64_t gone = atomic_load_explicit(&n->written, memory_order_relaxed) +
                    atomic_load_explicit(&n->summed, memory_order_relaxed) +
                    atomic_load_explicit(&n->lost, memory_order_relaxed);
    uint64_t added = atomic_load_explicit(&n->added, memory_order_relaxed);
    return added > gone ? added - gone : 0;
}

/* --- the database --- */

static const char *reason(enum err err, const struct diag *d)
{
    return d->text[0] ? d->text : err_text(err);
}

/* Opens it where it is not open. `*fresh`: it was not. */
static enum err connect(struct store *s, bool *fresh, struct diag *d)
{
    *fresh = !s->db;
    return s->db ? ERR_OK : db_open(&s->db, &s->url, DB_WRITE, d);
}

static void warn(struct store *s, enum err err, const struct diag *d)
{
    uint64_t now = clock_mono_ms();
    if (s->away && now - s->warned_ms < WARN_EVERY_MS) return;
    s->warned_ms = now;
    log_warn("store", "statistics cannot be written",
             kv_str("database", store_kind_name(s->url.kind)), kv_str("why", reason(err, d)),
             kv_u64("rows_waiting", store_waiting(s)),
             kv_str("effect", "the counts are kept and written when it is back"));
}

static void failed(struct store *s, enum err err, const struct diag *d)
{
    db_close(&s->db);
    warn(s, err, d);
    count_add(&s->stats.failures, 1);
    s->pause_ms = !s->away                         ? RETRY_FIRST_MS
                  : s->pause_ms < RETRY_MAX_MS / 2 ? s->pause_ms * 2
                                                   : RETRY_MAX_MS;
    s->away = true;
    s->retry_ms = clock_mono_ms() + s->pause_ms;
}

static void succeeded(struct store *s)
{
    if (s->away)
        log_info("store", "the database is back", kv_str("database", store_kind_name(s->url.kind)));
    s->away = false;
}

/* --- writing --- */

/* Rows that were summed or lost since it was last said. */
static void tell_losses(struct store *s)
{
    uint64_t summed = atomic_load_explicit(&s->stats.summed, memory_order_relaxed);
    uint64_t lost = atomic_load_explicit(&s->stats.lost, memory_order_relaxed);
    if (summed != s->n_summed)
        log_warn("store", "old statistics were summed", kv_u64("rows", summed - s->n_summed),
                 kv_u64("limit", STORE_MAX_ROWS),
                 kv_str("effect", "some rows stand for more than one interval; no count is lost"));
    if (lost != s->n_lost)
        log_warn("store", "statistics were lost", kv_u64("rows", lost - s->n_lost),
                 kv_str("why", "too many apps, and the database was away for too long"));
    s->n_summed = summed;
    s->n_lost = lost;
}

static void written(struct store *s)
{
    count_add(&s->stats.written, s->n_sending);
    stats_rows_free(&s->sending);
    s->n_sending = 0;
    s->unsure = false;
    tell_losses(s);
}

static enum err write_once(struct store *s, bool *fresh, struct diag *d)
{
    bool there = false;
    enum err err = connect(s, fresh, d);
    if (!err && s->unsure) err = db_has(s->db, stats_row_of(s->sending.next), &there, d);
    if (!err && !there) err = db_write(s->db, &s->sending, &s->unsure, d);
    return err;
}

/* One batch. A connection that has become useless since it was used last is no failure yet. */
static void write_batch(struct store *s)
{
    struct diag d = { "" };
    bool fresh;
    enum err err = write_once(s, &fresh, &d);
    if (err && !fresh) {
        db_close(&s->db);
        d.text[0] = '\0';
        err = write_once(s, &fresh, &d);
    }
    if (err) {
        failed(s, err, &d);
    } else {
        succeeded(s);
        written(s);
    }
}

/* Opens the database at the start, so that what is wrong is known before the first interval is
 * over. */
static void look(struct store *s)
{
    struct diag d = { "" };
    bool fresh;
    enum err err = connect(s, &fresh, &d);
    if (err) failed(s, err, &d);
}

/* --- old rows --- */

static void clean(struct store *s, uint32_t days)
{
    struct diag d = { "" };
    bool fresh;
    uint64_t n = 0, now_s = clock_unix_ms() / 1000, age_s = (uint64_t)days * 86400;
    enum err err = connect(s, &fresh, &d);
    if (!err && now_s > age_s) err = db_clean(s->db, span_of(NULL, 0), now_s - age_s, &n, &d);
    if (n > 0)
        log_info("store", "old statistics deleted", kv_u64("rows", n),
                 kv_u64("older_than_days", days), kv_str("option", "statistics.retention_days"));
    if (err)
        failed(s, err, &d);
    else
        succeeded(s);
}

/* --- questions --- */

struct question {
    struct span app_id;
    struct series series;
};

static void take_row(void *ctx, struct span app_id, uint64_t at_s,
                     const struct stats_counts *counts)
{
    struct question *q = ctx;
    (void)app_id;
    series_add(&q->series, at_s, counts);
}

static enum err read_series(struct store *s, struct question *q, struct diag *d)
{
    const struct series_range *range = &q->series.range;
    const struct db_range what = { q->app_id, range->from_s, range->to_s };
    bool fresh;
    enum err err = connect(s, &fresh, d);
    if (!err) err = db_read(s->db, &what, take_row, q, d);
    if (!err || fresh) return err;
    db_close(&s->db);
    memset(q->series.steps, 0, q->series.n * sizeof *q->series.steps);
    err = connect(s, &fresh, d);
    return err ? err : db_read(s->db, &what, take_row, q, d);
}

static enum err answer(struct store *s, struct question *q, const struct series_range *range)
{
    struct diag d = { "" };
    enum err err = series_init(&q->series, range);
    if (err) return err;
    err = read_series(s, q, &d);
    s->retry_ms = err ? s->retry_ms : 0; /* what waits may be written, too */
    if (!err) return err;
    log_warn("store", "statistics cannot be read", kv_str("database", store_kind_name(s->url.kind)),
             kv_str("why", reason(err, &d)));
    db_close(&s->db);
    series_fini(&q->series);
    return err;
}

/* Under the lock, which is released meanwhile. */
static void answer_next(struct store *s, struct store_query *asked)
{
    struct series_range range = asked->range;
    char *id = mem_dup(asked->app_id.p, asked->app_id.n);
    struct question q = { .app_id = span_of(id, asked->app_id.n) };
    s->n_queries--;
    s->asked = asked;
    unlock(s);
    enum err err = id ? answer(s, &q, &range) : ERR_NOMEM;
    mem_free(id);
    lock(s);
    if (s->asked) {
        asked->err = err;
        asked->series = q.series;
        asked->done(asked);
    } else {
        series_fini(&q.series);
    }
    s->asked = NULL;
}

/* --- the thread --- */

/* Under the lock, which is released meanwhile. False: the time is over. */
static bool sleep_until(struct store *s, pthread_cond_t *what, uint64_t at_ms)
{
    struct timespec at = { .tv_sec = (time_t)(at_ms / 1000),
                           .tv_nsec = (long)(at_ms % 1000) * 1000000 };
    int error = pthread_cond_timedwait(what, &s->lock, &at);
    CHECK(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

/* Under the lock. */
static void fill_batch(struct store *s)
{
    if (s->n_sending == 0) s->n_sending = backlog_take(&s->backlog, &s->sending, BATCH_ROWS);
    note_backlog(s);
}

/* When something is due; 0: now. Under the lock. */
static uint64_t due_ms(const struct store *s, uint64_t now)
{
    uint64_t at = now + CLEAN_EVERY_MS;
    if (s->n_sending) at = s->away && !s->closing ? s->retry_ms : 0;
    if (s->keep_days && !s->away && !s->closing && s->clean_ms < at) at = s->clean_ms;
    return at;
}

/* One piece of work; false: the end. Under the lock, which is released meanwhile. */
static bool work(struct store *s)
{
    struct list *link = list_pop(&s->queries);
    if (link) {
        answer_next(s, CONTAINER_OF(link, struct store_query, link));
        return true;
    }
    fill_batch(s);
    uint64_t now = clock_mono_ms(), at = due_ms(s, now);
    bool closing = s->closing, has_rows = s->n_sending > 0;
    uint32_t days = s->keep_days;
    if (closing && !has_rows) return false;
    if (at > now) {
        (void)sleep_until(s, &s->wake, at);
        return true;
    }
    bool writes = has_rows && (closing || !s->away || s->retry_ms <= now);
    if (!writes) s->clean_ms = now + CLEAN_EVERY_MS;
    unlock(s);
    if (writes)
        write_batch(s);
    else
        clean(s, days);
    lock(s);
    return !closing || !s->away;
}

static void drop(struct store *s)
{
    backlog_fini(&s->backlog);
    stats_rows_free(&s->sending);
    store_url_fini(&s->url);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->gone);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

static void *run(void *arg)
{
    struct store *s = arg;
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    sigset_t others;
    sigfillset(&others);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_BLOCK, &others, NULL);
    look(s);
    lock(s);
    while (work(s)) continue;
    unlock(s);
    db_close(&s->db);
    lock(s);
    bool orphan = s->orphan;
    s->ended = true;
    pthread_cond_signal(&s->gone);
    unlock(s);
    if (orphan) drop(s);
    return NULL;
}

/* --- life --- */

static void init(struct store *s, const struct store_url *url)
{
    pthread_condattr_t monotonic;
    CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&s->wake, &monotonic) == 0);
    CHECK(pthread_cond_init(&s->gone, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    s->url = *url;
    backlog_init(&s->backlog, STORE_MAX_ROWS);
    list_init(&s->queries);
    list_init(&s->sending);
}

enum err store_open(struct store **out, struct store_url *url)
{
    struct store *s = mem_zalloc(sizeof *s);
    if (!s) {
        store_url_fini(url);
        return ERR_NOMEM;
    }
    init(s, url);
    *url = (struct store_url) { .kind = STORE_NONE };
    if (pthread_create(&s->thread, NULL, run, s) == 0) {
        *out = s;
        return ERR_OK;
    }
    drop(s);
    return ERR_LIMIT;
}

void store_close(struct store **store, uint32_t wait_ms)
{
    struct store *s = *store;
    *store = NULL;
    if (!s) return;
    uint64_t until_ms = clock_mono_ms() + wait_ms;
    lock(s);
    s->closing = true;
    CHECK(!s->asked && list_empty(&s->queries));
    pthread_cond_signal(&s->wake);
    while (!s->ended && sleep_until(s, &s->gone, until_ms)) continue;
    bool ended = s->ended;
    s->orphan = !ended;
    if (!ended) pthread_detach(s->thread);
    unlock(s);
    if (!ended) {
        log_warn("store", "the last statistics may be lost", kv_u64("waited_ms", wait_ms),
                 kv_str("why", "the database does not answer"));
        return;
    }
    CHECK(pthread_join(s->thread, NULL) == 0);
    if (s->backlog.n + s->n_sending)
        log_warn("store", "the last statistics are lost",
                 kv_u64("rows", s->backlog.n + s->n_sending),
                 kv_str("why", "the database is away"));
    drop(s);
}

void store_add(struct store *s, struct list *rows)
{
    uint64_t n = 0;
    lock(s);
    for (struct list *link; (link = list_pop(rows)); n++)
        backlog_add(&s->backlog, stats_row_of(link));
    count_add(&s->stats.added, n);
    note_backlog(s);
    pthread_cond_signal(&s->wake);
    unlock(s);
}

void store_keep_days(struct store *s, uint32_t days)
{
    lock(s);
    if (days != s->keep_days) s->clean_ms = 0;
    s->keep_days = days;
    pthread_cond_signal(&s->wake);
    unlock(s);
}

const struct store_stats *store_stats(const struct store *s)
{
    return &s->stats;
}

/* --- questions, from other threads --- */

enum err store_ask(struct store *s, struct store_query *q)
{
    CHECK(series_range_ok(&q->range));
    q->err = ERR_CLOSED;
    q->series = (struct series) { 0 };
    q->link = (struct list) { 0 };
    lock(s);
    bool room = s->n_queries < STORE_MAX_QUERIES && !s->closing;
    if (room) {
        list_push(&s->queries, &q->link);
        s->n_queries++;
        pthread_cond_signal(&s->wake);
    }
    unlock(s);
    return room ? ERR_OK : ERR_LIMIT;
}

void store_forget(struct store *s)
{
    lock(s);
    struct store_query *asked = s->asked;
    s->asked = NULL;
    if (asked) asked->done(asked);
    for (struct list *link; (link = list_pop(&s->queries));) {
        struct store_query *q = CONTAINER_OF(link, struct store_query, link);
        q->done(q);
    }
    s->n_queries = 0;
    unlock(s);
}
