/* SPDX-License-Identifier: MIT
 * server/admin_known.c: see admin_known.h. */
#include "server/admin_known.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/admin_call.h"
#include "server/server_priv.h"
#include "server/watchers.h"
#include <stdlib.h>

#define MAX_RELATED 64 /* refusals and cuts of one worker that are looked at */

/* What one worker says; names and related facts follow. */
struct part_known {
    struct fact_tally tally; /* fact 0: it has none */
    struct known_socket excluded, viewer;
    struct fact_vacated vacated;
    uint32_t n_later, n_names;
};

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void known_add_fact(const struct fact *f, struct buf *out)
{
    size_t size = fact_size(f), whole = padded(size);
    char *room = buf_room(out, whole);
    if (!room) return;
    memcpy(room, f, size);
    memset(room + size, 0, whole - size);
    buf_grew(out, whole);
}

const struct fact *known_next_fact(struct buf_reader *r)
{
    const struct fact *f = (const struct fact *)(const void *)r->p;
    if (r->p >= r->end) return NULL;
    r->p += padded(fact_size(f));
    return f;
}

void known_add_tally(struct known_tally *sum, const struct fact_tally *tally)
{
    sum->delivered += tally->delivered;
    sum->excluded += tally->excluded;
    sum->later += tally->later;
    sum->n_workers++;
}

/* --- on each worker --- */

static void look_for(struct worker *w, const struct question *q, uint64_t id,
                     struct known_socket *s)
{
    const struct fact *f = q->facts[0];
    const struct conn *c = id ? admin_find(w, id) : NULL;
    const struct fact_end *end = id && !c ? facts_find_end(hub_facts(w->hub), id) : NULL;
    uint64_t joined = 0;
    *s = (struct known_socket) { .id = id };
    if (c) {
        s->state = SOCKET_OPEN;
        s->app = app_lasting_id(c->hub.app);
        s->subscribed = hub_subscribed(&c->hub, fact_channel(f), &joined);
        s->later = s->subscribed && joined >= f->seq;
    } else if (end) {
        s->state = SOCKET_ENDED;
        s->app = span_of(end->app, end->app_n);
        s->ended_ms = end->at_ms;
        s->code = end->code;
    }
}

struct counting {
    uint64_t seq;
    uint32_t n;
};

static bool count_later(void *ctx, struct hub_conn *conn, const struct member *member,
                        uint64_t joined)
{
    struct counting *counting = ctx;
    (void)conn;
    (void)member;
    counting->n += joined >= counting->seq;
    return true;
}

static bool is_related(const struct fact *f, const struct fact *about)
{
    /* Who is refused to watch is no client of an app that is misled. */
    bool watches = !f->app && span_eq(fact_app(f), SPAN(WATCHERS_KEY));
    if (f->kind == FACT_CONNECT_REFUSED) return (!f->app && !watches) || f->app == about->app;
    return (f->kind == FACT_SUBSCRIBE_REFUSED || f->kind == FACT_CUT) && f->app == about->app;
}

static void add_related(struct worker *w, const struct fact *about, struct buf *out)
{
    uint32_t n = 0;
    for (enum fact_ring ring = 0; ring < FACT_RING_OK; ring++) {
        uint32_t pos = 0;
        for (const struct fact *f;
             n < MAX_RELATED && (f = facts_next(hub_facts(w->hub), ring, &pos));) {
            if (!is_related(f, about)) continue;
            known_add_fact(f, out);
            n++;
        }
    }
}

static void find_vacated(struct worker *w, const struct question *q, struct fact_vacated *out)
{
    const struct fact *f = q->facts[0];
    const struct fact_vacated *found =
        q->app ? facts_find_vacated(hub_facts(w->hub), dir_hash(q->app, fact_channel(f)), f->at_ms)
               : NULL;
    if (found) *out = *found;
}

static void find_tally(struct worker *w, uint64_t id, struct fact_tally *tally)
{
    uint32_t pos = 0;
    for (const struct fact_tally *t; (t = facts_next_tally(hub_facts(w->hub), &pos));)
        if (t->fact == id) *tally = *t;
}

void known_collect(struct worker *w, const struct ask *ask, struct buf *out)
{
    const struct question *q = ask->ctx;
    const struct fact *f = q->facts[0];
    struct part_known part = { .n_names = 0 };
    struct counting counting = { .seq = f->seq };
    find_tally(w, f->id, &part.tally);
    look_for(w, q, f->exclude, &part.excluded);
    look_for(w, q, q->viewer, &part.viewer);
    if (q->app) hub_each_subscriber(w->hub, q->app, fact_channel(f), count_later, &counting);
    part.n_later = counting.n;
    find_vacated(w, q, &part.vacated);
    const struct names *names = hub_names(w->hub);
    uint32_t pos = 0;
    while (q->app && names_next(names, q->app, &pos)) part.n_names++;
    buf_add(out, &part, sizeof part);
    pos = 0;
    for (const struct name *n; q->app && (n = names_next(names, q->app, &pos));)
        buf_add(out, n, sizeof *n);
    add_related(w, f, out);
}

/* --- at home --- */

static struct part_known part_of(const struct ask *ask, unsigned i)
{
    struct part_known part = { .n_names = 0 };
    const struct buf *got = &ask->parts[i].got;
    if (!buf_failed(got) && got->n >= sizeof part) memcpy(&part, got->p, sizeof part);
    return part;
}

bool known_is_done(const struct ask *ask)
{
    const struct question *q = ask->ctx;
    unsigned n = 0;
    for (unsigned i = 0; i < ask->n_parts; i++) n += part_of(ask, i).tally.fact != 0;
    return n >= q->facts[0]->n_workers;
}

/* All that `struct known` points at. */
struct gathered {
    struct known known;
    struct known_channel *channels, *apps;
    struct known_name *names;
    const struct fact **related;
    struct show_worker *workers;
    size_t n_workers;
    struct dir_list list;
};

static void gathered_fini(struct gathered *g)
{
    mem_free(g->channels);
    mem_free(g->apps);
    mem_free(g->names);
    mem_free(g->related);
    mem_free(g->workers);
    dir_list_fini(&g->list);
}

/* Of two workers' words about a socket the one that knows it. */
static void take_socket(struct known_socket *to, const struct known_socket *from)
{
    if (to->state != SOCKET_OPEN && from->state != SOCKET_NOWHERE) *to = *from;
    to->id = from->id;
}

static void add_name(struct known *k, struct known_name *names, const struct name *n)
{
    struct span raw = name_raw(n);
    size_t i = 0;
    while (i < k->n_names && !span_eq(names[i].raw, raw)) i++;
    if (i == k->n_names) names[k->n_names++] = (struct known_name) { raw, 0 };
    names[i].count += n->count;
}

static bool read_names(struct gathered *g, const struct ask *ask, unsigned i, uint32_t n)
{
    struct known *k = &g->known;
    const struct name *all =
        (const struct name *)(const void *)(ask->parts[i].got.p + sizeof(struct part_known));
    if (n == 0) return true;
    struct known_name *names = mem_realloc(g->names, (k->n_names + n) * sizeof *names);
    if (!names) return false;
    g->names = names;
    for (uint32_t at = 0; at < n; at++) add_name(k, names, &all[at]);
    k->names = names;
    return true;
}

static bool read_related(struct gathered *g, const struct ask *ask, unsigned i, uint32_t n_names)
{
    const struct buf *got = &ask->parts[i].got;
    struct buf_reader r = { got->p + sizeof(struct part_known) + n_names * sizeof(struct name),
                            got->p + got->n };
    for (const struct fact *f; (f = known_next_fact(&r));) {
        size_t n = g->known.n_related + 1;
        const struct fact **related = mem_realloc(g->related, n * sizeof *related);
        if (!related) return false;
        g->related = related;
        related[g->known.n_related++] = f;
    }
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;
    return (x->at_ms < y->at_ms) - (x->at_ms > y->at_ms);
}

static bool gather_parts(const struct ask *ask, struct gathered *g)
{
    struct known *k = &g->known;
    g->workers = mem_alloc(ask->n_parts * sizeof *g->workers);
    if (!g->workers) return false;
    for (unsigned i = 0; i < ask->n_parts; i++) {
        if (buf_failed(&ask->parts[i].got)) return false;
        struct part_known part = part_of(ask, i);
        if (part.tally.fact) {
            known_add_tally(&k->tally, &part.tally);
            g->workers[g->n_workers++] = (struct show_worker) { i, part.tally };
        }
        take_socket(&k->excluded, &part.excluded);
        take_socket(&k->viewer, &part.viewer);
        k->n_later += part.n_later;
        if (part.vacated.at_ms > k->vacated.at_ms) k->vacated = part.vacated;
        if (!read_names(g, ask, i, part.n_names) || !read_related(g, ask, i, part.n_names))
            return false;
    }
    if (k->n_related) qsort(g->related, k->n_related, sizeof *g->related, newest_first);
    k->related = g->related;
    return true;
}

static bool gather_channels(struct directory *dir, const struct app *app, struct gathered *g)
{
    if (!app) return true;
    if (dir_list(dir, app, (struct span) { NULL, 0 }, &g->list)) return false;
    if (g->list.n == 0) return true;
    g->channels = mem_alloc(g->list.n * sizeof *g->channels);
    if (!g->channels) return false;
    for (size_t i = 0; i < g->list.n; i++)
        g->channels[i] = (struct known_channel) { g->list.items[i].name, g->list.items[i].n_subs };
    g->known.channels = g->channels;
    g->known.n_channels = g->list.n;
    return true;
}

/* All apps, with the subscriptions that they have of a channel of this name. */
static bool gather_apps(const struct worker *w, const struct fact *f, struct gathered *g)
{
    const struct apps *apps = w->apps;
    size_t n = 0;
    while (apps_at(apps, n)) n++;
    if (n == 0) return true;
    g->apps = mem_alloc(n * sizeof *g->apps);
    if (!g->apps) return false;
    for (size_t i = 0; i < n; i++) {
        struct app *app = apps_find_id(apps, apps_at(apps, i)->s->id);
        struct dir_facts facts = { 0 };
        if (app) dir_facts(w->server->dir, app, fact_channel(f), 0, &facts);
        msg_unref(facts.cached);
        g->apps[i] = (struct known_channel) { apps_at(apps, i)->s->id, facts.n_subs };
    }
    g->known.apps = g->apps;
    g->known.n_apps = n;
    return true;
}

static void gather_now(struct worker *w, const struct question *q, struct known *k)
{
    struct span channel = fact_channel(k->fact), none = { NULL, 0 };
    struct dir_facts facts = { 0 };
    k->app = fact_app(k->fact);
    k->app_known = q->app != NULL;
    if (!q->app) {
        bool by_key = k->fact->kind == FACT_CONNECT_REFUSED;
        const struct app *other =
            by_key ? apps_find_id(w->apps, k->app) : apps_find_key(w->apps, k->app);
        k->key_of = other ? other->s->id : none;
        return;
    }
    if (chan_kind_of(channel).type == CHAN_USER) {
        k->n_now = dir_user_count(w->server->dir, q->app, chan_user_id(channel));
        return;
    }
    dir_facts(w->server->dir, q->app, channel, loop_now_ms(w->loop), &facts);
    msg_unref(facts.cached);
    k->n_now = facts.n_subs;
    k->occupied_ms = facts.occupied_ms;
}

enum err known_explain(struct ask *ask, struct buf *json)
{
    const struct question *q = ask->ctx;
    struct worker *w = ask->home;
    const struct show_clock clock = { loop_now_ms(w->loop), clock_unix_ms() };
    struct gathered g = { .known = { .fact = q->facts[0] } };
    struct explanation ex;
    gather_now(w, q, &g.known);
    bool ok = gather_parts(ask, &g) && gather_channels(w->server->dir, q->app, &g) &&
              gather_apps(w, q->facts[0], &g);
    if (ok) {
        const struct show_parts parts = { g.workers, g.n_workers, &clock };
        explain(&g.known, &ex);
        show_explanation(&g.known, &ex, &parts, json);
        explanation_fini(&ex);
    }
    gathered_fini(&g);
    return ok ? ERR_OK : ERR_NOMEM;
}
