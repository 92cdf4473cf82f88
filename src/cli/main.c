/* SPDX-License-Identifier: MIT
 *
 * cli/main.c: picks the sub-command. Knows nothing about sockets or protocols.
 */
#include "cli/cmd.h"
#include <string.h>

static bool asks_for_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) return cmd_usage(false);
    if (asks_for_help(argv[1])) return cmd_usage(true);
    if (strcmp(argv[1], "--version") == 0) return cmd_version.run(argc - 1, argv + 1);
    const struct cmd *cmd = cmd_find(argv[1]);
    if (!cmd) return cmd_unknown(argv[1]);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (!asks_for_help(argv[i])) continue;
        cmd_print_page(cmd);
        return 0;
    }
    return cmd->run(argc - 1, argv + 1);
}
