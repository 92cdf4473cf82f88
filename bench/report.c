/* SPDX-License-Identifier: MIT
 *
 * bench/report.c: medians, ratios, printing.
 */
#include "bench/report.h"
#include "bench/baseline.h"
#include "bench/die.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define BUSY 0.05 /* share of others that gets a warning */
#define SURE 6    /* rounds: of fewer, even the whole range is no interval of 95 % */

struct row *report_row(struct report *r, const char *scenario, int digits, const char *name, ...)
{
    struct row row = { .scenario = scenario, .digits = digits };
    va_list args;
    va_start(args, name);
    vsnprintf(row.name, sizeof row.name, name, args);
    va_end(args);
    for (size_t i = 0; i < r->n_rows; i++)
        if (strcmp(r->rows[i].scenario, scenario) == 0 && strcmp(r->rows[i].name, row.name) == 0)
            return &r->rows[i];
    CHECK(r->n_rows < REPORT_ROWS);
    r->rows[r->n_rows] = row;
    return &r->rows[r->n_rows++];
}

void row_goal(struct row *row, unsigned target, enum report_goal is, double goal)
{
    row->target = target;
    row->goal_is = is;
    row->goal = goal;
}

void row_add(struct row *row, enum report_side side, double value)
{
    CHECK(row->n[side] < REPORT_ROUNDS);
    row->values[side][row->n[side]++] = value;
}

static int compare(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* How many of `n` sorted values may be left out at either end so that the rest still contains the
 * true median with 95 %: with k left out it does not when at most k of n coins show heads, or at
 * most k tails. Too few values: none. */
static size_t interval_rank(size_t n)
{
    double exactly = pow(0.5, (double)n), at_most = exactly;
    size_t k = 0;
    while (at_most <= 0.025) {
        exactly *= (double)(n - k) / (double)(k + 1);
        at_most += exactly;
        k++;
    }
    return k ? k - 1 : 0;
}

static struct spread spread_of(const double *values, size_t n)
{
    double sorted[REPORT_ROUNDS];
    if (n == 0) return (struct spread) { 0 };
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    size_t rank = interval_rank(n);
    return (struct spread) {
        .n = n,
        .median = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
        .min = sorted[0],
        .max = sorted[n - 1],
        .low = sorted[rank],
        .high = sorted[n - 1 - rank],
    };
}

struct spread row_spread(const struct row *row, enum report_side side)
{
    return spread_of(row->values[side], row->n[side]);
}

struct spread row_ratio(const struct row *row)
{
    double ratios[REPORT_ROUNDS];
    size_t n = 0;
    for (size_t i = 0; i < row->n[REPORT_SUBJECT] && i < row->n[REPORT_FLOOR]; i++) {
        if (!(row->values[REPORT_FLOOR][i] > 0)) continue;
        ratios[n++] = row->values[REPORT_SUBJECT][i] / row->values[REPORT_FLOOR][i];
    }
    return spread_of(ratios, n);
}

struct spread row_verdict(const struct row *row)
{
    struct spread ratio = row_ratio(row);
    return ratio.n ? ratio : row_spread(row, REPORT_SUBJECT);
}

static enum report_verdict at_most(struct spread s, double goal)
{
    if (s.n == 0) return MISSED;
    if (s.n < SURE) return s.median <= goal ? MET_PERHAPS : MISSED_PERHAPS;
    if (s.median <= goal) return s.high <= goal ? MET : MET_PERHAPS;
    return s.low > goal ? MISSED : MISSED_PERHAPS;
}

static struct spread negative(struct spread s)
{
    return (struct spread) { s.n, -s.median, -s.max, -s.min, -s.high, -s.low };
}

enum report_verdict row_judge(const struct row *row)
{
    struct spread value = row_spread(row, REPORT_SUBJECT);
    switch (row->goal_is) {
    case GOAL_NONE:
        return MET;
    case GOAL_RATIO_AT_MOST:
        return at_most(row_ratio(row), row->goal);
    case GOAL_AT_MOST:
        return at_most(value, row->goal);
    case GOAL_AT_LEAST:
        return at_most(negative(value), -row->goal);
    case GOAL_NEVER_ABOVE:
        return value.n && value.max <= row->goal ? MET : MISSED;
    case GOAL_NEVER_BELOW:
        return value.n && value.min >= row->goal ? MET : MISSED;
    }
    UNREACHABLE();
}

/* --- texts --- */

#define TEXT 96

/* "1234.5", and where rounds differ "1234.5 [1200.0-1300.0]". */
static const char *spread_text(struct spread s, int digits, char text[TEXT])
{
    if (s.n == 0)
        snprintf(text, TEXT, "-");
    else if (s.n == 1)
        snprintf(text, TEXT, "%.*f", digits, s.median);
    else
        snprintf(text, TEXT, "%.*f [%.*f-%.*f]", digits, s.median, digits, s.min, digits, s.max);
    return text;
}

/* The ratio, and where there are enough rounds its interval: "1.06 (1.03-1.09) [0.91-1.42]". */
static const char *ratio_text(struct spread s, char text[TEXT])
{
    if (interval_rank(s.n) == 0) return spread_text(s, 2, text);
    snprintf(text, TEXT, "%.2f (%.2f-%.2f) [%.2f-%.2f]", s.median, s.low, s.high, s.min, s.max);
    return text;
}

static const char *goal_text(const struct row *row, char text[TEXT])
{
    bool least = row->goal_is == GOAL_AT_LEAST || row->goal_is == GOAL_NEVER_BELOW;
    const char *sign = least ? "\u2265" : "\u2264";
    int digits = row->goal_is == GOAL_RATIO_AT_MOST ? 2 : row->digits;
    text[0] = '\0';
    if (row->goal_is != GOAL_NONE)
        snprintf(text, TEXT, "%s %.*f%s", sign, digits, row->goal,
                 row->goal_is == GOAL_RATIO_AT_MOST ? " \u00d7" : "");
    return text;
}

/* How the figure compares with the last recorded one: "1.07 (+3 %)". */
static const char *last_text(const struct row *row, const struct report_about *about,
                             char text[TEXT])
{
    double last;
    struct spread now = row_verdict(row);
    text[0] = '\0';
    if (!now.n || !about->baselines || !baseline_find(about->baselines, row, &last)) return text;
    int digits = row_ratio(row).n ? 2 : row->digits;
    if (last > 0)
        snprintf(text, TEXT, "%.*f (%+.0f %%)", digits, last, 100 * (now.median / last - 1));
    else
        snprintf(text, TEXT, "%.*f", digits, last);
    return text;
}

/* Characters of a UTF-8 text that is short. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_right(FILE *to, const char *text, int width)
{
    int n = columns(text);
    fprintf(to, "  %*s%s", n < width ? width - n : 0, "", text);
}

static const char *const verdicts[] = {
    [MISSED] = "MISSED", [MISSED_PERHAPS] = "MISSED?", [MET_PERHAPS] = "met?", [MET] = "met"
};

static void print_row(const struct row *row, const struct report_about *about, FILE *to)
{
    char text[TEXT];
    int pad = 58 - columns(row->name);
    fprintf(to, "  %s%*s", row->name, pad > 0 ? pad : 0, "");
    for (int side = 0; side < REPORT_SIDES; side++)
        print_right(to, spread_text(row_spread(row, (enum report_side)side), row->digits, text),
                    26);
    print_right(to, ratio_text(row_ratio(row), text), 30);
    print_right(to, goal_text(row, text), 12);
    print_right(to, row->goal_is == GOAL_NONE ? "" : verdicts[row_judge(row)], 8);
    print_right(to, last_text(row, about, text), 18);
    fputc('\n', to);
}

static void about_text(const struct report_about *about, FILE *to)
{
    struct utsname os;
    uname(&os);
    fprintf(to, "peal %s%s%s, %u rounds, ", about->version, *about->commit ? " at " : "",
            about->commit, about->rounds);
    if (about->workers.least != about->workers.most) fprintf(to, "%u to ", about->workers.least);
    fprintf(to, "%u worker%s; %d CPUs, %s %s %s; %.0f s\n", about->workers.most,
            about->workers.most == 1 ? "" : "s", about->cpus, os.sysname, os.release, os.machine,
            about->seconds);
    if (about->foreign < BUSY) return;
    fprintf(
        to,
        "Other processes took %.0f %% of the CPU time: latencies and rates say little, CPU times "
        "are too high.\n",
        100 * about->foreign);
}

void report_table(const struct report *r, const struct report_about *about, FILE *to)
{
    const char *scenario = "", *against = "";
    fprintf(to, "%-60s  %26s  %26s  %30s  %12s  %8s  %18s\n",
            "median (its interval) [smallest-largest of the rounds]", r->names[REPORT_SUBJECT],
            "against", "ratio", "goal", "", "last recorded");
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct row *row = &r->rows[i];
        const char *other = row->against ? row->against : r->names[REPORT_FLOOR];
        if (strcmp(scenario, row->scenario) != 0 || strcmp(against, other) != 0)
            fprintf(to, "%s, against %s\n", row->scenario, other);
        scenario = row->scenario;
        against = other;
        print_row(row, about, to);
    }
    about_text(about, to);
}

void report_markdown(const struct report *r, const struct report_about *about, FILE *to)
{
    static const char *const in_words[] = { [MISSED] = "**no**",
                                            [MISSED_PERHAPS] = "**no**, perhaps by chance",
                                            [MET_PERHAPS] = "yes, perhaps by chance",
                                            [MET] = "yes" };
    char goal[TEXT], subject[TEXT], other[TEXT], ratio[TEXT];
    fprintf(to,
            "| target | scenario | figure | %s | against | | ratio | goal | met |\n"
            "|---|---|---|---|---|---|---|---|---|\n",
            r->names[REPORT_SUBJECT]);
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct row *row = &r->rows[i];
        char target[16] = "";
        if (row->target) snprintf(target, sizeof target, "%u", row->target);
        bool held = row->n[REPORT_FLOOR] > 0;
        fprintf(to, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", target, row->scenario,
                row->name, spread_text(row_spread(row, REPORT_SUBJECT), row->digits, subject),
                !held          ? ""
                : row->against ? row->against
                               : r->names[REPORT_FLOOR],
                held ? spread_text(row_spread(row, REPORT_FLOOR), row->digits, other) : "",
                held ? ratio_text(row_ratio(row), ratio) : "", goal_text(row, goal),
                row->goal_is == GOAL_NONE ? "" : in_words[row_judge(row)]);
    }
    fputc('\n', to);
    about_text(about, to);
}

static void json_spread(FILE *to, const char *name, struct spread s)
{
    if (s.n == 0)
        fprintf(to, ",\"%s\":null", name);
    else
        fprintf(to,
                ",\"%s\":{\"median\":%.9g,\"low\":%.9g,\"high\":%.9g,\"min\":%.9g,\"max\":%.9g}",
                name, s.median, s.low, s.high, s.min, s.max);
}

static void json_row(FILE *to, const struct report *r, const struct row *row)
{
    fprintf(to, "  {\"scenario\":\"%s\",\"name\":\"%s\",\"against\":\"%s\"", row->scenario,
            row->name, row->against ? row->against : r->names[REPORT_FLOOR]);
    json_spread(to, "ratio", row_ratio(row));
    for (int side = 0; side < REPORT_SIDES; side++) {
        fprintf(to, ",\"%s\":[", side == REPORT_SUBJECT ? "subject" : "other");
        for (size_t i = 0; i < row->n[side]; i++)
            fprintf(to, "%s%.9g", i ? "," : "", row->values[side][i]);
        fputc(']', to);
    }
    if (row->goal_is != GOAL_NONE)
        fprintf(to, ",\"target\":%u,\"goal\":%.9g,\"met\":%s,\"sure\":%s", row->target, row->goal,
                row_judge(row) >= MET_PERHAPS ? "true" : "false",
                row_judge(row) == MET || row_judge(row) == MISSED ? "true" : "false");
    fputc('}', to);
}

void report_json(const struct report *r, const struct report_about *about, FILE *to)
{
    struct utsname os;
    uname(&os);
    fprintf(to,
            "{\"format\":3,\"version\":\"%s\",\"commit\":\"%s\",\"rounds\":%u,\"workers\":[%u,%u],"
            "\"cpus\":%d,\"system\":\"%s %s %s\","
            "\"foreign_cpu\":%.3f,\"seconds\":%.1f,\"rows\":[\n",
            about->version, about->commit, about->rounds, about->workers.least, about->workers.most,
            about->cpus, os.sysname, os.release, os.machine, about->foreign, about->seconds);
    for (size_t i = 0; i < r->n_rows; i++) {
        json_row(to, r, &r->rows[i]);
        fputs(i + 1 < r->n_rows ? ",\n" : "\n", to);
    }
    fputs("]}\n", to);
}
