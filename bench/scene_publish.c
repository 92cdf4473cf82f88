/* SPDX-License-Identifier: MIT
 *
 * bench/scene_publish.c: what a publish costs the server where nobody listens, beside a static
 * reply of the same server over the same connections.
 */
#include "base/check.h"
#include "bench/scenes.h"

#define PUBS 4

struct pipelines {
    size_t pubs, depth;
    const char *name;
    double per_second; /* the goal; 0: none */
};

/* CPU microseconds of the server per request; `rate` gets how many there were in a second. */
static double measure(struct bench *b, struct side *s, const struct pipelines *p,
                      enum load_request kind, double *rate)
{
    load_requests(s->load, kind, p->pubs, p->depth, bench_ns(b, 10));
    uint64_t cpu_ns = side_cpu_ns(s);
    struct load_done done = load_requests(s->load, kind, p->pubs, p->depth, bench_ns(b, 200));
    cpu_ns = side_cpu_ns(s) - cpu_ns;
    side_check(s);
    *rate = (double)done.n * 1e9 / (double)done.ns;
    return (double)cpu_ns / 1e3 / (double)done.n;
}

static void run_round(struct bench *b, const struct pipelines *p, struct side *s,
                      enum report_side side)
{
    struct report *r = &b->report;
    double per_second;
    double ok_us = measure(b, s, p, LOAD_STATIC, &per_second);
    double us = measure(b, s, p, LOAD_PUBLISH, &per_second);
    struct row *plain = report_row(r, "publish", 2, "CPU, \u00b5s: static reply, %s", p->name);
    struct row *cpu = report_row(r, "publish", 2, "CPU, \u00b5s: publish, %s", p->name);
    struct row *times = report_row(r, "publish", 2, "publish / static reply, %s", p->name);
    struct row *rate = report_row(r, "publish", 0, "publishes per second, %s", p->name);
    row_goal(times, 2, GOAL_AT_MOST, 2);
    if (p->per_second > 0) row_goal(rate, 2, GOAL_AT_LEAST, p->per_second);
    row_add(plain, side, ok_us);
    row_add(cpu, side, us);
    row_add(times, side, us / ok_us);
    row_add(rate, side, per_second);
}

void scene_publish(struct bench *b)
{
    static const struct pipelines kinds[] = { { 1, 1, "one at a time", 0 },
                                              { PUBS, 16, "4 \u00d7 16 deep", 100000 } };
    bench_say("publish: to an empty channel, %u rounds", b->rounds);
    struct side sides[REPORT_SIDES];
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        side_start(b, &sides[side], &(struct side_start) { .side = side });
        side_load(&sides[side], layout_one(0), PUBS);
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (unsigned round = 0; round < b->rounds; round++)
            for (enum report_side side = 0; side < REPORT_SIDES; side++)
                run_round(b, &kinds[i], &sides[side], side);
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(b, &sides[side]);
}
