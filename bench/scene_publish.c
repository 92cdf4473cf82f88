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

/* What more content costs, as a part of a request of its own. */
static void run_larger(struct bench *b, const struct pipelines *p, struct side *s)
{
    static const struct {
        const char *what;
        enum load_request kind;
        double n;
    } larger[] = { { "a further channel", LOAD_PUBLISH_WIDE, LOAD_WIDTH },
                   { "a further event of a batch", LOAD_BATCH, LOAD_BATCH_EVENTS } };
    double per_second, us = measure(b, s, p, LOAD_PUBLISH, &per_second);
    for (size_t i = 0; i < ARRAY_LEN(larger); i++) {
        double more_us = measure(b, s, p, larger[i].kind, &per_second) - us;
        struct row *row =
            report_row(&b->report, "publish", 2, "%s / publish, %s", larger[i].what, p->name);
        row_goal(row, 2, GOAL_AT_MOST, 1);
        row_add(row, REPORT_SUBJECT, more_us / (larger[i].n - 1) / us);
    }
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
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) run_round(b, &kinds[k], &sides[side], side);
        if (side == REPORT_SUBJECT && b->peal) run_larger(b, &kinds[1], &sides[side]);
    }
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
}
