/* SPDX-License-Identifier: MIT
 *
 * base/mem.c: malloc behind one door, so that tests can close it.
 *
 * The hook costs the normal path one relaxed load and a branch that is always predicted: worth it,
 * because then the very binaries that users run are the ones whose out-of-memory paths were swept.
 */
#include "base/mem.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool hook_on;
static atomic_bool hook_sticky;
static atomic_long hook_left;   /* allocations that still succeed; below 0: it has failed */
static atomic_long hook_failed; /* how many it made fail */

/* Counts one allocation; true when it shall fail. */
static bool count_down(void)
{
    long before = atomic_fetch_sub(&hook_left, 1);
    bool fails = before == 0 || (before < 0 && atomic_load(&hook_sticky));
    if (fails) atomic_fetch_add(&hook_failed, 1);
    return fails;
}

static inline bool refuses(void)
{
    return __builtin_expect(atomic_load_explicit(&hook_on, memory_order_relaxed), 0) &&
           count_down();
}

void *mem_alloc(size_t n)
{
    CHECK(n > 0);
    return refuses() ? NULL : malloc(n);
}

void *mem_zalloc(size_t n)
{
    CHECK(n > 0);
    return refuses() ? NULL : calloc(1, n);
}

void *mem_realloc(void *p, size_t n)
{
    CHECK(n > 0); /* realloc(p, 0) means different things on different systems */
    return refuses() ? NULL : realloc(p, n);
}

void *mem_dup(const void *p, size_t n)
{
    size_t with_nul;
    if (!size_add(n, 1, &with_nul)) return NULL;
    char *copy = mem_alloc(with_nul);
    if (!copy) return NULL;
    if (n) memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_free_secret(void *p, size_t n)
{
    if (p) explicit_bzero(p, n); /* a plain memset before free would be optimised away */
    free(p);
}

void mem_fail_after(long n, bool sticky)
{
    atomic_store(&hook_on, false);
    atomic_store(&hook_left, n);
    atomic_store(&hook_sticky, sticky);
    atomic_store(&hook_failed, 0);
    if (n >= 0) atomic_store(&hook_on, true);
}

long mem_fail_count(void)
{
    return atomic_load(&hook_failed);
}
