/* SPDX-License-Identifier: MIT
 *
 * cli/stats_table.h: statistics as a table for people, or as JSON: all apps with their totals, or
 * one app step by step.
 */
#ifndef CLI_STATS_TABLE_H
#define CLI_STATS_TABLE_H
#include "base/map.h"
#include "store/series.h"

/* What each app comes to in a range. */
struct stats_totals {
    struct stats_row **apps; /* at_s counts nothing */
    size_t n, _room;
    struct map _by_id;
    bool failed; /* no memory */
};

/* A row of some app. */
void stats_totals_add(struct stats_totals *t, struct span app_id, const struct stats_counts *c);
void stats_totals_fini(struct stats_totals *t);
/* Sorted by id. */
void stats_totals_print(struct stats_totals *t, const struct series_range *range, struct buf *out);
void stats_totals_json(struct stats_totals *t, const struct series_range *range, struct buf *out);

void stats_series_print(const struct series *s, struct span app_id, struct buf *out);
#endif
