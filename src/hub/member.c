/* SPDX-License-Identifier: MIT
 * hub/member.c: see member.h. One allocation holds the three texts. */
#include "hub/member.h"
#include "base/hash.h"
#include "base/mem.h"

struct member *member_new(const struct event_member *from)
{
    size_t n = sizeof(struct member);
    if (!size_add(n, from->id.n, &n) || !size_add(n, from->id_raw.n, &n) ||
        !size_add(n, from->info_raw.n, &n) || n > UINT32_MAX)
        return NULL;
    struct member *m = mem_alloc(n);
    if (!m) return NULL;
    atomic_init(&m->_refs, 1);
    m->_id_n = (uint32_t)from->id.n;
    m->_raw_n = (uint32_t)from->id_raw.n;
    m->_info_n = (uint32_t)from->info_raw.n;
    m->hash = hash_key(from->id);
    char *p = m->_bytes;
    const struct span parts[] = { from->id, from->id_raw, from->info_raw };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].n) memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    return m;
}

struct member *member_ref(struct member *m)
{
    atomic_fetch_add_explicit(&m->_refs, 1, memory_order_relaxed);
    return m;
}

void member_unref(struct member *m)
{
    if (m && atomic_fetch_sub_explicit(&m->_refs, 1, memory_order_acq_rel) == 1) mem_free(m);
}
