/* SPDX-License-Identifier: MIT
 *
 * hub/look.c: questions about the subscriptions of this worker's connections. For people who look:
 * nothing on the way of a message calls these.
 */
#include "hub/directory_priv.h"
#include "hub/hub_priv.h"

bool hub_subscribed(const struct hub_conn *conn, struct span channel, uint64_t *joined)
{
    for (uint32_t i = 0; i < conn->n_subs; i++) {
        const struct hub_sub *sub = &conn->subs[i];
        if (!span_eq(dir_chan_name(sub->chan->rec), channel)) continue;
        *joined = sub->chan->subs[sub->at].joined;
        return true;
    }
    return false;
}

void hub_each_subscriber(struct hub *hub, struct app *app, struct span channel, hub_visit *visit,
                         void *ctx)
{
    uint64_t hash = dir_hash(app, channel);
    struct dir_stripe *st = stripe_of(hub->dir, hash);
    lock_take(&st->lock);
    const struct dir_chan *rec = dir_chan_find_locked(st, app, channel, hash);
    /* Only we change our own part; while we are on the channel the record stays. */
    const struct chan *chan = rec ? rec->slots[hub->worker].chan : NULL;
    lock_drop(&st->lock);
    for (uint32_t i = 0; chan && i < chan->n; i++) {
        const struct chan_entry *e = &chan->subs[i];
        if (!e->conn) continue;
        const struct presence *p = e->conn->subs[e->back].presence;
        if (!visit(ctx, e->conn, p ? p->member : NULL, e->joined)) return;
    }
}
