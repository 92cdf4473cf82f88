/* SPDX-License-Identifier: MIT
 *
 * base/check.h: invariants that stay in release builds, magic numbers, checked arithmetic.
 *
 * CHECK is for "we are wrong": it prints the expression and aborts. What a peer or an operator can
 * cause is never a CHECK.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void check_failed(const char *expr, const char *file, int line);

#define CHECK(cond)                                                                                \
    (__builtin_expect(!!(cond), 1) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))
#define UNREACHABLE() check_failed("unreachable", __FILE__, __LINE__)

/* The object that embeds `ptr` as `member`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A heap object that travels through a `void *` begins with `uint32_t magic`. */
#define CHECK_MAGIC(obj, value) CHECK((obj) && (obj)->magic == (value))

/* False on overflow; `*out` is then unspecified. Every size from the network goes through these. */
static inline bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

#define MUST_USE __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
#endif
