/* SPDX-License-Identifier: MIT
 * http/cookie.c: see cookie.h. */
#include "http/cookie.h"

bool cookie_next(struct span *rest, struct span *name, struct span *value)
{
    struct span pair;
    while (span_cut(rest, ';', &pair)) {
        struct span text = pair;
        if (!span_cut(&text, '=', name) || !text.p) continue;
        *name = span_trim(*name);
        *value = span_trim(text);
        if (name->n == 0) continue;
        bool quoted = value->n >= 2 && value->p[0] == '"' && value->p[value->n - 1] == '"';
        if (quoted) *value = span_of(value->p + 1, value->n - 2);
        return true;
    }
    return false;
}

struct span cookie_find(struct span header, struct span wanted)
{
    struct span name, value;
    while (cookie_next(&header, &name, &value))
        if (span_eq(name, wanted)) return value;
    return (struct span) { NULL, 0 };
}
