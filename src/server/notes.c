/* SPDX-License-Identifier: MIT
 * server/notes.c: see notes.h. */
#include "server/notes.h"
#include "http/url.h"
#include "server/server_priv.h"

/* --- names of clients --- */

/* Appends the parameter, where it is short and plain. */
static void add_param(struct buf *out, struct span query, struct span key)
{
    struct span raw;
    if (!url_query_find(query, key, &raw) || raw.n == 0) return;
    if (raw.n > CLIENT_NAME_MAX / 2 - 1 || !span_is_plain(raw, '!')) return;
    if (out->n) buf_add_byte(out, ' ');
    buf_add_span(out, raw);
}

static struct span name_at(const struct client_names *names, unsigned i)
{
    return span_of(names->names[i], strnlen(names->names[i], CLIENT_NAME_MAX));
}

static uint8_t hold(struct client_names *names, struct span name)
{
    unsigned at = CLIENT_NAMES;
    if (name.n == 0 || name.n > CLIENT_NAME_MAX) return 0;
    for (unsigned i = 0; i < CLIENT_NAMES; i++) {
        if (names->held[i] && span_eq(name_at(names, i), name)) {
            names->held[i]++;
            return (uint8_t)(i + 1);
        }
        if (!names->held[i] && at == CLIENT_NAMES) at = i;
    }
    if (at == CLIENT_NAMES) return 0;
    memset(names->names[at], 0, CLIENT_NAME_MAX);
    memcpy(names->names[at], name.p, name.n);
    names->held[at] = 1;
    return (uint8_t)(at + 1);
}

uint8_t client_hold(struct client_names *names, struct span query)
{
    struct buf name = { 0 };
    add_param(&name, query, SPAN("client"));
    if (name.n) add_param(&name, query, SPAN("version"));
    uint8_t number = buf_failed(&name) ? 0 : hold(names, buf_span(&name));
    buf_fini(&name);
    return number;
}

void client_drop(struct client_names *names, uint8_t number)
{
    if (number) names->held[number - 1]--;
}

struct span client_name(const struct client_names *names, uint8_t number)
{
    return number ? name_at(names, number - 1u) : (struct span) { NULL, 0 };
}

/* --- coming --- */

void note_opened(struct conn *c, const struct ws_open *open)
{
    struct worker *w = c->worker;
    c->client = client_hold(w->clients, open->query);
    if (c->hub.app->internal) count_add(&w->counts.n_ws, -1); /* who watches is not counted */
    if (c->hub.app->internal || !hub_watched(w->hub)) return;
    struct watch_event ev = {
        .type = WATCH_CONNECTED,
        .app = c->hub.app->s->id,
        .socket_id = c->hub.socket_id,
        .client = client_name(w->clients, c->client),
        .origin = open->origin,
        .address = open->client,
    };
    watch_tell(w, &ev);
}

static enum fact_cause cause_of(const struct app *app, unsigned code)
{
    if (!app) return CAUSE_UNKNOWN_APP;
    if (code == 4003) return CAUSE_DISABLED_APP;
    return code == 4009 ? CAUSE_ORIGIN : CAUSE_LIMIT;
}

void note_not_admitted(struct conn *c, const struct app *app, struct span key, unsigned code,
                       struct span why)
{
    struct fact_note note = {
        .fact = { .of = 1,
                  .code = (uint16_t)code,
                  .kind = FACT_CONNECT_REFUSED,
                  .cause = (uint8_t)cause_of(app, code) },
        .app_text = key,
        .why = why,
    };
    if (app) note.app = app_lasting_id(app);
    hub_note(c->worker->hub, &note);
}

/* --- going --- */

void note_cut(struct conn *c, struct span why, uint64_t dropped)
{
    const struct hub_conn *hc = &c->hub;
    if (hc->app->internal) return;
    struct buf channels = { 0 };
    for (uint32_t i = 0; i < hc->n_subs && channels.n < 400; i++) {
        if (i) buf_add_byte(&channels, '\n');
        buf_add_span(&channels, dir_chan_name(hc->subs[i].chan->rec));
    }
    struct fact_note note = {
        .fact = { .socket_id = hc->socket_id,
                  .of = 1,
                  .data_bytes = dropped < UINT32_MAX ? (uint32_t)dropped : UINT32_MAX,
                  .code = 4100,
                  .kind = FACT_CUT,
                  .cause = CAUSE_SLOW },
        .app = app_lasting_id(hc->app),
        .channel = buf_span(&channels),
        .why = why,
    };
    hub_note(c->worker->hub, &note);
    buf_fini(&channels);
}

void note_closing(struct conn *c, unsigned code, bool ours, struct span why)
{
    struct worker *w = c->worker;
    if (!c->hub.app || c->told_end) return;
    c->told_end = true;
    struct span app = app_lasting_id(c->hub.app);
    const struct fact_end end = {
        .socket_id = c->hub.socket_id,
        .at_ms = loop_now_ms(w->loop),
        .app = app.p,
        .app_n = (uint32_t)app.n,
        .code = (uint16_t)code,
        .ours = ours,
    };
    if (c->hub.app->internal) return;
    facts_end(hub_facts(w->hub), &end);
    if (!hub_watched(w->hub)) return;
    struct watch_event ev = {
        .type = WATCH_DISCONNECTED,
        .app = c->hub.app->s->id,
        .socket_id = c->hub.socket_id,
        .code = code,
        .why = why,
        .lasted_ms = loop_now_ms(w->loop) - c->since_ms,
    };
    watch_tell(w, &ev);
}

void note_closed(struct conn *c)
{
    note_closing(c, 0, false, (struct span) { NULL, 0 });
    client_drop(c->worker->clients, c->client);
    c->client = 0;
    if (c->hub.app->internal) count_add(&c->worker->counts.n_ws, 1); /* leaving takes it off */
}
