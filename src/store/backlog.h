/* SPDX-License-Identifier: MIT
 *
 * store/backlog.h: rows that wait to be written, bounded.
 *
 * While a database is away the counts are kept, not the minutes: where there are more rows than
 * `max`, those of the older half are summed in pairs, app by app. So the oldest are joined most
 * often, and a long absence costs resolution and no counts. An app has at least one row, so there
 * may be more than `max` where there are more apps; from BACKLOG_HARD times `max` on the oldest
 * rows are lost, and counted.
 */
#ifndef STORE_BACKLOG_H
#define STORE_BACKLOG_H
#include "store/row.h"

#define BACKLOG_HARD 4

struct backlog {
    struct list rows; /* oldest first */
    size_t n, max;
    uint64_t n_summed; /* rows that were joined with a later one */
    uint64_t n_lost;
};

void backlog_init(struct backlog *b, size_t max);
void backlog_fini(struct backlog *b);

/* Takes the row, which is not older than those that are there. */
void backlog_add(struct backlog *b, struct stats_row *row);
/* Moves the oldest rows, at most `n`, to the end of `to`. Returns how many. */
size_t backlog_take(struct backlog *b, struct list *to, size_t n);
#endif
