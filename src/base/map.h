/* SPDX-License-Identifier: MIT
 *
 * base/map.h: open-addressing hash table of pointers to entries that hold their own key.
 *
 * The caller hashes (hash_key() of base/hash.h, keyed, so that a client cannot choose collisions)
 * and compares. Owns its slots, never the entries. Not thread-safe. An empty map owns no memory.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include "base/err.h"
#include <stdint.h>

struct map_slot {
    uint64_t hash;
    void *entry; /* NULL: free */
};

struct map {
    struct map_slot *_slots;
    uint32_t _mask; /* slots - 1; meaningless while _slots is NULL */
    uint32_t n;     /* entries; read it freely */
};

typedef bool map_eq(const void *entry, const void *key);

/* Memory that the map owns now. */
static inline size_t map_bytes(const struct map *m)
{
    return m->_slots ? ((size_t)m->_mask + 1) * sizeof *m->_slots : 0;
}

void map_fini(struct map *m); /* frees the slots, not the entries */

/* The entry with this hash for which `eq(entry, key)` holds, or NULL. */
void *map_find(const struct map *m, uint64_t hash, map_eq *eq, const void *key);

/* Adds an entry whose key is not in the map. ERR_NOMEM leaves the map unchanged. */
enum err map_add(struct map *m, uint64_t hash, void *entry) MUST_USE;

/* Removes this very entry, if it is there. Shrinks when mostly empty (a failure to shrink is
 * ignored), so a map that was large once gives its memory back. */
void map_remove(struct map *m, uint64_t hash, const void *entry);

/* Visits all entries: `*pos` starts at 0; NULL at the end. Do not change the map meanwhile. */
void *map_next(const struct map *m, uint32_t *pos);
#endif
