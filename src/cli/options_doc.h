/* SPDX-License-Identifier: MIT
 * cli/options_doc.h: what is said about options: docs/options.md and `peal help OPTION`, made from
 * the option table. */
#ifndef CLI_OPTIONS_DOC_H
#define CLI_OPTIONS_DOC_H
#include "server/config_table.h"

void options_doc_print(void); /* to stdout */

/* Whether a word means this option, as a person may write it: its name, with app_defaults. or
 * apps.ID. before it, the variable, or the group that it is in (`limits`). */
bool option_called(const struct option *opt, struct span word);
/* What `peal help` says about an option; to stdout. */
void option_help_print(const struct option *opt);
#endif
