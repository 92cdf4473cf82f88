/* SPDX-License-Identifier: MIT
 *
 * server/config_hints.c: settings that are allowed and yet likely a mistake. Each is a sentence
 * that names the option and says what happens; none stops anything.
 */
#include "server/config_draft.h"

#define SECRET_SHORT 8

static bool is_loopback(struct span host)
{
    return span_starts(host, SPAN("127.")) || span_eq(host, SPAN("::1")) ||
           span_eq_nocase(host, SPAN("localhost"));
}

/* --- the server --- */

static enum err hint_admin(struct draft *d, const struct config *cfg)
{
    const struct config_addr *addr = &cfg->admin.listen.items[0];
    if (addr->kind == CONFIG_ADDR_UNIX || is_loopback(addr->host)) return ERR_OK;
    return draft_warn(d,
                      "admin.listen is %.*s, which other machines may reach: it tells who is "
                      "connected and asks for no password",
                      SPAN_FMT(addr->text));
}

static enum err hint_drain(struct draft *d, const struct config *cfg)
{
    if (cfg->drain_code < 4200 || cfg->drain_ms) return ERR_OK;
    return draft_warn(d,
                      "drain_code %u sends clients back at once, but with drain_ms 0 nobody "
                      "listens any more: they stay away for 15 s; use 4100, or a balancer with "
                      "other nodes and some drain_ms",
                      cfg->drain_code);
}

/* Routes begin with /app and /apps; clients add them to the prefix themselves. */
static enum err hint_prefix(struct draft *d, const struct config *cfg)
{
    struct span rest = span_skip(cfg->path_prefix, 1), first;
    if (!cfg->path_prefix.n || !span_cut(&rest, '/', &first)) return ERR_OK;
    if (!span_eq(first, SPAN("app")) && !span_eq(first, SPAN("apps"))) return ERR_OK;
    return draft_warn(d, "path_prefix is %.*s: clients would have to connect to %.*s/app/KEY",
                      SPAN_FMT(cfg->path_prefix), SPAN_FMT(cfg->path_prefix));
}

static enum err hint_exposed(struct draft *d, const struct config *cfg)
{
    if (!cfg->dashboard.expose || cfg->dashboard.path.n) return ERR_OK;
    return draft_warn(d, "dashboard.expose is true, but dashboard.path is empty: there is no "
                         "dashboard to expose");
}

/* Clients that dial this machine without TLS dial us, if anybody. */
static enum err hint_dial(struct draft *d, const struct config *cfg)
{
    if (!cfg->dial.host.n || cfg->dial.tls || !is_loopback(cfg->dial.host)) return ERR_OK;
    for (size_t i = 0; i < cfg->listen.n; i++) {
        const struct config_addr *addr = &cfg->listen.items[i];
        if (addr->kind == CONFIG_ADDR_UNIX || addr->port == 0 || addr->port == cfg->dial.port)
            return ERR_OK;
    }
    return draft_warn(d,
                      "PUSHER_HOST or REVERB_HOST says that clients dial %.*s, port %u, but this "
                      "server listens on %.*s: set PUSHER_PORT or REVERB_PORT, or listen there",
                      SPAN_FMT(cfg->dial.host), cfg->dial.port,
                      SPAN_FMT(cfg->listen.items[0].text));
}

static enum err hint_enabled(struct draft *d, const struct config *cfg)
{
    for (size_t i = 0; i < cfg->n_apps; i++)
        if (cfg->apps[i].enabled) return ERR_OK;
    if (!cfg->n_apps) return ERR_OK;
    return draft_warn(d, "no app is enabled: every client and every request is refused");
}

/* --- each app --- */

static bool is_guessable(struct span secret)
{
    static const char *const words[] = { "app-secret", "secret",   "changeme",
                                         "change-me",  "password", "your-secret" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (span_eq_nocase(secret, span_str(words[i]))) return true;
    return secret.n < SECRET_SHORT;
}

static enum err hint_secrets(struct draft *d, const struct app_settings *app)
{
    for (size_t i = 0; i < app->secrets.n; i++) {
        struct span secret = app->secrets.items[i];
        if (span_eq(secret, app->key))
            return draft_warn(d,
                              "app '%.*s': the secret is the same as the key, which every web "
                              "page shows",
                              SPAN_FMT(app->id));
        if (is_guessable(secret))
            return draft_warn(d,
                              "app '%.*s': the secret is easy to guess; whoever has it can "
                              "publish anything (openssl rand -hex 32 makes one)",
                              SPAN_FMT(app->id));
    }
    return ERR_OK;
}

/* "${NAME}" is left as it is where NAME is not known. */
static enum err hint_unresolved(struct draft *d, const struct app_settings *app)
{
    bool key = span_starts(app->key, SPAN("${"));
    bool secret = span_starts(app->secrets.items[0], SPAN("${"));
    if (!key && !secret) return ERR_OK;
    return draft_warn(d,
                      "app '%.*s': the %s begins with ${, as if it named a variable that is not "
                      "set",
                      SPAN_FMT(app->id), key ? "key" : "secret");
}

static enum err hint_client_events(struct draft *d, const struct app_settings *app)
{
    if (app->client_events || !app->client_events_on_public_channels) return ERR_OK;
    return draft_warn(d,
                      "app '%.*s': client_events_on_public_channels is true, but client_events is "
                      "none: no client event passes",
                      SPAN_FMT(app->id));
}

/* An Origin is scheme, host and port; nothing with a path equals one. */
static enum err hint_origins(struct draft *d, const struct app_settings *app)
{
    for (size_t i = 0; i < app->allowed_origins.n; i++) {
        struct span pattern = app->allowed_origins.items[i], rest = pattern;
        for (size_t at = 0; at + 3 <= pattern.n; at++)
            if (span_starts(span_skip(pattern, at), SPAN("://"))) rest = span_skip(pattern, at + 3);
        if (!rest.n || !memchr(rest.p, '/', rest.n)) continue;
        return draft_warn(d,
                          "app '%.*s': '%.*s' in allowed_origins has a path, so no origin fits; "
                          "an origin ends with the host or the port",
                          SPAN_FMT(app->id), SPAN_FMT(span_head(pattern, 100)));
    }
    return ERR_OK;
}

static enum err hint_app(struct draft *d, const struct config *cfg, const struct app_settings *app)
{
    enum err err = cfg->dev ? ERR_OK : hint_secrets(d, app);
    if (!err) err = hint_unresolved(d, app);
    if (!err) err = hint_client_events(d, app);
    return err ? err : hint_origins(d, app);
}

enum err config_hint(struct draft *d, const struct config *cfg)
{
    enum err err = hint_admin(d, cfg);
    if (!err) err = hint_drain(d, cfg);
    if (!err) err = hint_prefix(d, cfg);
    if (!err) err = hint_exposed(d, cfg);
    if (!err) err = hint_dial(d, cfg);
    if (!err) err = hint_enabled(d, cfg);
    for (size_t i = 0; !err && i < cfg->n_apps; i++) err = hint_app(d, cfg, &cfg->apps[i]);
    return err;
}
