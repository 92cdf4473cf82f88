/* SPDX-License-Identifier: MIT
 *
 * bench/scenes.c: connect, memory, fanout, publish.
 */
#include "bench/scenes.h"
#include "base/check.h"
#include "base/clock.h"

#define CONNECTS 2000
#define CONNECT_WINDOW 64 /* being opened at a time; far below any listen queue */
#define SETTLE_MS 200

const struct scene scenes[] = {
    { "connect", "opening WebSockets and subscribing them", scene_connect },
    { "memory", "user-space bytes per idle subscribed connection", scene_memory },
    { "fanout", "server CPU per delivered message", scene_fanout },
    { "publish", "server CPU per publish to an empty channel", scene_publish },
    { "latency", "publish to receive at half of the capacity", scene_latency },
    { NULL, NULL, NULL },
};

static size_t scaled(const struct bench *b, size_t n)
{
    size_t m = (size_t)((double)n * b->scale);
    return m < 10 ? 10 : m;
}

/* A fresh server each time: the same start for all rounds. */
void scene_connect(struct bench *b)
{
    size_t n = scaled(b, CONNECTS);
    bench_say("connect: %zu connections, %u rounds", n, b->rounds);
    struct row *rate = report_row(&b->report, "connect", 0, "connects and subscribes per second");
    struct row *cpu = report_row(&b->report, "connect", 1, "server CPU per connect, \u00b5s");
    for (unsigned round = 0; round < b->rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++) {
            struct side s;
            side_start(b, &s, side, FLOOR_PLAIN);
            side_load(&s, 2 * n, 1);
            load_connect(s.load, n, CONNECT_WINDOW); /* warms up what grows with the count */
            uint64_t cpu_ns = proc_cpu_ns(&s.proc), ns = clock_mono_ns();
            load_connect(s.load, 2 * n, CONNECT_WINDOW);
            ns = clock_mono_ns() - ns;
            cpu_ns = proc_cpu_ns(&s.proc) - cpu_ns;
            row_add(rate, side, (double)n * 1e9 / (double)ns);
            row_add(cpu, side, (double)cpu_ns / 1e3 / (double)n);
            side_stop(b, &s);
        }
    }
}

static void settle(void)
{
    const struct timespec wait = { .tv_nsec = SETTLE_MS * 1000000L };
    nanosleep(&wait, NULL);
}

void scene_memory(struct bench *b)
{
    bench_say("memory: up to %zu connections", b->steps[b->n_steps - 1]);
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        struct side s;
        side_start(b, &s, side, FLOOR_PLAIN);
        side_load(&s, b->steps[b->n_steps - 1], 1);
        settle();
        row_add(report_row(&b->report, "memory", 0, "written by the empty server, KiB"), side,
                (double)proc_memory(&s.proc).private_bytes / 1024);
        double before = 0;
        for (size_t i = 0; i < b->n_steps; i++) {
            load_connect(s.load, b->steps[i], CONNECT_WINDOW);
            settle();
            struct proc_memory memory = proc_memory(&s.proc);
            double now = (double)memory.private_bytes;
            if (i > 0)
                row_add(report_row(&b->report, "memory", 0, "bytes per connection, %zu to %zu",
                                   b->steps[i - 1], b->steps[i]),
                        side, (now - before) / (double)(b->steps[i] - b->steps[i - 1]));
            before = now;
            if (i + 1 < b->n_steps) continue;
            row_add(report_row(&b->report, "memory", 0, "resident with %zu connections, KiB",
                               b->steps[i]),
                    side, (double)memory.rss_bytes / 1024);
        }
        side_stop(b, &s);
    }
}

struct fanout {
    size_t bytes;
    unsigned burst; /* messages that are published in one piece */
    enum floor_kind floor;
};

static void measure_fanout(struct bench *b, const struct fanout *f, struct side sides[REPORT_SIDES])
{
    struct row *row =
        report_row(&b->report, "fanout", 2, "CPU per delivery, \u00b5s: 1\u2192%u, %zu B, %s",
                   b->subscribers, f->bytes, f->burst == 1 ? "one per turn" : "full load");
    for (unsigned round = 0; round < b->rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++) {
            struct side *s = &sides[side];
            load_bursts(s->load, f->bytes, f->burst, 0);
            uint64_t cpu_ns = proc_cpu_ns(&s->proc);
            struct load_done done = load_bursts(s->load, f->bytes, f->burst, bench_ns(b, 350));
            cpu_ns = proc_cpu_ns(&s->proc) - cpu_ns;
            row_add(row, side, (double)cpu_ns / 1e3 / (double)done.deliveries);
        }
    }
}

void scene_fanout(struct bench *b)
{
    static const struct fanout kinds[] = {
        { 200, 1, FLOOR_PLAIN },
        { 2048, 1, FLOOR_PLAIN },
        { 200, 32, FLOOR_JOIN },
        { 2048, 32, FLOOR_JOIN },
    };
    bench_say("fanout: 1 to %u, %u rounds", b->subscribers, b->rounds);
    struct side sides[REPORT_SIDES];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        bool fresh = i == 0 || kinds[i].floor != kinds[i - 1].floor;
        bool last = i + 1 == ARRAY_LEN(kinds) || kinds[i].floor != kinds[i + 1].floor;
        for (enum report_side side = 0; fresh && side < REPORT_SIDES; side++) {
            side_start(b, &sides[side], side, kinds[i].floor);
            side_load(&sides[side], b->subscribers, 1);
            load_connect(sides[side].load, b->subscribers, CONNECT_WINDOW);
        }
        measure_fanout(b, &kinds[i], sides);
        for (enum report_side side = 0; last && side < REPORT_SIDES; side++)
            side_stop(b, &sides[side]);
    }
}

struct pipelines {
    size_t pubs, depth;
    const char *name;
};

/* CPU microseconds of the server per request; `rate` gets how many there were in a second. */
static double measure_requests(struct bench *b, struct side *s, const struct pipelines *p,
                               enum load_request kind, double *rate)
{
    load_requests(s->load, kind, p->pubs, p->depth, bench_ns(b, 10));
    uint64_t cpu_ns = proc_cpu_ns(&s->proc);
    struct load_done done = load_requests(s->load, kind, p->pubs, p->depth, bench_ns(b, 200));
    cpu_ns = proc_cpu_ns(&s->proc) - cpu_ns;
    *rate = (double)done.n * 1e9 / (double)done.ns;
    return (double)cpu_ns / 1e3 / (double)done.n;
}

static void measure_publish(struct bench *b, const struct pipelines *p,
                            struct side sides[REPORT_SIDES])
{
    struct report *r = &b->report;
    struct row *plain = report_row(r, "publish", 2, "CPU, \u00b5s: static reply, %s", p->name);
    struct row *cpu = report_row(r, "publish", 2, "CPU, \u00b5s: publish, %s", p->name);
    struct row *times = report_row(r, "publish", 2, "publish / static reply, %s", p->name);
    struct row *rate = report_row(r, "publish", 0, "publishes per second, %s", p->name);
    for (unsigned round = 0; round < b->rounds; round++) {
        for (enum report_side side = 0; side < REPORT_SIDES; side++) {
            double per_second;
            double ok_us = measure_requests(b, &sides[side], p, LOAD_STATIC, &per_second);
            double us = measure_requests(b, &sides[side], p, LOAD_PUBLISH, &per_second);
            row_add(plain, side, ok_us);
            row_add(cpu, side, us);
            row_add(times, side, us / ok_us);
            row_add(rate, side, per_second);
        }
    }
}

void scene_publish(struct bench *b)
{
    static const struct pipelines kinds[] = { { 1, 1, "one at a time" },
                                              { 4, 16, "4 \u00d7 16 deep" } };
    bench_say("publish: to an empty channel, %u rounds", b->rounds);
    struct side sides[REPORT_SIDES];
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        side_start(b, &sides[side], side, FLOOR_PLAIN);
        side_load(&sides[side], 0, 4);
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) measure_publish(b, &kinds[i], sides);
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(b, &sides[side]);
}
