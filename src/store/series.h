/* SPDX-License-Identifier: MIT
 *
 * store/series.h: rows of one app gathered into steps of equal length, for charts and tables.
 *
 * Steps begin at multiples of their length since 1970. A step's peak is the highest of its rows,
 * its messages are their sum. The number of steps is bounded, not that of rows.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H
#include "base/buf.h"
#include "store/row.h"

#define SERIES_MAX_STEPS 10000

/* What is asked for: from ≤ time < to, seconds since 1970. */
struct series_range {
    uint64_t from_s, to_s, step_s;
};

struct series_step {
    struct stats_counts counts;
    bool some; /* there was a row */
};

struct series {
    struct series_range range;
    struct series_step *steps;
    size_t n;
};

/* Whether the range is one: not empty, a step, not more than SERIES_MAX_STEPS of them. */
bool series_range_ok(const struct series_range *range);

/* The range is ok. ERR_NOMEM. */
enum err series_init(struct series *s, const struct series_range *range) MUST_USE;
void series_fini(struct series *s); /* zeroed is fine */
/* A row outside of the range counts nothing. */
void series_add(struct series *s, uint64_t at_s, const struct stats_counts *counts);

/* Appends {"app":…,"from":…,"to":…,"step":…,"rows":[{"time":…,"peak_connections":…,
 * "websocket_messages":…,"api_messages":…}]}, all times in seconds since 1970; a step without rows
 * is left out. */
void series_write(const struct series *s, struct span app_id, struct buf *out);
/* The three members of counts, without braces. */
void stats_counts_write(const struct stats_counts *counts, struct buf *out);
/* When a step begins. */
uint64_t series_time(const struct series *s, size_t step);
#endif
