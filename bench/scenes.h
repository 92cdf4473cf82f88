/* SPDX-License-Identifier: MIT
 *
 * bench/scenes.h: the scenarios. Each starts the servers that it needs, measures them alternately,
 * adds its rows to the report, and ends them.
 *
 * What each figure means: docs/internals/bench.md.
 */
#ifndef BENCH_SCENES_H
#define BENCH_SCENES_H
#include "bench/proc.h"
#include "bench/report.h"
#include "load/load.h"

#define SCENES_MAX_STEPS 8
#define BENCH_SETS 5 /* the last one is NULL */

struct bench {
    const char *peal, *floor; /* absolute paths; peal NULL: the floor against itself */
    const char *against;      /* another Peal, of the scene watch; NULL: none */
    unsigned workers;
    unsigned rounds;
    unsigned subscribers; /* of the fan-out, instead of 1,000 and 10,000; 0: those */
    unsigned minutes;     /* of the soak */
    unsigned sockets;     /* of the million */
    size_t steps[SCENES_MAX_STEPS];
    size_t n_steps;                   /* connection counts of the memory scenario, ascending */
    size_t most;                      /* connections that a process can have */
    double scale;                     /* of all durations and counts; 1 by default */
    int cpu;                          /* of the server, -1: any */
    const char *sets[BENCH_SETS];     /* NAME=VALUE, of every Peal; NULL: no more */
    struct report_range used_workers; /* of all Peals that were started */
    struct report report;
};

struct scene {
    const char *name, *help;
    void (*run)(struct bench *b);
    size_t sockets; /* that a process needs for it; 0: as the options say */
    enum {
        SCENE_ON_DEMAND = 1, /* only when it is named */
        SCENE_OF_PEAL = 2,   /* the floor has nothing to prove here */
        SCENE_ALL_CPUS = 4   /* server and clients share them all */
    } flags;
};
extern const struct scene scenes[]; /* ends with a NULL name */

/* --- for the scenarios --- */

enum floor_kind { FLOOR_PLAIN, FLOOR_JOIN, FLOOR_ACCEPT };

#define SIDE_SETS 6

/* How a server is started. */
struct side_start {
    enum report_side side;       /* which server: Peal or the floor */
    enum floor_kind floor;       /* for the floor, and for the subject when it is the floor, too */
    unsigned workers;            /* 0: as the command line says */
    const char *sets[SIDE_SETS]; /* NAME=VALUE, of Peal */
    const char *program;         /* NULL: bench's peal */
    const char *wrapper[8];      /* a command in front of the server's; ends with NULL */
};

/* A server with its clients. */
struct side {
    struct proc proc;
    struct load_target target;
    char host[32];
    struct load *load;
};
void side_start(struct bench *b, struct side *s, const struct side_start *start);
/* With clients, too. */
void side_load(struct side *s, const struct load_layout *layout, size_t n_pubs);
/* `n` subscribers of one channel, connected, and one publisher. */
void side_crowd(struct side *s, size_t n);
/* Ends the benchmark when the server has lost, doubled, refused, … anything. */
void side_check(const struct side *s);
void side_unload(struct side *s); /* the clients go */
void side_stop(struct side *s);
/* CPU microseconds of the server per delivery, after a warm-up of one burst. */
double side_delivery_us(struct bench *b, struct side *s, struct load_plan *plan, double ms);
/* CPU nanoseconds of the server so far. */
uint64_t side_cpu_ns(const struct side *s);
/* The answer of the admin listener at this port, with its head and a NUL. Fails by die(). */
void side_fetch(uint16_t port, const char *path, char *text, size_t room);
/* The value of this metric, all of its samples added up; `text` is the answer of /metrics. */
uint64_t metric_of(const char *text, const char *name);
uint64_t side_metric(const struct side *s, const char *name); /* asks for it */
/* This counter of GET /admin/workers: of each worker (at most `n`), and the sum of all. */
uint64_t side_counters(const struct side *s, const char *name, uint64_t *each, size_t n);
uint64_t side_counter(const struct side *s, const char *name);
const struct load_layout *layout_one(size_t max); /* one channel; valid until the next call */

/* Whose turn it is, of REPORT_SIDES in each round: who begins changes from round to round. */
static inline enum report_side bench_turn(unsigned turn)
{
    return (enum report_side)((turn / REPORT_SIDES + turn) % REPORT_SIDES);
}

/* A duration, and a count (at least 10), scaled. */
uint64_t bench_ns(const struct bench *b, double ms);
size_t bench_count(const struct bench *b, size_t n);
/* CPU nanoseconds of ourselves so far, and of all children that have ended. */
uint64_t bench_own_ns(void);
uint64_t bench_children_ns(void);
/* A line on stderr, so that one sees that something happens. */
void bench_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void bench_sleep_ms(unsigned ms);

#define CONNECT_WINDOW 64 /* being opened at a time; far below any listen queue */

void scene_connect(struct bench *b);
void scene_memory(struct bench *b);
void scene_idle(struct bench *b);
void scene_fanout(struct bench *b);
void scene_channels(struct bench *b);
void scene_publish(struct bench *b);
void scene_latency(struct bench *b);
void scene_churn(struct bench *b);
void scene_storm(struct bench *b);
void scene_slow(struct bench *b);
void scene_scaling(struct bench *b);
void scene_watch(struct bench *b);
void scene_callgrind(struct bench *b);
void scene_soak(struct bench *b);
void scene_million(struct bench *b);
#endif
