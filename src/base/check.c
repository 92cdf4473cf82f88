/* SPDX-License-Identifier: MIT
 *
 * base/check.c: the last words of a process that found itself wrong.
 *
 * Goes to descriptor 2 directly and allocates nothing: the heap or the log may be what is broken.
 */
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void check_failed(const char *expr, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof text, "peal: internal error: %s:%d: %s\n", file, line, expr);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    ssize_t ignored = write(STDERR_FILENO, text, len);
    (void)ignored;
    abort();
}
