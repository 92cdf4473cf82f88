/* SPDX-License-Identifier: MIT
 *
 * bench/report.c: medians, ratios, printing.
 */
#include "bench/report.h"
#include "bench/die.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define BUSY 0.05 /* share of others that gets a warning */

struct spread {
    size_t n;
    double median, min, max;
};

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

static struct spread spread_of(const double *values, size_t n)
{
    double sorted[REPORT_ROUNDS];
    if (n == 0) return (struct spread) { 0 };
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    double median = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    return (struct spread) { .n = n, .median = median, .min = sorted[0], .max = sorted[n - 1] };
}

static struct spread ratio_of(const struct row *row)
{
    double ratios[REPORT_ROUNDS];
    size_t n = 0;
    for (size_t i = 0; i < row->n[REPORT_SUBJECT] && i < row->n[REPORT_FLOOR]; i++) {
        if (!(row->values[REPORT_FLOOR][i] > 0)) continue;
        ratios[n++] = row->values[REPORT_SUBJECT][i] / row->values[REPORT_FLOOR][i];
    }
    return spread_of(ratios, n);
}

/* "1234.5", and where rounds differ "1234.5 [1200.0-1300.0]". */
static void print_value(FILE *to, struct spread s, int digits, int width)
{
    char text[96] = "-";
    if (s.n == 1)
        snprintf(text, sizeof text, "%.*f", digits, s.median);
    else if (s.n > 1)
        snprintf(text, sizeof text, "%.*f [%.*f-%.*f]", digits, s.median, digits, s.min, digits,
                 s.max);
    fprintf(to, "  %*s", width, text);
}

/* Characters of a UTF-8 text that is short. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

void report_table(const struct report *r, FILE *to)
{
    const char *scenario = "";
    fprintf(to, "%-48s  %26s  %26s  %18s\n", "median [smallest-largest of the rounds]",
            r->names[REPORT_SUBJECT], r->names[REPORT_FLOOR], "ratio");
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct row *row = &r->rows[i];
        if (strcmp(scenario, row->scenario) != 0) fprintf(to, "%s\n", row->scenario);
        scenario = row->scenario;
        fprintf(to, "  %s%*s", row->name, 46 - columns(row->name), "");
        for (int side = 0; side < REPORT_SIDES; side++)
            print_value(to, spread_of(row->values[side], row->n[side]), row->digits, 26);
        print_value(to, ratio_of(row), 2, 18);
        fputc('\n', to);
    }
}

void report_about_text(const struct report_about *about, FILE *to)
{
    struct utsname os;
    uname(&os);
    fprintf(to, "peal %s, %u worker%s; %d CPUs, %s %s %s; %.0f s\n", about->version, about->workers,
            about->workers == 1 ? "" : "s", about->cpus, os.sysname, os.release, os.machine,
            about->seconds);
    if (about->foreign < BUSY) return;
    fprintf(
        to,
        "Other processes took %.0f %% of the CPU time: latencies and rates say little, CPU times "
        "are too high.\n",
        100 * about->foreign);
}

static void json_spread(FILE *to, const char *name, struct spread s)
{
    if (s.n == 0)
        fprintf(to, "\"%s\":null", name);
    else
        fprintf(to, "\"%s\":{\"median\":%.9g,\"min\":%.9g,\"max\":%.9g}", name, s.median, s.min,
                s.max);
}

static void json_row(FILE *to, const struct report *r, const struct row *row)
{
    fprintf(to, "  {\"scenario\":\"%s\",\"name\":\"%s\",", row->scenario, row->name);
    json_spread(to, "ratio", ratio_of(row));
    for (int side = 0; side < REPORT_SIDES; side++) {
        fprintf(to, ",\"%s\":[", r->names[side]);
        for (size_t i = 0; i < row->n[side]; i++)
            fprintf(to, "%s%.9g", i ? "," : "", row->values[side][i]);
        fputc(']', to);
    }
    fputc('}', to);
}

void report_json(const struct report *r, const struct report_about *about, FILE *to)
{
    struct utsname os;
    uname(&os);
    fprintf(to,
            "{\"format\":1,\"version\":\"%s\",\"workers\":%u,\"cpus\":%d,\"system\":\"%s %s %s\","
            "\"foreign_cpu\":%.3f,\"seconds\":%.1f,\"rows\":[\n",
            about->version, about->workers, about->cpus, os.sysname, os.release, os.machine,
            about->foreign, about->seconds);
    for (size_t i = 0; i < r->n_rows; i++) {
        json_row(to, r, &r->rows[i]);
        fputs(i + 1 < r->n_rows ? ",\n" : "\n", to);
    }
    fputs("]}\n", to);
}
