/* SPDX-License-Identifier: MIT
 *
 * watch/names.h: names of events that an app's clients were sent, in a small table that forgets:
 * a publish may then be told that another name is the usual one.
 *
 * A worker's own. Noting a name that is known is one hash over it and a comparison, for the
 * same name again only the latter.
 */
#ifndef WATCH_NAMES_H
#define WATCH_NAMES_H
#include "base/span.h"

#define NAMES_PLACES 256 /* for all apps together; a power of two */
#define NAMES_MAX 96     /* longer names are not noted */

struct name {
    const void *app; /* NULL: the place is free */
    uint64_t last_ms;
    uint32_t count;
    uint8_t n;
    char text[NAMES_MAX];
};

/* Zeroed is empty. */
struct names {
    struct name _places[NAMES_PLACES];
    uint32_t _last; /* the place that was used last: events come in rows */
};

/* `app` only tells apps apart; `raw` is the inside of a JSON string. */
void names_note(struct names *names, const void *app, struct span raw, uint64_t now_ms);
/* The app's names one by one; NULL at the end. `*pos` starts at 0. */
const struct name *names_next(const struct names *names, const void *app, uint32_t *pos);
static inline struct span name_raw(const struct name *n)
{
    return span_of(n->text, n->n);
}
#endif
