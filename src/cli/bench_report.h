/* SPDX-License-Identifier: MIT
 *
 * cli/bench_report.h: what `peal bench` prints. Pure but for stdio.
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H
#include "cli/bench_run.h"
#include <stdio.h>

void bench_report_text(const struct bench_wish *wish, const struct bench_result *r, FILE *to);
/* One object on one line. */
void bench_report_json(const struct bench_wish *wish, const struct bench_result *r, FILE *to);
#endif
