/* SPDX-License-Identifier: MIT
 * server/admin_call.c: see admin_call.h. */
#include "server/admin_call.h"
#include "base/json_write.h"
#include "http/url.h"
#include "server/expose.h"

static const struct {
    const char *name;
    bool write;
    admin_route *route;
} routes[] = {
    { "apps", false, admin_apps },
    { "figures", false, admin_figures },
    { "channels", false, admin_channels },
    { "channel", false, admin_channel },
    { "connection", false, admin_connection },
    { "facts", false, admin_facts },
    { "explain", false, admin_explain },
    { "statistics", false, admin_statistics },
    { "disconnect", true, admin_disconnect },
    { "publish", true, admin_publish },
    { "secret", true, admin_secret },
    { "session", false, admin_session },
    { "stream", false, admin_stream },
    { "logout", true, admin_logout },
};

/* --- helpers --- */

enum admin_result admin_error(struct admin_call *call, unsigned status, struct span why)
{
    struct buf json = { 0 };
    http1_error_json(&json, status, why);
    enum err err =
        buf_failed(&json) ? ERR_NOMEM : admin_json(call->out, call->to, status, buf_span(&json));
    buf_fini(&json);
    return err ? ADMIN_FAILED : ADMIN_ANSWERED;
}

enum admin_result admin_done(struct admin_call *call, struct buf *json)
{
    enum err err =
        buf_failed(json) ? ERR_NOMEM : admin_json(call->out, call->to, 200, buf_span(json));
    buf_fini(json);
    return err ? ADMIN_FAILED : ADMIN_ANSWERED;
}

struct span admin_param(struct admin_call *call, const char *key)
{
    struct span raw, text, none = { NULL, 0 };
    if (url_query_find(call->query, span_str(key), &raw) == 0 || raw.n == 0) return none;
    if (url_text(raw, URL_PLUS_LITERAL, &call->text, &text)) return raw;
    return text;
}

struct app *admin_app(struct admin_call *call, enum admin_result *result)
{
    struct span id = admin_param(call, "app");
    struct app *app = id.p ? apps_find_id(call->c->worker->apps, id) : NULL;
    if (!id.p)
        *result = admin_error(call, 400, SPAN("Say which app: ?app=ID."));
    else if (!app)
        *result = admin_error(call, 404, SPAN("There is no app with this id."));
    return app;
}

bool admin_socket(struct admin_call *call, const char *key, bool needed, uint64_t *socket_id,
                  enum admin_result *result)
{
    struct span text = admin_param(call, key);
    *socket_id = 0;
    if (!text.p && !needed) return true;
    if (text.p && socket_id_read(text, socket_id) && *socket_id) return true;
    *result = admin_error(call, 400, SPAN("Say which socket: a socket_id like 123.456."));
    return false;
}

struct conn *admin_find(const struct worker *w, uint64_t socket_id)
{
    const struct list *head = &w->ws;
    for (struct list *node = head->next; node != head; node = node->next) {
        struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (c->hub.app && !c->hub.app->internal && c->hub.socket_id == socket_id) return c;
    }
    return NULL;
}

/* --- routing --- */

static enum admin_result serve(struct admin_call *call, size_t i, const struct url_target *target)
{
    bool post = http1_req_method(call->req) == HTTP1_POST;
    struct guard_no no =
        expose_guard_call(call, target, routes[i].write ? GUARD_WRITE : GUARD_READ);
    if (routes[i].write != post)
        return admin_error(call, 405,
                           routes[i].write ? SPAN("This takes a POST.") : SPAN("Only GET."));
    if (no.status) return admin_error(call, no.status, span_str(no.why));
    if (!buf_room(&call->text, target->query.n + 1)) return ADMIN_FAILED;
    enum admin_result result = routes[i].route(call);
    buf_fini(&call->text);
    return result;
}

bool admin_call_serve(struct admin_call *call, struct span name, enum admin_result *result)
{
    struct url_target target;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!span_eq(name, span_str(routes[i].name))) continue;
        if (!url_split(http1_req_target(call->req), &target, NULL)) return false;
        *result = serve(call, i, &target);
        return true;
    }
    return false;
}
