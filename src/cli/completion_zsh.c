/* SPDX-License-Identifier: MIT
 *
 * cli/completion_zsh.c: the scripts for zsh and fish, which show the help of each option.
 */
#include "cli/completion.h"

/* Text within single quotes of both shells, less the characters that _arguments gives a meaning
 * within brackets. */
static void add_text(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '\'')
            BUF_ADD_LIT(out, "'\\''");
        else if (strchr("[]\\", *text))
            buf_add_byte(out, ' ');
        else
            buf_add_byte(out, *text);
    }
}

/* --- zsh --- */

static void add_option(const struct arg_spec *spec, struct buf *out)
{
    bool many = strcmp(spec->name, "--set") == 0 || strcmp(spec->name, "--app") == 0;
    buf_add_fmt(out, "            '%s%s%s[", many ? "*" : "", spec->name, spec->value ? "=" : "");
    add_text(spec->help, out);
    BUF_ADD_LIT(out, "]");
    if (spec->value) {
        BUF_ADD_LIT(out, ":");
        for (const char *c = spec->value; *c; c++) /* outside of brackets a colon ends it */
            buf_add_fmt(out, "%s%c", *c == ':' ? "\\" : "", *c);
        BUF_ADD_LIT(out, ":");
    }
    switch (completion_value(spec)) {
    case COMPLETE_NOTHING:
        break;
    case COMPLETE_FILE:
        BUF_ADD_LIT(out, "_files");
        break;
    case COMPLETE_WORDS:
        BUF_ADD_LIT(out, "(");
        completion_words(spec, " ", out);
        BUF_ADD_LIT(out, ")");
        break;
    case COMPLETE_SETTING:
        BUF_ADD_LIT(out, "_peal_settings");
        break;
    }
    BUF_ADD_LIT(out, "' \\\n");
}

static void add_command(const struct cmd *cmd, struct buf *out)
{
    buf_add_fmt(out, "    %s)\n        _arguments \\\n", cmd->name);
    for (size_t i = 0; i < cmd->n_specs; i++) add_option(&cmd->specs[i], out);
    BUF_ADD_LIT(out, "            '--help[say what this command does]'");
    if (cmd->words || cmd == &cmd_help) {
        BUF_ADD_LIT(out, " \\\n            '1:word:(");
        completion_first(cmd, " ", out);
        BUF_ADD_LIT(out, ")'");
    }
    BUF_ADD_LIT(out, "\n        ;;\n");
}

void completion_zsh(struct buf *out)
{
    BUF_ADD_LIT(out, "#compdef peal\n"
                     "# zsh completion of peal; made by: peal completion zsh\n"
                     "_peal_settings() {\n"
                     "    compadd -S '' -- ");
    completion_settings(" ", out);
    BUF_ADD_LIT(out, "\n}\n"
                     "_peal() {\n"
                     "    local -a names\n"
                     "    names=(\n");
    for (const struct cmd *const *c = commands; *c; c++) {
        buf_add_fmt(out, "        '%s:", (*c)->name);
        add_text((*c)->help, out);
        BUF_ADD_LIT(out, "'\n");
    }
    BUF_ADD_LIT(out, "    )\n"
                     "    if (( CURRENT == 2 )); then\n"
                     "        _describe command names\n"
                     "        return\n"
                     "    fi\n"
                     "    local name=$words[2]\n"
                     "    shift words\n"
                     "    (( CURRENT-- ))\n"
                     "    case $name in\n");
    for (const struct cmd *const *c = commands; *c; c++) add_command(*c, out);
    /* Sourced it registers itself; from $fpath it runs. */
    BUF_ADD_LIT(out, "    esac\n"
                     "}\n"
                     "if [[ $funcstack[1] == _peal ]]; then\n"
                     "    _peal \"$@\"\n"
                     "else\n"
                     "    compdef _peal peal\n"
                     "fi\n");
}

/* --- fish --- */

static void add_fish_option(const struct cmd *cmd, const struct arg_spec *spec, struct buf *out)
{
    buf_add_fmt(out, "complete -c peal -n '__fish_seen_subcommand_from %s' -l %s", cmd->name,
                spec->name + 2);
    switch (completion_value(spec)) {
    case COMPLETE_NOTHING:
        if (spec->value) BUF_ADD_LIT(out, " -x");
        break;
    case COMPLETE_FILE:
        BUF_ADD_LIT(out, " -r -F");
        break;
    case COMPLETE_WORDS:
        BUF_ADD_LIT(out, " -x -a '");
        completion_words(spec, " ", out);
        BUF_ADD_LIT(out, "'");
        break;
    case COMPLETE_SETTING:
        BUF_ADD_LIT(out, " -x -a '");
        completion_settings(" ", out);
        BUF_ADD_LIT(out, "'");
        break;
    }
    BUF_ADD_LIT(out, " -d '");
    for (const char *p = spec->help; *p; p++) { /* quotes are escaped in another way than in zsh */
        if (*p == '\'' || *p == '\\') buf_add_byte(out, '\\');
        buf_add_byte(out, *p);
    }
    BUF_ADD_LIT(out, "'\n");
}

void completion_fish(struct buf *out)
{
    BUF_ADD_LIT(out, "# fish completion of peal; made by: peal completion fish\n"
                     "complete -c peal -f\n");
    for (const struct cmd *const *c = commands; *c; c++) {
        buf_add_fmt(out, "complete -c peal -n __fish_use_subcommand -a %s -d '", (*c)->name);
        add_text((*c)->help, out);
        BUF_ADD_LIT(out, "'\n");
        for (size_t i = 0; i < (*c)->n_specs; i++) add_fish_option(*c, &(*c)->specs[i], out);
        if (!(*c)->words && *c != &cmd_help) continue;
        buf_add_fmt(out, "complete -c peal -n '__fish_seen_subcommand_from %s' -a '", (*c)->name);
        completion_first(*c, " ", out);
        BUF_ADD_LIT(out, "'\n");
    }
}
