/* SPDX-License-Identifier: MIT
 *
 * bench/report.h: collected figures, and how they are shown: a table for people, Markdown for
 * docs/performance.md, JSON for programs and for the next run to compare with.
 *
 * A row has one value per round for each side. The table shows medians and, for the ratio, the
 * median of the ratios of each round with the smallest and the largest: the sides of one round ran
 * one after the other, so what disturbed the machine for longer than that disturbed both. What the
 * second side is, the row says: mostly the floor.
 *
 * How sure a median is, its interval says: the two values between which the true median lies with
 * 95 %, whatever the distribution (order statistics). A goal within it is met or missed by what may
 * be chance, and the table says so.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_ROWS 128
#define REPORT_ROUNDS 101

/* What the subject (Peal) is held against. */
enum report_side { REPORT_SUBJECT, REPORT_FLOOR, REPORT_SIDES };

enum report_goal {
    GOAL_NONE,
    GOAL_RATIO_AT_MOST,
    GOAL_AT_MOST,
    GOAL_AT_LEAST,
    GOAL_NEVER_ABOVE, /* in no round: for what is counted, not measured */
    GOAL_NEVER_BELOW
};

struct row {
    const char *scenario; /* static */
    const char *against;  /* static; NULL: the floor */
    char name[80];        /* with its unit */
    int digits;           /* after the point, in the table */
    unsigned target;      /* number in docs/performance.md; 0: none */
    enum report_goal goal_is;
    double goal; /* for the ratio, or for the subject's value */
    size_t n[REPORT_SIDES];
    double values[REPORT_SIDES][REPORT_ROUNDS];
};

struct report {
    const char *names[REPORT_SIDES];
    size_t n_rows;
    struct row rows[REPORT_ROWS];
};

/* The row of this name, made when it is not there yet. */
struct row *report_row(struct report *r, const char *scenario, int digits, const char *name, ...)
    __attribute__((format(printf, 4, 5)));
/* Says what the row is to reach. */
void row_goal(struct row *row, unsigned target, enum report_goal is, double goal);

/* Adds the value of the next round. */
void row_add(struct row *row, enum report_side side, double value);

struct spread {
    size_t n;
    double median, min, max;
    double low, high; /* the interval of the median */
};
struct spread row_spread(const struct row *row, enum report_side side);
struct spread row_ratio(const struct row *row); /* n == 0: there is none */
/* What is compared with the last run: the ratio, or the value where there is none. */
struct spread row_verdict(const struct row *row);
/* Of a row with a goal. */
enum report_verdict { MISSED, MISSED_PERHAPS, MET_PERHAPS, MET };
enum report_verdict row_judge(const struct row *row);

struct report_range {
    unsigned least, most;
};

/* What the figures were taken on. */
struct report_about {
    const char *version; /* of Peal */
    const char *commit;  /* "": not known */
    unsigned rounds;
    struct report_range workers; /* most 0: no Peal ran */
    int cpus;
    double foreign; /* share of the machine's CPU time that went to others, 0–1 */
    double seconds;
    const char *baselines; /* folder of the last run's figures; NULL: compare with nothing */
};
void report_table(const struct report *r, const struct report_about *about, FILE *to);
void report_markdown(const struct report *r, const struct report_about *about, FILE *to);
/* One JSON object. */
void report_json(const struct report *r, const struct report_about *about, FILE *to);
#endif
