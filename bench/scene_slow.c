/* SPDX-License-Identifier: MIT
 *
 * bench/scene_slow.c: one in a hundred subscribers stops reading. The others must not notice, and
 * those must be cut, told why, and counted.
 *
 * The slow ones have narrow connections (load/target.h), so that what they do not read waits in the
 * server and not in the kernel, and each is on a channel of its own, so that what waits for one is
 * not what waits for another. They stop all at once; when they are cut they read again, find out
 * why, come back, and stop again, for as long as latencies are taken: somebody is slow all the
 * time. Two ways of being cut: each waits too long beyond the bound of a connection; or there is no
 * such bound, and when what all hold together is too much some of them are.
 */
#include "base/check.h"
#include "base/clock.h"
#include "bench/die.h"
#include "bench/poller.h"
#include "bench/scene_latency.h"

#define SUBSCRIBERS 500
#define SLOW 5 /* and channels */
#define DATA_BYTES 8192
#define RUN_MS 4000
#define PHASE_MS 20000 /* the longest that one is waited for */
#define OVERHEAD 1.25  /* memory for a message of which the octets wait, as a part of them */

struct kind {
    const char *name;
    unsigned n_cut;    /* of those that stop, at least */
    double budget_kib; /* limits.pending_total_bytes */
    const char *sets[SIDE_SETS];
};

static const struct kind kinds[] = {
    { "by time",
      SLOW,
      16384,
      { "limits.pending_bytes=262144", "slow_consumer_grace_ms=500",
        "limits.pending_total_bytes=16777216" } },
    { "by budget",
      1,
      4096,
      { "limits.pending_bytes=0", "slow_consumer_grace_ms=60000",
        "limits.pending_total_bytes=4194304" } },
};

/* The slow ones, who do all the same at the same time. */
struct slow {
    struct subs *subs;
    struct poller *poller;
    enum { OPENING, STALLED, ENDING } phase;
    uint64_t phase_ms; /* since when */
    uint64_t end_ns;   /* then they do not stop again */
    uint64_t fresh; /* answers of the poller after which its counts are new enough; 0: none yet */
    unsigned n_cut; /* that have to be cut before they read again */
    uint64_t cut_before, times;
};

static void enter(struct slow *s, int phase)
{
    s->phase = phase;
    s->phase_ms = clock_mono_ms();
    s->fresh = 0;
}

/* How many of those that stopped are cut. */
static uint64_t n_cut(const struct slow *s)
{
    return atomic_load(&s->poller->cut) - s->cut_before;
}

static void open_all(struct slow *s)
{
    for (size_t k = 0; k < SLOW; k++) {
        subs_close(s->subs, k); /* who was not cut */
        subs_open(s->subs, k);
    }
    s->cut_before = atomic_load(&s->poller->cut);
    enter(s, OPENING);
}

static size_t count(const struct slow *s, bool (*is)(const struct subs *, size_t))
{
    size_t n = 0;
    for (size_t k = 0; k < SLOW; k++) n += is(s->subs, k);
    return n;
}

/* Whether those that are cut have all heard why, by counts that are newer than that. */
static bool have_ended(struct slow *s)
{
    uint64_t answers = atomic_load(&s->poller->answers);
    if (count(s, subs_is_open) + n_cut(s) > SLOW)
        s->fresh = 0;
    else if (s->fresh == 0)
        s->fresh = answers + 2;
    return s->fresh && answers >= s->fresh;
}

/* In each turn of the load generator; true ends the run. */
static bool step(void *ctx)
{
    static const char *const phases[] = { "open", "be cut", "hear why" };
    struct slow *s = ctx;
    if (clock_mono_ms() - s->phase_ms > PHASE_MS) {
        bench_say("slow: the slow ones did not %s within %d s", phases[s->phase], PHASE_MS / 1000);
        return true;
    }
    switch (s->phase) {
    case OPENING:
        if (count(s, subs_is_ready) < SLOW) break;
        for (size_t k = 0; k < SLOW; k++) subs_stop_reading(s->subs, k);
        s->times++;
        enter(s, STALLED);
        break;
    case STALLED:
        if (n_cut(s) < s->n_cut) break;
        for (size_t k = 0; k < SLOW; k++) subs_read_again(s->subs, k);
        enter(s, ENDING);
        break;
    case ENDING:
        if (!have_ended(s)) break;
        if (clock_mono_ns() >= s->end_ns) return true;
        open_all(s);
        break;
    }
    return false;
}

static struct row *row_of(struct bench *b, const struct kind *k, int digits, const char *name)
{
    struct row *row = report_row(&b->report, "slow", digits, "%s: %s", k->name, name);
    row->against = "none slow";
    return row;
}

static void run_plan(struct bench *b, struct side *s, const struct kind *k, enum report_side side,
                     struct load_plan *plan, struct poller *poller)
{
    struct hist *latency = must_alloc(sizeof *latency);
    uint64_t answers = atomic_load(&poller->answers);
    plan->latency = latency;
    atomic_store(&poller->waiting, 0);
    atomic_store(&poller->most, 0);
    load_open(s->load, plan);
    side_check(s);
    answers = atomic_load(&poller->answers) - answers;
    row_add(row_of(b, k, 0, "of the time, output waited, %"), side,
            100 * (double)atomic_load(&poller->waiting) / (double)(answers ? answers : 1));
    row_add(row_of(b, k, 0, "p50 of the others, \u00b5s"), side,
            (double)hist_at(latency, 0.5) / 1e3);
    row_add(row_of(b, k, 0, "p99 of the others, \u00b5s"), side,
            (double)hist_at(latency, 0.99) / 1e3);
    must_free(latency);
}

static void run_without(struct bench *b, struct side *s, const struct kind *k,
                        struct poller *poller, double rate)
{
    struct load_plan plan = { .data_bytes = DATA_BYTES,
                              .rate = rate,
                              .run_ns = bench_ns(b, RUN_MS) };
    run_plan(b, s, k, REPORT_FLOOR, &plan, poller);
}

static void add(struct bench *b, const struct kind *k, int digits, const char *name, double value)
{
    row_add(row_of(b, k, digits, name), REPORT_SUBJECT, value);
}

static void run_with(struct bench *b, struct side *s, const struct kind *k, struct poller *poller,
                     double rate, uint64_t before)
{
    struct load_plan plan = { .data_bytes = DATA_BYTES, .rate = rate, .run_ns = UINT64_MAX };
    struct slow slow = { .subs = load_subs(s->load),
                         .poller = poller,
                         .n_cut = k->n_cut,
                         .end_ns = clock_mono_ns() + bench_ns(b, RUN_MS) };
    size_t told = subs_told(slow.subs, 4100);
    uint64_t cut = atomic_load(&poller->cut);
    proc_forget_peak(&s->proc);
    subs_narrow(slow.subs, SLOW);
    open_all(&slow);
    load_stop_when(s->load, step, &slow);
    run_plan(b, s, k, REPORT_SUBJECT, &plan, poller);
    load_stop_when(s->load, NULL, NULL);
    double peak = (double)proc_peak_bytes(&s->proc) - (double)before;
    double stopped = (double)slow.times * k->n_cut;
    cut = atomic_load(&poller->cut) - cut;
    add(b, k, 0, "how often five stopped reading", (double)slow.times);
    add(b, k, 2, "cut and counted, of those that had to be", (double)cut / stopped);
    add(b, k, 2, "told why (4100), of these",
        (double)(subs_told(slow.subs, 4100) - told) / (double)(cut ? cut : 1));
    add(b, k, 0, "the most that waited, KiB", (double)atomic_load(&poller->most) / 1024);
    add(b, k, 0, "peak of memory above before, KiB", peak > 0 ? peak / 1024 : 0);
    subs_narrow(slow.subs, 0);
    for (size_t i = 0; i < SLOW; i++) subs_close(slow.subs, i);
    load_connect(s->load, SUBSCRIBERS, CONNECT_WINDOW);
    side_check(s);
}

static void set_goals(struct bench *b, const struct kind *k)
{
    row_goal(row_of(b, k, 0, "p99 of the others, \u00b5s"), 8, GOAL_RATIO_AT_MOST, 1.5);
    row_goal(row_of(b, k, 2, "cut and counted, of those that had to be"), 8, GOAL_NEVER_BELOW, 1);
    row_goal(row_of(b, k, 2, "told why (4100), of these"), 8, GOAL_NEVER_BELOW, 1);
    row_goal(row_of(b, k, 0, "the most that waited, KiB"), 8, GOAL_NEVER_ABOVE, k->budget_kib);
    row_goal(row_of(b, k, 0, "peak of memory above before, KiB"), 8, GOAL_NEVER_ABOVE,
             OVERHEAD * k->budget_kib);
}

static void run_kind(struct bench *b, const struct kind *k)
{
    struct side s;
    struct side_start start = { .side = REPORT_SUBJECT };
    for (size_t i = 0; i < SIDE_SETS; i++) start.sets[i] = k->sets[i];
    const struct load_layout layout = {
        .max = SUBSCRIBERS, .n_channels = SLOW, .per_conn = 1, .prefix = "bench"
    };
    side_start(b, &s, &start);
    struct poller *poller = poller_start(s.proc.admin_port);
    side_load(&s, &layout, 1);
    load_connect(s.load, SUBSCRIBERS, CONNECT_WINDOW);
    side_check(&s);
    double rate = latency_rate(b, &s, DATA_BYTES);
    uint64_t before = proc_memory(&s.proc).rss_bytes; /* of all rounds: what stays counts */
    bench_say("slow: %d of %d, cut %s, %.0f messages of %d bytes a second, %u rounds", SLOW,
              SUBSCRIBERS, k->name, rate, DATA_BYTES, b->rounds);
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        if (bench_turn(i) == REPORT_SUBJECT)
            run_with(b, &s, k, poller, rate, before);
        else
            run_without(b, &s, k, poller, rate);
    }
    set_goals(b, k);
    poller_stop(poller);
    side_stop(&s);
}

void scene_slow(struct bench *b)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) run_kind(b, &kinds[i]);
}
