/* SPDX-License-Identifier: MIT
 *
 * server/config_apps.c: the apps of the draft -> app_settings. What is said of one app wins over
 * app_defaults, wherever each was said.
 */
#include "base/hash.h"
#include "server/config_draft.h"

/* The other app, where there is just one: then its id was likely mistyped. */
static const struct draft_app *only_other(const struct draft *d, const struct draft_app *app)
{
    if (d->n_apps != 2) return NULL;
    return d->apps[0] == app ? d->apps[1] : d->apps[0];
}

static enum err refuse_incomplete(struct draft *d, const struct draft_app *app,
                                  const struct option *opt)
{
    const char *word = opt->type == OPTION_SECRETS ? "secret" : opt->name;
    const struct draft_app *other = only_other(d, app);
    return diag_set(d->diag, ERR_CONFIG,
                    "the app '%.*s' (first named by %.*s) has no %s: add it there, or remove the "
                    "app%s%.*s%s",
                    SPAN_FMT(app->id), SPAN_FMT(app->where), word,
                    other ? "; did you mean the app '" : "", SPAN_FMT(other ? other->id : SPAN("")),
                    other ? "'?" : "");
}

static enum err make_app(struct draft *d, const struct draft_app *app, struct app_settings *out,
                         struct span from[N_APP_OPTIONS])
{
    out->id = app->id;
    for (size_t i = 0; i < N_APP_OPTIONS; i++) {
        const struct draft_slot *slots[] = { &app->slots[i], &d->all_apps[i], NULL };
        enum err err = config_fill(d, &option_apps[i], slots, out, &from[i]);
        if (err == ERR_ABSENT) return refuse_incomplete(d, app, &option_apps[i]);
        if (err) return err;
    }
    return ERR_OK;
}

static bool has_key(const void *app, const void *key)
{
    return span_eq(((const struct app_settings *)app)->key, *(const struct span *)key);
}

/* Two apps with one key: clients could not say which they mean. */
static enum err check_keys(struct draft *d, struct config *cfg)
{
    struct map by_key = { 0 };
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < cfg->n_apps; i++) {
        struct app_settings *app = &cfg->apps[i];
        uint64_t hash = hash_key(app->key);
        const struct app_settings *other = map_find(&by_key, hash, has_key, &app->key);
        if (other)
            err = diag_set(d->diag, ERR_CONFIG,
                           "the apps '%.*s' (%.*s) and '%.*s' (%.*s) have the same key '%.*s'",
                           SPAN_FMT(other->id), SPAN_FMT(d->apps[other - cfg->apps]->where),
                           SPAN_FMT(app->id), SPAN_FMT(d->apps[i]->where), SPAN_FMT(app->key));
        else
            err = map_add(&by_key, hash, app);
    }
    map_fini(&by_key);
    return err;
}

enum err config_make_apps(struct draft *d, struct config *cfg)
{
    if (!d->n_apps) return ERR_OK;
    cfg->apps = config_arena_alloc(d->arena, d->n_apps * sizeof *cfg->apps);
    cfg->_app_from = config_arena_alloc(d->arena, d->n_apps * sizeof *cfg->_app_from);
    if (!cfg->apps || !cfg->_app_from) return ERR_NOMEM;
    for (size_t i = 0; i < d->n_apps; i++) {
        enum err err = make_app(d, d->apps[i], &cfg->apps[i], cfg->_app_from[i]);
        if (err) return err;
    }
    cfg->n_apps = d->n_apps;
    return check_keys(d, cfg);
}
