/* SPDX-License-Identifier: MIT
 *
 * load/meter.h: what another process uses, seen from outside: CPU time and memory.
 */
#ifndef LOAD_METER_H
#define LOAD_METER_H
#include "base/err.h"
#include <sys/types.h>
#include <time.h>

struct meter {
    pid_t pid;
    clockid_t _clock;
};

/* ERR_ABSENT: there is no such process. */
enum err meter_open(struct meter *m, pid_t pid) MUST_USE;

/* User and system time of all its threads so far, in nanoseconds, exact (the scheduler's clock, not
 * sampled by ticks). ERR_ABSENT: it has ended. */
enum err meter_cpu_ns(const struct meter *m, uint64_t *ns) MUST_USE;

struct meter_memory {
    uint64_t private_bytes; /* written pages that are its alone: heap, stacks, data */
    uint64_t rss_bytes;
};
/* ERR_DENIED: it is another user's. */
enum err meter_memory(const struct meter *m, struct meter_memory *out) MUST_USE;
#endif
