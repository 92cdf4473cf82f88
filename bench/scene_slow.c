/* SPDX-License-Identifier: MIT
 *
 * bench/scene_slow.c: one in a hundred subscribers stops reading. The others must not notice, and
 * those must be cut, told why, and counted.
 *
 * Latencies are taken in an open loop at half of the capacity, in slices; between two slices
 * the server is asked how many it has cut, since who reads on too late finds the connection reset.
 */
#include "base/check.h"
#include "base/clock.h"
#include "bench/die.h"
#include "bench/scene_latency.h"

#define SUBSCRIBERS 500
#define SLOW 5
#define DATA_BYTES 8192
#define SLICE_MS 250
#define SLICES 32
#define MORE_SLICES 200 /* at most, until all are cut */
#define END_MS 10000
#define BUDGET_KIB 16384 /* limits.pending_total_bytes */

/* Runs slices; after each, with slow ones, looks whether all are cut: then they read again. */
static void run_slices(struct bench *b, struct side *s, struct load_plan *plan, unsigned n_slow,
                       uint64_t cut_before)
{
    bool reading = n_slow == 0;
    size_t slices = bench_count(b, SLICES);
    plan->run_ns = (uint64_t)SLICE_MS * 1000000;
    for (unsigned i = 0; i < slices || (!reading && i < MORE_SLICES); i++) {
        if (i == slices) plan->latency = NULL; /* the same number of slices for both */
        load_open(s->load, plan);
        side_check(s);
        if (reading || side_counter(s, "slow_cut") - cut_before < n_slow) continue;
        for (size_t k = 0; k < n_slow; k++) subs_read_again(load_subs(s->load), k);
        reading = true;
    }
}

/* Until the slow ones have read what was sent to them, and their end. */
static void wait_for_ends(struct side *s, unsigned n_slow)
{
    const struct load_plan idle = { .data_bytes = DATA_BYTES, .run_ns = 50000000 };
    uint64_t until = clock_mono_ms() + END_MS;
    size_t open = n_slow;
    while (open && clock_mono_ms() < until) {
        load_open(s->load, &idle);
        open = 0;
        for (size_t k = 0; k < n_slow; k++) open += subs_is_open(load_subs(s->load), k);
    }
    for (size_t k = 0; k < n_slow; k++) subs_close(load_subs(s->load), k);
}

static void add(struct bench *b, const char *name, enum report_side side, double value)
{
    struct row *row = report_row(&b->report, "slow", 0, "%s", name);
    row->against = "none slow";
    row_add(row, side, value);
}

static void add_latency(struct bench *b, enum report_side side, const struct hist *latency)
{
    add(b, "p50 of the others, \u00b5s", side, (double)hist_at(latency, 0.5) / 1e3);
    add(b, "p99 of the others, \u00b5s", side, (double)hist_at(latency, 0.99) / 1e3);
}

static void run_round(struct bench *b, struct side *s, double rate)
{
    struct hist *with = must_alloc(sizeof *with), *without = must_alloc(sizeof *without);
    struct load_plan plan = { .data_bytes = DATA_BYTES, .rate = rate, .latency = without };
    run_slices(b, s, &plan, 0, 0);
    size_t told = subs_told(load_subs(s->load), 4100);
    uint64_t cut = side_counter(s, "slow_cut");
    proc_forget_peak(&s->proc);
    uint64_t before = proc_memory(&s->proc).rss_bytes;
    for (size_t k = 0; k < SLOW; k++) subs_stop_reading(load_subs(s->load), k);
    plan.latency = with;
    run_slices(b, s, &plan, SLOW, cut);
    wait_for_ends(s, SLOW);
    double peak = (double)proc_peak_bytes(&s->proc) - (double)before;
    add_latency(b, REPORT_SUBJECT, with);
    add_latency(b, REPORT_FLOOR, without);
    add(b, "cut and counted, of 5", REPORT_SUBJECT, (double)(side_counter(s, "slow_cut") - cut));
    add(b, "told why (4100), of 5", REPORT_SUBJECT,
        (double)(subs_told(load_subs(s->load), 4100) - told));
    add(b, "peak of memory above before, KiB", REPORT_SUBJECT, peak > 0 ? peak / 1024 : 0);
    add(b, "messages that the others lost", REPORT_SUBJECT,
        (double)load_faults(s->load)->n[LOAD_LOST]);
    load_connect(s->load, SUBSCRIBERS, CONNECT_WINDOW);
    side_check(s);
    must_free(with);
    must_free(without);
}

static void set_goals(struct bench *b)
{
    struct report *r = &b->report;
    row_goal(report_row(r, "slow", 0, "p99 of the others, \u00b5s"), 8, GOAL_RATIO_AT_MOST, 1.5);
    row_goal(report_row(r, "slow", 0, "cut and counted, of 5"), 8, GOAL_AT_LEAST, SLOW);
    row_goal(report_row(r, "slow", 0, "told why (4100), of 5"), 8, GOAL_AT_LEAST, SLOW);
    row_goal(report_row(r, "slow", 0, "peak of memory above before, KiB"), 8, GOAL_AT_MOST,
             BUDGET_KIB);
    row_goal(report_row(r, "slow", 0, "messages that the others lost"), 8, GOAL_AT_MOST, 0);
}

void scene_slow(struct bench *b)
{
    if (!b->peal) return;
    struct side s;
    side_start(
        b, &s,
        &(struct side_start) { .side = REPORT_SUBJECT,
                               .sets = { "limits.pending_bytes=65536", "slow_consumer_grace_ms=500",
                                         "limits.pending_total_bytes=16777216" } });
    side_crowd(&s, SUBSCRIBERS);
    double rate = latency_rate(b, &s, DATA_BYTES);
    bench_say("slow: %d of %d, %.0f messages of %d bytes a second, %u rounds", SLOW, SUBSCRIBERS,
              rate, DATA_BYTES, b->rounds);
    for (unsigned round = 0; round < b->rounds; round++) run_round(b, &s, rate);
    set_goals(b);
    side_stop(b, &s);
}
