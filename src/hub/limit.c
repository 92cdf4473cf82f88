/* SPDX-License-Identifier: MIT
 * hub/limit.c: see limit.h. The shared window packs the second and what was used of it into one
 * word, so that a compare-and-swap moves both. */
#include "hub/limit.h"
#include <stddef.h>

bool limit_take(struct limit_rate *r, uint64_t now_ms, uint32_t per_second)
{
    if (per_second == 0) return true;
    uint32_t second = (uint32_t)(now_ms / 1000);
    if (r->_second != second) *r = (struct limit_rate) { ._second = second };
    if (r->_used >= per_second) return false;
    r->_used++;
    return true;
}

bool limit_take_shared(_Atomic uint64_t *window, uint64_t now_ms, uint32_t points,
                       uint32_t per_second, uint32_t *left)
{
    uint32_t second = (uint32_t)(now_ms / 1000);
    uint64_t old = atomic_load_explicit(window, memory_order_relaxed);
    for (;;) {
        uint64_t used = (uint32_t)(old >> 32) == second ? (uint32_t)old : 0;
        bool fits = per_second == 0 || used + points <= per_second;
        if (left) *left = per_second > used ? per_second - (uint32_t)used : 0;
        if (!fits) return false;
        uint64_t next = (uint64_t)second << 32 | (uint32_t)(used + points);
        if (!atomic_compare_exchange_weak_explicit(window, &old, next, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        if (left && per_second) *left -= points;
        return true;
    }
}
