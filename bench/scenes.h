/* SPDX-License-Identifier: MIT
 *
 * bench/scenes.h: the scenarios. Each starts the servers that it needs, measures them alternately,
 * adds its rows to the report, and ends them.
 *
 * What each figure means: docs/internals/bench.md.
 */
#ifndef BENCH_SCENES_H
#define BENCH_SCENES_H
#include "bench/load.h"
#include "bench/proc.h"
#include "bench/report.h"

#define SCENES_MAX_STEPS 8

struct bench {
    const char *peal, *floor; /* absolute paths; peal NULL: the floor against itself */
    unsigned workers;
    unsigned rounds;
    unsigned subscribers; /* of the fan-out */
    size_t steps[SCENES_MAX_STEPS];
    size_t n_steps;     /* connection counts of the memory scenario, ascending */
    double scale;       /* of all durations and counts; 1 by default */
    int cpu;            /* of the server, -1: any */
    uint64_t server_ns; /* CPU time of all servers that were ended */
    struct report report;
};

struct scene {
    const char *name, *help;
    void (*run)(struct bench *b);
};
extern const struct scene scenes[]; /* ends with a NULL name */

/* --- for the scenarios --- */

enum floor_kind { FLOOR_PLAIN, FLOOR_JOIN };

/* A server with its clients. */
struct side {
    struct proc proc;
    struct load *load;
};
/* `kind` is for REPORT_FLOOR, and for the subject when the floor is measured against itself. */
void side_start(struct bench *b, struct side *s, enum report_side which, enum floor_kind kind);
/* With clients, too. */
void side_load(struct side *s, size_t max, size_t n_pubs);
void side_stop(struct bench *b, struct side *s);

/* A duration, scaled. */
uint64_t bench_ns(const struct bench *b, double ms);
/* A line on stderr, so that one sees that something happens. */
void bench_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void scene_connect(struct bench *b);
void scene_memory(struct bench *b);
void scene_fanout(struct bench *b);
void scene_publish(struct bench *b);
void scene_latency(struct bench *b);
#endif
