/* SPDX-License-Identifier: MIT
 *
 * cli/completion.h: scripts that let a shell complete the command line, from the tables of the
 * commands and of the options.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H
#include "base/buf.h"
#include "cli/cmd.h"

void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

/* What can stand behind an option of a command. */
enum completion_value {
    COMPLETE_NOTHING, /* anything, which nobody can guess */
    COMPLETE_FILE,
    COMPLETE_WORDS,   /* completion_words() */
    COMPLETE_SETTING, /* NAME=, of an option of the configuration */
};
enum completion_value completion_value(const struct arg_spec *spec);
/* Appends them, with `between` between them. */
void completion_words(const struct arg_spec *spec, const char *between, struct buf *out);
/* Appends the names of all options for --set: "log.level= app_defaults.enabled= …". */
void completion_settings(const char *between, struct buf *out);
/* Appends the words that may come first behind a command. */
void completion_first(const struct cmd *cmd, const char *between, struct buf *out);
#endif
