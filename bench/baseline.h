/* SPDX-License-Identifier: MIT
 *
 * bench/baseline.h: the figures of the last recorded run, a small JSON file for each scenario, so
 * that a change is compared with what was before it.
 */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H
#include "bench/report.h"

/* The median that was recorded for the row (of its ratio, or of its value). False: none was. */
bool baseline_find(const char *folder, const struct row *row, double *median);

/* Writes FOLDER/SCENARIO.json for each scenario of the report. Fails by die(). */
void baseline_record(const char *folder, const struct report *r, const struct report_about *about);
#endif
