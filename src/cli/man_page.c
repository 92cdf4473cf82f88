/* SPDX-License-Identifier: MIT
 *
 * cli/man_page.c: the same texts as `peal help`, as roff. tools/gen-docs writes it to docs/peal.1.
 *
 * Blank lines end paragraphs there; lines that begin with white space are kept as they stand. All
 * that roff would obey is escaped: backslashes, hyphens (which must stay ASCII to be copied), and a
 * dot or a quote at the beginning of a line.
 */
#include "cli/man_page.h"
#include "cli/cmd.h"
#include "server/config_table.h"
#include <stdio.h>

/* --- text --- */

static void print_char(char c)
{
    static const struct {
        char c;
        const char *roff;
    } special[] = {
        { '\\', "\\e" },   { '-', "\\-" },   { '`', "\\(ga" },
        { '\'', "\\(aq" }, { '^', "\\(ha" }, { '~', "\\(ti" },
    };
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (special[i].c != c) continue;
        fputs(special[i].roff, stdout);
        return;
    }
    putchar(c);
}

/* Without line breaks. The one character of ours that is not ASCII is the ellipsis. */
static void print_span(struct span text)
{
    if (text.n && text.p[0] == '.') fputs("\\&", stdout);
    while (text.n) {
        if (span_starts(text, SPAN("…"))) {
            fputs("...", stdout);
            text = span_skip(text, strlen("…"));
            continue;
        }
        print_char(text.p[0]);
        text = span_skip(text, 1);
    }
}

static void print_line(struct span line)
{
    print_span(line);
    putchar('\n');
}

static void print_text(const char *text)
{
    struct span rest = span_str(text), line;
    bool kept = false; /* within .nf and .fi */
    while (rest.n && span_cut(&rest, '\n', &line)) {
        bool keep = line.n && line.p[0] == ' ';
        if (keep != kept) puts(keep ? ".PP\n.nf" : ".fi");
        kept = keep;
        if (line.n)
            print_line(keep ? span_skip(line, 2) : line);
        else
            puts(".PP");
    }
    if (kept) puts(".fi");
}

static void print_bold(const char *text)
{
    fputs("\\fB", stdout);
    print_span(span_str(text));
    fputs("\\fR", stdout);
}

/* --- parts --- */

static void print_synopsis(const char *usage)
{
    struct span rest = span_str(usage), line;
    while (rest.n && span_cut(&rest, '\n', &line)) {
        while (line.n && line.p[0] == ' ') line = span_skip(line, 1);
        print_line(line);
        if (rest.n) puts(".br");
    }
}

static void print_command(const struct cmd *cmd)
{
    printf(".SS ");
    print_line(span_str(cmd->name));
    print_synopsis(cmd->usage);
    puts(".PP");
    print_text(cmd->text);
    for (size_t i = 0; i < cmd->n_specs; i++) {
        puts(".TP");
        print_bold(cmd->specs[i].name);
        if (cmd->specs[i].value) {
            fputs(" \\fI", stdout);
            print_span(span_str(cmd->specs[i].value));
            fputs("\\fR", stdout);
        }
        putchar('\n');
        print_line(span_str(cmd->specs[i].help));
    }
    if (*cmd->examples) puts(".PP\nExamples:");
    print_text(cmd->examples);
}

static void print_range(const struct option *opt)
{
    if (opt->unit[0]) {
        fputs("Unit or values: ", stdout);
        print_span(span_str(opt->unit));
    }
    if (opt->unit[0] && opt->max > opt->min)
        printf("; %llu %s %llu", (unsigned long long)opt->min,
               opt->type == OPTION_CODE ? "or" : "to", (unsigned long long)opt->max);
    if (opt->unit[0]) puts(".");
}

static void print_option(const struct option *opt)
{
    struct buf env = { 0 };
    puts(".TP");
    print_bold(opt->name);
    if (opt->dflt) {
        fputs(" (default ", stdout);
        print_span(span_str(*opt->dflt ? opt->dflt : "none"));
        putchar(')');
    }
    putchar('\n');
    print_span(span_str(opt->help));
    puts(".");
    print_range(opt);
    option_env_name(opt, &env);
    if (env.n) printf("Environment: %.*s.\n", SPAN_FMT(env));
    buf_fini(&env);
}

static void print_options(void)
{
    puts(".SH SETTINGS");
    print_text(
        "Sources, later wins: the default, peal.yaml, .env, the environment, flags. In\n"
        "peal.yaml a dot is a level (log.level is level below log). As a flag: --set\n"
        "NAME=VALUE. 0 means no limit. `peal config show` prints what is in force, and where it\n"
        "comes from.\n");
    puts(".SS Of the server");
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) print_option(&option_globals[i]);
    puts(".SS Of each app");
    print_text("Below its id in `apps` of peal.yaml, or --set apps.ID.NAME=VALUE; for all apps:\n"
               "below `app_defaults`, or --set app_defaults.NAME=VALUE.\n");
    for (size_t i = 0; i < N_APP_OPTIONS; i++) print_option(&option_apps[i]);
}

static void print_aliases(void)
{
    puts(".SH ENVIRONMENT");
    print_text(
        "Beside the variables named above, those of other servers are read, also from .env.\n"
        "An app is described by PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET, or by\n"
        "the same with REVERB_APP_ or SOKETI_DEFAULT_APP_ in front.\n"
        "\n");
    for (size_t i = 0; i < option_n_aliases; i++) {
        print_span(span_str(option_aliases[i].env));
        puts(i + 1 < option_n_aliases ? "," : ".");
    }
}

static void print_rest(void)
{
    puts(".SH FILES\n.TP\n\\fBpeal.yaml\\fR, \\fB.env\\fR");
    print_text("Settings, read from the working directory where they exist and no other file is\n"
               "given.\n");
    puts(".SH EXIT STATUS");
    print_text(
        "0 on success. Else a number of sysexits.h: 64 a wrong command line, 65 refused or\n"
        "wrong data, 68 no such host, 69 no answer, 71 an error of the system, 75 try again\n"
        "later, 76 not a Pusher server, 77 not allowed, 78 wrong settings.\n");
    puts(".SH SEE ALSO");
    print_text("The pages of the commands: peal help COMMAND. All settings: peal help options.\n");
}

void man_page_print(void)
{
    puts(".\\\" made by tools/gen-docs from the tables of the program; do not edit\n"
         ".TH PEAL 1 \"\" \"peal " PEAL_VERSION "\" \"User Commands\"\n"
         ".SH NAME\n"
         "peal \\- Pusher\\-compatible push server, and commands that talk to one\n"
         ".SH SYNOPSIS");
    for (const struct cmd *const *c = commands; *c; c++) {
        print_synopsis((*c)->usage);
        if (c[1]) puts(".br");
    }
    puts(".SH DESCRIPTION");
    print_text(
        "peal serves browsers and apps over WebSockets, and back ends over the HTTP API, as\n"
        "the libraries of Pusher Channels expect it. The other commands publish, listen,\n"
        "look and explain.\n");
    puts(".SH COMMANDS");
    for (const struct cmd *const *c = commands; *c; c++) print_command(*c);
    print_options();
    print_aliases();
    print_rest();
}
