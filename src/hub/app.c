/* SPDX-License-Identifier: MIT
 *
 * hub/app.c: the set of applications. Made once from settings; looked up by key (WebSocket) and by
 * id (HTTP API) through keyed hash tables, so a hundred apps cost what one costs.
 */
#include "hub/app.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/limit.h"

static bool has_key(const void *entry, const void *key)
{
    return span_eq(((const struct app *)entry)->s->key, *(const struct span *)key);
}

static bool has_id(const void *entry, const void *id)
{
    return span_eq(((const struct app *)entry)->s->id, *(const struct span *)id);
}

struct app *apps_find_key(const struct apps *apps, struct span key)
{
    return map_find(&apps->_by_key, hash_key(key), has_key, &key);
}

struct app *apps_find_id(const struct apps *apps, struct span id)
{
    return map_find(&apps->_by_id, hash_key(id), has_id, &id);
}

static void set_rules(struct app *app, bool strict_names)
{
    const struct app_settings *s = app->s;
    app->rules = (struct peer_rules) {
        .keys = { .key = s->key, .secrets = app->_hmac, .n_secrets = s->secrets.n },
        .names = { .limit = s->limits.channel_name, .strict = strict_names },
        .event_name_limit = s->limits.event_name,
        .message_limit = s->limits.message_bytes,
        .member_info_limit = s->limits.presence_member_bytes,
        .client_events = s->client_events,
        .client_events_public = s->client_events_on_public_channels,
        .app_id = s->id,
    };
}

static enum err init_app(struct app *app, const struct app_settings *s, bool strict_names,
                         struct diag *diag)
{
    app->s = s;
    if (s->secrets.n == 0 || s->secrets.n > APP_MAX_SECRETS)
        return diag_set(diag, ERR_RANGE, "app '%.*s' needs 1 to %d secrets, it has %zu",
                        SPAN_FMT(s->id), APP_MAX_SECRETS, s->secrets.n);
    for (size_t i = 0; i < s->secrets.n; i++) {
        app->_hmac[i] = hmac_key_new(s->secrets.items[i]);
        if (!app->_hmac[i]) return ERR_NOMEM;
    }
    set_rules(app, strict_names);
    return ERR_OK;
}

static enum err index_app(struct apps *apps, struct app *app, struct diag *diag)
{
    const struct app_settings *s = app->s;
    if (apps_find_id(apps, s->id))
        return diag_set(diag, ERR_EXISTS, "two apps have the id '%.*s'", SPAN_FMT(s->id));
    struct app *other = apps_find_key(apps, s->key);
    if (other)
        return diag_set(diag, ERR_EXISTS, "the apps '%.*s' and '%.*s' have the same key",
                        SPAN_FMT(other->s->id), SPAN_FMT(s->id));
    if (map_add(&apps->_by_id, hash_key(s->id), app) ||
        map_add(&apps->_by_key, hash_key(s->key), app))
        return ERR_NOMEM;
    return ERR_OK;
}

enum err apps_new(struct apps **out, const struct app_settings *settings, size_t n,
                  bool strict_names, struct diag *diag)
{
    struct apps *apps = mem_zalloc(sizeof *apps);
    if (!apps) return ERR_NOMEM;
    enum err err = ERR_NOMEM;
    apps->all = mem_zalloc((n ? n : 1) * sizeof *apps->all);
    if (!apps->all) goto fail;
    for (size_t i = 0; i < n; i++) {
        apps->n = i + 1;
        apps->all[i].index = (uint32_t)i;
        if ((err = init_app(&apps->all[i], &settings[i], strict_names, diag))) goto fail;
        if ((err = index_app(apps, &apps->all[i], diag))) goto fail;
    }
    *out = apps;
    return ERR_OK;
fail:
    apps_free(apps);
    return err;
}

void apps_free(struct apps *apps)
{
    if (!apps) return;
    for (size_t i = 0; apps->all && i < apps->n; i++)
        for (size_t k = 0; k < APP_MAX_SECRETS; k++) hmac_key_free(apps->all[i]._hmac[k]);
    map_fini(&apps->_by_id);
    map_fini(&apps->_by_key);
    mem_free(apps->all);
    mem_free(apps);
}

bool app_conn_take(struct app *app)
{
    uint64_t limit = app->s->limits.connections;
    uint32_t before = atomic_fetch_add_explicit(&app->n_conns, 1, memory_order_relaxed);
    if (limit == 0 || before < limit) return true;
    app_conn_drop(app);
    return false;
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
