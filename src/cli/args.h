/* SPDX-License-Identifier: MIT
 *
 * cli/args.h: the command line, one argument at a time.
 *
 * Long options only: `--name value`, `--name=value`, `--flag`; `--` ends the options; all else is a
 * word. The same table that is parsed by is printed by `peal help`.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H
#include "base/err.h"

struct arg_spec {
    const char *name;  /* "--port" */
    const char *value; /* what stands behind it ("N"), NULL: nothing */
    const char *help;
};

enum arg_kind { ARG_OPTION, ARG_WORD, ARG_END, ARG_WRONG };

struct arg {
    const struct arg_spec *spec; /* ARG_OPTION */
    const char *value;           /* the option's, or the word; NULL for a flag */
};

/* Set the first four; argv[0] is the command's name. All borrowed. */
struct args {
    const struct arg_spec *specs;
    size_t n_specs;
    int argc;
    char **argv;
    int _at; /* index of the last argument that was used */
    bool _only_words;
};

/* The next argument. ARG_WRONG: `d` says what (unknown with a suggestion, value missing or too
 * much). */
enum arg_kind args_next(struct args *a, struct arg *out, struct diag *d);

/* Whether it is the option of this name. */
bool arg_is(const struct arg *arg, const char *name);
/* A decimal number from min to max; else `d` says so. */
bool arg_number(const struct arg *arg, uint64_t min, uint64_t max, uint64_t *out, struct diag *d);
#endif
