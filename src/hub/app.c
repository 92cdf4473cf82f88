/* SPDX-License-Identifier: MIT
 *
 * hub/app.c: the set of applications. Made from settings; looked up by key (WebSocket) and by id
 * (HTTP API) through keyed hash tables, so a hundred apps cost what one costs.
 *
 * A set holds one version of each of its apps: settings, keys ready for use, rules. Publishing a
 * set stores the versions' addresses into the slots; so a reload costs the readers nothing.
 */
#include "hub/app.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/limit.h"

#define UNION_SECRETS ((size_t)2 * APP_MAX_SECRETS)

/* What an app is in one set. */
struct app_version {
    struct app *app;
    const struct app_settings *s;
    struct peer_rules rules;
    struct hmac_key *hmac[UNION_SECRETS];
    size_t n_hmac;
};

/* All slots that there ever were, by index; they live in the blocks. */
struct app_slots {
    unsigned refs; /* sets */
    bool strict_names;
    struct map by_id;
    struct app **at;
    size_t n, room;
    struct app **blocks;
    size_t n_blocks;
};

/* --- finding --- */

static bool has_key(const void *entry, const void *key)
{
    return span_eq(((const struct app_version *)entry)->s->key, *(const struct span *)key);
}

static bool has_id(const void *entry, const void *id)
{
    return span_eq(((const struct app_version *)entry)->s->id, *(const struct span *)id);
}

static bool is_text(const void *entry, const void *text)
{
    return span_eq(*(const struct span *)entry, *(const struct span *)text);
}

static struct app_version *find_key(const struct apps *apps, struct span key)
{
    return map_find(&apps->_by_key, hash_key(key), has_key, &key);
}

static struct app_version *find_id(const struct apps *apps, struct span id)
{
    return map_find(&apps->_by_id, hash_key(id), has_id, &id);
}

struct app *apps_find_key(const struct apps *apps, struct span key)
{
    const struct app_version *v = find_key(apps, key);
    return v ? v->app : NULL;
}

struct app *apps_find_id(const struct apps *apps, struct span id)
{
    const struct app_version *v = find_id(apps, id);
    return v ? v->app : NULL;
}

const struct app *apps_at(const struct apps *apps, size_t i)
{
    return i < apps->_n_versions ? apps->_versions[i].app : NULL;
}

bool apps_have_secret(const struct apps *apps, struct span text)
{
    return map_find(&apps->_by_secret, hash_key(text), is_text, &text) != NULL;
}

/* --- slots --- */

static bool is_slot(const void *entry, const void *id)
{
    return span_eq(((const struct app *)entry)->_gone.id, *(const struct span *)id);
}

static struct app *find_slot(const struct app_slots *slots, struct span id)
{
    return map_find(&slots->by_id, hash_key(id), is_slot, &id);
}

/* So that a block can be added without failing. */
static enum err reserve_slots(struct app_slots *slots, size_t more)
{
    struct app **blocks = mem_realloc(slots->blocks, (slots->n_blocks + 1) * sizeof *blocks);
    if (!blocks) return ERR_NOMEM;
    slots->blocks = blocks;
    size_t room = slots->n + more;
    if (room <= slots->room) return ERR_OK;
    struct app **at = mem_realloc(slots->at, room * sizeof *at);
    if (!at) return ERR_NOMEM;
    slots->at = at;
    slots->room = room;
    return ERR_OK;
}

static enum err init_slot(struct app *app, uint32_t index, struct span id)
{
    char *copy = mem_dup(id.p, id.n);
    if (!copy) return ERR_NOMEM;
    app->index = index;
    app->_gone.id = span_of(copy, id.n);
    app->_gone.key = span_of("", 0);
    app->_gone_rules.app_id = app->_gone.id;
    app->_gone_rules.keys.key = app->_gone.key;
    atomic_init(&app->s, &app->_gone);
    atomic_init(&app->rules, &app->_gone_rules);
    return ERR_OK;
}

static void fini_slot(struct app *app)
{
    mem_free(app->_tally_memory);
    mem_free((char *)(uintptr_t)app->_gone.id.p);
}

static void drop_slots(struct app_slots *slots)
{
    if (!slots || --slots->refs > 0) return;
    for (size_t i = 0; i < slots->n; i++) fini_slot(slots->at[i]);
    for (size_t i = 0; i < slots->n_blocks; i++) mem_free(slots->blocks[i]);
    map_fini(&slots->by_id);
    mem_free(slots->at);
    mem_free(slots->blocks);
    mem_free(slots);
}

/* Fills the block; returns how many of its slots were made. */
static size_t make_block(struct app_slots *slots, struct app *block,
                         const struct app_settings *settings, size_t n, enum err *err)
{
    size_t made = 0;
    for (size_t i = 0; !*err && i < n; i++) {
        struct span id = settings[i].id;
        if (find_slot(slots, id)) continue;
        *err = init_slot(&block[made], (uint32_t)(slots->n + made), id);
        if (*err) break;
        *err = map_add(&slots->by_id, hash_key(id), &block[made]);
        if (*err)
            fini_slot(&block[made]);
        else
            made++;
    }
    return made;
}

static void drop_block(struct app_slots *slots, struct app *block, size_t made)
{
    for (size_t i = 0; i < made; i++) {
        map_remove(&slots->by_id, hash_key(block[i]._gone.id), &block[i]);
        fini_slot(&block[i]);
    }
    mem_free(block);
}

/* Makes the slots that the settings need and that are not there. */
static enum err make_slots(struct apps *apps, const struct app_settings *settings, size_t n)
{
    struct app_slots *slots = apps->_slots;
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) missing += !find_slot(slots, settings[i].id);
    if (missing == 0) return ERR_OK;
    struct app *block = mem_zalloc(missing * sizeof *block);
    enum err err = block ? reserve_slots(slots, missing) : ERR_NOMEM;
    size_t made = err ? 0 : make_block(slots, block, settings, n, &err);
    if (err) {
        drop_block(slots, block, made);
        return err;
    }
    slots->blocks[slots->n_blocks++] = apps->all = block;
    apps->n = made;
    for (size_t i = 0; i < made; i++) slots->at[slots->n++] = &block[i];
    return ERR_OK;
}

/* --- versions --- */

static void set_rules(struct app_version *v, bool strict_names)
{
    const struct app_settings *s = v->s;
    v->rules = (struct peer_rules) {
        .keys = { .key = s->key, .secrets = v->hmac, .n_secrets = v->n_hmac },
        .names = { .limit = s->limits.channel_name, .strict = strict_names },
        .event_name_limit = s->limits.event_name,
        .message_limit = s->limits.message_bytes,
        .member_info_limit = s->limits.presence_member_bytes,
        .client_events = s->client_events,
        .client_events_public = s->client_events_on_public_channels,
        .app_id = s->id,
    };
}

static bool has_secret(const struct span_list *list, struct span secret)
{
    for (size_t i = 0; i < list->n; i++)
        if (span_eq(list->items[i], secret)) return true;
    return false;
}

/* Adds the keys of the secrets that are not in `but`. */
static enum err add_secrets(struct apps *apps, struct app_version *v,
                            const struct span_list *secrets, const struct span_list *but)
{
    for (size_t i = 0; i < secrets->n; i++) {
        struct span *secret = &secrets->items[i];
        if (but && has_secret(but, secrets->items[i])) continue;
        CHECK(v->n_hmac < UNION_SECRETS);
        v->hmac[v->n_hmac] = hmac_key_new(secrets->items[i]);
        if (!v->hmac[v->n_hmac]) return ERR_NOMEM;
        v->n_hmac++;
        if (apps_have_secret(apps, *secret)) continue;
        if (map_add(&apps->_by_secret, hash_key(*secret), secret)) return ERR_NOMEM;
    }
    return ERR_OK;
}

static enum err index_version(struct apps *apps, struct app_version *v)
{
    if (map_add(&apps->_by_id, hash_key(v->s->id), v) ||
        map_add(&apps->_by_key, hash_key(v->s->key), v))
        return ERR_NOMEM;
    return ERR_OK;
}

/* `more`: further secrets that are good, or NULL. */
static enum err add_version(struct apps *apps, struct app *app, const struct app_settings *s,
                            const struct span_list *more)
{
    struct app_version *v = &apps->_versions[apps->_n_versions++];
    v->app = app;
    v->s = s;
    enum err err = add_secrets(apps, v, &s->secrets, NULL);
    if (!err && more) err = add_secrets(apps, v, more, &s->secrets);
    if (err) return err;
    set_rules(v, apps->_slots->strict_names);
    return index_version(apps, v);
}

/* --- sets --- */

static struct apps *make_set(struct app_slots *slots, size_t n_versions)
{
    struct apps *apps = mem_zalloc(sizeof *apps);
    if (!apps) return NULL;
    apps->_versions = mem_zalloc((n_versions ? n_versions : 1) * sizeof *apps->_versions);
    if (!apps->_versions) {
        mem_free(apps);
        return NULL;
    }
    apps->_slots = slots;
    slots->refs++;
    return apps;
}

void apps_free(struct apps *apps)
{
    if (!apps) return;
    for (size_t i = 0; i < apps->_n_versions; i++)
        for (size_t k = 0; k < apps->_versions[i].n_hmac; k++)
            hmac_key_free(apps->_versions[i].hmac[k]);
    map_fini(&apps->_by_id);
    map_fini(&apps->_by_key);
    map_fini(&apps->_by_secret);
    mem_free(apps->_versions);
    drop_slots(apps->_slots);
    mem_free(apps);
}

static enum err check_settings(const struct apps *apps, const struct app_settings *s,
                               struct diag *diag)
{
    if (s->secrets.n == 0 || s->secrets.n > APP_MAX_SECRETS)
        return diag_set(diag, ERR_RANGE, "app '%.*s' needs 1 to %d secrets, it has %zu",
                        SPAN_FMT(s->id), APP_MAX_SECRETS, s->secrets.n);
    if (find_id(apps, s->id))
        return diag_set(diag, ERR_EXISTS, "two apps have the id '%.*s'", SPAN_FMT(s->id));
    const struct app_version *other = find_key(apps, s->key);
    if (other)
        return diag_set(diag, ERR_EXISTS, "the apps '%.*s' and '%.*s' have the same key",
                        SPAN_FMT(other->s->id), SPAN_FMT(s->id));
    return ERR_OK;
}

static enum err fill_set(struct apps *apps, const struct app_settings *settings, size_t n,
                         struct diag *diag)
{
    enum err err = make_slots(apps, settings, n);
    for (size_t i = 0; !err && i < n; i++) {
        err = check_settings(apps, &settings[i], diag);
        struct app *app = find_slot(apps->_slots, settings[i].id);
        if (!err) err = add_version(apps, app, &settings[i], NULL);
    }
    return err;
}

static enum err build(struct apps **out, struct app_slots *slots,
                      const struct app_settings *settings, size_t n, struct diag *diag)
{
    struct apps *apps = make_set(slots, n);
    enum err err = apps ? fill_set(apps, settings, n, diag) : ERR_NOMEM;
    if (err)
        apps_free(apps);
    else
        *out = apps;
    return err;
}

enum err apps_new(struct apps **out, const struct app_settings *settings, size_t n,
                  bool strict_names, struct diag *diag)
{
    struct app_slots *slots = mem_zalloc(sizeof *slots);
    if (!slots) return ERR_NOMEM;
    slots->refs = 1;
    slots->strict_names = strict_names;
    enum err err = build(out, slots, settings, n, diag);
    drop_slots(slots);
    if (!err) apps_publish(*out);
    return err;
}

enum err apps_next(struct apps **out, const struct apps *now, const struct app_settings *settings,
                   size_t n, struct diag *diag)
{
    return build(out, now->_slots, settings, n, diag);
}

enum err apps_union(struct apps **out, const struct apps *now, const struct apps *next)
{
    struct apps *apps = make_set(now->_slots, now->_n_versions + next->_n_versions);
    if (!apps) return ERR_NOMEM;
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < now->_n_versions; i++) {
        const struct app_version *was = &now->_versions[i], *is = find_id(next, was->s->id);
        err = add_version(apps, was->app, was->s, is ? &is->s->secrets : NULL);
    }
    for (size_t i = 0; !err && i < next->_n_versions; i++) {
        const struct app_version *is = &next->_versions[i];
        /* A key that goes from one app to another is the old one's until the last step. */
        if (find_id(now, is->s->id) || find_key(now, is->s->key)) continue;
        err = add_version(apps, is->app, is->s, NULL);
    }
    if (err)
        apps_free(apps);
    else
        *out = apps;
    return err;
}

void apps_publish(const struct apps *apps)
{
    for (size_t i = 0; i < apps->_n_versions; i++) {
        const struct app_version *v = &apps->_versions[i];
        atomic_store_explicit(&v->app->s, v->s, memory_order_release);
        atomic_store_explicit(&v->app->rules, &v->rules, memory_order_release);
    }
}

void apps_retire(const struct apps *now, const struct apps *next)
{
    for (size_t i = 0; i < now->_n_versions; i++) {
        struct app *app = now->_versions[i].app;
        if (find_id(next, app->_gone.id)) continue;
        atomic_store_explicit(&app->s, &app->_gone, memory_order_release);
        atomic_store_explicit(&app->rules, &app->_gone_rules, memory_order_release);
    }
}

size_t apps_n_slots(const struct apps *apps)
{
    return apps->_slots->n;
}

enum app_change apps_change(const struct apps *now, const struct apps *next, size_t index,
                            struct app **app)
{
    *app = next->_slots->at[index];
    const struct app_version *was = find_id(now, (*app)->_gone.id);
    const struct app_version *is = find_id(next, (*app)->_gone.id);
    if (!was) return is ? APP_ADDED : APP_STAYS;
    if (!is) return APP_REMOVED;
    if (was->s->enabled && !is->s->enabled) return APP_DISABLED;
    if (!span_eq(was->s->key, is->s->key)) return APP_REKEYED;
    return span_list_eq(was->s->secrets, is->s->secrets) ? APP_STAYS : APP_NEW_SECRETS;
}

/* --- counters --- */

uint32_t app_conn_take(struct app *app)
{
    uint64_t limit = app->s->limits.connections;
    uint32_t before = atomic_fetch_add_explicit(&app->n_conns, 1, memory_order_relaxed);
    if (limit == 0 || before < limit) return before + 1;
    app_conn_drop(app);
    return 0;
}

void app_conn_drop(struct app *app)
{
    atomic_fetch_sub_explicit(&app->n_conns, 1, memory_order_relaxed);
}

bool app_publish_take(struct app *app, uint64_t now_ms, uint32_t points, uint32_t *left)
{
    uint64_t limit = app->s->limits.publishes_per_second;
    uint32_t per_second = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
    *left = 0;
    if (per_second == 0) return true;
    return limit_take_shared(&app->_publish_window, now_ms, points, per_second, left);
}

/* --- statistics --- */

static enum err make_tallies(struct app *app, unsigned n_workers)
{
    const size_t size = sizeof *app->_tallies;
    if (app->_tallies) return ERR_OK;
    app->_tally_memory = mem_zalloc((n_workers + 1) * size);
    if (!app->_tally_memory) return ERR_NOMEM;
    size_t over = (uintptr_t)app->_tally_memory % size;
    app->_tallies = (void *)((char *)app->_tally_memory + (over ? size - over : 0));
    return ERR_OK;
}

enum err apps_count(const struct apps *apps, unsigned n_workers)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < apps->_n_versions; i++)
        err = make_tallies(apps->_versions[i].app, n_workers);
    return err;
}

uint64_t app_count(const struct app *app, unsigned n_workers, size_t at)
{
    uint64_t sum = 0;
    for (unsigned i = 0; app->_tallies && i < n_workers; i++) {
        const void *counter = (const char *)&app->_tallies[i] + at;
        sum += atomic_load_explicit((const _Atomic uint64_t *)counter, memory_order_relaxed);
    }
    return sum;
}

void app_count_peak(const struct app *app, unsigned worker, uint32_t n)
{
    struct app_tally *tally = app_tally(app, worker);
    if (!tally || n <= atomic_load_explicit(&tally->peak, memory_order_relaxed)) return;
    atomic_store_explicit(&tally->peak, n, memory_order_relaxed);
}
