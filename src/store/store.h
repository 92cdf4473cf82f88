/* SPDX-License-Identifier: MIT
 *
 * store/store.h: statistics on their way into a database, on a thread of their own.
 *
 * Who counts hands rows over, who wants to see them asks: both take a lock for pointer work and go
 * on. Only the store's thread talks to the database. While that is away, rows wait (backlog.h), a
 * warning comes now and then, and it is tried again after 1, 2, 4, … 60 s.
 *
 * A row is written once: where a connection was lost in the middle of a commit, the next one looks
 * whether the rows have arrived.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "store/series.h"
#include "store/store_url.h"
#include <stdatomic.h>

#define STORE_MAX_QUERIES 32 /* that wait */
#define STORE_MAX_ROWS 10000 /* that wait at full resolution */
#define STORE_CLOSE_MS 3000
#define STORE_RESTART_MS 300 /* where clients wait for us to be back */

struct store;

/* For metrics; any thread may read them (relaxed). */
struct store_stats {
    _Atomic uint64_t added, written; /* rows */
    _Atomic uint64_t summed, lost;   /* rows: joined with a later one; gone */
    _Atomic uint64_t failures;       /* attempts to reach the database */
};

/* Starts the thread, which opens the database by itself: a database that is away is no error here.
 * Takes the URL, whose kind is not STORE_NONE, also on failure. ERR_NOMEM, ERR_LIMIT (no thread).
 */
enum err store_open(struct store **out, struct store_url *url) MUST_USE;

/* Writes what there is, waits for that at most `wait_ms`, and ends. What could not be written is
 * lost, and logged. All queries have been answered or forgotten. `*store` becomes NULL; NULL
 * allowed. A thread that is still waiting for its database then is left to end by itself. */
void store_close(struct store **store, uint32_t wait_ms);

/* Takes the rows out of the list; oldest first, none older than those given before. Any thread. */
void store_add(struct store *store, struct list *rows);

/* Rows older than this are deleted, now and once an hour; 0: none. Any thread. */
void store_keep_days(struct store *store, uint32_t days);

const struct store_stats *store_stats(const struct store *store);
/* Rows that wait for the database. */
uint64_t store_waiting(const struct store *store);

/* A question, in the memory of who asks. */
struct store_query {
    /* in */
    struct span app_id;        /* borrowed until done */
    struct series_range range; /* ok */
    /* Called once, on the store's thread under its lock, or in store_forget: may not call the store
     * and not block. The query is the caller's again. */
    void (*done)(struct store_query *q);
    /* out */
    enum err err; /* ERR_OK: `series` is the caller's (series_fini) */
    struct series series;
    struct list link; /* the store's, until done */
};

/* ERR_LIMIT: too many wait already; ERR_NOMEM: then `done` is not called. Any thread. */
enum err store_ask(struct store *store, struct store_query *q) MUST_USE;
/* Ends all questions with ERR_CLOSED, so that nobody is called later. */
void store_forget(struct store *store);
#endif
