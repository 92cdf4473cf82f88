/* SPDX-License-Identifier: MIT
 *
 * bench/scenes.c: the list of scenarios; connect, memory and idle.
 */
#include "bench/scenes.h"
#include "base/clock.h"
#include "bench/die.h"

#define CONNECTS 2000
#define SETTLE_MS 200
#define ROOM 10 /* people on a presence channel */
#define IDLE_MS 4000

const struct scene scenes[] = {
    { "connect", "opening WebSockets and subscribing them", scene_connect, 2 * CONNECTS, 0 },
    { "memory", "user-space bytes per idle subscribed connection", scene_memory, 0, 0 },
    { "idle", "CPU of connections and channels that nothing comes to", scene_idle, 0,
      SCENE_OF_PEAL },
    { "fanout", "server CPU per delivered message", scene_fanout, 0, 0 },
    { "channels", "10,000 channels of 10 against one of 10,000", scene_channels, 10000,
      SCENE_OF_PEAL },
    { "publish", "server CPU per publish to an empty channel", scene_publish, 10, 0 },
    { "latency", "publish to receive at half of the capacity", scene_latency, 200, 0 },
    { "churn", "connecting, subscribing, disconnecting", scene_churn, 200, 0 },
    { "storm", "10,000 come back at once while somebody publishes", scene_storm, 10000, 0 },
    { "slow", "1 % of the subscribers stop reading", scene_slow, 1000, SCENE_OF_PEAL },
    { "scaling", "two workers against one: CPU, waits for locks", scene_scaling, 2000,
      SCENE_OF_PEAL | SCENE_ALL_CPUS },
    { "watch", "what it costs that the server can be watched", scene_watch, 4000, SCENE_OF_PEAL },
    { "callgrind", "user-space instructions per delivery and publish", scene_callgrind, 1000,
      SCENE_ON_DEMAND },
    { "soak", "memory over many minutes of coming and going", scene_soak, 2000,
      SCENE_ON_DEMAND | SCENE_OF_PEAL },
    { "million", "a million sockets held by one server", scene_million, 1000,
      SCENE_ON_DEMAND | SCENE_OF_PEAL | SCENE_ALL_CPUS },
    { NULL, NULL, NULL, 0, 0 },
};

/* A fresh server each time: the same start for all rounds. */
void scene_connect(struct bench *b)
{
    size_t n = bench_count(b, CONNECTS);
    bench_say("connect: %zu connections, %u rounds", n, b->rounds);
    struct row *rate = report_row(&b->report, "connect", 0, "connects and subscribes per second");
    struct row *cpu = report_row(&b->report, "connect", 1, "server CPU per connect, \u00b5s");
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
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
        side_stop(&s);
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
    side_stop(&s);
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
    row_goal(one, 4, GOAL_NEVER_ABOVE, 500);
    struct row *two =
        report_row(&b->report, "memory", 0, "bytes per connection, %zu to %zu, presence", from, to);
    row_goal(two, 4, GOAL_NEVER_ABOVE, 800);
    for (unsigned round = 0; round < rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++)
            measure_memory(b, side, &plain, one);
        if (b->peal) measure_memory(b, REPORT_SUBJECT, &presence, two);
    }
}

/* Nothing is said for IDLE_MS; CPU microseconds of the server in a second. The first half of the
 * connections' activity_timeout is not over then, so nobody is pinged. */
static double measure_idle(struct bench *b, size_t n)
{
    struct side s;
    const struct load_layout layout = {
        .max = n, .n_channels = n ? (uint32_t)n : 1, .per_conn = 1, .prefix = "bench"
    };
    side_start(b, &s, &(struct side_start) { .side = REPORT_SUBJECT });
    side_load(&s, &layout, 1);
    load_connect(s.load, n, CONNECT_WINDOW);
    side_check(&s);
    bench_sleep_ms(SETTLE_MS);
    uint64_t cpu_ns = side_cpu_ns(&s), ns = clock_mono_ns();
    bench_sleep_ms((unsigned)(bench_ns(b, IDLE_MS) / 1000000));
    cpu_ns = side_cpu_ns(&s) - cpu_ns;
    ns = clock_mono_ns() - ns;
    side_stop(&s);
    return (double)cpu_ns * 1e6 / (double)ns;
}

void scene_idle(struct bench *b)
{
    size_t n = b->steps[b->n_steps - 1];
    unsigned rounds = b->rounds < 5 ? b->rounds : 5;
    bench_say("idle: none and %zu connections, %u rounds", n, rounds);
    struct row *all = report_row(&b->report, "idle", 0,
                                 "CPU in a second, \u00b5s: %zu connections and channels", n);
    struct row *each = report_row(&b->report, "idle", 1, "of it each connection, ns");
    all->against = "nobody is there";
    row_goal(each, 3, GOAL_NEVER_ABOVE, 10);
    for (unsigned round = 0; round < rounds; round++) {
        double with = measure_idle(b, n), without = measure_idle(b, 0);
        row_add(all, REPORT_SUBJECT, with);
        row_add(all, REPORT_FLOOR, without);
        row_add(each, REPORT_SUBJECT, (with - without) * 1e3 / (double)n);
    }
}
