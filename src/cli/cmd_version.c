/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_version.c: peal version.
 */
#include "cli/cmd.h"
#include <stdio.h>
#include <sysexits.h>

static int run(int argc, char **argv)
{
    struct args args = cmd_args(&cmd_version, argc, argv);
    struct arg arg;
    struct diag d;
    bool json = false;
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        if (kind == ARG_WRONG) return cmd_fail(&cmd_version, EX_USAGE, d.text);
        if (kind == ARG_WORD) return cmd_fail(&cmd_version, EX_USAGE, "takes no arguments");
        json = true;
    }
    printf(json ? "{\"version\":\"%s\"}\n" : "peal %s\n", PEAL_VERSION);
    return EX_OK;
}

static const struct arg_spec specs[] = { { "--json", NULL, "print JSON" } };

const struct cmd cmd_version = {
    .name = "version",
    .help = "print the version",
    .run = run,
    .usage = "peal version [--json]",
    .text = "Prints the version of this program.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal version\n",
};
