/* SPDX-License-Identifier: MIT
 *
 * cli/bench_run.h: one run of `peal bench`: connect, warm up, measure.
 */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H
#include "load/load.h"
#include "load/meter.h"

/* What is asked for. Borrowed. */
struct bench_wish {
    const struct load_target *target;
    struct load_layout layout;
    uint64_t publishers, window;
    uint64_t rate;  /* messages a second; 0: closed loop */
    uint64_t burst; /* of the closed loop */
    uint64_t bytes, warmup_s, duration_s;
    uint64_t wait_s;         /* for what is missing */
    uint64_t pid;            /* of the server; 0: it is not watched */
    bool (*stop)(void *ctx); /* asked in each turn: true ends the run, with what there is */
};

/* What came out. Times in nanoseconds. */
struct bench_result {
    size_t connected;
    uint64_t connect_ns;
    struct load_done run;
    bool stopped;        /* before its time, by wish->stop */
    uint64_t foreign;    /* messages of other runs on the same channels */
    uint64_t own_cpu_ns; /* of ourselves, during the run */
    struct hist latency, api, lag;
    struct load_faults faults;
    /* with pid: */
    bool watched;
    bool ended;             /* before the run was over: server_cpu_ns and after are not known */
    uint64_t server_cpu_ns; /* during the run */
    struct meter_memory before, idle, after; /* without connections, with them, after the run */
};

/* Fills `out`, which is zeroed (70 KiB: not on the stack). ERR_ABSENT: no such process; ERR_DENIED:
 * it is not ours to look at; ERR_NOMEM. Faults of the server are a result. */
enum err bench_run(const struct bench_wish *wish, struct bench_result *out,
                   struct diag *d) MUST_USE;
#endif
