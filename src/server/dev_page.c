/* SPDX-License-Identifier: MIT
 *
 * server/dev_page.c: one list of sections, two ways to show them.
 *
 * A section's body is plain text. In the terminal it is indented, in HTML it stands in <pre>, with
 * everything escaped. The secret is shown only where the caller allows it or where it is the
 * well-known one of --dev.
 */
#include "server/dev_page.h"

#define STYLE                                                                                      \
    "body{margin:0 auto;max-width:46rem;padding:2rem 1.25rem;font:16px/1.5 system-ui,sans-serif;"  \
    "color:#1d2733;background:#fff}h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1rem;"       \
    "margin:2rem 0 .5rem}p{margin:0;color:#5a6672}pre{margin:0;padding:.9rem "                     \
    "1rem;overflow-x:auto;"                                                                        \
    "font:14px/1.5 ui-monospace,monospace;background:#f3f5f8;border:1px solid #dde3ea;"            \
    "border-radius:6px;user-select:all}@media(prefers-color-scheme:dark){body{color:#dfe6ee;"      \
    "background:#12171d}p{color:#93a0ad}pre{background:#1b222b;border-color:#2c3641}}"

const struct span dev_page_policy = SPAN(
    "default-src 'none'; img-src data:; style-src "
    "'sha256-Tk3GM5jBGX5DqcPUIgxisS9jcEWcBJjy90WgPXsMGkQ='; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'");

/* A secret as configured must not stand in a terminal's history or on a page for others. */
static struct span shown_secret(const struct dev_page *p)
{
    struct span first = p->app->secrets.items[0];
    return p->secret || span_eq(first, SPAN("app-secret")) ? first : SPAN("(as configured)");
}

static bool shows_secret(const struct dev_page *p)
{
    return shown_secret(p).p == p->app->secrets.items[0].p;
}

static const char *dialled(const char *bound)
{
    if (strcmp(bound, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(bound, "::") == 0 ? "::1" : bound;
}

/* HOST:PORT[/prefix] */
static void add_address(const struct dev_page *p, struct buf *out)
{
    const char *host = dialled(p->host);
    buf_add_fmt(out, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, p->port);
    buf_add_span(out, p->prefix);
}

static void add_urls(const struct dev_page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "WebSocket   ws://");
    add_address(p, out);
    buf_add_fmt(out, "/app/%.*s\n", SPAN_FMT(p->app->key));
    BUF_ADD_LIT(out, "HTTP API    http://");
    add_address(p, out);
    buf_add_fmt(out, "/apps/%.*s/events\n", SPAN_FMT(p->app->id));
    if (p->dashboard.n)
        buf_add_fmt(out, "Dashboard   http://%s%.*s/\n", p->admin, SPAN_FMT(p->dashboard));
    else
        BUF_ADD_LIT(out, "Dashboard   not in this build: it needs Node.js 18 and npm\n");
}

static void add_env(const struct dev_page *p, struct buf *out)
{
    buf_add_fmt(out,
                "BROADCAST_CONNECTION=pusher\n"
                "BROADCAST_DRIVER=pusher\n"
                "PUSHER_APP_ID=%.*s\n"
                "PUSHER_APP_KEY=%.*s\n"
                "PUSHER_APP_SECRET=%.*s\n"
                "PUSHER_HOST=%s\n"
                "PUSHER_PORT=%u\n"
                "PUSHER_SCHEME=http\n"
                "PUSHER_APP_CLUSTER=mt1\n"
                "VITE_PUSHER_APP_KEY=\"${PUSHER_APP_KEY}\"\n"
                "VITE_PUSHER_HOST=\"${PUSHER_HOST}\"\n"
                "VITE_PUSHER_PORT=\"${PUSHER_PORT}\"\n"
                "VITE_PUSHER_SCHEME=\"${PUSHER_SCHEME}\"\n"
                "VITE_PUSHER_APP_CLUSTER=\"${PUSHER_APP_CLUSTER}\"\n",
                SPAN_FMT(p->app->id), SPAN_FMT(p->app->key), SPAN_FMT(shown_secret(p)),
                dialled(p->host), p->port);
}

static void add_echo(const struct dev_page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "import Echo from 'laravel-echo';\n"
                     "import Pusher from 'pusher-js';\n"
                     "window.Pusher = Pusher;\n"
                     "window.Echo = new Echo({\n"
                     "    broadcaster: 'pusher',\n"
                     "    key: import.meta.env.VITE_PUSHER_APP_KEY,\n"
                     "    cluster: import.meta.env.VITE_PUSHER_APP_CLUSTER,\n"
                     "    wsHost: import.meta.env.VITE_PUSHER_HOST,\n"
                     "    wsPort: import.meta.env.VITE_PUSHER_PORT,\n");
    if (p->prefix.n) buf_add_fmt(out, "    wsPath: '%.*s',\n", SPAN_FMT(p->prefix));
    BUF_ADD_LIT(out, "    forceTLS: false,\n"
                     "    enabledTransports: ['ws', 'wss'],\n"
                     "});\n");
}

/* The options that `trigger` and `listen` need to find this server from any folder. */
static void add_target(const struct dev_page *p, struct buf *out)
{
    buf_add_fmt(out, " --host %s --port %u", dialled(p->host), p->port);
    if (p->prefix.n) buf_add_fmt(out, " --path %.*s", SPAN_FMT(p->prefix));
    if (shows_secret(p))
        buf_add_fmt(out, " --app %.*s:%.*s:%.*s", SPAN_FMT(p->app->id), SPAN_FMT(p->app->key),
                    SPAN_FMT(shown_secret(p)));
    else
        BUF_ADD_LIT(out, " --app @FILE");
    BUF_ADD_LIT(out, "\n");
}

static void add_commands(const struct dev_page *p, struct buf *out)
{
    buf_add_fmt(out, "%s listen my-channel", p->program);
    add_target(p, out);
    buf_add_fmt(out, "%s trigger my-channel my-event '{\"hello\":\"world\"}'", p->program);
    add_target(p, out);
}

static void add_questions(const struct dev_page *p, struct buf *out)
{
    buf_add_fmt(out, "%s trace --admin %s\n", p->program, p->admin);
    buf_add_fmt(out, "%s doctor", p->program);
    add_target(p, out);
}

static const struct {
    struct span title; /* empty: none */
    void (*add)(const struct dev_page *p, struct buf *out);
} sections[] = {
    { SPAN(""), add_urls },
    { SPAN(".env of a Laravel application (BROADCAST_DRIVER before Laravel 11)"), add_env },
    { SPAN("resources/js/bootstrap.js (npm install laravel-echo pusher-js)"), add_echo },
    { SPAN("To see it work, in other terminals"), add_commands },
    { SPAN("What became of each event, and whether every link holds"), add_questions },
};

static void add_headline(struct buf *out)
{
    BUF_ADD_LIT(out, "Peal " PEAL_VERSION " is ready, with settings for development.");
}

static void add_indented(struct buf *out, struct span body)
{
    struct span line;
    while (body.n) {
        span_cut(&body, '\n', &line);
        BUF_ADD_LIT(out, "  ");
        buf_add_span(out, line);
        buf_add_byte(out, '\n');
    }
}

void dev_page_text(const struct dev_page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "\n");
    add_headline(out);
    BUF_ADD_LIT(out, "\n\n");
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        struct buf body = { 0 };
        sections[i].add(p, &body);
        if (sections[i].title.n) buf_add_fmt(out, "%.*s:\n\n", SPAN_FMT(sections[i].title));
        add_indented(out, buf_span(&body));
        BUF_ADD_LIT(out, "\n");
        if (buf_failed(&body)) buf_fail(out);
        buf_fini(&body);
    }
}

static void add_escaped(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            BUF_ADD_LIT(out, "&amp;");
            break;
        case '<':
            BUF_ADD_LIT(out, "&lt;");
            break;
        case '>':
            BUF_ADD_LIT(out, "&gt;");
            break;
        case '"':
            BUF_ADD_LIT(out, "&quot;");
            break;
        default:
            buf_add_byte(out, text.p[i]);
            break;
        }
    }
}

void dev_page_html(const struct dev_page *p, struct buf *out)
{
    BUF_ADD_LIT(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<link rel=\"icon\" href=\"data:,\">\n<title>Peal</title>\n"
                     "<style>" STYLE "</style>\n</head>\n<body>\n<h1>Peal</h1>\n<p>");
    add_headline(out);
    BUF_ADD_LIT(out, "</p>\n");
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        struct buf body = { 0 };
        sections[i].add(p, &body);
        BUF_ADD_LIT(out, "<h2>");
        add_escaped(out, sections[i].title.n ? sections[i].title : SPAN("Where it is"));
        BUF_ADD_LIT(out, "</h2>\n<pre>");
        add_escaped(out, buf_span(&body));
        BUF_ADD_LIT(out, "</pre>\n");
        if (buf_failed(&body)) buf_fail(out);
        buf_fini(&body);
    }
    BUF_ADD_LIT(out, "</body>\n</html>\n");
}
