/* SPDX-License-Identifier: MIT
 * hub/limit.h: rates counted in fixed windows of one second. 0 means no limit. */
#ifndef HUB_LIMIT_H
#define HUB_LIMIT_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one connection: touched by its worker only. */
struct limit_rate {
    uint32_t _second, _used;
};
bool limit_take(struct limit_rate *r, uint64_t now_ms, uint32_t per_second);

/* Of an app, shared by all workers: takes `points` or nothing. `*left` (may be NULL) gets what is
 * left of this second. */
bool limit_take_shared(_Atomic uint64_t *window, uint64_t now_ms, uint32_t points,
                       uint32_t per_second, uint32_t *left);
#endif
