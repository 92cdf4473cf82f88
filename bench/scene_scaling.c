/* SPDX-License-Identifier: MIT
 *
 * bench/scene_scaling.c: two workers against one, as CPU per delivery, time waiting for locks and
 * mailbox messages.
 *
 * Not as throughput: the load generator shares the CPUs with the workers. Neither server has a CPU
 * of its own here. Where several connections publish, both workers have some of them: a kernel that
 * gives one worker all of them would leave nothing to wait for.
 */
#include "base/check.h"
#include "bench/die.h"
#include "bench/scenes.h"

#define SUBSCRIBERS 1000
#define WORKERS 2
#define PUBS 4
#define DEPTH 16
#define TRIES 30

/* How they are loaded. */
struct kind {
    const char *name;
    const struct load_layout *layout;
    unsigned burst; /* of messages; 0: publishes to one channel without subscribers, 16 deep */
};

/* What a run cost, and what it is divided by. */
struct cost {
    double deliveries, publishes;
    double cpu_ns, lock_ns, lock_waits, posts;
};

static struct load_done run(struct bench *b, struct side *s, const struct kind *k, double ms)
{
    const struct load_plan plan = { .data_bytes = 200,
                                    .burst = k->burst,
                                    .run_ns = bench_ns(b, ms) };
    return k->burst ? load_closed(s->load, &plan)
                    : load_requests(s->load, LOAD_PUBLISH, PUBS, DEPTH, plan.run_ns);
}

static struct cost measure(struct bench *b, struct side *s, const struct kind *k)
{
    run(b, s, k, 20);
    uint64_t lock_ns = side_counter(s, "lock_wait_ns"), waits = side_counter(s, "lock_waits"),
             posts = side_counter(s, "mailbox_messages"), cpu_ns = side_cpu_ns(s);
    struct load_done done = run(b, s, k, 400);
    cpu_ns = side_cpu_ns(s) - cpu_ns;
    side_check(s);
    return (struct cost) {
        .deliveries = (double)done.deliveries,
        .publishes = (double)done.n,
        .cpu_ns = (double)cpu_ns,
        .lock_ns = (double)(side_counter(s, "lock_wait_ns") - lock_ns),
        .lock_waits = (double)(side_counter(s, "lock_waits") - waits),
        .posts = (double)(side_counter(s, "mailbox_messages") - posts),
    };
}

static struct row *row_of(struct bench *b, int digits, const char *name, const char *load)
{
    struct row *row = report_row(&b->report, "scaling", digits, "%s: %s", name, load);
    row->against = "one worker";
    return row;
}

static void add(struct bench *b, enum report_side side, const struct kind *k, const struct cost *c)
{
    if (k->burst)
        row_add(row_of(b, 2, "CPU per delivery, \u00b5s", k->name), side,
                c->cpu_ns / 1e3 / c->deliveries);
    else
        row_add(row_of(b, 2, "CPU per publish, \u00b5s", k->name), side,
                c->cpu_ns / 1e3 / c->publishes);
    row_add(row_of(b, 2, "waiting for locks, ns per publish", k->name), side,
            c->lock_ns / c->publishes);
    row_add(row_of(b, 3, "waits for locks per 1,000 publishes", k->name), side,
            1000 * c->lock_waits / c->publishes);
    if (k->burst)
        row_add(row_of(b, 3, "mailbox messages per publish", k->name), side,
                c->posts / c->publishes);
}

static void crowd(struct side *s, const struct kind *k)
{
    side_load(s, k->layout, PUBS);
    load_connect(s->load, k->layout->max, CONNECT_WINDOW);
    side_check(s);
}

/* Whether each worker gets something of what is published. */
static bool is_spread(struct bench *b, struct side *s, const struct kind *k)
{
    uint64_t before[WORKERS] = { 0 }, after[WORKERS] = { 0 };
    side_counters(s, "published", before, WORKERS);
    run(b, s, k, 20);
    side_counters(s, "published", after, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        if (after[i] == before[i]) return false;
    return true;
}

static void run_kind(struct bench *b, const struct kind *k)
{
    struct side sides[REPORT_SIDES];
    for (enum report_side side = 0; side < REPORT_SIDES; side++) {
        side_start(b, &sides[side],
                   &(struct side_start) { .side = REPORT_SUBJECT,
                                          .workers = side == REPORT_SUBJECT ? WORKERS : 1 });
        crowd(&sides[side], k);
    }
    for (unsigned i = 0; k->burst != 1 && !is_spread(b, &sides[REPORT_SUBJECT], k); i++) {
        if (i == TRIES) die("all publishers are on one worker, %d times", TRIES);
        side_unload(&sides[REPORT_SUBJECT]);
        crowd(&sides[REPORT_SUBJECT], k);
    }
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        struct cost cost = measure(b, &sides[side], k);
        add(b, side, k, &cost);
    }
    for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
}

void scene_scaling(struct bench *b)
{
    const struct load_layout hot = *layout_one(SUBSCRIBERS), none = *layout_one(0);
    const struct load_layout spread = { SUBSCRIBERS, SUBSCRIBERS, 1, "bench" };
    const struct kind kinds[] = {
        { "hot channel", &hot, 1 },
        { "1,000 channels of 1", &spread, 256 },
        { "one channel, 4 \u00d7 16 deep", &none, 0 },
    };
    bench_say("scaling: %d workers against 1, %u rounds", WORKERS, b->rounds);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) run_kind(b, &kinds[i]);
    row_goal(row_of(b, 3, "mailbox messages per publish", kinds[0].name), 7, GOAL_NEVER_ABOVE,
             WORKERS);
}
