/* SPDX-License-Identifier: MIT
 *
 * base/err.c: the texts of the error enum, and diagnostics for operators.
 */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>

static const char *const texts[] = {
#define X(name, text) text,
#include "base/err.def"
#undef X
};

const char *err_text(enum err err)
{
    size_t i = (size_t)err;
    return i < ARRAY_LEN(texts) ? texts[i] : "unknown error";
}

enum err diag_set(struct diag *d, enum err err, const char *fmt, ...)
{
    if (!d) return err;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(d->text, sizeof d->text, fmt, args);
    va_end(args);
    if (n < 0) d->text[0] = '\0'; /* a text that cannot be formatted is no reason to fail twice */
    return err;
}
