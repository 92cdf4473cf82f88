/* SPDX-License-Identifier: MIT
 *
 * cli/target.c: flags first; then PUSHER_HOST or REVERB_HOST, which say where clients dial; then
 * the main listener that a server would open with the configuration here.
 */
#include "cli/target.h"
#include "base/buf.h"
#include "server/config_value.h"

#define DEFAULT_PORT 6001

bool target_init(struct target *t)
{
    memset(t, 0, sizeof *t);
    t->host = t->socket = t->path = span_of("", 0);
    return settings_init(&t->_settings);
}

void target_fini(struct target *t)
{
    hmac_key_free(t->_hmac);
    config_free(&t->_cfg);
    settings_fini(&t->_settings);
}

enum err target_take(struct target *t, const struct arg *arg, struct diag *d)
{
    if (arg_is(arg, "--host"))
        t->_host = arg->value;
    else if (arg_is(arg, "--app"))
        t->_app = arg->value;
    else if (arg_is(arg, "--path"))
        t->_path = arg->value;
    else if (arg_is(arg, "--tls"))
        t->_tls = true;
    else if (arg_is(arg, "--ca"))
        t->ca = arg->value;
    else if (arg_is(arg, "--port"))
        return arg_number(arg, 1, UINT16_MAX, &t->_port, d) ? ERR_OK : ERR_SYNTAX;
    else
        return settings_take(&t->_settings, arg, d);
    return ERR_OK;
}

/* --- a URL --- */

struct address {
    bool tls;
    struct span host, port, path;
};

static bool read_scheme(struct span *rest, struct address *a)
{
    static const struct {
        struct span scheme;
        bool tls;
    } schemes[] = { { SPAN("https://"), true },
                    { SPAN("wss://"), true },
                    { SPAN("http://"), false },
                    { SPAN("ws://"), false } };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!span_starts(*rest, schemes[i].scheme)) continue;
        *rest = span_skip(*rest, schemes[i].scheme.n);
        a->tls = schemes[i].tls;
        a->port = a->tls ? SPAN("443") : SPAN("80");
        return true;
    }
    return false;
}

/* HOST, HOST:PORT, [ADDRESS]:PORT */
static void read_authority(struct span text, struct address *a)
{
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] >= '0' && text.p[at - 1] <= '9') at--;
    bool port = at > 0 && at < text.n && text.p[at - 1] == ':';
    if (port) a->port = span_skip(text, at);
    a->host = port ? span_head(text, at - 1) : text;
}

static bool read_address(struct span text, struct address *a)
{
    if (!read_scheme(&text, a)) return false;
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    size_t n = slash ? (size_t)(slash - text.p) : text.n;
    read_authority(span_head(text, n), a);
    a->path = n < text.n ? span_skip(text, n) : SPAN("/");
    while (a->path.n > 1 && a->path.p[a->path.n - 1] == '/') a->path.n--;
    return a->host.n > 0;
}

static enum err keep(struct target *t, struct span text, const char **out)
{
    struct span kept;
    if (!config_arena_copy(t->_settings.arena, text, &kept)) return ERR_NOMEM;
    *out = kept.p;
    return ERR_OK;
}

enum err target_take_url(struct target *t, const char *text, struct diag *d)
{
    struct address a;
    if (!read_address(span_str(text), &a))
        return diag_set(d, ERR_SYNTAX, "'%s' is no address like https://ws.example.com", text);
    if (!span_to_u64(a.port, &t->_port) || t->_port - 1 >= UINT16_MAX)
        return diag_set(d, ERR_SYNTAX, "'%s' has no port from 1 to 65535", text);
    t->_tls = a.tls;
    enum err err = keep(t, a.host, &t->_host);
    return err ? err : keep(t, a.path, &t->_path);
}

/* --- the configuration --- */

struct span target_dialled(struct span host)
{
    if (span_eq(host, SPAN("0.0.0.0"))) return SPAN("127.0.0.1");
    return span_eq(host, SPAN("::")) ? SPAN("::1") : host;
}

static void use_listener(struct target *t, const struct config_addr *addr)
{
    if (addr->kind == CONFIG_ADDR_UNIX) {
        t->socket = addr->path;
        return;
    }
    t->host = target_dialled(addr->host);
    t->port = addr->port ? addr->port : DEFAULT_PORT;
}

static void use_flags(struct target *t)
{
    struct span host = span_str(t->_host);
    if (span_starts(host, SPAN("unix:"))) {
        t->socket = span_skip(host, 5);
        t->host = span_of("", 0);
    } else if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        t->host = span_of(host.p + 1, host.n - 2);
        t->socket = span_of("", 0);
    } else if (host.n) {
        t->host = host;
        t->socket = span_of("", 0);
    }
    if (host.n && !t->port) t->port = DEFAULT_PORT;
    if (t->_port) t->port = (uint16_t)t->_port;
}

static enum err set_path(struct target *t, struct diag *d)
{
    struct span path = span_str(t->_path);
    t->path = t->_cfg->path_prefix;
    if (t->_path) t->path = span_eq(path, SPAN("/")) ? span_of("", 0) : path;
    bool ok = !t->path.n || t->path.p[0] == '/';
    for (size_t i = 0; i < t->path.n; i++)
        ok = ok && t->path.p[i] > 0x20 && t->path.p[i] <= 0x7e && !strchr("?#", t->path.p[i]);
    return ok ? ERR_OK : diag_set(d, ERR_SYNTAX, "--path must be a path like /ws");
}

/* A host that is none could carry a user, a path or a header into what we send. */
static enum err check_host(const struct target *t, struct diag *d)
{
    struct buf text = { 0 };
    struct config_addr addr;
    config_addr_print(t->host, t->port, &text);
    bool ok = t->socket.n || (config_addr_parse(buf_span(&text), &addr) && t->host.n &&
                              addr.kind == CONFIG_ADDR_TCP);
    buf_fini(&text);
    return ok ? ERR_OK
              : diag_set(d, ERR_SYNTAX, "the host must be a name or an address, not '%.*s'",
                         SPAN_FMT(span_head(t->host, 100)));
}

static enum err set_place(struct target *t, struct diag *d)
{
    const struct config *cfg = t->_cfg;
    if (cfg->dial.host.n && !t->_host) {
        t->host = cfg->dial.host;
        t->port = cfg->dial.port;
        t->tls = cfg->dial.tls;
    } else {
        use_listener(t, &cfg->listen.items[0]);
    }
    use_flags(t);
    if (t->_tls) t->tls = true;
    enum err err = check_host(t, d);
    return err ? err : set_path(t, d);
}

static enum err use_key(struct target *t, struct span id, struct span key)
{
    t->id = id;
    t->key = key;
    t->_hmac = hmac_key_new(t->secrets.items[0]);
    t->keys = (struct auth_keys) { .key = key, .secrets = &t->_hmac, .n_secrets = 1 };
    return t->_hmac ? ERR_OK : ERR_NOMEM;
}

static enum err use_app(struct target *t, const struct app_settings *app)
{
    t->app = app;
    t->secrets = app->secrets;
    return use_key(t, app->id, app->key);
}

/* ID:KEY:SECRET, @FILE, or the id of an app of the configuration. */
static enum err use_named_app(struct target *t, struct diag *d)
{
    struct app_triple app;
    bool is_id = t->_app[0] != '@' && !strchr(t->_app, ':');
    const struct app_settings *known = is_id ? config_find_app(t->_cfg, span_str(t->_app)) : NULL;
    if (known) return use_app(t, known);
    if (is_id)
        return diag_set(
            d, ERR_CONFIG,
            "no app '%s' is configured here; --app takes ID:KEY:SECRET, @FILE with that "
            "in it, or the ID of an app in .env or peal.yaml",
            t->_app);
    enum err err = settings_read_app(&t->_settings, t->_app, &app, d);
    if (err) return err;
    t->_secret = app.secret;
    t->secrets = (struct span_list) { &t->_secret, 1 };
    known = config_find_app(t->_cfg, app.id);
    if (known && span_eq(known->key, app.key)) t->app = known;
    return use_key(t, app.id, app.key);
}

static enum err set_app(struct target *t, struct diag *d)
{
    const struct config *cfg = t->_cfg;
    if (t->_app) return use_named_app(t, d);
    if (cfg->n_apps == 1) return use_app(t, &cfg->apps[0]);
    if (cfg->n_apps > 1)
        return diag_set(d, ERR_CONFIG,
                        "the configuration here has %zu apps; say which with --app ID (the first "
                        "is '%.*s'), or with --app ID:KEY:SECRET",
                        cfg->n_apps, SPAN_FMT(cfg->apps[0].id));
    return diag_set(d, ERR_CONFIG,
                    "no app is configured here; give --app ID:KEY:SECRET (or --app @FILE), or "
                    "PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET in .env; a server of "
                    "`peal serve --dev` has app-id:app-key:app-secret");
}

enum err target_resolve(struct target *t, struct diag *d)
{
    enum err err = settings_load(&t->_settings, &t->_cfg, d);
    t->cfg = t->_cfg;
    if (!err) err = set_place(t, d);
    return err ? err : set_app(t, d);
}

void target_authority(const struct target *t, struct buf *out)
{
    if (t->socket.n) {
        BUF_ADD_LIT(out, "localhost");
        return;
    }
    bool v6 = memchr(t->host.p, ':', t->host.n) != NULL;
    buf_add_fmt(out, v6 ? "[%.*s]" : "%.*s", SPAN_FMT(t->host));
    if (t->port != (t->tls ? 443 : 80)) buf_add_fmt(out, ":%u", t->port);
}
