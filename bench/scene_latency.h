/* SPDX-License-Identifier: MIT
 * bench/scene_latency.h: the rate at which latencies are measured. */
#ifndef BENCH_SCENE_LATENCY_H
#define BENCH_SCENE_LATENCY_H
#include "bench/scenes.h"

/* Messages a second: half of what the slower of the server and ourselves could do. */
double latency_rate(struct bench *b, struct side *s, size_t data_bytes);
#endif
