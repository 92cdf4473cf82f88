/* SPDX-License-Identifier: MIT
 *
 * cli/args.c: a table and a loop; getopt_long() would abbreviate, permute and print on its own.
 */
#include "cli/args.h"
#include "base/near.h"
#include "base/span.h"

static enum arg_kind wrong(struct diag *d, const char *text, struct span name)
{
    diag_set(d, ERR_SYNTAX, "%.*s %s", SPAN_FMT(name), text);
    return ARG_WRONG;
}

static enum arg_kind unknown(const struct args *a, struct span name, struct diag *d)
{
    struct near near = { .word = name };
    for (size_t i = 0; i < a->n_specs; i++) near_try(&near, span_str(a->specs[i].name));
    if (near.best.n)
        diag_set(d, ERR_SYNTAX, "there is no option %.*s; did you mean %.*s?", SPAN_FMT(name),
                 SPAN_FMT(near.best));
    else
        diag_set(d, ERR_SYNTAX, "there is no option %.*s; see peal help %s", SPAN_FMT(name),
                 a->argv[0]);
    return ARG_WRONG;
}

static const struct arg_spec *find(const struct args *a, struct span name)
{
    for (size_t i = 0; i < a->n_specs; i++)
        if (span_eq(name, span_str(a->specs[i].name))) return &a->specs[i];
    return NULL;
}

static enum arg_kind take_option(struct args *a, const char *text, struct arg *out, struct diag *d)
{
    struct span value = span_str(text), name;
    span_cut(&value, '=', &name);
    const struct arg_spec *spec = find(a, name);
    if (!spec) return unknown(a, name, d);
    if (!spec->value && value.p) return wrong(d, "takes no value", name);
    *out = (struct arg) { spec, value.p };
    if (!spec->value || value.p) return ARG_OPTION;
    if (a->_at + 1 >= a->argc) return wrong(d, "needs a value", name);
    out->value = a->argv[++a->_at];
    return ARG_OPTION;
}

enum arg_kind args_next(struct args *a, struct arg *out, struct diag *d)
{
    if (!a->_only_words && a->_at + 1 < a->argc && strcmp(a->argv[a->_at + 1], "--") == 0) {
        a->_only_words = true;
        a->_at++;
    }
    if (a->_at + 1 >= a->argc) return ARG_END;
    const char *text = a->argv[++a->_at];
    if (!a->_only_words && text[0] == '-' && text[1]) return take_option(a, text, out, d);
    *out = (struct arg) { NULL, text };
    return ARG_WORD;
}

bool arg_is(const struct arg *arg, const char *name)
{
    return arg->spec && strcmp(arg->spec->name, name) == 0;
}

bool arg_number(const struct arg *arg, uint64_t min, uint64_t max, uint64_t *out, struct diag *d)
{
    uint64_t v;
    if (span_to_u64(span_str(arg->value), &v) && v >= min && v <= max) {
        *out = v;
        return true;
    }
    diag_set(d, ERR_RANGE, "%s must be a whole number from %llu to %llu, not '%s'", arg->spec->name,
             (unsigned long long)min, (unsigned long long)max, arg->value);
    return false;
}
