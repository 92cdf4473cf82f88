/* SPDX-License-Identifier: MIT
 *
 * bench/scenes.c: the list of scenarios; connect and memory.
 */
#include "bench/scenes.h"
#include "base/clock.h"
#include "bench/die.h"

#define CONNECTS 2000
#define SETTLE_MS 200
#define ROOM 10 /* people on a presence channel */

const struct scene scenes[] = {
    { "connect", "opening WebSockets and subscribing them", scene_connect, false },
    { "memory", "user-space bytes per idle subscribed connection", scene_memory, false },
    { "fanout", "server CPU per delivered message", scene_fanout, false },
    { "channels", "10,000 channels of 10 against one of 10,000", scene_channels, false },
    { "publish", "server CPU per publish to an empty channel", scene_publish, false },
    { "latency", "publish to receive at half of the capacity", scene_latency, false },
    { "churn", "connecting, subscribing, disconnecting", scene_churn, false },
    { "storm", "10,000 come back at once while somebody publishes", scene_storm, false },
    { "slow", "1 % of the subscribers stop reading", scene_slow, false },
    { "scaling", "two workers against one: CPU, waits for locks", scene_scaling, false },
    { "watch", "what it costs that the server can be watched", scene_watch, false },
    { "callgrind", "user-space instructions per delivery and publish", scene_callgrind, true },
    { "soak", "memory over many minutes of coming and going", scene_soak, true },
    { "million", "a million sockets held by one server", scene_million, true },
    { NULL, NULL, NULL, false },
};

/* A fresh server each time: the same start for all rounds. */
void scene_connect(struct bench *b)
{
    size_t n = bench_count(b, CONNECTS);
    bench_say("connect: %zu connections, %u rounds", n, b->rounds);
    struct row *rate = report_row(&b->report, "connect", 0, "connects and subscribes per second");
    struct row *cpu = report_row(&b->report, "connect", 1, "server CPU per connect, \u00b5s");
    for (unsigned round = 0; round < b->rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++) {
            struct side s;
            side_start(b, &s, &(struct side_start) { .side = side });
            side_load(&s, layout_one(2 * n), 1);
            load_connect(s.load, n, CONNECT_WINDOW); /* warms up what grows with the count */
            uint64_t cpu_ns = side_cpu_ns(&s), ns = clock_mono_ns();
            load_connect(s.load, 2 * n, CONNECT_WINDOW);
            ns = clock_mono_ns() - ns;
            cpu_ns = side_cpu_ns(&s) - cpu_ns;
            side_check(&s);
            row_add(rate, side, (double)n * 1e9 / (double)ns);
            row_add(cpu, side, (double)cpu_ns / 1e3 / (double)n);
            side_stop(b, &s);
        }
    }
}

/* Idle connections are added step by step; the row gets the slope between the first and the last
 * step. */
static void measure_memory(struct bench *b, enum report_side side, const struct load_layout *layout,
                           struct row *slope)
{
    struct side s;
    double first = 0;
    size_t from = b->steps[0], to = b->steps[b->n_steps - 1];
    side_start(b, &s, &(struct side_start) { .side = side });
    side_load(&s, layout, 1);
    for (size_t i = 0; i < b->n_steps; i++) {
        load_connect(s.load, b->steps[i], CONNECT_WINDOW);
        side_check(&s);
        bench_sleep_ms(SETTLE_MS);
        double now = (double)proc_memory(&s.proc).private_bytes;
        if (i == 0) first = now;
        if (i + 1 == b->n_steps) row_add(slope, side, (now - first) / (double)(to - from));
    }
    side_stop(b, &s);
}

void scene_memory(struct bench *b)
{
    size_t from = b->steps[0], to = b->steps[b->n_steps - 1];
    unsigned rounds = b->rounds < 3 ? b->rounds : 3; /* it repeats nearly to the byte */
    const struct load_layout plain = *layout_one(to);
    const struct load_layout presence = {
        .max = to,
        .n_channels = (uint32_t)(to / ROOM),
        .per_conn = 1,
        .prefix = "presence-bench",
    };
    bench_say("memory: up to %zu connections, %u rounds", to, rounds);
    struct row *one =
        report_row(&b->report, "memory", 0, "bytes per connection, %zu to %zu, plain", from, to);
    row_goal(one, 4, GOAL_AT_MOST, 500);
    struct row *two =
        report_row(&b->report, "memory", 0, "bytes per connection, %zu to %zu, presence", from, to);
    row_goal(two, 4, GOAL_AT_MOST, 800);
    for (unsigned round = 0; round < rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++)
            measure_memory(b, side, &plain, one);
        if (b->peal) measure_memory(b, REPORT_SUBJECT, &presence, two);
    }
}
