/* SPDX-License-Identifier: MIT
 *
 * load/hist.h: a histogram of nanoseconds with a relative error below 1 %, in constant memory.
 *
 * In the manner of HdrHistogram: each power of two is cut into 128 equal parts, so that adding is a
 * shift and an increment, and percentiles far out are as exact as the median. 35 KiB: for
 * measuring; what a server counts about itself is in base/histo.h (224 octets, and a factor of 2).
 */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H
#include <stdint.h>

#define HIST_PARTS_LOG2 7
#define HIST_PARTS (1u << HIST_PARTS_LOG2)
#define HIST_BITS 40 /* up to 18 minutes; longer counts as that */
#define HIST_BUCKETS ((size_t)(HIST_BITS - HIST_PARTS_LOG2 + 1) * HIST_PARTS)

/* Zeroing makes it empty. */
struct hist {
    uint64_t n, max;
    uint64_t _counts[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);

/* The smallest value that at least `share` (0–1) of all values do not exceed, rounded up within the
 * relative error; 0 when the histogram is empty. */
uint64_t hist_at(const struct hist *h, double share);
#endif
