/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_help.c: peal help, peal help COMMAND, peal help options.
 */
#include "base/buf.h"
#include "cli/cmd.h"
#include "cli/man_page.h"
#include "server/config_table.h"
#include "server/metrics.h"
#include <stdio.h>
#include <sysexits.h>

static void print_option(const struct option *opt, struct buf *scratch)
{
    buf_clear(scratch);
    option_env_name(opt, scratch);
    printf("  %s%s", option_is_app(opt) ? "apps[]." : "", opt->name);
    if (opt->dflt) printf("  (default %s)", *opt->dflt ? opt->dflt : "none");
    printf("\n      %s\n", opt->help);
    if (opt->unit[0]) printf("      unit or values: %s", opt->unit);
    if (opt->unit[0] && opt->max > opt->min)
        printf("; from %llu to %llu", (unsigned long long)opt->min, (unsigned long long)opt->max);
    if (opt->unit[0]) putchar('\n');
    if (scratch->n) printf("      environment: %.*s\n", SPAN_FMT(*scratch));
}

static int print_options(void)
{
    struct buf scratch = { 0 };
    fputs("Global options: peal.yaml, --set NAME=VALUE, .env, environment; 0 means no limit.\n\n",
          stdout);
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) print_option(&option_globals[i], &scratch);
    fputs("\nOptions of an app: below its id in `apps` of peal.yaml, or --set apps.ID.NAME=VALUE;\n"
          "for all apps: below `app_defaults`, or --set app_defaults.NAME=VALUE.\n\n",
          stdout);
    for (size_t i = 0; i < N_APP_OPTIONS; i++) print_option(&option_apps[i], &scratch);
    buf_fini(&scratch);
    return EX_OK;
}

static int print_metrics(void)
{
    struct buf page = { 0 };
    metrics_doc(&page);
    if (!buf_failed(&page)) fwrite(page.p, 1, page.n, stdout);
    buf_fini(&page);
    return EX_OK;
}

static int run(int argc, char **argv)
{
    if (argc < 2) return cmd_usage(true);
    if (argc > 2) return cmd_fail(&cmd_help, EX_USAGE, "takes one command");
    if (strcmp(argv[1], "options") == 0) return print_options();
    if (strcmp(argv[1], "man") == 0) {
        man_page_print();
        return EX_OK;
    }
    if (strcmp(argv[1], "metrics") == 0) return print_metrics();
    const struct cmd *cmd = cmd_find(argv[1]);
    if (!cmd) return cmd_unknown(argv[1]);
    cmd_print_page(cmd);
    return EX_OK;
}

const struct cmd cmd_help = {
    .name = "help",
    .help = "say more about a command, or about all options (help options)",
    .run = run,
    .usage = "peal help [COMMAND | options | metrics | man]",
    .text = "Prints the list of commands, the page of one of them, all options of the\n"
            "configuration, all metrics (as docs/metrics.md), or the manual page for man.\n",
    .examples = "  peal help serve\n  peal help options\n  peal help man | man -l -\n",
    .words = "options|metrics|man",
};
