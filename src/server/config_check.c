/* SPDX-License-Identifier: MIT
 *
 * server/config_check.c: rules between options, which no row of the table can state.
 */
#include "server/config_draft.h"
#include "server/watchers.h"

#define PONG_MARGIN_S 30 /* what pusher-js waits for a pong before it gives up on its own */

static enum err check_keep_alive(const struct app_settings *app, struct diag *diag)
{
    uint64_t ours = app->ping_interval_s + app->pong_timeout_s;
    if (ours >= app->activity_timeout_s + PONG_MARGIN_S) return ERR_OK;
    return diag_set(diag, ERR_CONFIG,
                    "app '%.*s': ping_interval_s + pong_timeout_s (%llu + %llu) must be at least "
                    "activity_timeout_s + %d (%llu + %d), else clients that are alive are closed",
                    SPAN_FMT(app->id), (unsigned long long)app->ping_interval_s,
                    (unsigned long long)app->pong_timeout_s, PONG_MARGIN_S,
                    (unsigned long long)app->activity_timeout_s, PONG_MARGIN_S);
}

static enum err check_sizes(const struct config *cfg, const struct app_settings *app,
                            struct diag *diag)
{
    uint64_t most = cfg->limits.request_total_bytes;
    if (!most || app->limits.message_bytes <= most) return ERR_OK;
    return diag_set(diag, ERR_CONFIG,
                    "app '%.*s': limits.message_bytes (%llu) is larger than "
                    "limits.request_total_bytes (%llu): no such event could be published",
                    SPAN_FMT(app->id), (unsigned long long)app->limits.message_bytes,
                    (unsigned long long)most);
}

/* The same place twice; any free port is another place each time. */
static bool collide(const struct config_addr *a, const struct config_addr *b)
{
    if (a->kind == CONFIG_ADDR_TCP && a->port == 0) return false;
    return span_eq_nocase(a->text, b->text);
}

static enum err check_listeners(const struct config *cfg, struct diag *diag)
{
    const struct config_addr *admin = &cfg->admin.listen.items[0];
    for (size_t i = 0; i < cfg->listen.n; i++) {
        const struct config_addr *addr = &cfg->listen.items[i];
        if (collide(addr, admin))
            return diag_set(diag, ERR_CONFIG,
                            "listen and admin.listen are both %.*s; the admin listener needs an "
                            "address of its own",
                            SPAN_FMT(addr->text));
        for (size_t j = 0; j < i; j++)
            if (collide(addr, &cfg->listen.items[j]))
                return diag_set(diag, ERR_CONFIG, "listen names %.*s twice", SPAN_FMT(addr->text));
    }
    return ERR_OK;
}

static enum err check_names(const struct app_settings *app, struct diag *diag)
{
    if (!span_eq(app->id, SPAN(WATCHERS_KEY)) && !span_eq(app->key, SPAN(WATCHERS_KEY)))
        return ERR_OK;
    return diag_set(diag, ERR_CONFIG,
                    "app '%.*s': the name " WATCHERS_KEY " is reserved for the server's own "
                    "live stream; give the app another id and key",
                    SPAN_FMT(app->id));
}

/* With --dev there are tokens of apps only, and the page is on the admin listener. */
static enum err check_exposed(const struct config *cfg, struct diag *diag)
{
    if (!cfg->dashboard.expose || cfg->dashboard.password_hash.n || cfg->dev) return ERR_OK;
    return diag_set(diag, ERR_CONFIG,
                    "dashboard.expose is true, but dashboard.password_hash is not set: everybody "
                    "could read all events and end connections. `peal password` makes one; or "
                    "leave dashboard.expose false and reach the admin listener through a tunnel "
                    "(ssh -L 9601:%.*s)",
                    SPAN_FMT(cfg->admin.listen.items[0].text));
}

enum err config_check(const struct config *cfg, struct diag *diag)
{
    enum err err = check_listeners(cfg, diag);
    if (!err) err = check_exposed(cfg, diag);
    for (size_t i = 0; !err && i < cfg->n_apps; i++) {
        err = check_names(&cfg->apps[i], diag);
        if (!err) err = check_keep_alive(&cfg->apps[i], diag);
        if (!err) err = check_sizes(cfg, &cfg->apps[i], diag);
    }
    return err;
}
