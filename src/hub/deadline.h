/* SPDX-License-Identifier: MIT
 * hub/deadline.h: a heap of points in time that shared state waits for. Not thread-safe: each
 * stripe of the directory has one under its lock. */
#ifndef HUB_DEADLINE_H
#define HUB_DEADLINE_H
#include "base/err.h"

enum deadline_kind {
    DEADLINE_COUNT,   /* a channel's throttled subscription_count */
    DEADLINE_CACHE,   /* a channel's cached event ends */
    DEADLINE_OFFLINE, /* a user's grace before watchers hear that he is gone */
};

struct deadline {
    uint64_t at_ms; /* monotonic */
    enum deadline_kind kind;
    void *object;
};

struct deadlines {
    struct deadline *_v;
    uint32_t n, _cap;
};

#define DEADLINE_NEVER UINT64_MAX

void deadlines_fini(struct deadlines *d);
enum err deadlines_add(struct deadlines *d, struct deadline deadline) MUST_USE;
/* DEADLINE_NEVER when empty. */
uint64_t deadlines_next(const struct deadlines *d);
/* Takes the earliest one if it is due. */
bool deadlines_take_due(struct deadlines *d, uint64_t now_ms, struct deadline *out);
#endif
