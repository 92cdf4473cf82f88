/* SPDX-License-Identifier: MIT
 *
 * server/expose.c: see expose.h. What is asked for is looked up only when it is known who asks, so
 * that nothing tells strangers what there is.
 */
#include "server/expose.h"
#include "server/admin_call.h"
#include "server/conn.h"
#include "server/dashboard.h"
#include "server/login.h"

#define STREAM "app/" WATCHERS_KEY

/* What of the path lies below the dashboard's; false where it is another one or not exposed. */
static bool below_page(const struct config *cfg, struct span path, struct span *below)
{
    if (!cfg->dashboard.expose || !cfg->dashboard.password_hash.n) return false;
    return span_starts(path, cfg->path_prefix) &&
           dashboard_path(cfg, span_skip(path, cfg->path_prefix.n), below);
}

bool expose_is_page(const struct config *cfg, const struct http1_req *req)
{
    struct url_target target;
    struct span below;
    return cfg->dashboard.expose && url_split(http1_req_target(req), &target, NULL) &&
           below_page(cfg, target.path, &below);
}

size_t expose_body_limit(const struct conn *c, const struct http1_req *req)
{
    return login_session(c, req) ? ADMIN_BODY_MAX : LOGIN_BODY_MAX;
}

/* --- answers --- */

/* Relative, so that it is right behind a proxy that puts something in front of our paths. */
static enum admin_result redirect(struct http1_reply to, struct span where, struct buf *out)
{
    return admin_answered(admin_redirect(out, to, 302, where));
}

static struct span last_segment(struct span path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/') at--;
    return span_skip(path, at);
}

/* dashboard.path itself: the URLs of the page need the slash. */
static enum admin_result add_slash(const struct config *cfg, struct http1_reply to, struct buf *out)
{
    struct buf where = { 0 };
    buf_add_fmt(&where, "%.*s/", SPAN_FMT(last_segment(cfg->dashboard.path)));
    enum admin_result result =
        buf_failed(&where) ? ADMIN_FAILED : redirect(to, buf_span(&where), out);
    buf_fini(&where);
    return result;
}

/* --- routes --- */

static enum admin_result serve_login(struct conn *c, const struct http1_req *req,
                                     const struct url_target *target, struct http1_reply to,
                                     struct buf *out)
{
    struct admin_call call = { .c = c, .req = req, .to = to, .out = out };
    if (http1_req_method(req) != HTTP1_POST) return admin_answered(login_show(c, req, to, out));
    struct guard_no no = guard_page(req, target, GUARD_FORM);
    if (no.status) return admin_error(&call, no.status, span_str(no.why));
    return login_submit(c, req, to, out);
}

/* What the log-in page is made of. */
static bool is_public(struct span below)
{
    return span_eq(below, SPAN("assets/login.css")) || span_eq(below, SPAN("icon.svg"));
}

static enum admin_result serve_stranger(struct admin_call *call, struct span below)
{
    const struct config *cfg = call->c->worker->cfg;
    if (is_public(below))
        return admin_answered(dashboard_serve(cfg, below, call->req, call->to, call->out));
    if (below.n == 0) return redirect(call->to, SPAN("login"), call->out);
    return admin_error(call, 401, SPAN("Log in first."));
}

static enum admin_result serve_user(struct admin_call *call, struct span below)
{
    enum admin_result result;
    enum http1_method method = http1_req_method(call->req);
    bool is_call = span_starts(below, SPAN("admin/"));
    if (is_call && admin_call_serve(call, span_skip(below, 6), &result)) return result;
    if (method != HTTP1_GET && method != HTTP1_HEAD)
        return admin_error(call, 405, SPAN("Only GET and HEAD."));
    if (is_call) return admin_error(call, 404, SPAN("There is no such thing below admin/."));
    return admin_answered(
        dashboard_serve(call->c->worker->cfg, below, call->req, call->to, call->out));
}

enum admin_result expose_serve(struct conn *c, const struct http1_req *req, struct http1_reply to,
                               struct buf *out)
{
    const struct config *cfg = c->worker->cfg;
    struct admin_call call = { .c = c, .req = req, .to = to, .out = out };
    struct url_target target;
    struct span below;
    if (!url_split(http1_req_target(req), &target, NULL) || !below_page(cfg, target.path, &below))
        return admin_error(&call, 404, SPAN("Nothing is here.")); /* a reload came in between */
    enum http1_method method = http1_req_method(req);
    call.query = target.query;
    if (method != HTTP1_GET && method != HTTP1_HEAD && method != HTTP1_POST)
        return admin_error(&call, 405, SPAN("Only GET, HEAD and POST."));
    if (!below.p) return add_slash(cfg, to, out);
    if (span_eq(below, SPAN("login"))) return serve_login(c, req, &target, to, out);
    call.session = login_session(c, req);
    return call.session ? serve_user(&call, below) : serve_stranger(&call, below);
}

/* --- who may --- */

bool expose_is_stream(const struct config *cfg, struct span path, struct span *key)
{
    struct span below;
    if (!below_page(cfg, path, &below) || !span_eq(below, SPAN(STREAM))) return false;
    *key = SPAN(WATCHERS_KEY);
    return true;
}

struct guard_no expose_guard_stream(struct conn *c, const struct http1_req *req,
                                    const struct url_target *target)
{
    struct span token;
    session_ref session = login_session(c, req);
    if (!session) return (struct guard_no) { 401, "Log in first." };
    struct guard_no no = guard_page(req, target, GUARD_SOCKET);
    if (no.status) return no;
    if (url_query_find(target->query, SPAN("token"), &token) != 1 ||
        !login_token_good(c, session, LOGIN_TOKEN_STREAM, token))
        return (struct guard_no) { 403, "The live stream needs a token of this session, from "
                                        "admin/stream." };
    c->session = session;
    return no;
}

/* Of a session, what its writes send is no constant: a page that was shown to another one, or to
 * nobody, has no right one. */
struct guard_no expose_guard_call(const struct admin_call *call, const struct url_target *target,
                                  enum guard_use use)
{
    const struct conn *c = call->c;
    if (c->admin) return guard_ask(c->worker->cfg, call->req, target, use);
    struct guard_no no = guard_page(call->req, target, use);
    struct span token = http1_header(call->req, SPAN("X-Peal"));
    if (no.status || use != GUARD_WRITE) return no;
    if (login_token_good(c, call->session, LOGIN_TOKEN_WRITE, token)) return no;
    return (struct guard_no) { 403, "The header X-Peal must be the token of admin/session." };
}
