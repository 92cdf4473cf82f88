/* SPDX-License-Identifier: MIT
 * load/faults.c: counting, and keeping the first words. */
#include "load/faults.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

void load_fault(struct load_faults *f, enum load_fault kind, const char *fmt, ...)
{
    if (f->n[kind]++ > 0 && f->first[kind][0]) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->first[kind], sizeof f->first[kind], fmt, args);
    va_end(args);
}

void load_faults_add(struct load_faults *f, enum load_fault kind, uint64_t n)
{
    f->n[kind] += n;
}

bool load_clean(const struct load_faults *f)
{
    for (size_t i = 0; i < LOAD_FAULT_KINDS; i++)
        if (f->n[i]) return false;
    return true;
}

const char *load_worst(const struct load_faults *f)
{
    /* What explains the others comes first. */
    static const enum load_fault order[] = {
        LOAD_BROKEN, LOAD_UNOPENED, LOAD_REFUSED, LOAD_CLOSED, LOAD_UNANSWERED,
        LOAD_WRONG,  LOAD_DOUBLED,  LOAD_SWAPPED, LOAD_LOST,
    };
    _Static_assert(ARRAY_LEN(order) == LOAD_FAULT_KINDS, "each once");
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (f->first[order[i]][0]) return f->first[order[i]];
    return load_clean(f) ? "" : "messages were lost";
}

const char *load_fault_name(enum load_fault kind)
{
    static const char *const names[LOAD_FAULT_KINDS] = {
        [LOAD_LOST] = "lost",         [LOAD_DOUBLED] = "doubled", [LOAD_SWAPPED] = "swapped",
        [LOAD_WRONG] = "wrong",       [LOAD_REFUSED] = "refused", [LOAD_UNANSWERED] = "unanswered",
        [LOAD_UNOPENED] = "unopened", [LOAD_CLOSED] = "closed",   [LOAD_BROKEN] = "broken",
    };
    return names[kind];
}
