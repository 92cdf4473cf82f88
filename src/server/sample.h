/* SPDX-License-Identifier: MIT
 * server/sample.h: what a worker is doing, once a second, for those who watch the channel `stats`
 * (docs/internals/watch.md). */
#ifndef SERVER_SAMPLE_H
#define SERVER_SAMPLE_H
#include "base/buf.h"

struct worker;

/* What has to be measured over the time since the sample before. */
struct sample_span {
    uint64_t wall_ns, cpu_ns, busy_max_ns;
};

/* Appends a JSON object. On the worker's thread. Worker 0 also tells of the process's memory. */
void sample_write(const struct worker *w, const struct sample_span *since, struct buf *out);
#endif
