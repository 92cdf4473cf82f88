/* SPDX-License-Identifier: MIT
 * hub/deadline.c: a binary heap in an array; entries are never removed early (what they stand for
 * checks itself whether it still matters). */
#include "hub/deadline.h"
#include "base/mem.h"

void deadlines_fini(struct deadlines *d)
{
    mem_free(d->_v);
    *d = (struct deadlines) { 0 };
}

enum err deadlines_add(struct deadlines *d, struct deadline deadline)
{
    if (d->n == d->_cap) {
        uint32_t cap = d->_cap ? d->_cap * 2 : 8;
        struct deadline *v = mem_realloc(d->_v, cap * sizeof *v);
        if (!v) return ERR_NOMEM;
        d->_v = v;
        d->_cap = cap;
    }
    uint32_t i = d->n++;
    for (; i > 0 && d->_v[(i - 1) / 2].at_ms > deadline.at_ms; i = (i - 1) / 2)
        d->_v[i] = d->_v[(i - 1) / 2];
    d->_v[i] = deadline;
    return ERR_OK;
}

uint64_t deadlines_next(const struct deadlines *d)
{
    return d->n ? d->_v[0].at_ms : DEADLINE_NEVER;
}

bool deadlines_take_due(struct deadlines *d, uint64_t now_ms, struct deadline *out)
{
    if (d->n == 0 || d->_v[0].at_ms > now_ms) return false;
    *out = d->_v[0];
    struct deadline last = d->_v[--d->n];
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < d->n; i = child) {
        if (child + 1 < d->n && d->_v[child + 1].at_ms < d->_v[child].at_ms) child++;
        if (d->_v[child].at_ms >= last.at_ms) break;
        d->_v[i] = d->_v[child];
    }
    d->_v[i] = last;
    return true;
}
