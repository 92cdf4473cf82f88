/* SPDX-License-Identifier: MIT
 *
 * cli/completion.c: what can be completed, and the script for bash; those for zsh and fish are in
 * completion_zsh.c.
 */
#include "cli/completion.h"
#include "server/config_table.h"

/* Values that an option of the configuration lists. */
static const struct {
    const char *value, *option;
} listed[] = {
    { "LEVEL", "log.level" },
    { "FORMAT", "log.format" },
};

enum completion_value completion_value(const struct arg_spec *spec)
{
    if (!spec->value) return COMPLETE_NOTHING;
    if (strcmp(spec->value, "FILE") == 0) return COMPLETE_FILE;
    if (strcmp(spec->value, "NAME=VALUE") == 0) return COMPLETE_SETTING;
    for (size_t i = 0; i < ARRAY_LEN(listed); i++)
        if (strcmp(spec->value, listed[i].value) == 0) return COMPLETE_WORDS;
    return COMPLETE_NOTHING;
}

/* "a|b|c" */
static void add_parts(const char *parts, const char *between, struct buf *out)
{
    struct span rest = span_str(parts), part;
    for (bool first = true; span_cut(&rest, '|', &part); first = false) {
        if (!first) buf_add_span(out, span_str(between));
        buf_add_span(out, part);
    }
}

void completion_words(const struct arg_spec *spec, const char *between, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(listed); i++)
        if (strcmp(spec->value, listed[i].value) == 0)
            add_parts(option_find_global(span_str(listed[i].option))->unit, between, out);
}

void completion_settings(const char *between, struct buf *out)
{
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++)
        buf_add_fmt(out, "%s%s=", i ? between : "", option_globals[i].name);
    for (size_t i = 0; i < N_APP_OPTIONS; i++)
        if (option_apps[i].dflt) /* the others are each app's own */
            buf_add_fmt(out, "%sapp_defaults.%s=", between, option_apps[i].name);
}

void completion_first(const struct cmd *cmd, const char *between, struct buf *out)
{
    if (cmd->words) add_parts(cmd->words, between, out);
    if (cmd != &cmd_help) return;
    for (const struct cmd *const *c = commands; *c; c++)
        buf_add_fmt(out, "%s%s", between, (*c)->name);
}

/* --- bash --- */

static void add_value(const struct arg_spec *spec, struct buf *out)
{
    if (!spec->value) return;
    buf_add_fmt(out, "        %s) ", spec->name);
    switch (completion_value(spec)) {
    case COMPLETE_NOTHING:
        BUF_ADD_LIT(out, "return");
        break;
    case COMPLETE_FILE:
        BUF_ADD_LIT(out, "_peal_files; return");
        break;
    case COMPLETE_WORDS:
        BUF_ADD_LIT(out, "_peal_words '");
        completion_words(spec, " ", out);
        BUF_ADD_LIT(out, "'; return");
        break;
    case COMPLETE_SETTING:
        BUF_ADD_LIT(out, "_peal_settings; return");
        break;
    }
    BUF_ADD_LIT(out, " ;;\n");
}

static void add_command(const struct cmd *cmd, struct buf *out)
{
    buf_add_fmt(out, "    %s)\n        case $prev in\n", cmd->name);
    for (size_t i = 0; i < cmd->n_specs; i++) add_value(&cmd->specs[i], out);
    BUF_ADD_LIT(out, "        esac\n        flags='");
    for (size_t i = 0; i < cmd->n_specs; i++) buf_add_fmt(out, "%s ", cmd->specs[i].name);
    BUF_ADD_LIT(out, "--help'\n        first='");
    completion_first(cmd, " ", out);
    BUF_ADD_LIT(out, "'\n        ;;\n");
}

static void add_names(const char *between, struct buf *out)
{
    for (const struct cmd *const *c = commands; *c; c++)
        buf_add_fmt(out, "%s%s", c == commands ? "" : between, (*c)->name);
}

void completion_bash(struct buf *out)
{
    BUF_ADD_LIT(out, "# bash completion of peal; made by: peal completion bash\n"
                     "_peal_words() {\n"
                     "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
                     "}\n"
                     "_peal_files() {\n"
                     "    compopt -o filenames 2>/dev/null\n"
                     "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                     "}\n"
                     "_peal_settings() {\n"
                     "    compopt -o nospace 2>/dev/null\n"
                     "    _peal_words '");
    completion_settings(" ", out);
    BUF_ADD_LIT(out, "'\n}\n"
                     "_peal() {\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local flags='' first=''\n"
                     "    COMPREPLY=()\n"
                     "    # --name=value comes in three words\n"
                     "    if [[ $cur == '=' ]]; then\n"
                     "        cur=''\n"
                     "    elif [[ $prev == '=' && $COMP_CWORD -gt 2 ]]; then\n"
                     "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
                     "    fi\n"
                     "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
                     "        _peal_words '");
    add_names(" ", out);
    BUF_ADD_LIT(out, " --help --version'\n"
                     "        return\n"
                     "    fi\n"
                     "    case ${COMP_WORDS[1]} in\n");
    for (const struct cmd *const *c = commands; *c; c++) add_command(*c, out);
    BUF_ADD_LIT(out, "    esac\n"
                     "    if [[ $cur == -* ]]; then\n"
                     "        _peal_words \"$flags\"\n"
                     "    elif [[ $COMP_CWORD -eq 2 && -n $first ]]; then\n"
                     "        _peal_words \"$first\"\n"
                     "    fi\n"
                     "}\n"
                     "complete -F _peal peal\n");
}
