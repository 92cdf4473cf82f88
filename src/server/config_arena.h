/* SPDX-License-Identifier: MIT
 *
 * server/config_arena.h: memory that is freed, and wiped, together.
 *
 * A configuration is built from hundreds of small pieces that live and die together, secrets among
 * them; so nothing is freed singly and a half-built one is freed like a complete one. Not
 * thread-safe.
 */
#ifndef SERVER_CONFIG_ARENA_H
#define SERVER_CONFIG_ARENA_H
#include "base/span.h"

struct config_arena;

struct config_arena *config_arena_new(void);        /* NULL: no memory */
void config_arena_free(struct config_arena *arena); /* wipes; NULL allowed */

/* Zeroed, aligned for anything, valid until config_arena_free; NULL: no memory. n > 0. */
void *config_arena_alloc(struct config_arena *arena, size_t n);
/* A copy with a NUL behind it. False: no memory. */
bool config_arena_copy(struct config_arena *arena, struct span from, struct span *to);
#endif
