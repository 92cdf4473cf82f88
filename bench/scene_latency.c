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
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bench/die.h"
#include "bench/scenes.h"

#define SUBSCRIBERS 100
#define DATA_BYTES 200
#define ROUND_MS 1500
#define WINDOW 64
#define SHARE 0.5

static uint64_t own_cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* CPU nanoseconds that a message costs the slower of the server and ourselves. */
static double message_ns(struct bench *b, struct side *s)
{
    load_bursts(s->load, DATA_BYTES, 1, bench_ns(b, 50));
    uint64_t server = proc_cpu_ns(&s->proc), own = own_cpu_ns();
    struct load_done done = load_bursts(s->load, DATA_BYTES, 1, bench_ns(b, 300));
    server = proc_cpu_ns(&s->proc) - server;
    own = own_cpu_ns() - own;
    return (double)(server > own ? server : own) / (double)done.n;
}

static void add(struct bench *b, enum report_side side, const char *name, uint64_t ns)
{
    row_add(report_row(&b->report, "latency", 0, "%s, \u00b5s", name), side, (double)ns / 1e3);
}

static void run_round(struct bench *b, struct side *s, enum report_side side, double rate)
{
    struct hist *latency = must_alloc(sizeof *latency), *lag = must_alloc(sizeof *lag);
    load_rate(s->load, DATA_BYTES, rate, bench_ns(b, ROUND_MS), latency, lag);
    add(b, side, "p50", hist_at(latency, 0.5));
    add(b, side, "p99", hist_at(latency, 0.99));
    add(b, side, "p99.9", hist_at(latency, 0.999));
    add(b, side, "the generator's own lag, p99", hist_at(lag, 0.99));
    mem_free(latency);
    mem_free(lag);
}

void scene_latency(struct bench *b)
{
    struct side sides[REPORT_SIDES];
    double slowest_ns = 0;
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        side_start(b, &sides[side], side, FLOOR_PLAIN);
        side_load(&sides[side], SUBSCRIBERS, 1);
        load_connect(sides[side].load, SUBSCRIBERS, WINDOW);
        double ns = message_ns(b, &sides[side]);
        if (ns > slowest_ns) slowest_ns = ns;
    }
    double rate = SHARE * 1e9 / slowest_ns;
    bench_say("latency: 1 to %d, open loop, %.0f messages a second", SUBSCRIBERS, rate);
    for (enum report_side side = 0; side < REPORT_SIDES; side++)
        row_add(
            report_row(&b->report, "latency", 0, "messages per second, each to %d", SUBSCRIBERS),
            side, rate);
    for (unsigned round = 0; round < (b->rounds + 1) / 2; round++)
        for (enum report_side side = 0; side < REPORT_SIDES; side++)
            run_round(b, &sides[side], side, rate);
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(b, &sides[side]);
}
