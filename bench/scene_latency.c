/* SPDX-License-Identifier: MIT
 *
 * bench/scene_latency.c: how long a message takes from when it was due to be published to each
 * subscriber, in an open loop at half of the capacity.
 *
 * Both servers get the same rate, else their latencies would not compare: half of what the slowest
 * of the three (Peal, the floor, the load generator, which also has to read everything) could do at
 * one message per turn. Capacity is 1 / CPU time per message, so it needs no search, and a server
 * that joins messages under load has more than that.
 */
#include "bench/scene_latency.h"
#include "base/check.h"
#include "bench/die.h"

#define SUBSCRIBERS 100
#define DATA_BYTES 200
#define ROUND_MS 1500
#define SHARE 0.5

double latency_rate(struct bench *b, struct side *s, size_t data_bytes)
{
    struct load_plan plan = { .data_bytes = data_bytes, .burst = 1, .run_ns = bench_ns(b, 50) };
    load_closed(s->load, &plan);
    plan.run_ns = bench_ns(b, 300);
    uint64_t server = side_cpu_ns(s), own = bench_own_ns();
    struct load_done done = load_closed(s->load, &plan);
    server = side_cpu_ns(s) - server;
    own = bench_own_ns() - own;
    side_check(s);
    return SHARE * 1e9 * (double)done.n / (double)(server > own ? server : own);
}

static void add(struct bench *b, enum report_side side, const char *name, uint64_t ns)
{
    struct row *row = report_row(&b->report, "latency", 0, "%s, \u00b5s", name);
    if (strcmp(name, "p99") == 0) row_goal(row, 5, GOAL_RATIO_AT_MOST, 2);
    row_add(row, side, (double)ns / 1e3);
}

static void run_round(struct bench *b, struct side *s, enum report_side side, double rate)
{
    struct hist *latency = must_alloc(sizeof *latency), *lag = must_alloc(sizeof *lag);
    const struct load_plan plan = {
        .data_bytes = DATA_BYTES,
        .rate = rate,
        .run_ns = bench_ns(b, ROUND_MS),
        .latency = latency,
        .lag = lag,
    };
    load_open(s->load, &plan);
    side_check(s);
    add(b, side, "p50", hist_at(latency, 0.5));
    add(b, side, "p99", hist_at(latency, 0.99));
    add(b, side, "p99.9", hist_at(latency, 0.999));
    add(b, side, "the generator's own lag, p99", hist_at(lag, 0.99));
    must_free(latency);
    must_free(lag);
}

void scene_latency(struct bench *b)
{
    struct side sides[REPORT_SIDES];
    double rate = 0;
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        side_start(b, &sides[side], &(struct side_start) { .side = side });
        side_crowd(&sides[side], SUBSCRIBERS);
        double its = latency_rate(b, &sides[side], DATA_BYTES);
        if (side == 0 || its < rate) rate = its;
    }
    bench_say("latency: 1 to %d, open loop, %.0f messages a second", SUBSCRIBERS, rate);
    for (enum report_side side = 0; side < REPORT_SIDES; side++)
        row_add(
            report_row(&b->report, "latency", 0, "messages per second, each to %d", SUBSCRIBERS),
            side, rate);
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        run_round(b, &sides[side], side, rate);
    }
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
}
