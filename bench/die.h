/* SPDX-License-Identifier: MIT
 *
 * bench/die.h: how a benchmark ends when its figures would be worth nothing.
 *
 * There is nothing to clean up: the kernel ends our servers with us (bench/proc.c).
 */
#ifndef BENCH_DIE_H
#define BENCH_DIE_H
#include "base/check.h"

/* One sentence on stderr, exit code 1. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, with what errno says. */
_Noreturn void die_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What is called in front of the end by die(), once, in this process alone. */
void die_after(void (*words)(void));

/* Zeroed memory that is always there. */
void *must_alloc(size_t n) MUST_USE;
void must_free(void *p);
#endif
