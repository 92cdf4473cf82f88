/* SPDX-License-Identifier: MIT
 *
 * cli/cmd.h: the sub-commands, and what they share: their pages, and how they end.
 *
 * A command gets argv[0] = its name and returns the exit code of the process, from sysexits.h.
 * Results go to stdout, everything else to stderr.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H
#include "cli/args.h"

struct cmd {
    const char *name;
    const char *help; /* one line */
    int (*run)(int argc, char **argv);
    const char *usage; /* "peal serve [options]" */
    const char *text;  /* what it does, lines with \n */
    const struct arg_spec *specs;
    size_t n_specs;
    const char *examples;
    const char *words; /* what its first word may be: "show|check"; NULL: anything */
};

extern const struct cmd cmd_serve, cmd_restart, cmd_trigger, cmd_listen, cmd_channels, cmd_users,
    cmd_sign, cmd_trace, cmd_stats, cmd_doctor, cmd_bench, cmd_config, cmd_password, cmd_completion,
    cmd_version, cmd_help;

/* All of them; NULL at the end. */
extern const struct cmd *const commands[];
const struct cmd *cmd_find(const char *name); /* or NULL */

/* The list of commands; to stderr with the exit code EX_USAGE, or to stdout with 0. */
int cmd_usage(bool asked_for);
int cmd_unknown(const char *name); /* EX_USAGE, with a suggestion */
void cmd_print_page(const struct cmd *cmd);

/* "peal NAME: TEXT" on stderr; returns `code`. Control characters are replaced. */
int cmd_fail(const struct cmd *cmd, int code, const char *text);
/* With `json` also {"ok":false,"why":TEXT} on stdout, for programs. */
int cmd_fail_json(const struct cmd *cmd, int code, const char *text, bool json);
/* As cmd_fail(), for what an operation of start-up returned; and the exit code alone. */
int cmd_code_of(enum err err);
int cmd_fail_err(const struct cmd *cmd, enum err err, const struct diag *d);

/* Walks the arguments of a command. */
struct args cmd_args(const struct cmd *cmd, int argc, char **argv);

/* Hands each argument to `take`. ERR_SYNTAX of it is a wrong command line, all else as
 * cmd_fail_err(). Returns EX_OK, or the exit code after having said why. */
typedef enum err cmd_take(void *ctx, const struct arg *arg, struct diag *d);
int cmd_read_args(const struct cmd *cmd, int argc, char **argv, cmd_take *take, void *ctx);
#endif
