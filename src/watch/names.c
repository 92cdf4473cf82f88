/* SPDX-License-Identifier: MIT
 *
 * watch/names.c: see names.h. Each name has two places; of two others the one that was not used for
 * longer goes. The hash is no defence against chosen names: all they can do is push names out.
 */
#include "watch/names.h"

#define MIX UINT64_C(0x9e3779b97f4a7c15)

static uint32_t hash_of(const void *app, struct span raw)
{
    uint64_t h = (uint64_t)(uintptr_t)app * MIX + raw.n, word = 0;
    size_t at = 0;
    for (; at + 8 <= raw.n; at += 8) {
        memcpy(&word, raw.p + at, 8);
        h = (h ^ word) * MIX;
        h ^= h >> 29;
    }
    word = 0;
    if (at < raw.n) memcpy(&word, raw.p + at, raw.n - at);
    h = (h ^ word) * MIX;
    return (uint32_t)(h >> 32);
}

static bool is_it(const struct name *n, const void *app, struct span raw)
{
    return n->app == app && n->n == raw.n && memcmp(n->text, raw.p, raw.n) == 0;
}

static void count(struct name *n, uint64_t now_ms)
{
    n->count++;
    n->last_ms = now_ms;
}

void names_note(struct names *names, const void *app, struct span raw, uint64_t now_ms)
{
    if (raw.n == 0 || raw.n > NAMES_MAX) return;
    if (is_it(&names->_places[names->_last], app, raw)) {
        count(&names->_places[names->_last], now_ms);
        return;
    }
    uint32_t hash = hash_of(app, raw);
    struct name *one = &names->_places[hash % NAMES_PLACES];
    struct name *two = &names->_places[(hash ^ 1) % NAMES_PLACES];
    struct name *n = is_it(one, app, raw) ? one : is_it(two, app, raw) ? two : NULL;
    if (!n) {
        n = one->last_ms <= two->last_ms ? one : two;
        *n = (struct name) { .app = app, .n = (uint8_t)raw.n };
        memcpy(n->text, raw.p, raw.n);
    }
    names->_last = (uint32_t)(n - names->_places);
    count(n, now_ms);
}

const struct name *names_next(const struct names *names, const void *app, uint32_t *pos)
{
    while (*pos < NAMES_PLACES) {
        const struct name *n = &names->_places[(*pos)++];
        if (n->app == app) return n;
    }
    return NULL;
}
