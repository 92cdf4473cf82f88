/* SPDX-License-Identifier: MIT
 *
 * bench/report.h: collected figures, and how they are shown: a table for people, JSON for programs.
 *
 * A row has one value per round for each side. The table shows medians and, for the ratio, the
 * median of the ratios of each round with the smallest and the largest: the sides of one round ran
 * one after the other, so what disturbed the machine for longer than that disturbed both.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H
#include <stddef.h>
#include <stdio.h>

#define REPORT_ROWS 64
#define REPORT_ROUNDS 101

/* What the subject (Peal) is held against. */
enum report_side { REPORT_SUBJECT, REPORT_FLOOR, REPORT_SIDES };

struct row {
    const char *scenario; /* static */
    char name[64];        /* with its unit */
    int digits;           /* after the point, in the table */
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

/* Adds the value of the next round. */
void row_add(struct row *row, enum report_side side, double value);

void report_table(const struct report *r, FILE *to);

/* What the figures were taken on. */
struct report_about {
    const char *version; /* of Peal */
    unsigned workers;
    int cpus;
    double foreign; /* share of the machine's CPU time that went to others, 0–1 */
    double seconds;
};
/* One JSON object. */
void report_json(const struct report *r, const struct report_about *about, FILE *to);
void report_about_text(const struct report_about *about, FILE *to);
#endif
