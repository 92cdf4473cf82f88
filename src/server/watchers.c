/* SPDX-License-Identifier: MIT
 *
 * server/watchers.c: see watchers.h. The list of filters is the one thing that workers share here:
 * under a lock, with a version, so that a worker looks only when something has changed.
 */
#include "server/watchers.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "http/url.h"
#include "server/conn.h"
#include "server/internal_app.h"
#include "server/sample.h"
#include "server/server_priv.h"
#include "watch/token.h"

#define GATHER_MS 100
#define GATHER_BYTES 65536
#define SAMPLE_MS 1000
#define NEVER UINT64_MAX

struct filter {
    struct buf channel;
    unsigned n; /* subscriptions, all workers; 0: the place is free */
};

struct watchers {
    struct internal_app app; /* nothing is signed with its secret */
    _Atomic bool some;       /* a filter is used */
    _Atomic unsigned n_stats;
    _Atomic uint64_t version;
    struct lock lock;
    struct filter filters[WATCHERS_MAX_FILTERS];
};

/* --- the app --- */

enum err watchers_new(struct watchers **out)
{
    struct watchers *ws = mem_zalloc(sizeof *ws);
    if (!ws) return ERR_NOMEM;
    lock_init(&ws->lock);
    internal_app_init(&ws->app, SPAN(WATCHERS_KEY));
    ws->app.settings.limits.message_bytes = 4096;
    ws->app.settings.limits.subscriptions = 32;
    ws->app.settings.limits.presence_members = 1;
    enum err err = internal_app_open(&ws->app);
    if (err) {
        watchers_free(ws);
        return err;
    }
    *out = ws;
    return ERR_OK;
}

void watchers_free(struct watchers *ws)
{
    if (!ws) return;
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) buf_fini(&ws->filters[i].channel);
    internal_app_close(&ws->app);
    lock_fini(&ws->lock);
    mem_free_secret(ws, sizeof *ws);
}

struct app *watchers_app(const struct watchers *ws)
{
    return internal_app(&ws->app);
}

/* --- who may watch --- */

bool watch_is_key(struct span key)
{
    return url_eq(key, URL_PLUS_LITERAL, SPAN(WATCHERS_KEY));
}

static void judge_token(const struct conn *c, struct span token, struct ws_open *open)
{
    struct span id;
    struct buf scratch = { 0 };
    if (watch_token_app(token, &scratch, &id)) {
        const struct app *app = apps_find_id(c->worker->apps, id);
        bool there = app && app->s->enabled && app->index < UINT16_MAX - 1;
        uint64_t lasts_s =
            there ? watch_token_lasts(token, id, &app->rules->keys, clock_unix_ms() / 1000) : 0;
        if (lasts_s) {
            open->watch = WATCH_ONE;
            open->scope = (uint16_t)(app->index + 1);
            open->until_s = (uint32_t)(loop_now_ms(c->worker->loop) / 1000 + lasts_s);
        }
    }
    buf_fini(&scratch);
}

void watch_judge(const struct conn *c, struct ws_open *open)
{
    struct span token;
    open->watch = WATCH_NO;
    if (!watch_is_key(open->key)) return;
    if (c->admin) {
        open->watch = WATCH_ALL;
    } else if (c->worker->cfg->dashboard.expose) {
        open->watch = WATCH_DENIED;
        if (url_query_find(open->query, SPAN("token"), &token) == 1) judge_token(c, token, open);
    }
}

/* --- who watches what --- */

static struct watchers *watchers_of(const struct worker *w)
{
    return w->server->watchers;
}

static bool is_stats(struct span channel)
{
    return span_eq(channel, SPAN(WATCH_CHANNEL_STATS));
}

static struct filter *find_locked(struct watchers *ws, struct span channel)
{
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++)
        if (ws->filters[i].n && span_eq(buf_span(&ws->filters[i].channel), channel))
            return &ws->filters[i];
    return NULL;
}

static struct filter *free_place_locked(struct watchers *ws)
{
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++)
        if (ws->filters[i].n == 0) return &ws->filters[i];
    return NULL;
}

/* Of a watcher over the main listener: only filters of his app. */
static const char *check_scope(const struct conn *c, const struct watch_filter *filter)
{
    if (c->scope == 0) return NULL;
    struct app *app = filter->app.p ? apps_find_id(c->worker->apps, filter->app) : NULL;
    return app && app->index + 1 == c->scope ? NULL : "The token is for another app.";
}

/* --- coming and going --- */

/* False: all places are taken, or there is no memory. */
static bool hold_locked(struct watchers *ws, struct span channel)
{
    struct filter *f = find_locked(ws, channel);
    if (!f) {
        f = free_place_locked(ws);
        if (!f) return false;
        buf_clear(&f->channel);
        buf_add_span(&f->channel, channel);
        if (buf_failed(&f->channel)) {
            buf_fini(&f->channel);
            return false;
        }
        atomic_fetch_add_explicit(&ws->version, 1, memory_order_release);
    }
    f->n++;
    atomic_store_explicit(&ws->some, true, memory_order_relaxed);
    return true;
}

static void drop_locked(struct watchers *ws, struct span channel)
{
    struct filter *f = find_locked(ws, channel);
    CHECK(f);
    if (--f->n > 0) return;
    atomic_fetch_add_explicit(&ws->version, 1, memory_order_release);
    bool some = false;
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) some |= ws->filters[i].n > 0;
    atomic_store_explicit(&ws->some, some, memory_order_relaxed);
}

static const char *hold_filter(struct watchers *ws, struct span channel)
{
    lock_take(&ws->lock);
    bool held = hold_locked(ws, channel);
    lock_drop(&ws->lock);
    return held ? NULL : "Too many different filters are in use; use one that others have.";
}

static const char *check_channel(const struct conn *c, struct span channel)
{
    struct watch_filter filter = { .kind = -1 };
    const char *why = NULL;
    if (span_starts(channel, SPAN(WATCH_CHANNEL_FILTER))) {
        if (!watch_filter_read(channel, &filter, &why)) return why;
    } else if (!span_eq(channel, SPAN(WATCH_CHANNEL_EVENTS))) {
        return "There are only the channels watch, watch-FILTER and stats.";
    }
    why = check_scope(c, &filter);
    watch_filter_fini(&filter);
    return why;
}

static void wake_all(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) worker_wake(&s->workers[i]);
}

static const char *comes(void *ctx, struct hub_conn *hc, struct span channel)
{
    struct worker *w = ctx;
    struct watchers *ws = watchers_of(w);
    const struct conn *c = conn_of_hub(hc);
    if (hc->app != watchers_app(ws)) return NULL; /* the self-test's */
    if (is_stats(channel)) {
        if (c->scope) return "A token does not allow to see the statistics of all apps.";
        atomic_fetch_add_explicit(&ws->n_stats, 1, memory_order_relaxed);
        wake_all(w->server);
        return NULL;
    }
    const char *why = check_channel(c, channel);
    return why ? why : hold_filter(ws, channel);
}

static void left(void *ctx, struct hub_conn *hc, struct span channel)
{
    struct watchers *ws = watchers_of(ctx);
    if (hc->app != watchers_app(ws)) return;
    if (is_stats(channel)) {
        atomic_fetch_sub_explicit(&ws->n_stats, 1, memory_order_relaxed);
        return;
    }
    lock_take(&ws->lock);
    drop_locked(ws, channel);
    lock_drop(&ws->lock);
}

/* --- gathering --- */

static void part_fini(struct watch_part *p)
{
    buf_fini(&p->channel);
    buf_fini(&p->events);
    if (p->used) watch_filter_fini(&p->filter);
    *p = (struct watch_part) { .used = false };
}

void watch_out_fini(struct watch_out *out)
{
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) part_fini(&out->parts[i]);
}

/* Takes the place's filter over; what was gathered for another one is nobody's. */
static void take_filter(struct watch_part *p, const struct filter *f)
{
    const char *why;
    struct span channel = buf_span(&f->channel);
    if (f->n == 0) {
        part_fini(p);
        return;
    }
    if (p->used && span_eq(buf_span(&p->channel), channel)) return;
    part_fini(p);
    bool all = span_eq(channel, SPAN(WATCH_CHANNEL_EVENTS));
    p->filter.kind = -1;
    p->used = all || watch_filter_read(channel, &p->filter, &why);
    buf_add_span(&p->channel, channel);
    if (buf_failed(&p->channel)) part_fini(p);
}

static void take_filters(struct worker *w)
{
    struct watchers *ws = watchers_of(w);
    struct watch_out *out = &w->watch;
    if (atomic_load_explicit(&ws->version, memory_order_acquire) == out->version) return;
    lock_take(&ws->lock);
    out->version = atomic_load_explicit(&ws->version, memory_order_relaxed);
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) take_filter(&out->parts[i], &ws->filters[i]);
    lock_drop(&ws->lock);
}

static void gather(struct watch_part *p, const struct watch_event *ev)
{
    size_t before = p->events.n;
    if (before > GATHER_BYTES) {
        p->skipped++;
        return;
    }
    if (before == 0) buf_add_byte(&p->events, '[');
    watch_event_write(ev, &p->events);
    if (buf_failed(&p->events)) {
        buf_fini(&p->events);
        p->skipped += p->n + 1;
        p->n = 0;
        return;
    }
    p->n++;
}

void watch_tell(struct worker *w, struct watch_event *ev)
{
    struct watch_out *out = &w->watch;
    take_filters(w);
    ev->unix_ms = clock_unix_ms();
    for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) {
        struct watch_part *p = &out->parts[i];
        if (!p->used || !watch_filter_fits(&p->filter, ev)) continue;
        gather(p, ev);
        if (!out->due_ms) out->due_ms = loop_now_ms(w->loop) + GATHER_MS;
    }
}

static void happened(void *ctx, struct watch_event *ev)
{
    watch_tell(ctx, ev);
}

void watch_sink(struct worker *w, struct hub_sink *sink)
{
    sink->watched = &watchers_of(w)->some;
    sink->happened = happened;
    sink->watcher_comes = comes;
    sink->watcher_left = left;
    sink->ctx = w;
}

/* --- sending --- */

/* Where the workers have too much to do, watchers are the first to wait in vain. */
static bool publish(struct worker *w, struct span channel, struct span name_raw, struct buf *data)
{
    struct hub_publish p = {
        .app = watchers_app(watchers_of(w)),
        .channel = channel,
        .kind = chan_kind_of(channel),
        .name_raw = name_raw,
        .data_raw = buf_span(data),
    };
    bool sent = !buf_failed(data) && !hub_overloaded(w->hub) && !hub_publish(w->hub, &p);
    buf_fini(data);
    return sent;
}

static void send_part(struct worker *w, struct watch_part *p)
{
    struct buf data = { 0 };
    if (!p->used || (p->n == 0 && p->skipped == 0)) return;
    json_open(&data, '{');
    watch_key_u64(&data, "worker", w->index);
    watch_key_u64(&data, "skipped", p->skipped);
    json_key(&data, SPAN("events"));
    buf_add_span(&data, p->n ? buf_span(&p->events) : SPAN("["));
    json_close(&data, ']');
    json_close(&data, '}');
    bool sent = publish(w, buf_span(&p->channel), SPAN("\"watch\""), &data);
    p->skipped = sent ? 0 : p->skipped + p->n;
    p->n = 0;
    buf_fini(&p->events); /* a watcher who has gone must not keep memory here */
}

static void sample(struct worker *w, uint64_t now_ms)
{
    struct watch_out *out = &w->watch;
    struct buf data = { 0 };
    uint64_t wall_ns = clock_mono_ns(), cpu_ns = clock_thread_ns();
    if (out->sample_ms) {
        const struct sample_span since = { wall_ns - out->wall_ns, cpu_ns - out->cpu_ns,
                                           out->busy_max_ns };
        sample_write(w, &since, &data);
        publish(w, SPAN(WATCH_CHANNEL_STATS), SPAN("\"stats\""), &data);
    }
    out->sample_ms = now_ms;
    out->wall_ns = wall_ns;
    out->cpu_ns = cpu_ns;
    out->busy_max_ns = 0;
}

static bool wants_samples(const struct worker *w)
{
    return atomic_load_explicit(&watchers_of(w)->n_stats, memory_order_relaxed) > 0;
}

void watch_step(struct worker *w)
{
    struct watch_out *out = &w->watch;
    uint64_t now_ms = loop_now_ms(w->loop);
    if (out->due_ms && now_ms >= out->due_ms) {
        out->due_ms = 0;
        take_filters(w);
        for (size_t i = 0; i < WATCHERS_MAX_FILTERS; i++) send_part(w, &out->parts[i]);
    }
    if (!wants_samples(w))
        out->sample_ms = 0;
    else if (out->sample_ms == 0 || now_ms >= out->sample_ms + SAMPLE_MS)
        sample(w, now_ms);
}

uint64_t watch_deadline_ms(const struct worker *w)
{
    uint64_t at_ms = w->watch.due_ms ? w->watch.due_ms : NEVER;
    uint64_t sample_ms = w->watch.sample_ms ? w->watch.sample_ms + SAMPLE_MS : NEVER;
    return sample_ms < at_ms ? sample_ms : at_ms;
}
