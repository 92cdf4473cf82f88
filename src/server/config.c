/* SPDX-License-Identifier: MIT
 *
 * server/config.c: sources -> draft -> configuration.
 */
#include "server/config.h"
#include "base/mem.h"
#include "server/config_draft.h"

static enum err read_flag(struct draft *d, const struct config_flag *flag)
{
    struct draft_origin from = { RANK_FLAG, span_str(flag->shown), { "", 0 }, NULL };
    struct span value = span_str(flag->value);
    struct option_ref ref;
    if (!option_find(span_str(flag->name), &ref))
        return draft_unknown(d, span_str(flag->name), &from);
    return draft_put(d, &ref, (struct option_given) { &value, 1, false }, &from);
}

enum err config_read_flags(struct draft *d, const struct config_flag *flags, size_t n)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < n; i++) err = draft_keep(d, read_flag(d, &flags[i]));
    return err;
}

static enum err put_dev(struct draft *d, const char *name, const char *text)
{
    struct draft_origin from = { RANK_DEV, SPAN("--dev"), { "", 0 }, NULL };
    struct span value = span_str(text);
    struct option_ref ref;
    CHECK(option_find(span_str(name), &ref));
    return draft_put(d, &ref, (struct option_given) { &value, 1, false }, &from);
}

/* What --dev says where nobody else does. */
static enum err read_dev(struct draft *d)
{
    enum err err = put_dev(d, "host", "127.0.0.1");
    if (err || d->n_apps) return err;
    err = put_dev(d, "apps.app-id.key", "app-key");
    return err ? err : put_dev(d, "apps.app-id.secrets", "app-secret");
}

static enum err refuse_no_app(struct diag *diag)
{
    return diag_set(
        diag, ERR_CONFIG,
        "no app is configured: give one with --app ID:KEY:SECRET (or --app @FILE), with "
        "PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET in .env or the "
        "environment, or with an entry of apps in peal.yaml; to try things out, use "
        "--dev");
}

/* All mistakes that were found, if the caller wants to hear them; the first one goes into diag. */
static enum err refuse_all(const struct draft *d, const struct config_sources *src)
{
    const struct span_list *list = &d->refused;
    for (size_t i = 0; src->on_refused && i < list->n; i++)
        src->on_refused(src->ctx, list->items[i]);
    if (list->n == 1) return diag_set(d->diag, ERR_CONFIG, "%.*s", SPAN_FMT(list->items[0]));
    return diag_set(d->diag, ERR_CONFIG, "%.*s (and %zu more: see peal config check)",
                    SPAN_FMT(span_head(list->items[0], 900)), list->n - 1);
}

static enum err read_sources(struct draft *d, const struct config_sources *src, struct config *cfg)
{
    enum err err = draft_keep(d, config_read_yaml(d, src->yaml_path));
    if (!err) err = draft_keep(d, config_read_env(d, src->env_path, src->environment, cfg));
    if (!err) err = config_read_flags(d, src->flags, src->n_flags);
    if (!err && src->dev) err = read_dev(d);
    if (!err && d->refused.n) return refuse_all(d, src); /* the rest may only follow from it */
    if (!err && src->apps_needed && !d->n_apps) err = refuse_no_app(d->diag);
    return err;
}

static enum err build(struct config *cfg, const struct config_sources *src, struct diag *diag)
{
    struct draft *draft = mem_alloc(sizeof *draft);
    if (!draft) return ERR_NOMEM;
    draft_init(draft, cfg->_arena, diag);
    cfg->dev = src->dev;
    cfg->dial.host = span_of("", 0);
    enum err err = read_sources(draft, src, cfg);
    if (!err) err = config_make_globals(draft, cfg);
    if (!err) err = config_make_store(draft, src->environment, cfg);
    if (!err) err = config_make_apps(draft, cfg);
    if (!err) err = config_check(cfg, diag);
    if (!err) err = config_hint(draft, cfg);
    cfg->warnings = draft->warnings;
    draft_fini(draft);
    mem_free(draft);
    return err;
}

enum err config_load(struct config **out, const struct config_sources *src, struct diag *d)
{
    struct config *cfg = mem_zalloc(sizeof *cfg);
    if (cfg) cfg->_arena = config_arena_new();
    enum err err = cfg && cfg->_arena ? build(cfg, src, d) : ERR_NOMEM;
    if (err == ERR_NOMEM) diag_set(d, err, "out of memory while reading the configuration");
    if (err)
        config_free(&cfg);
    else
        *out = cfg;
    return err;
}

void config_free(struct config **cfg)
{
    if (!*cfg) return;
    config_arena_free((*cfg)->_arena);
    mem_free(*cfg);
    *cfg = NULL;
}

struct span config_from(const struct config *cfg, size_t option)
{
    CHECK(option < N_GLOBAL_OPTIONS);
    return cfg->_from[option];
}

struct span config_app_from(const struct config *cfg, size_t app, size_t option)
{
    CHECK(app < cfg->n_apps && option < N_APP_OPTIONS);
    return cfg->_app_from[app][option];
}

const struct app_settings *config_find_app(const struct config *cfg, struct span id)
{
    for (size_t i = 0; i < cfg->n_apps; i++)
        if (span_eq(cfg->apps[i].id, id)) return &cfg->apps[i];
    return NULL;
}
