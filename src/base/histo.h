/* SPDX-License-Identifier: MIT
 *
 * base/histo.h: a histogram for metrics, with one writer and any readers.
 *
 * Buckets are powers of two, so adding is a few instructions and no search: bucket i counts values
 * up to 2^i, the last one all others. The unit is the caller's (microseconds, octets). 256 octets.
 */
#ifndef BASE_HISTO_H
#define BASE_HISTO_H
#include <stdatomic.h>
#include <stdint.h>

#define HISTO_BUCKETS 28 /* up to 2^26 (67 s in microseconds, 64 MiB), and more */

struct histo {
    _Atomic uint64_t _n[HISTO_BUCKETS];
    _Atomic uint64_t _sum;
};

/* Counts `value` `times` times. The writer's thread. */
void histo_add(struct histo *h, uint64_t value, uint64_t times);

/* A copy to calculate with; several may be summed up. Values may be a little apart in time. */
struct histo_view {
    uint64_t n[HISTO_BUCKETS]; /* not cumulative */
    uint64_t sum, count;
};
void histo_read(const struct histo *h, struct histo_view *into); /* adds to `into` */
/* The upper bound of a bucket; UINT64_MAX for the last one. */
uint64_t histo_bound(unsigned bucket);
#endif
