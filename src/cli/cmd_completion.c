/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_completion.c: peal completion: the script that a shell reads.
 */
#include "cli/completion.h"
#include <stdio.h>
#include <sysexits.h>

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} shells[] = {
    { "bash", completion_bash },
    { "zsh", completion_zsh },
    { "fish", completion_fish },
};

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    size_t *shell = ctx;
    for (size_t i = 0; i < ARRAY_LEN(shells) && *shell == ARRAY_LEN(shells); i++) {
        if (strcmp(arg->value, shells[i].name) != 0) continue;
        *shell = i;
        return ERR_OK;
    }
    return diag_set(d, ERR_SYNTAX, "takes one word: bash, zsh or fish");
}

static int run(int argc, char **argv)
{
    size_t shell = ARRAY_LEN(shells);
    struct buf out = { 0 };
    int code = cmd_read_args(&cmd_completion, argc, argv, take, &shell);
    if (code != EX_OK) return code;
    if (shell == ARRAY_LEN(shells))
        return cmd_fail(&cmd_completion, EX_USAGE, "needs a word: bash, zsh or fish");
    shells[shell].write(&out);
    if (buf_failed(&out))
        code = cmd_fail(&cmd_completion, EX_OSERR, "out of memory");
    else if (fwrite(out.p, 1, out.n, stdout) != out.n)
        code = EX_IOERR;
    buf_fini(&out);
    return code;
}

const struct cmd cmd_completion = {
    .name = "completion",
    .help = "print the script that lets a shell complete commands",
    .run = run,
    .usage = "peal completion bash|zsh|fish",
    .text = "Prints a script by which the shell completes commands, options, and the names of\n"
            "settings behind --set.\n",
    .examples = "  source <(peal completion bash)\n"
                "  peal completion bash >/etc/bash_completion.d/peal\n"
                "  peal completion zsh >/usr/local/share/zsh/site-functions/_peal\n"
                "  peal completion fish >~/.config/fish/completions/peal.fish\n",
    .words = "bash|zsh|fish",
};
