/* SPDX-License-Identifier: MIT
 *
 * hub/note.c: what the hub remembers of publishes and refusals (watch/fact.h), and what it tells
 * those who watch (watch/event.h).
 *
 * Remembering is always on and costs a publish some stores; nothing here is called for each
 * delivery. Telling is asked for with one relaxed load, and costs what it costs.
 */
#include "hub/hub_priv.h"

struct facts *hub_facts(struct hub *hub)
{
    return hub->facts;
}

const struct names *hub_names(const struct hub *hub)
{
    return hub->names;
}

bool hub_watched(const struct hub *hub)
{
    return hub->sink.watched && atomic_load_explicit(hub->sink.watched, memory_order_relaxed);
}

static void tell(struct hub *hub, struct watch_event *ev)
{
    hub->sink.happened(hub->sink.ctx, ev);
}

/* --- publishes --- */

static void tell_publish(struct hub *hub, const struct hub_publish *p)
{
    struct watch_event ev = {
        .type = p->from_client ? WATCH_CLIENT_MESSAGE : WATCH_API_MESSAGE,
        .app = p->app->s->id,
        .socket_id = p->sender,
        .exclude = p->from_client ? 0 : p->exclude,
        .fact = p->fact,
        .channel = p->channel,
        .event_raw = p->name_raw,
        .data_raw = p->data_raw,
        .source = fact_source_name(p->source),
        .n_subs = p->n_subs,
        .n_workers = p->n_workers,
    };
    tell(hub, &ev);
}

void hub_note_publish(struct hub *hub, const struct hub_publish *p, enum err err)
{
    struct span name = p->name_raw;
    const struct fact_note note = {
        .fact = {
            .id = p->fact,
            .at_ms = hub->now_ms,
            .request = p->request,
            .socket_id = p->sender,
            .exclude = p->from_client ? 0 : p->exclude,
            .seq = p->seq,
            .hash = p->hash,
            .of = p->of ? p->of : 1,
            .n_subs = p->n_subs,
            .data_bytes = (uint32_t)p->data_raw.n,
            .n_workers = (uint16_t)p->n_workers,
            .status = err ? 503 : p->from_client ? 0 : 200,
            .kind = err ? FACT_PUBLISH_REFUSED : FACT_PUBLISH,
            .source = p->source,
            .cause = err ? CAUSE_NO_MEMORY : CAUSE_NONE,
            .cached = p->cached,
        },
        .app = app_lasting_id(p->app),
        .channel = p->channel,
        .event_raw = name,
    };
    facts_add(hub->facts, &note, p->n_subs > 0 && !err);
    if (p->n_subs > 0 && name.n > 2)
        names_note(hub->names, p->app, span_of(name.p + 1, name.n - 2), hub->now_ms);
    if (hub_watched(hub)) tell_publish(hub, p);
}

void hub_note_tally(struct hub *hub, const struct post *post)
{
    hub->tally.fact = post->fact;
    facts_tally(hub->facts, &hub->tally);
    if (!hub_watched(hub)) return;
    struct watch_event ev = {
        .type = WATCH_DELIVERED,
        .app = post->app->s->id,
        .fact = post->fact,
        .delivered = hub->tally.delivered,
        .excluded = hub->tally.excluded,
        .later = hub->tally.later,
    };
    struct buf name = { 0 };
    if (post->chan)
        ev.channel = dir_chan_name(post->chan);
    else if (post->user) {
        chan_user_name(&name, member_id(post->user));
        ev.channel = buf_span(&name);
    }
    tell(hub, &ev);
    buf_fini(&name);
}

/* --- refusals --- */

void hub_note(struct hub *hub, struct fact_note *note)
{
    note->fact.at_ms = hub->now_ms;
    uint64_t id = facts_add(hub->facts, note, false);
    if (!hub_watched(hub)) return;
    struct watch_event ev = {
        .type = WATCH_REFUSED,
        .app = note->app.p ? note->app : note->app_text,
        .fact = id,
        .socket_id = note->fact.socket_id,
        .channel = note->channel,
        .event_raw = note->event_raw,
        .kind = fact_kind_name(note->fact.kind),
        .status = note->fact.status,
        .code = note->fact.code,
        .why = note->why,
    };
    tell(hub, &ev);
}

static enum fact_cause cause_of(const struct peer_refusal *r)
{
    switch ((enum peer_why)r->why) {
    case PEER_WHY_OTHER:
        return CAUSE_OTHER;
    case PEER_WHY_AUTH:
        return CAUSE_SIGNATURE;
    case PEER_WHY_LIMIT:
        return CAUSE_LIMIT;
    case PEER_WHY_CLIENT_EVENTS_OFF:
        return CAUSE_CLIENT_EVENTS_OFF;
    case PEER_WHY_CLIENT_EVENT:
        return CAUSE_TOO_BIG;
    case PEER_WHY_NOT_MEMBER:
        return CAUSE_NOT_MEMBER;
    case PEER_WHY_RATE:
        return CAUSE_RATE;
    case PEER_WHY_OVERLOAD:
        return CAUSE_OVERLOAD;
    }
    UNREACHABLE();
}

static enum fact_kind kind_of(const struct peer_refusal *r)
{
    if (r->type) return FACT_SUBSCRIBE_REFUSED;
    return r->event_raw.n ? FACT_CLIENT_EVENT_REFUSED : FACT_CLIENT_REFUSED;
}

void hub_note_refused(struct hub *hub, const struct hub_conn *conn, const struct peer_refusal *r)
{
    if (conn->app->internal) return;
    struct buf why = { 0 };
    struct span text = r->text.p ? r->text : r->error_text;
    buf_add_span(&why, text);
    if (r->detail.n) buf_add_fmt(&why, " %.*s", SPAN_FMT(r->detail));
    struct fact_note note = {
        .fact = {
            .socket_id = conn->socket_id,
            .hash = r->channel.p ? dir_hash(conn->app, r->channel) : 0,
            .of = 1,
            .status = (uint16_t)(r->type ? r->status : 0),
            .code = (uint16_t)r->code,
            .kind = (uint8_t)kind_of(r),
            .cause = (uint8_t)cause_of(r),
        },
        .app = app_lasting_id(conn->app),
        .channel = r->channel,
        .event_raw = r->event_raw,
        .why = buf_failed(&why) ? text : buf_span(&why),
    };
    hub_note(hub, &note);
    buf_fini(&why);
}

/* --- subscriptions --- */

static void tell_channel(struct hub *hub, enum watch_type type, const struct hub_conn *conn,
                         struct span channel, struct span user_id)
{
    struct watch_event ev = {
        .type = type,
        .app = conn->app->s->id,
        .socket_id = conn->socket_id,
        .channel = channel,
        .user_id = user_id,
    };
    tell(hub, &ev);
}

void hub_note_joined(struct hub *hub, struct hub_conn *conn, const struct dir_chan *chan,
                     struct span user_id, bool occupied)
{
    struct span none = { NULL, 0 };
    if (conn->app->internal || !hub_watched(hub)) return;
    tell_channel(hub, WATCH_SUBSCRIBED, conn, dir_chan_name(chan), user_id);
    if (occupied) tell_channel(hub, WATCH_OCCUPIED, conn, dir_chan_name(chan), none);
}

void hub_note_left(struct hub *hub, struct hub_conn *conn, struct span channel)
{
    if (conn->app->internal) {
        if (hub->sink.watcher_left) hub->sink.watcher_left(hub->sink.ctx, conn, channel);
        return;
    }
    if (hub_watched(hub))
        tell_channel(hub, WATCH_UNSUBSCRIBED, conn, channel, (struct span) { NULL, 0 });
}

void hub_note_vacated(struct hub *hub, const struct hub_conn *conn, uint64_t hash,
                      struct span channel)
{
    if (conn->app->internal) return;
    const struct fact_vacated vacated = {
        .channel = hash,
        .at_ms = hub->now_ms,
        .socket_id = conn->socket_id,
    };
    facts_vacated(hub->facts, &vacated);
    if (channel.n) tell_channel(hub, WATCH_VACATED, conn, channel, (struct span) { NULL, 0 });
}
