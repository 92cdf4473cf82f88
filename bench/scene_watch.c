/* SPDX-License-Identifier: MIT
 *
 * bench/scene_watch.c: what it costs a delivery that the server can be watched: with nobody
 * watching, against another program (--against FILE: one that was built before there was anything
 * to watch, say); and with somebody watching everything, against nobody.
 *
 * All servers run side by side, each with clients of its own, and are measured in turns; who begins
 * changes from round to round.
 */
#include "bench/scenes.h"
#include "bench/watcher.h"

#define SUBSCRIBERS 1000
#define SERVERS 3

enum who { NOBODY, SOMEBODY, OTHER };

struct kind {
    const char *name;
    unsigned burst;
};

static const struct kind kinds[] = { { "one per turn", 1 }, { "full load", 32 } };

/* In both rows the second side is what the first is held against. */
static struct row *nobody_row(struct bench *b, const struct kind *k)
{
    struct row *row = report_row(&b->report, "watch", 2,
                                 "CPU per delivery, \u00b5s: %s, nobody watches", k->name);
    row->against = "the other";
    return row;
}

static struct row *somebody_row(struct bench *b, const struct kind *k)
{
    struct row *row = report_row(&b->report, "watch", 2,
                                 "CPU per delivery, \u00b5s: %s, somebody watches", k->name);
    row->against = "nobody";
    return row;
}

static void measure(struct bench *b, struct side *s, enum who who)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct load_plan plan = { .data_bytes = 200, .burst = kinds[i].burst };
        double us = side_delivery_us(b, s, &plan, 350);
        switch (who) {
        case NOBODY:
            row_add(nobody_row(b, &kinds[i]), REPORT_SUBJECT, us);
            row_add(somebody_row(b, &kinds[i]), REPORT_FLOOR, us);
            break;
        case SOMEBODY:
            row_add(somebody_row(b, &kinds[i]), REPORT_SUBJECT, us);
            break;
        case OTHER:
            row_add(nobody_row(b, &kinds[i]), REPORT_FLOOR, us);
            break;
        }
    }
}

void scene_watch(struct bench *b)
{
    struct side sides[SERVERS];
    unsigned n = b->against ? SERVERS : SERVERS - 1;
    if (!b->peal) return;
    bench_say("watch: %u rounds%s", b->rounds, b->against ? "" : "; --against FILE compares more");
    for (unsigned i = 0; i < n; i++) {
        struct side_start start = { .side = REPORT_SUBJECT };
        if (i == OTHER) start.program = b->against;
        side_start(b, &sides[i], &start);
        side_crowd(&sides[i], b->subscribers ? b->subscribers : SUBSCRIBERS);
    }
    pid_t watcher = watcher_start(sides[SOMEBODY].proc.admin_port);
    for (unsigned round = 0; round < b->rounds; round++)
        for (unsigned i = 0; i < n; i++) {
            unsigned at = (i + round) % n;
            measure(b, &sides[at], (enum who)at);
        }
    watcher_stop(watcher);
    for (unsigned i = 0; i < n; i++) side_stop(b, &sides[i]);
}
