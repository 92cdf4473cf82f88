/* SPDX-License-Identifier: MIT
 *
 * cli/dev_page.c: URLs, .env lines, an Echo snippet and two commands to try, for the first app. The
 * secret is shown only where it is the well-known one of --dev.
 */
#include "cli/dev_page.h"
#include "base/buf.h"
#include <stdio.h>

struct page {
    const struct app_settings *app;
    struct span prefix;
    const char *host; /* as a client dials it: no wildcard address */
    unsigned port;
    bool known_secret;
};

static const char *dialled(const char *bound)
{
    if (strcmp(bound, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(bound, "::") == 0 ? "::1" : bound;
}

static void add_urls(const struct page *p, struct buf *out)
{
    struct buf at = { 0 };
    buf_add_fmt(&at, strchr(p->host, ':') ? "[%s]:%u%.*s" : "%s:%u%.*s", p->host, p->port,
                SPAN_FMT(p->prefix));
    buf_add_fmt(out,
                "\nPeal %s is ready, with settings for development.\n\n"
                "  WebSocket   ws://%.*s/app/%.*s\n"
                "  HTTP API    http://%.*s/apps/%.*s/events\n",
                PEAL_VERSION, SPAN_FMT(at), SPAN_FMT(p->app->key), SPAN_FMT(at),
                SPAN_FMT(p->app->id));
    buf_fini(&at);
}

static void add_env(const struct page *p, struct buf *out)
{
    buf_add_fmt(out,
                "\n.env of a Laravel application (BROADCAST_DRIVER before Laravel 11):\n\n"
                "  BROADCAST_CONNECTION=pusher\n"
                "  BROADCAST_DRIVER=pusher\n"
                "  PUSHER_APP_ID=%.*s\n"
                "  PUSHER_APP_KEY=%.*s\n"
                "  PUSHER_APP_SECRET=%.*s\n"
                "  PUSHER_HOST=%s\n"
                "  PUSHER_PORT=%u\n"
                "  PUSHER_SCHEME=http\n"
                "  PUSHER_APP_CLUSTER=mt1\n"
                "  VITE_PUSHER_APP_KEY=\"${PUSHER_APP_KEY}\"\n"
                "  VITE_PUSHER_HOST=\"${PUSHER_HOST}\"\n"
                "  VITE_PUSHER_PORT=\"${PUSHER_PORT}\"\n"
                "  VITE_PUSHER_SCHEME=\"${PUSHER_SCHEME}\"\n"
                "  VITE_PUSHER_APP_CLUSTER=\"${PUSHER_APP_CLUSTER}\"\n",
                SPAN_FMT(p->app->id), SPAN_FMT(p->app->key),
                SPAN_FMT(p->known_secret ? p->app->secrets.items[0] : SPAN("(as configured)")),
                p->host, p->port);
}

static void add_echo(const struct page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "\nresources/js/bootstrap.js (npm install laravel-echo pusher-js):\n\n"
                     "  import Echo from 'laravel-echo';\n"
                     "  import Pusher from 'pusher-js';\n"
                     "  window.Pusher = Pusher;\n"
                     "  window.Echo = new Echo({\n"
                     "      broadcaster: 'pusher',\n"
                     "      key: import.meta.env.VITE_PUSHER_APP_KEY,\n"
                     "      cluster: import.meta.env.VITE_PUSHER_APP_CLUSTER,\n"
                     "      wsHost: import.meta.env.VITE_PUSHER_HOST,\n"
                     "      wsPort: import.meta.env.VITE_PUSHER_PORT,\n");
    if (p->prefix.n) buf_add_fmt(out, "      wsPath: '%.*s',\n", SPAN_FMT(p->prefix));
    BUF_ADD_LIT(out, "      forceTLS: false,\n"
                     "      enabledTransports: ['ws', 'wss'],\n"
                     "  });\n");
}

/* The options that `trigger` and `listen` need to find this server from any folder. */
static void add_target(const struct page *p, struct buf *out)
{
    buf_add_fmt(out, " --host %s --port %u", p->host, p->port);
    if (p->prefix.n) buf_add_fmt(out, " --path %.*s", SPAN_FMT(p->prefix));
    if (p->known_secret)
        buf_add_fmt(out, " --app %.*s:%.*s:%.*s", SPAN_FMT(p->app->id), SPAN_FMT(p->app->key),
                    SPAN_FMT(p->app->secrets.items[0]));
    else
        BUF_ADD_LIT(out, " --app @FILE");
    BUF_ADD_LIT(out, "\n");
}

static void add_commands(const struct page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "\nTo see it work, in other terminals:\n\n"
                     "  peal listen my-channel");
    add_target(p, out);
    BUF_ADD_LIT(out, "  peal trigger my-channel my-event '{\"hello\":\"world\"}'");
    add_target(p, out);
    BUF_ADD_LIT(out, "\n");
}

void dev_page_print(const struct config *cfg, const struct server *server)
{
    struct server_ready ready;
    struct buf out = { 0 };
    server_ready_info(server, &ready);
    if (cfg->n_apps == 0 || ready.port == 0)
        return; /* a Unix socket: nothing a browser could use */
    const struct app_settings *app = &cfg->apps[0];
    struct page page = { app, cfg->path_prefix, dialled(ready.host), ready.port,
                         span_eq(app->secrets.items[0], SPAN("app-secret")) };
    add_urls(&page, &out);
    add_env(&page, &out);
    add_echo(&page, &out);
    add_commands(&page, &out);
    if (!buf_failed(&out)) fwrite(out.p, 1, out.n, stderr);
    buf_fini(&out);
}
