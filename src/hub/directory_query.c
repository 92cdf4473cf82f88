/* SPDX-License-Identifier: MIT
 * hub/directory_query.c: questions that the HTTP API asks. Answered at once from the directory,
 * since it knows all workers' counts; lists take one stripe's lock after the other. */
#include "base/mem.h"
#include "hub/directory_priv.h"
#include <stdlib.h>

bool dir_facts(struct directory *dir, struct app *app, struct span name, uint64_t now_ms,
               struct dir_facts *facts)
{
    uint64_t hash = dir_hash(app, name);
    struct dir_stripe *st = stripe_of(dir, hash);
    *facts = (struct dir_facts) { 0 };
    lock_take(&st->lock);
    struct dir_chan *chan = dir_chan_find_locked(st, app, name, hash);
    if (chan) {
        facts->n_subs = chan->n_subs;
        facts->n_users = roster_count(&chan->roster);
        facts->occupied_ms = chan->n_subs ? chan->occupied_ms : 0;
        if (chan->cache.msg && chan->cache.until_ms > now_ms) {
            facts->cached = msg_ref(chan->cache.msg);
            facts->data_at = chan->cache.data_at;
            facts->data_n = chan->cache.data_n;
            facts->ttl_ms = chan->cache.until_ms == DEADLINE_NEVER ? DEADLINE_NEVER
                                                                   : chan->cache.until_ms - now_ms;
        }
    }
    lock_drop(&st->lock);
    return chan != NULL;
}

struct roster_view *dir_roster(struct directory *dir, struct app *app, struct span name)
{
    uint64_t hash = dir_hash(app, name);
    struct dir_stripe *st = stripe_of(dir, hash);
    lock_take(&st->lock);
    struct dir_chan *chan = dir_chan_find_locked(st, app, name, hash);
    struct roster_view *view = chan ? roster_snapshot(&chan->roster) : NULL;
    lock_drop(&st->lock);
    return view;
}

static bool list_add(struct dir_list *list, const struct dir_chan *chan)
{
    if (list->n == list->_cap) {
        size_t cap = list->_cap ? list->_cap * 2 : 64;
        struct dir_listed *items = mem_realloc(list->items, cap * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->_cap = cap;
    }
    list->items[list->n++] = (struct dir_listed) {
        .name = { NULL, chan->name_n }, /* placed when the text no longer moves */
        .kind = chan->kind,
        .n_subs = chan->n_subs,
        .n_users = roster_count(&chan->roster),
    };
    buf_add_span(&list->_text, dir_chan_name(chan));
    return !buf_failed(&list->_text);
}

static bool list_stripe(struct dir_stripe *st, const struct app *app, struct span prefix,
                        struct dir_list *out)
{
    bool ok = true;
    uint32_t pos = 0;
    lock_take(&st->lock);
    for (const struct dir_chan *c; ok && (c = map_next(&st->chans, &pos));)
        if (c->app == app && c->n_subs > 0 && span_starts(dir_chan_name(c), prefix))
            ok = list_add(out, c);
    lock_drop(&st->lock);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    struct span x = ((const struct dir_listed *)a)->name, y = ((const struct dir_listed *)b)->name;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

enum err dir_list(struct directory *dir, const struct app *app, struct span prefix,
                  struct dir_list *out)
{
    struct dir_list list = { 0 };
    for (unsigned i = 0; i < DIR_STRIPES; i++)
        if (!list_stripe(&dir->stripes[i], app, prefix, &list)) {
            dir_list_fini(&list);
            return ERR_NOMEM;
        }
    size_t at = 0;
    for (size_t i = 0; i < list.n; i++) {
        list.items[i].name.p = list._text.p + at;
        at += list.items[i].name.n;
    }
    if (list.n > 1) qsort(list.items, list.n, sizeof *list.items, by_name);
    *out = list;
    return ERR_OK;
}

void dir_list_fini(struct dir_list *list)
{
    mem_free(list->items);
    buf_fini(&list->_text);
    *list = (struct dir_list) { 0 };
}
