/* SPDX-License-Identifier: MIT
 *
 * base/mem.h: the only caller of malloc, realloc and free.
 *
 * Every allocation may fail and returns NULL then; the callers hand ERR_NOMEM on. Thread-safe.
 * The fail hook lets tests make the n-th allocation fail, to sweep every path.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include "base/check.h"
#include <stddef.h>

void *mem_alloc(size_t n) MUST_USE;              /* uninitialised; n > 0 */
void *mem_zalloc(size_t n) MUST_USE;             /* zeroed */
void *mem_realloc(void *p, size_t n) MUST_USE;   /* on NULL the old block is still valid */
void *mem_dup(const void *p, size_t n) MUST_USE; /* copy with a NUL appended */
void mem_free(void *p);                          /* NULL allowed */
/* Overwrites before freeing, for secrets. */
void mem_free_secret(void *p, size_t n);

/* Tests only: the allocation after `n` more successful ones fails, and all later ones too when
 * `sticky`. n < 0 switches the hook off. Process-wide. */
void mem_fail_after(long n, bool sticky);
/* Tests only: how many allocations failed by the hook since it was set. */
long mem_fail_count(void);
#endif
