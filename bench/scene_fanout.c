/* SPDX-License-Identifier: MIT
 *
 * bench/scene_fanout.c: what a delivery costs the server: one channel with many subscribers, and
 * many channels with few.
 *
 * Ten thousand connections to each of two servers do not fit into our descriptors, so the clients
 * come and go with each round there; the servers of small fan-outs keep theirs.
 */
#include "base/check.h"
#include "bench/scenes.h"

#define MANY 10000 /* subscribers, and channels */
#define EACH 10    /* channels of a connection, and subscribers of a channel */
#define WIDTH 100  /* channels of a publish */

struct fanout {
    size_t bytes;
    unsigned burst; /* messages that are published in one piece */
    enum floor_kind floor;
    double goal;
};

static const struct fanout kinds[] = {
    { 200, 1, FLOOR_PLAIN, 1.10 },
    { 2048, 1, FLOOR_PLAIN, 1.10 },
    { 200, 32, FLOOR_JOIN, 1.15 },
    { 2048, 32, FLOOR_JOIN, 1.15 },
};

static struct row *row_of(struct bench *b, const struct fanout *f, unsigned subscribers)
{
    struct row *row =
        report_row(&b->report, "fanout", 2, "CPU per delivery, \u00b5s: 1\u2192%u, %zu B, %s",
                   subscribers, f->bytes, f->burst == 1 ? "one per turn" : "full load");
    row_goal(row, 1, GOAL_RATIO_AT_MOST, f->goal);
    return row;
}

/* One kind of floor: all its fan-outs of a round. */
static void run_round(struct bench *b, struct side *s, enum report_side side, unsigned subscribers,
                      enum floor_kind floor)
{
    bool fresh = s->load == NULL;
    if (fresh) side_crowd(s, subscribers);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].floor != floor) continue;
        struct load_plan plan = { .data_bytes = kinds[i].bytes, .burst = kinds[i].burst };
        row_add(row_of(b, &kinds[i], subscribers), side, side_delivery_us(b, s, &plan, 350));
    }
    if (fresh && 2 * (size_t)subscribers > b->most) side_unload(s);
}

static void run_fanout(struct bench *b, unsigned subscribers)
{
    static const enum floor_kind floors[] = { FLOOR_PLAIN, FLOOR_JOIN };
    bench_say("fanout: 1 to %u, %u rounds", subscribers, b->rounds);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) row_of(b, &kinds[k], subscribers);
    for (size_t f = 0; f < ARRAY_LEN(floors); f++) {
        struct side sides[REPORT_SIDES];
        for (enum report_side side = 0; side < REPORT_SIDES; side++)
            side_start(b, &sides[side], &(struct side_start) { .side = side, .floor = floors[f] });
        for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
            enum report_side side = bench_turn(i);
            run_round(b, &sides[side], side, subscribers, floors[f]);
        }
        for (enum report_side side = 0; side < REPORT_SIDES; side++) side_stop(&sides[side]);
    }
}

void scene_fanout(struct bench *b)
{
    if (b->subscribers) {
        run_fanout(b, b->subscribers);
        return;
    }
    run_fanout(b, 1000);
    run_fanout(b, MANY);
}

/* --- many channels --- */

static struct row *channels_row(struct bench *b, const char *how, uint32_t n)
{
    struct row *row = report_row(&b->report, "channels", 2,
                                 "CPU per delivery, \u00b5s: %u channels of %d, %s", n, EACH, how);
    row->against = "one channel";
    return row;
}

/* What the clients of a layout are measured with. */
struct sending {
    const char *how;
    unsigned width, burst;
};

static const struct sending sendings[] = {
    { "100 publishes at once", 1, 100 },
    { "100 in a publish", WIDTH, 1 },
    { "a publish at a time", 1, 1 },
};

static double measure_sending(struct bench *b, struct side *s, const struct sending *how)
{
    struct load_plan plan = { .data_bytes = 200, .burst = how->burst, .width = how->width };
    return side_delivery_us(b, s, &plan, 400);
}

/* The one channel is measured one way, which all rows are held against. */
static void measure_layouts(struct bench *b, struct side *s, enum report_side side, uint32_t n)
{
    double us = 0;
    if (side == REPORT_FLOOR) us = measure_sending(b, s, &(struct sending) { "", 1, 1 });
    for (size_t i = 0; i < ARRAY_LEN(sendings); i++) {
        if (side == REPORT_SUBJECT) us = measure_sending(b, s, &sendings[i]);
        row_add(channels_row(b, sendings[i].how, n), side, us);
    }
}

static void crowd(struct side *s, const struct load_layout *layout)
{
    side_load(s, layout, 1);
    load_connect(s->load, layout->max, CONNECT_WINDOW);
    side_check(s);
}

/* Connections are the same in number, so that what the kernel does for each is the same: 10,000,
 * with ten channels each, or all on one. */
void scene_channels(struct bench *b)
{
    uint32_t n = (uint32_t)(bench_count(b, MANY) / 1000 * 1000);
    if (n < 1000) n = 1000;
    const struct load_layout many = { n, n, EACH, "bench" }, one = *layout_one(n);
    bench_say("channels: %u of %d subscribers, %u rounds", n, EACH, b->rounds);
    struct side s;
    side_start(b, &s, &(struct side_start) { .side = REPORT_SUBJECT });
    for (unsigned i = 0; i < REPORT_SIDES * b->rounds; i++) {
        enum report_side side = bench_turn(i);
        crowd(&s, side == REPORT_SUBJECT ? &many : &one);
        measure_layouts(b, &s, side, n);
        side_unload(&s);
    }
    for (size_t i = 0; i < ARRAY_LEN(sendings); i++)
        row_goal(channels_row(b, sendings[i].how, n), 3, GOAL_RATIO_AT_MOST, 1.3);
    side_stop(&s);
}
