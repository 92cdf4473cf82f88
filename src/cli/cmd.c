/* SPDX-License-Identifier: MIT
 *
 * cli/cmd.c: the table of commands, and what all of them print in the same way.
 */
#include "cli/cmd.h"
#include "base/buf.h"
#include "base/json_write.h"
#include "base/near.h"
#include "cli/text.h"
#include <stdio.h>
#include <sysexits.h>

const struct cmd *const commands[] = {
    &cmd_serve,    &cmd_restart,    &cmd_trigger, &cmd_listen, &cmd_channels, &cmd_users,
    &cmd_sign,     &cmd_trace,      &cmd_stats,   &cmd_bench,  &cmd_doctor,   &cmd_config,
    &cmd_password, &cmd_completion, &cmd_version, &cmd_help,   NULL,
};

const struct cmd *cmd_find(const char *name)
{
    for (const struct cmd *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0) return *c;
    return NULL;
}

int cmd_usage(bool asked_for)
{
    FILE *to = asked_for ? stdout : stderr;
    fputs("usage: peal <command> [options]\n\n", to);
    for (const struct cmd *const *c = commands; *c; c++)
        fprintf(to, "  %-10s  %s\n", (*c)->name, (*c)->help);
    fputs("\n`peal help <command>` says more, with examples.\n", to);
    return asked_for ? EX_OK : EX_USAGE;
}

int cmd_unknown(const char *name)
{
    struct near near = { .word = span_str(name) };
    for (const struct cmd *const *c = commands; *c; c++) near_try(&near, span_str((*c)->name));
    fprintf(stderr, "peal: there is no command '%s'", name);
    if (near.best.n) fprintf(stderr, "; did you mean '%.*s'?", SPAN_FMT(near.best));
    fputs("\n\n", stderr);
    return cmd_usage(false);
}

void cmd_print_page(const struct cmd *cmd)
{
    printf("usage: %s\n\n%s", cmd->usage, cmd->text);
    if (cmd->n_specs) fputs("\noptions:\n", stdout);
    for (size_t i = 0; i < cmd->n_specs; i++) {
        char left[64];
        const struct arg_spec *spec = &cmd->specs[i];
        snprintf(left, sizeof left, "%s%s%s", spec->name, spec->value ? " " : "",
                 spec->value ? spec->value : "");
        printf("  %-24s  %s\n", left, spec->help);
    }
    if (*cmd->examples) printf("\nexamples:\n%s", cmd->examples);
}

int cmd_fail(const struct cmd *cmd, int code, const char *text)
{
    struct buf line = { 0 };
    buf_add_fmt(&line, "peal %s: ", cmd->name);
    text_add_safe(&line, span_str(text));
    buf_add_byte(&line, '\n');
    if (!buf_failed(&line)) fwrite(line.p, 1, line.n, stderr);
    buf_fini(&line);
    return code;
}

int cmd_fail_json(const struct cmd *cmd, int code, const char *text, bool json)
{
    if (json) {
        struct buf line = { 0 };
        json_open(&line, '{');
        json_key(&line, SPAN("ok"));
        json_bool(&line, false);
        json_key(&line, SPAN("why"));
        json_string(&line, span_str(text));
        json_close(&line, '}');
        text_print(stdout, buf_span(&line));
        buf_fini(&line);
    }
    return cmd_fail(cmd, code, text);
}

int cmd_code_of(enum err err)
{
    return err == ERR_CONFIG   ? EX_CONFIG
           : err == ERR_DENIED ? EX_NOPERM
           : err == ERR_BUSY   ? EX_UNAVAILABLE
                               : EX_OSERR;
}

int cmd_fail_err(const struct cmd *cmd, enum err err, const struct diag *d)
{
    return cmd_fail(cmd, cmd_code_of(err), d->text[0] ? d->text : err_text(err));
}

struct args cmd_args(const struct cmd *cmd, int argc, char **argv)
{
    return (
        struct args) { .specs = cmd->specs, .n_specs = cmd->n_specs, .argc = argc, .argv = argv };
}

int cmd_read_args(const struct cmd *cmd, int argc, char **argv, cmd_take *take, void *ctx)
{
    struct args args = cmd_args(cmd, argc, argv);
    struct arg arg;
    struct diag d = { "" };
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        enum err err = kind == ARG_WRONG ? ERR_SYNTAX : take(ctx, &arg, &d);
        if (err == ERR_SYNTAX) return cmd_fail(cmd, EX_USAGE, d.text);
        if (err) return cmd_fail_err(cmd, err, &d);
    }
    return EX_OK;
}
