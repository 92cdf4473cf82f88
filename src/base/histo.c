/* SPDX-License-Identifier: MIT
 * base/histo.c: see histo.h. One writer, so a relaxed load and store count without a lock prefix.
 */
#include "base/histo.h"

static unsigned bucket_of(uint64_t value)
{
    if (value <= 1) return 0;
    unsigned bits = 64 - (unsigned)__builtin_clzll(value - 1);
    return bits < HISTO_BUCKETS ? bits : HISTO_BUCKETS - 1;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

void histo_add(struct histo *h, uint64_t value, uint64_t times)
{
    add(&h->_n[bucket_of(value)], times);
    add(&h->_sum, value * times);
}

void histo_read(const struct histo *h, struct histo_view *into)
{
    for (unsigned i = 0; i < HISTO_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&h->_n[i], memory_order_relaxed);
        into->n[i] += n;
        into->count += n;
    }
    into->sum += atomic_load_explicit(&h->_sum, memory_order_relaxed);
}

uint64_t histo_bound(unsigned bucket)
{
    return bucket + 1 < HISTO_BUCKETS ? UINT64_C(1) << bucket : UINT64_MAX;
}
