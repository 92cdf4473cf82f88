/* SPDX-License-Identifier: MIT
 *
 * server/config_arena.c: a list of blocks. One mem_zalloc per piece: a configuration has hundreds
 * of them and is read once, and the sanitizers see each one's borders.
 */
#include "server/config_arena.h"
#include "base/mem.h"

struct block {
    struct block *next;
    size_t n; /* bytes behind this header */
    max_align_t data[];
};

struct config_arena {
    struct block *blocks;
};

struct config_arena *config_arena_new(void)
{
    return mem_zalloc(sizeof(struct config_arena));
}

void config_arena_free(struct config_arena *arena)
{
    if (!arena) return;
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        mem_free_secret(b, sizeof *b + b->n);
    }
    mem_free(arena);
}

void *config_arena_alloc(struct config_arena *arena, size_t n)
{
    size_t size;
    CHECK(n > 0);
    if (!size_add(n, sizeof(struct block), &size)) return NULL;
    struct block *b = mem_zalloc(size);
    if (!b) return NULL;
    *b = (struct block) { .next = arena->blocks, .n = n };
    arena->blocks = b;
    return b->data;
}

bool config_arena_copy(struct config_arena *arena, struct span from, struct span *to)
{
    char *p = config_arena_alloc(arena, from.n + 1);
    if (!p) return false;
    if (from.n) memcpy(p, from.p, from.n);
    *to = span_of(p, from.n);
    return true;
}
