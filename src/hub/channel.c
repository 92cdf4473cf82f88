/* SPDX-License-Identifier: MIT
 * hub/channel.c: see channel.h. Whoever moves an entry tells the connection its new place. */
#include "hub/channel.h"
#include "base/mem.h"
#include "hub/hub.h"

struct chan *chan_get(struct dir_chan *rec, unsigned worker)
{
    struct chan *chan = rec->slots[worker].chan;
    if (chan) return chan;
    chan = mem_zalloc(sizeof *chan);
    if (!chan) return NULL;
    chan->rec = rec;
    rec->slots[worker].chan = chan;
    return chan;
}

void chan_drop_if_empty(struct chan *chan, unsigned worker)
{
    if (chan->busy || chan->n > 0) return;
    chan->rec->slots[worker].chan = NULL;
    mem_free(chan->subs);
    mem_free(chan);
}

enum err chan_reserve(struct chan *chan)
{
    if (chan->n < chan->cap) return ERR_OK;
    uint32_t cap = chan->cap < 4 ? chan->cap + 1 : chan->cap + chan->cap / 2;
    struct chan_entry *subs = mem_realloc(chan->subs, cap * sizeof *subs);
    if (!subs) return ERR_NOMEM;
    chan->subs = subs;
    chan->cap = cap;
    return ERR_OK;
}

uint32_t chan_append(struct chan *chan, struct chan_entry entry)
{
    CHECK(chan->n < chan->cap);
    chan->subs[chan->n] = entry;
    return chan->n++;
}

/* Gives memory back when a channel that was large has become small. */
static void shrink(struct chan *chan)
{
    if (chan->cap < 64 || chan->n > chan->cap / 4) return;
    uint32_t cap = chan->cap / 2;
    struct chan_entry *subs = mem_realloc(chan->subs, cap * sizeof *subs);
    if (!subs) return;
    chan->subs = subs;
    chan->cap = cap;
}

static void fill_from_end(struct chan *chan, uint32_t at)
{
    struct chan_entry *last = &chan->subs[--chan->n];
    if (at == chan->n) return;
    chan->subs[at] = *last;
    hub_conn_sub_moved(last->conn, last->back, at);
}

void chan_remove(struct chan *chan, uint32_t at)
{
    CHECK(at < chan->n && chan->subs[at].conn);
    if (chan->busy) {
        chan->subs[at].conn = NULL;
        chan->n_holes++;
        return;
    }
    fill_from_end(chan, at);
    shrink(chan);
}

void chan_compact(struct chan *chan)
{
    chan->busy = false;
    for (uint32_t i = 0; i < chan->n && chan->n_holes > 0;) {
        if (!chan->subs[chan->n - 1].conn) { /* a hole at the end */
            chan->n--;
            chan->n_holes--;
        } else if (!chan->subs[i].conn) {
            fill_from_end(chan, i);
            chan->n_holes--;
            i++;
        } else {
            i++;
        }
    }
    CHECK(chan->n_holes == 0);
}
