/* SPDX-License-Identifier: MIT
 * server/home.c: see home.h. */
#include "server/home.h"
#include "http/url.h"
#include "server/client_addr.h"
#include "server/dashboard.h"
#include "server/dev_page.h"
#include "server/server_priv.h"
#include <errno.h>

/* False where a browser could use nothing of it: no app, or a Unix socket. */
static bool describe(const struct server *s, const struct config *cfg, struct dev_page *page)
{
    struct server_ready ready;
    server_ready_info(s, &ready);
    if (cfg->n_apps == 0 || ready.port == 0) return false;
    *page = (struct dev_page) {
        .app = &cfg->apps[0],
        .prefix = cfg->path_prefix,
        .host = ready.host,
        .port = ready.port,
        .admin = ready.admin,
        .program = program_invocation_name,
        .dashboard = dashboard_is_built() ? cfg->dashboard.path : SPAN(""),
    };
    return true;
}

void server_dev_page(const struct server *s, struct buf *out)
{
    struct dev_page page;
    if (describe(s, s->cfg, &page)) dev_page_text(&page, out);
}

void home_write(const void *worker, const struct api_home *want, struct buf *out)
{
    const struct worker *w = worker;
    struct dev_page page;
    if (!describe(w->server, w->cfg, &page)) {
        BUF_ADD_LIT(out, "OK");
        return;
    }
    page.secret = want->local;
    if (want->html)
        dev_page_html(&page, out);
    else
        dev_page_text(&page, out);
}

static bool is_loopback(struct span host)
{
    return span_eq_nocase(host, SPAN("localhost")) || span_eq(host, SPAN("::1")) ||
           span_eq(host, SPAN("[::1]")) || span_starts(host, SPAN("127."));
}

/* HOST or HOST:PORT */
static struct span host_of(struct span host_port)
{
    size_t at = host_port.n;
    while (at > 0 && host_port.p[at - 1] >= '0' && host_port.p[at - 1] <= '9') at--;
    bool port = at > 0 && host_port.p[at - 1] == ':';
    return port ? span_head(host_port, at - 1) : host_port;
}

/* Letters would make a name of it: 127.evil.example. */
static bool is_number(struct span host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9')) return false;
    return true;
}

bool home_is_local(const struct conn *c, const struct http1_req *req)
{
    char text[SOCK_ADDR_TEXT_MAX];
    struct span host = host_of(http1_header(req, SPAN("Host")));
    if (!is_loopback(host) || (span_starts(host, SPAN("127.")) && !is_number(host))) return false;
    return is_loopback(client_addr(c->io.fd, req, c->worker->cfg, text));
}

/* Somebody who typed the path that laravel-websockets had, with the port that he knows. */
static bool wants_dashboard(const struct conn *c, const struct http1_req *req)
{
    struct url_target target;
    struct span below;
    return c->worker->cfg->dev && dashboard_is_built() && http1_req_method(req) == HTTP1_GET &&
           url_split(http1_req_target(req), &target, NULL) &&
           dashboard_path(c->worker->cfg, target.path, &below) && below.n == 0 &&
           home_is_local(c, req);
}

/* HOST:PORT of the admin listener, as it is dialled. */
static void add_admin(struct span admin, struct buf *out)
{
    struct span any4 = SPAN("0.0.0.0:"), any6 = SPAN("[::]:");
    if (span_starts(admin, any4)) {
        BUF_ADD_LIT(out, "127.0.0.1:");
        admin = span_skip(admin, any4.n);
    } else if (span_starts(admin, any6)) {
        BUF_ADD_LIT(out, "[::1]:");
        admin = span_skip(admin, any6.n);
    }
    buf_add_span(out, admin);
}

bool home_show_dashboard(const struct conn *c, const struct http1_req *req, struct http1_reply to,
                         struct buf *out)
{
    struct server_ready ready;
    struct buf where = { 0 };
    if (!wants_dashboard(c, req)) return false;
    server_ready_info(c->worker->server, &ready);
    if (strncmp(ready.admin, "unix:", 5) == 0) return false;
    BUF_ADD_LIT(&where, "http://");
    add_admin(span_str(ready.admin), &where);
    buf_add_span(&where, c->worker->cfg->dashboard.path);
    BUF_ADD_LIT(&where, "/");
    const struct http1_field fields[] = { { SPAN("Location"), buf_span(&where) },
                                          { SPAN("Cache-Control"), SPAN("no-store") } };
    const struct http1_res res = { .status = 302, .fields = fields, .n_fields = ARRAY_LEN(fields) };
    if (buf_failed(&where) || http1_res_write(out, to, &res)) buf_fail(out);
    buf_fini(&where);
    return true;
}
