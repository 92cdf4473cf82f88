/* SPDX-License-Identifier: MIT
 *
 * bench/baseline.c: one row on a line, so that a diff shows which figures moved; reading relies on
 * that form, which is nobody else's business.
 */
#include "bench/baseline.h"
#include "bench/die.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void path_of(char path[PATH_MAX], const char *folder, const char *scenario)
{
    int n = snprintf(path, PATH_MAX, "%s/%s.json", folder, scenario);
    if (n < 0 || n >= PATH_MAX) die("%s: the path is too long", folder);
}

static const char *kind_of(const struct row *row)
{
    return row_ratio(row).n ? "ratio" : "value";
}

bool baseline_find(const char *folder, const struct row *row, double *median)
{
    char path[PATH_MAX], line[512], wanted[128];
    path_of(path, folder, row->scenario);
    snprintf(wanted, sizeof wanted, "{\"name\":\"%s\",\"of\":\"%s\",", row->name, kind_of(row));
    FILE *f = fopen(path, "re");
    if (!f) return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, wanted), *value = at ? strstr(at, "\"median\":") : NULL;
        if (!value) continue;
        *median = strtod(value + strlen("\"median\":"), NULL);
        found = true;
    }
    fclose(f);
    return found;
}

/* False: it has no figure. */
static bool record_row(FILE *to, const struct row *row, bool first)
{
    struct spread s = row_verdict(row);
    if (s.n == 0) return false;
    fprintf(to, "%s  {\"name\":\"%s\",\"of\":\"%s\",\"median\":%.4g,\"min\":%.4g,\"max\":%.4g}",
            first ? "" : ",\n", row->name, kind_of(row), s.median, s.min, s.max);
    return true;
}

static void record(const char *folder, const struct report *r, const struct report_about *about,
                   const char *scenario)
{
    char path[PATH_MAX];
    path_of(path, folder, scenario);
    FILE *f = fopen(path, "we");
    if (!f) die_errno("%s", path);
    /* cppcheck-suppress nullPointerRedundantCheck ; die_errno does not return */
    fprintf(f,
            "{\"format\":2,\"version\":\"%s\",\"commit\":\"%s\",\"rounds\":%u,\"cpus\":%d,"
            "\"foreign_cpu\":%.2f,\"rows\":[\n",
            about->version, about->commit, about->rounds, about->cpus, about->foreign);
    bool first = true;
    for (size_t i = 0; i < r->n_rows; i++) {
        if (strcmp(r->rows[i].scenario, scenario) != 0) continue;
        if (record_row(f, &r->rows[i], first)) first = false;
    }
    fputs("\n]}\n", f);
    if (ferror(f) | fclose(f)) die_errno("%s", path);
}

void baseline_record(const char *folder, const struct report *r, const struct report_about *about)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const char *scenario = r->rows[i].scenario;
        if (i > 0 && strcmp(scenario, r->rows[i - 1].scenario) == 0) continue;
        record(folder, r, about, scenario);
    }
}
