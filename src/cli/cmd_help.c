/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_help.c: peal help, peal help COMMAND, peal help options.
 */
#include "base/buf.h"
#include "cli/cmd.h"
#include "cli/man_page.h"
#include "cli/options_doc.h"
#include "server/metrics.h"
#include <stdio.h>
#include <sysexits.h>

static int print_options(void)
{
    fputs("Global options: peal.yaml, --set NAME=VALUE, .env, environment; 0 means no limit.\n\n",
          stdout);
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) option_help_print(&option_globals[i]);
    fputs("\nOptions of an app: below its id in `apps` of peal.yaml, or --set apps.ID.NAME=VALUE;\n"
          "for all apps: below `app_defaults`, or --set app_defaults.NAME=VALUE.\n\n",
          stdout);
    for (size_t i = 0; i < N_APP_OPTIONS; i++) option_help_print(&option_apps[i]);
    return EX_OK;
}

/* Those that the word means; false where there is none. */
static bool print_called(struct span word)
{
    bool some = false;
    for (size_t i = 0; i < N_GLOBAL_OPTIONS + N_APP_OPTIONS; i++) {
        const struct option *opt =
            i < N_GLOBAL_OPTIONS ? &option_globals[i] : &option_apps[i - N_GLOBAL_OPTIONS];
        if (!option_called(opt, word)) continue;
        option_help_print(opt);
        some = true;
    }
    return some;
}

static int print_metrics(void)
{
    struct buf page = { 0 };
    metrics_doc(&page);
    if (!buf_failed(&page)) fwrite(page.p, 1, page.n, stdout);
    buf_fini(&page);
    return EX_OK;
}

/* "config show": a command and one of its own words, which its page tells about. */
static bool is_word_of(const struct cmd *cmd, const char *word)
{
    struct span rest = span_str(cmd && cmd->words ? cmd->words : ""), one;
    while (rest.n && span_cut(&rest, '|', &one))
        if (span_eq(one, span_str(word))) return true;
    return false;
}

/* A dot or capitals: meant as an option. */
static int fail(const char *word)
{
    struct span name = span_str(word);
    struct buf text = { 0 };
    if (!strchr(word, '.') && !span_starts(name, SPAN("PEAL_"))) return cmd_unknown(word);
    buf_add_fmt(&text, "there is no option '%s'", word);
    if (strchr(word, '.'))
        option_suggest(name, &text);
    else
        option_suggest_env(name, &text);
    buf_add_byte(&text, '\0');
    int code = cmd_fail(&cmd_help, EX_USAGE, buf_failed(&text) ? "no such option" : text.p);
    buf_fini(&text);
    return code;
}

static int run(int argc, char **argv)
{
    if (argc < 2) return cmd_usage(true);
    if (argc > 2 && !(argc == 3 && is_word_of(cmd_find(argv[1]), argv[2])))
        return cmd_fail(&cmd_help, EX_USAGE, "takes one command");
    if (strcmp(argv[1], "options") == 0) return print_options();
    if (strcmp(argv[1], "man") == 0) {
        man_page_print();
        return EX_OK;
    }
    if (strcmp(argv[1], "metrics") == 0) return print_metrics();
    const struct cmd *cmd = cmd_find(argv[1]);
    if (!cmd) return print_called(span_str(argv[1])) ? EX_OK : fail(argv[1]);
    cmd_print_page(cmd);
    return EX_OK;
}

const struct cmd cmd_help = {
    .name = "help",
    .help = "say more about a command, or about all options (help options)",
    .run = run,
    .usage = "peal help [COMMAND | OPTION | options | metrics | man]",
    .text = "Prints the list of commands, the page of one of them, an option of the\n"
            "configuration (or a group of them, like `limits`), all options, all metrics (as\n"
            "docs/metrics.md), or the manual page for man.\n",
    .examples = "  peal help serve\n  peal help limits.pending_bytes\n  peal help options\n  peal "
                "help man | man -l -\n",
    .words = "options|metrics|man",
};
