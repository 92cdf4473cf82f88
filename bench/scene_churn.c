/* SPDX-License-Identifier: MIT
 *
 * bench/scene_churn.c: connections that come and go: what one costs, a storm of all at once with a
 * publisher in between, and a soak over many minutes.
 */
#include "base/check.h"
#include "base/clock.h"
#include "bench/die.h"
#include "bench/scenes.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CYCLES 6000
#define STORM 10000
#define STORM_RATE 1000
#define SOAK_STAY 1000
#define SOAK_CYCLES 2000 /* between two samples */
#define SOAK_WARM 0.2    /* of the time, before memory has reached its level */

/* --- churn --- */

/* CPU microseconds per connection; with `knock` the clients say nothing. */
static double measure_churn(struct bench *b, struct side *s, bool knock, double *rate)
{
    uint64_t cycles = bench_count(b, CYCLES);
    if (!s->load) side_load(s, layout_one(CONNECT_WINDOW), 1);
    uint64_t cpu_ns = side_cpu_ns(s);
    struct load_done done = knock ? load_knock(s->load, cycles, CONNECT_WINDOW)
                                  : load_churn(s->load, 0, cycles, CONNECT_WINDOW);
    side_check(s);
    bench_sleep_ms(20); /* the server has closed the last ones, too */
    cpu_ns = side_cpu_ns(s) - cpu_ns;
    *rate = (double)done.n * 1e9 / (double)done.ns;
    return (double)cpu_ns / 1e3 / (double)done.n;
}

void scene_churn(struct bench *b)
{
    struct report *r = &b->report;
    struct row *cpu = report_row(r, "churn", 1, "CPU per connect, subscribe, disconnect, \u00b5s");
    struct row *rate = report_row(r, "churn", 0, "connects, subscribes, disconnects per second");
    struct row *bare =
        report_row(r, "churn", 1, "CPU per connect, subscribe, disconnect, \u00b5s (bare)");
    bare->against = "accept and close alone";
    bench_say("churn: %zu connections, %u rounds", bench_count(b, CYCLES), b->rounds);
    struct side sides[REPORT_SIDES], accepts;
    for (enum report_side side = 0; side < REPORT_SIDES; side++)
        side_start(b, &sides[side], &(struct side_start) { .side = side });
    side_start(b, &accepts, &(struct side_start) { .side = REPORT_FLOOR, .floor = FLOOR_ACCEPT });
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        double per_second, us = measure_churn(b, &sides[side], false, &per_second);
        row_add(cpu, side, us);
        row_add(rate, side, per_second);
        if (side == REPORT_SUBJECT) row_add(bare, side, us);
        if (side == REPORT_FLOOR)
            row_add(bare, side, measure_churn(b, &accepts, true, &per_second));
    }
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
    side_stop(&accepts);
}

/* --- storm --- */

/* A back end in a process of its own, so that it does not wait for the connections to be opened.
 * Forked before there are any: what it inherited would not be closed when we close it. */
struct back_end {
    pid_t pid;
    struct hist api, lag;
    _Atomic bool ready, go, stop;
};

static bool is_over(void *ctx)
{
    return atomic_load(&((struct back_end *)ctx)->stop);
}

static struct back_end *back_end_start(const struct side *s)
{
    struct back_end *e = proc_share(sizeof *e);
    pid_t pid = proc_fork();
    if (pid > 0) {
        e->pid = pid;
        return e;
    }
    struct side own = { .target = s->target };
    const struct load_plan plan = {
        .data_bytes = 200,
        .rate = STORM_RATE,
        .run_ns = UINT64_MAX,
        .api = &e->api,
        .lag = &e->lag,
        .to_nobody = true,
    };
    side_load(&own, layout_one(0), 1);
    /* A back end keeps its connection: this one is there before the storm. */
    load_requests(own.load, LOAD_PUBLISH, 1, 1, 0);
    atomic_store(&e->ready, true);
    while (!atomic_load(&e->go)) bench_sleep_ms(1);
    load_stop_when(own.load, is_over, e);
    load_open(own.load, &plan);
    side_check(&own);
    side_unload(&own);
    _exit(0);
}

static void back_end_stop(struct back_end *e)
{
    int status;
    atomic_store(&e->stop, true);
    if (waitpid(e->pid, &status, 0) != e->pid || status != 0) die("the back end failed");
}

static void add_us(struct bench *b, enum report_side side, const char *name, uint64_t ns)
{
    row_add(report_row(&b->report, "storm", 0, "%s, \u00b5s", name), side, (double)ns / 1e3);
}

/* Connections that the kernel dropped so far, on the whole machine, since a listener's queue was
 * full: their clients try again after a second. */
static uint64_t listen_overflows(void)
{
    char names[4096], values[4096], *save_name = NULL, *save_value = NULL;
    uint64_t n = 0;
    FILE *f = fopen("/proc/net/netstat", "re");
    if (!f) die_errno("/proc/net/netstat");
    /* cppcheck-suppress nullPointerRedundantCheck ; die_errno does not return */
    while (fgets(names, sizeof names, f) && fgets(values, sizeof values, f)) {
        char *name = strtok_r(names, " \n", &save_name);
        char *value = strtok_r(values, " \n", &save_value);
        for (; name && value;
             name = strtok_r(NULL, " \n", &save_name), value = strtok_r(NULL, " \n", &save_value))
            if (strcmp(name, "ListenOverflows") == 0) n = strtoull(value, NULL, 10);
    }
    fclose(f);
    return n;
}

static void run_storm(struct bench *b, struct side *s, enum report_side side, size_t n)
{
    struct back_end *back_end = back_end_start(s);
    side_crowd(s, n);
    while (!atomic_load(&back_end->ready)) bench_sleep_ms(1);
    uint64_t cpu_ns = side_cpu_ns(s), overflows = listen_overflows();
    atomic_store(&back_end->go, true);
    uint64_t back_ns = load_storm(s->load);
    cpu_ns = side_cpu_ns(s) - cpu_ns;
    back_end_stop(back_end);
    side_check(s);
    side_unload(s);
    row_add(report_row(&b->report, "storm", 0, "all %zu back, ms", n), side, (double)back_ns / 1e6);
    row_add(report_row(&b->report, "storm", 1, "server CPU for each that comes back, \u00b5s"),
            side, (double)cpu_ns / 1e3 / (double)n);
    row_add(report_row(&b->report, "storm", 0, "connections that had to knock twice"), side,
            (double)(listen_overflows() - overflows));
    row_add(report_row(&b->report, "storm", 0, "publishes meanwhile"), side,
            (double)back_end->api.n);
    add_us(b, side, "publish to answer meanwhile, p50", hist_at(&back_end->api, 0.5));
    add_us(b, side, "publish to answer meanwhile, p99", hist_at(&back_end->api, 0.99));
    add_us(b, side, "publish to answer meanwhile, longest", back_end->api.max);
    add_us(b, side, "of it the publisher's own lag, longest", back_end->lag.max);
    munmap(back_end, sizeof *back_end);
}

void scene_storm(struct bench *b)
{
    size_t n = bench_count(b, STORM);
    bench_say("storm: %zu connections, %u rounds", n, b->rounds);
    struct side sides[REPORT_SIDES];
    for (enum report_side side = 0; side < REPORT_SIDES; side++)
        side_start(b, &sides[side], &(struct side_start) { .side = side });
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        run_storm(b, &sides[side], side, n);
    }
    row_goal(report_row(&b->report, "storm", 0, "all %zu back, ms", n), 6, GOAL_RATIO_AT_MOST, 2);
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
}

/* --- soak --- */

/* Least squares, as samples come. */
struct slope {
    double n, x, y, xx, xy;
};

static void slope_add(struct slope *s, double x, double y)
{
    s->n++;
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->xy += x * y;
}

static double slope_of(const struct slope *s)
{
    double d = s->n * s->xx - s->x * s->x;
    return d > 0 ? (s->n * s->xy - s->x * s->y) / d : 0;
}

/* A part of the soak: some come and go, some messages reach those who stay. */
static void soak_step(struct side *s)
{
    const struct load_plan plan = { .data_bytes = 2048, .burst = 16, .run_ns = 50000000 };
    load_churn(s->load, SOAK_STAY, SOAK_CYCLES, CONNECT_WINDOW);
    load_closed(s->load, &plan);
    side_check(s);
}

/* Peal alone: the floor has nothing to prove here. */
void scene_soak(struct bench *b)
{
    double limit_s = 60.0 * b->minutes * b->scale, at_s = 0, said_s = 0;
    uint64_t start = clock_mono_ns(), cycles = 0;
    struct slope rss = { 0 }, private = { 0 };
    struct side s;
    side_start(b, &s, &(struct side_start) { .side = REPORT_SUBJECT });
    side_load(&s, layout_one(SOAK_STAY + CONNECT_WINDOW), 1);
    load_connect(s.load, SOAK_STAY, CONNECT_WINDOW);
    side_check(&s);
    bench_say("soak: %.0f s; %d connections stay, others come and go", limit_s, SOAK_STAY);
    while (at_s < limit_s) {
        soak_step(&s);
        cycles += SOAK_CYCLES;
        at_s = (double)(clock_mono_ns() - start) / 1e9;
        struct meter_memory memory = proc_memory(&s.proc);
        if (at_s < SOAK_WARM * limit_s) continue;
        slope_add(&rss, (double)cycles, (double)memory.rss_bytes);
        slope_add(&private, (double)cycles, (double)memory.private_bytes);
        if (at_s - said_s < 60) continue;
        bench_say("soak: %.0f s, %llu connections came and went, %.0f KiB resident", at_s,
                  (unsigned long long)cycles, (double)memory.rss_bytes / 1024);
        said_s = at_s;
    }
    struct report *r = &b->report;
    row_add(report_row(r, "soak", 0, "connections that came and went"), REPORT_SUBJECT,
            (double)cycles);
    row_add(report_row(r, "soak", 0, "resident in the end, KiB"), REPORT_SUBJECT,
            (double)proc_memory(&s.proc).rss_bytes / 1024);
    struct row *row = report_row(r, "soak", 2, "resident, growth in bytes per connection");
    row_goal(row, 4, GOAL_NEVER_ABOVE, 1);
    row_add(row, REPORT_SUBJECT, slope_of(&rss));
    row_add(report_row(r, "soak", 2, "private, growth in bytes per connection"), REPORT_SUBJECT,
            slope_of(&private));
    side_stop(&s);
}
