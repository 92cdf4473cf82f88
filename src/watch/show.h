/* SPDX-License-Identifier: MIT
 * watch/show.h: facts and explanations as JSON (docs/internals/watch.md). */
#ifndef WATCH_SHOW_H
#define WATCH_SHOW_H
#include "watch/explain.h"

/* A monotonic time as Unix time: the difference between the two clocks now. */
struct show_clock {
    uint64_t mono_ms, unix_ms;
};

/* Appends the object of one fact. */
void show_fact(const struct fact *fact, const struct known_tally *tally,
               const struct show_clock *clock, struct buf *out);

/* One worker's part of a publish. */
struct show_worker {
    unsigned worker;
    struct fact_tally tally;
};
struct show_parts {
    const struct show_worker *workers;
    size_t n_workers;
    const struct show_clock *clock;
};
/* Appends the explanation. */
void show_explanation(const struct known *known, const struct explanation *ex,
                      const struct show_parts *parts, struct buf *out);
#endif
