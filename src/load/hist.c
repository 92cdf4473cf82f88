/* SPDX-License-Identifier: MIT
 *
 * load/hist.c: buckets by the position of the highest bit and the seven bits below it.
 */
#include "load/hist.h"
#include <stddef.h>

static size_t bucket_of(uint64_t ns)
{
    if (ns < HIST_PARTS) return (size_t)ns;
    unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - HIST_PARTS_LOG2;
    return (size_t)shift * HIST_PARTS + (size_t)(ns >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t top_of(size_t bucket)
{
    if (bucket < HIST_PARTS) return bucket;
    size_t shift = bucket / HIST_PARTS - 1;
    uint64_t parts = bucket - shift * HIST_PARTS;
    return ((parts + 1) << shift) - 1;
}

void hist_add(struct hist *h, uint64_t ns)
{
    if (ns >> HIST_BITS) ns = (UINT64_C(1) << HIST_BITS) - 1;
    if (ns > h->max) h->max = ns;
    h->n++;
    h->_counts[bucket_of(ns)]++;
}

uint64_t hist_at(const struct hist *h, double share)
{
    if (h->n == 0) return 0;
    double exact = share * (double)h->n;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact) rank++;
    if (rank == 0) rank = 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        seen += h->_counts[i];
        if (seen < rank) continue;
        uint64_t top = top_of(i);
        return top < h->max ? top : h->max;
    }
    return h->max;
}
