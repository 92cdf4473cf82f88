/* SPDX-License-Identifier: MIT
 *
 * bench/scene_watch.c: what it costs a delivery that the server can be watched: with nobody
 * watching, against another program (--against FILE: one that was built before there was anything
 * to watch, say); with somebody watching everything, against nobody; and with statistics kept in a
 * file (all other scenarios have store=none), every second instead of every minute, against none.
 *
 * All servers run side by side, each with clients of its own, and are measured in turns; who begins
 * changes from round to round.
 */
#include "bench/die.h"
#include "bench/scenes.h"
#include "bench/watcher.h"
#include <stdlib.h>
#include <unistd.h>

#define SUBSCRIBERS 1000

enum who { NOBODY, SOMEBODY, STORING, OTHER, SERVERS };

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

static struct row *storing_row(struct bench *b, const struct kind *k)
{
    struct row *row = report_row(&b->report, "watch", 2,
                                 "CPU per delivery, \u00b5s: %s, statistics kept", k->name);
    row->against = "none kept";
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
            row_add(storing_row(b, &kinds[i]), REPORT_FLOOR, us);
            break;
        case STORING:
            row_add(storing_row(b, &kinds[i]), REPORT_SUBJECT, us);
            break;
        case SOMEBODY:
            row_add(somebody_row(b, &kinds[i]), REPORT_SUBJECT, us);
            break;
        case OTHER:
            row_add(nobody_row(b, &kinds[i]), REPORT_FLOOR, us);
            break;
        case SERVERS:
            UNREACHABLE();
        }
    }
}

/* The folder of the SQLite file; it goes with us, however we end. */
static struct {
    char path[32];
    pid_t owner;
} folder;

static void remove_folder(void)
{
    static const char *const files[] = { "peal.db", "peal.db-wal", "peal.db-shm" };
    char path[64];
    if (getpid() != folder.owner) return; /* a child */
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder.path, files[i]);
        unlink(path);
    }
    rmdir(folder.path);
    folder.owner = 0;
}

static void make_folder(void)
{
    snprintf(folder.path, sizeof folder.path, "/tmp/peal-bench-XXXXXX");
    if (!mkdtemp(folder.path)) die_errno("%s", folder.path);
    folder.owner = getpid();
    if (atexit(remove_folder) != 0) die("out of memory");
}

/* A run of the usual length is long enough for that. */
static void check_written(const struct bench *b, const struct side *s)
{
    uint64_t rows = side_metric(s, "peal_statistics_rows_written_total");
    if (b->scale >= 1 && rows == 0) die("watch: no statistics were written");
}

void scene_watch(struct bench *b)
{
    struct side sides[SERVERS];
    unsigned n = b->against ? SERVERS : SERVERS - 1;
    char store[64];
    make_folder();
    snprintf(store, sizeof store, "store=sqlite:%s/peal.db", folder.path);
    bench_say("watch: %u rounds%s", b->rounds, b->against ? "" : "; --against FILE compares more");
    for (unsigned i = 0; i < n; i++) {
        struct side_start start = { .side = REPORT_SUBJECT };
        if (i == OTHER) start.program = b->against;
        if (i == STORING) {
            start.sets[0] = store;
            start.sets[1] = "statistics.interval_seconds=1";
        }
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
    check_written(b, &sides[STORING]);
    for (unsigned i = 0; i < n; i++) side_stop(&sides[i]);
    remove_folder();
}
