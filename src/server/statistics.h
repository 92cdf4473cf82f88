/* SPDX-License-Identifier: MIT
 *
 * server/statistics.h: the counts of each app, as rows for the store: every
 * statistics.interval_seconds, for an app that goes, and once more at the end.
 *
 * Workers count for themselves (hub/app.h: struct app_tally); the main thread sums. It is the one
 * that replaces the set of apps, too, so neither has to wait for the other. All functions are the
 * main thread's but statistics_store().
 */
#ifndef SERVER_STATISTICS_H
#define SERVER_STATISTICS_H
#include "hub/app.h"
#include "store/store.h"

struct server;
struct statistics;

/* Before the workers run. Without a store there are none; neither that nor a failure stops a
 * server: it is logged. */
void statistics_start(struct server *s);
/* When the workers have ended: hands over the last counts, and waits for the store a bounded time.
 * Questions that are under way are answered, with a failure. Twice is fine. */
void statistics_stop(struct server *s);
void statistics_free(struct server *s); /* stops, too */

/* Writes rows where it is time. */
void statistics_beat(struct server *s);
/* For how long the main thread may sleep, ms; -1: for ever. */
int statistics_wait_ms(const struct server *s);

/* The options of a reload are in force; the apps of `was` that `now` does not have get their last
 * rows, as long as their settings are there. */
void statistics_reloaded(struct server *s, const struct apps *was, const struct apps *now);

/* NULL: no statistics are kept. Any thread, while the workers run. */
struct store *statistics_store(const struct server *s);

/* For metrics: what becomes of the rows; 0 where none are kept. As statistics_store(). */
enum statistics_figure {
    STATISTICS_WAITING,
    STATISTICS_WRITTEN,
    STATISTICS_SUMMED,
    STATISTICS_LOST,
    STATISTICS_FAILURES,
};
uint64_t statistics_figure(const struct server *s, enum statistics_figure which);
#endif
