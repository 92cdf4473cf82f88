/* SPDX-License-Identifier: MIT
 *
 * base/err.h: the one error enum, and `struct diag` for errors that an operator reads.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include "base/check.h"

enum err {
#define X(name, text) ERR_##name,
#include "base/err.def"
#undef X
};

/* A static text, never NULL. */
const char *err_text(enum err err);

/* What an operator needs: one full sentence that says what was wrong, where (file and line, option
 * or environment name) and what to do. Filled by start-up code on failure. */
struct diag {
    char text[1024];
};

/* Formats into `d` (NULL allowed: then nothing) and returns `err`, for `return diag_set(…)`. */
enum err diag_set(struct diag *d, enum err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#endif
