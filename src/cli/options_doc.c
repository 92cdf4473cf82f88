/* SPDX-License-Identifier: MIT
 *
 * cli/options_doc.c: the reference of all options as Markdown. tools/gen-docs writes it to
 * docs/options.md, and its --check compares.
 */
#include "cli/options_doc.h"
#include <stdio.h>

#define HELP_WIDTH 78
#define HELP_INDENT 6

bool option_called(const struct option *opt, struct span word)
{
    static const struct span defaults = SPAN("app_defaults.");
    struct span name = span_str(opt->name);
    struct option_ref ref;
    if (span_eq(name, word)) return true;
    if (option_find(word, &ref) || option_find_env(word, &ref)) return ref.option == opt;
    if (option_is_app(opt) && span_starts(word, defaults)) word = span_skip(word, defaults.n);
    return word.n && span_starts(name, word) && name.p[word.n] == '.';
}

/* Lines of HELP_WIDTH at most, broken at spaces. */
static void print_lines(const char *text)
{
    struct span rest = span_str(text), word;
    size_t column = 0;
    while (span_cut(&rest, ' ', &word)) {
        if (column && column + 1 + word.n > HELP_WIDTH) {
            putchar('\n');
            column = 0;
        }
        int indent = column ? 1 : HELP_INDENT;
        printf("%*s%.*s", indent, "", SPAN_FMT(word));
        column += (size_t)indent + word.n;
    }
    putchar('\n');
}

void option_help_print(const struct option *opt)
{
    struct buf env = { 0 };
    option_env_name(opt, &env);
    printf("  %s%s", option_is_app(opt) ? "apps[]." : "", opt->name);
    if (opt->dflt) printf("  (default %s)", *opt->dflt ? opt->dflt : "none");
    putchar('\n');
    print_lines(opt->help);
    if (opt->unit[0]) printf("      unit or values: %s", opt->unit);
    if (opt->unit[0] && opt->max > opt->min)
        printf("; from %llu to %llu", (unsigned long long)opt->min, (unsigned long long)opt->max);
    if (opt->unit[0]) putchar('\n');
    if (opt->restart) puts("      a new value needs a restart");
    if (env.n) printf("      environment: %.*s\n", SPAN_FMT(env));
    buf_fini(&env);
}

/* `|` would end the cell of a table. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|') putchar('\\');
        putchar(*text);
    }
}

static void print_value(const struct option *opt)
{
    if (opt->type == OPTION_BOOL)
        fputs("true, false", stdout);
    else
        print_cell(opt->unit);
    if (opt->type == OPTION_CODE)
        printf(", %llu or %llu", (unsigned long long)opt->min, (unsigned long long)opt->max);
    else if (opt->max > opt->min)
        printf(", %llu to %llu", (unsigned long long)opt->min, (unsigned long long)opt->max);
}

static void print_row(const struct option *opt)
{
    struct buf env = { 0 };
    option_env_name(opt, &env);
    printf("| `%s` | ", opt->name);
    if (!opt->dflt)
        fputs("none, must be given", stdout);
    else
        printf(*opt->dflt ? "`%s`" : "empty%s", opt->dflt);
    fputs(" | ", stdout);
    print_value(opt);
    fputs(" | ", stdout);
    print_cell(opt->help);
    if (opt->restart) fputs(" (restart)", stdout);
    if (env.n) printf(". `%.*s`", SPAN_FMT(env));
    fputs(" |\n", stdout);
    buf_fini(&env);
}

static void print_head(void)
{
    fputs("\n| option | default | values | what it is |\n|---|---|---|---|\n", stdout);
}

static const char *conversion(enum alias_conversion how)
{
    switch (how) {
    case ALIAS_AS_IS:
        return "";
    case ALIAS_MINUS_ONE:
        return "-1 = no limit";
    case ALIAS_KIB:
        return "in KiB; -1 = no limit";
    }
    return "";
}

static const char *scope(enum alias_scope scope)
{
    switch (scope) {
    case ALIAS_GLOBAL_OPTION:
        return "";
    case ALIAS_ALL_APPS:
        return "app_defaults.";
    case ALIAS_PUSHER_APP:
        return "the app of PUSHER_APP_ID: ";
    case ALIAS_REVERB_APP:
        return "the app of REVERB_APP_ID: ";
    case ALIAS_SOKETI_APP:
        return "the app of SOKETI_DEFAULT_APP_ID: ";
    }
    return "";
}

static void print_aliases(void)
{
    fputs("\n## Names of other servers\n\n"
          "Read from `.env` and the environment. Two that set the same option to different values "
          "are refused.\n\n"
          "| variable | option | |\n|---|---|---|\n",
          stdout);
    for (size_t i = 0; i < option_n_aliases; i++) {
        const struct option_alias *a = &option_aliases[i];
        printf("| `%s` | %s`%s` | %s |\n", a->env, scope(a->scope), a->option,
               conversion(a->conversion));
    }
}

void options_doc_print(void)
{
    fputs("# Options\n\n"
          "<!-- made by tools/gen-docs from src/server/options.def; do not edit -->\n\n"
          "Sources, later wins: the default, `peal.yaml`, `.env`, the environment, flags. In\n"
          "`peal.yaml` a dot is a level (`log.level` is `level` below `log`). In `.env` and the\n"
          "environment the name is `PEAL_` and the option in capitals with `_` for dots. As a\n"
          "flag: `--set NAME=VALUE`. Numbers of bytes may end in KiB, MiB or GiB; 0 means no\n"
          "limit. `peal config show` prints what is in force, and where it comes from.\n"
          "A reload (SIGHUP) takes all options over but those marked (restart).\n\n"
          "## Global\n",
          stdout);
    print_head();
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) print_row(&option_globals[i]);
    fputs(
        "\n## For each app\n\n"
        "Below the app's `id` in `apps`, or `--set apps.ID.NAME=VALUE`. For all apps that do not\n"
        "say otherwise: below `app_defaults`, `--set app_defaults.NAME=VALUE`, or the variable\n"
        "that stands in the last column.\n",
        stdout);
    print_head();
    for (size_t i = 0; i < N_APP_OPTIONS; i++) print_row(&option_apps[i]);
    print_aliases();
}
