/* SPDX-License-Identifier: MIT
 *
 * base/map.c: linear probing over a power of two of slots, removal by shifting back.
 *
 * Shifting the rest of a run back instead of leaving tombstones keeps look-ups as fast after a
 * million removals as before. Each slot keeps the full hash: a look-up compares entries only where
 * all 64 bits agree, and moving never calls back. Invariants: at most 3/4 of the slots are used, so
 * every probe ends at a free one; between an entry's home slot and its slot none is free.
 */
#include "base/map.h"
#include "base/mem.h"

#define MIN_SLOTS 8
#define MAX_SLOTS (UINT32_C(1) << 31)

void map_fini(struct map *m)
{
    mem_free(m->_slots);
    *m = (struct map) { 0 };
}

void *map_find(const struct map *m, uint64_t hash, map_eq *eq, const void *key)
{
    if (!m->_slots) return NULL;
    for (uint32_t i = (uint32_t)hash & m->_mask; m->_slots[i].entry; i = (i + 1) & m->_mask) {
        const struct map_slot *slot = &m->_slots[i];
        if (slot->hash == hash && eq(slot->entry, key)) return slot->entry;
    }
    return NULL;
}

static void place(struct map_slot *slots, uint32_t mask, struct map_slot what)
{
    uint32_t i = (uint32_t)what.hash & mask;
    while (slots[i].entry) i = (i + 1) & mask;
    slots[i] = what;
}

/* Moves everything into a table of `n_slots`, a power of two. */
static enum err resize(struct map *m, uint32_t n_slots)
{
    size_t bytes;
    if (!size_mul(n_slots, sizeof *m->_slots, &bytes)) return ERR_NOMEM;
    struct map_slot *slots = mem_zalloc(bytes);
    if (!slots) return ERR_NOMEM;
    for (uint32_t i = 0; m->_slots && i <= m->_mask; i++)
        if (m->_slots[i].entry) place(slots, n_slots - 1, m->_slots[i]);
    mem_free(m->_slots);
    m->_slots = slots;
    m->_mask = n_slots - 1;
    return ERR_OK;
}

enum err map_add(struct map *m, uint64_t hash, void *entry)
{
    CHECK(entry);
    uint32_t n_slots = m->_slots ? m->_mask + 1 : 0;
    if (m->n >= n_slots / 4 * 3) {
        if (n_slots == MAX_SLOTS) return ERR_NOMEM;
        enum err err = resize(m, n_slots ? n_slots * 2 : MIN_SLOTS);
        if (err) return err;
    }
    place(m->_slots, m->_mask, (struct map_slot) { .hash = hash, .entry = entry });
    m->n++;
    return ERR_OK;
}

/* Fills the hole at `i` with the next entry of the run that may stand there, and so on: an entry
 * may when the hole is not before its home slot, counted around the ring. */
static void close_hole(struct map *m, uint32_t i)
{
    for (uint32_t j = (i + 1) & m->_mask; m->_slots[j].entry; j = (j + 1) & m->_mask) {
        uint32_t home = (uint32_t)m->_slots[j].hash & m->_mask;
        if (((j - home) & m->_mask) < ((j - i) & m->_mask)) continue;
        m->_slots[i] = m->_slots[j];
        i = j;
    }
    m->_slots[i].entry = NULL;
}

/* Down at 1/8, to twice what is needed, so that adding and removing around a border does not
 * resize each time. */
static void shrink(struct map *m)
{
    uint32_t n_slots = m->_mask + 1;
    if (m->n == 0)
        map_fini(m);
    else if (n_slots > MIN_SLOTS && m->n <= n_slots / 8)
        (void)resize(m, n_slots / 2); /* without memory it stays large, which is no error */
}

void map_remove(struct map *m, uint64_t hash, const void *entry)
{
    if (!m->_slots) return;
    uint32_t i = (uint32_t)hash & m->_mask;
    while (m->_slots[i].entry && m->_slots[i].entry != entry) i = (i + 1) & m->_mask;
    if (!m->_slots[i].entry) return;
    close_hole(m, i);
    m->n--;
    shrink(m);
}

void *map_next(const struct map *m, uint32_t *pos)
{
    if (!m->_slots) return NULL;
    while (*pos <= m->_mask) {
        void *entry = m->_slots[(*pos)++].entry;
        if (entry) return entry;
    }
    return NULL;
}
