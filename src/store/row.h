/* SPDX-License-Identifier: MIT
 *
 * store/row.h: one row of statistics: what an app came to in the interval that ended at `at_s`.
 *
 * Rows are on the heap and go from list to list: from who counts to the store's thread, and there
 * from what waits to what is being written.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H
#include "base/list.h"
#include "base/span.h"

/* The columns of laravel-websockets' table are integers of 32 bits. */
#define STATS_COUNT_MAX 2147483647U

struct stats_counts {
    uint64_t peak_connections;
    uint64_t websocket_messages;
    uint64_t api_messages;
};

struct stats_row {
    struct list link;
    uint64_t at_s; /* seconds since 1970, UTC */
    struct stats_counts counts;
    size_t id_n;
    char id[]; /* the app's, with a NUL behind it */
};

struct stats_row *stats_row_new(struct span app_id) MUST_USE; /* zeroed; NULL: no memory */
void stats_row_free(struct stats_row *row);                   /* not in a list */
void stats_rows_free(struct list *rows);                      /* all of the list */

static inline struct stats_row *stats_row_of(struct list *link)
{
    return CONTAINER_OF(link, struct stats_row, link);
}
static inline struct span stats_row_app(const struct stats_row *row)
{
    return span_of(row->id, row->id_n);
}

/* Two intervals of the same app as one: messages are summed, of the peaks the higher one counts. */
void stats_counts_merge(struct stats_counts *into, const struct stats_counts *more);
#endif
