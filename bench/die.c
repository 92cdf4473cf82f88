/* SPDX-License-Identifier: MIT
 *
 * bench/die.c: one sentence and the end.
 */
#include "bench/die.h"
#include "base/mem.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 1, 0))) static void complain(const char *fmt, va_list args,
                                                           const char *why)
{
    fflush(stdout);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    if (why) fprintf(stderr, ": %s", why);
    fputc('\n', stderr);
}

static void (*last_words)(void);
static pid_t ours; /* children have none */

void die_after(void (*words)(void))
{
    last_words = words;
    ours = getpid();
}

static _Noreturn void end(void)
{
    void (*words)(void) = getpid() == ours ? last_words : NULL;
    last_words = NULL;
    if (words) words();
    exit(1);
}

void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    complain(fmt, args, NULL);
    va_end(args);
    end();
}

void die_errno(const char *fmt, ...)
{
    const char *why = strerror(errno);
    va_list args;
    va_start(args, fmt);
    complain(fmt, args, why);
    va_end(args);
    end();
}

void *must_alloc(size_t n)
{
    void *p = mem_zalloc(n ? n : 1);
    if (!p) die("out of memory");
    return p;
}

void must_free(void *p)
{
    mem_free(p);
}
