/* SPDX-License-Identifier: MIT
 *
 * server/admin.c: see admin.h. Counters of all workers are read in place (relaxed atomics); lists
 * of connections belong to their workers, so each is asked by a task and the last one to answer
 * sends the whole back to the asking worker.
 */
#include "server/admin.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "http/url.h"
#include "net/fds.h"
#include "server/admin_call.h"
#include "server/conn.h"
#include "server/dashboard.h"
#include "server/guard.h"
#include "server/health.h"
#include "server/metrics.h"
#include "server/server_priv.h"
#include "watch/event.h"

/* --- answers --- */

enum err admin_json(struct buf *out, struct http1_reply to, unsigned status, struct span json)
{
    static const struct http1_field fields[] = {
        { SPAN("Cache-Control"), SPAN("no-store") },
        { SPAN("X-Content-Type-Options"), SPAN("nosniff") },
        { SPAN("Cross-Origin-Resource-Policy"), SPAN("same-origin") },
    };
    const struct http1_res res = {
        .status = (uint16_t)status,
        .type = SPAN("application/json"),
        .fields = fields,
        .n_fields = ARRAY_LEN(fields),
        .body = json,
    };
    return http1_res_write(out, to, &res);
}

enum err admin_redirect(struct buf *out, struct http1_reply to, unsigned status, struct span where)
{
    const struct http1_field fields[] = { { SPAN("Location"), where },
                                          { SPAN("Cache-Control"), SPAN("no-store") } };
    const struct http1_res res = { .status = (uint16_t)status,
                                   .fields = fields,
                                   .n_fields = ARRAY_LEN(fields) };
    return http1_res_write(out, to, &res);
}

static void write_worker(const struct server *s, const struct worker *w, struct buf *b)
{
    const struct hub_stats *hub = hub_stats(w->hub);
    json_open(b, '{');
    watch_key_u64(b, "worker", w->index);
    watch_key_u64(b, "websockets", count_get(&w->counts.n_ws));
    watch_key_u64(b, "http_connections", count_get(&w->counts.n_http));
    watch_key_u64(b, "accepted", count_get(&w->counts.accepted));
    watch_key_u64(b, "opened", count_get(&w->counts.opened));
    watch_key_u64(b, "closed", count_get(&w->counts.closed));
    watch_key_u64(b, "http_requests", count_get(&w->counts.http_requests));
    watch_key_u64(b, "messages_in", count_get(&hub->texts));
    watch_key_u64(b, "published", count_get(&hub->published));
    watch_key_u64(b, "client_events", count_get(&hub->client_events));
    watch_key_u64(b, "delivered", count_get(&hub->delivered));
    watch_key_u64(b, "refused", count_get(&hub->refused));
    watch_key_u64(b, "slow_cut", count_get(&w->counts.slow_cut));
    watch_key_u64(b, "ping_cut", count_get(&w->counts.ping_cut));
    watch_key_u64(b, "mailbox_bytes", dir_backlog_bytes(s->dir, w->index));
    watch_key_u64(b, "mailbox_messages", count_get(&hub->posts));
    watch_key_u64(b, "lock_waits", count_get(&w->lock_waits.n));
    watch_key_u64(b, "lock_wait_ns", count_get(&w->lock_waits.ns));
    json_close(b, '}');
}

static void write_workers(const struct server *s, struct buf *b)
{
    json_open(b, '[');
    for (unsigned i = 0; i < s->n_workers; i++) write_worker(s, &s->workers[i], b);
    json_close(b, ']');
}

/* --- connections of an app, on all workers --- */

struct part {
    struct task task;
    struct job *job;
    struct buf json; /* elements of an array, without its brackets */
};

struct job {
    struct task reply;
    struct conn *conn; /* of `home`; waits until it is answered */
    struct worker *home;
    const struct app *app;
    _Atomic unsigned n_open;
    unsigned n_parts;
    struct part parts[];
};

static void write_conn(const struct conn *c, unsigned worker, struct buf *b)
{
    char id[SOCKET_ID_MAX], addr[SOCK_ADDR_TEXT_MAX];
    struct sock_addr peer;
    json_open(b, '{');
    json_key(b, SPAN("socket_id"));
    json_string(b, span_of(id, socket_id_write(c->hub.socket_id, id)));
    watch_key_u64(b, "worker", worker);
    watch_key_u64(b, "subscriptions", c->hub.n_subs);
    watch_key_u64(b, "waiting_bytes", c->out.bytes);
    json_key(b, SPAN("peer"));
    json_string(b, sock_peer(c->io.fd, &peer) ? sock_addr_text(&peer, addr) : SPAN(""));
    struct span address = conn_address(c, addr);
    json_key(b, SPAN("address"));
    json_string(b, address.p ? address : SPAN(""));
    struct span user = hub_conn_user(&c->hub);
    if (user.p) {
        json_key(b, SPAN("user_id"));
        json_string(b, user);
    }
    json_close(b, '}');
}

static void list_part(struct worker *w, struct task *t)
{
    struct part *part = CONTAINER_OF(t, struct part, task);
    struct job *job = part->job;
    const struct list *head = &w->ws;
    for (struct list *node = head->next; node != head; node = node->next) {
        const struct conn *c = CONTAINER_OF(node, struct conn, link);
        if (c->hub.app == job->app) write_conn(c, w->index, &part->json);
    }
    if (atomic_fetch_sub_explicit(&job->n_open, 1, memory_order_acq_rel) == 1)
        worker_post(job->home, &job->reply);
}

static void send_list(struct worker *w, struct task *t)
{
    (void)w;
    struct job *job = CONTAINER_OF(t, struct job, reply);
    struct buf all = { 0 };
    json_open(&all, '[');
    for (unsigned i = 0; i < job->n_parts; i++) {
        struct buf *part = &job->parts[i].json;
        if (part->n) json_raw(&all, buf_span(part));
        if (buf_failed(part)) buf_fail(&all);
        buf_fini(part);
    }
    json_close(&all, ']');
    conn_http_answer(job->conn, 200, &all);
    mem_free(job);
}

static enum admin_result list_connections(struct conn *c, const struct app *app)
{
    struct server *s = c->worker->server;
    struct job *job = mem_zalloc(sizeof *job + s->n_workers * sizeof job->parts[0]);
    if (!job) return ADMIN_FAILED;
    job->reply.run = send_list;
    job->conn = c;
    job->home = c->worker;
    job->app = app;
    job->n_parts = s->n_workers;
    atomic_init(&job->n_open, s->n_workers);
    for (unsigned i = 0; i < s->n_workers; i++) {
        job->parts[i].task.run = list_part;
        job->parts[i].job = job;
    }
    for (unsigned i = 0; i < s->n_workers; i++) worker_post(&s->workers[i], &job->parts[i].task);
    return ADMIN_WAITS;
}

static enum admin_result serve_connections(struct conn *c, struct span query, struct http1_reply to,
                                           struct buf *out)
{
    struct span raw, id = { "", 0 };
    struct buf scratch = { 0 };
    size_t n = url_query_find(query, SPAN("app"), &raw);
    const struct app *app = NULL;
    if (n == 1 && url_text(raw, URL_PLUS_LITERAL, &scratch, &id) == ERR_OK)
        app = apps_find_id(c->worker->apps, id);
    buf_fini(&scratch);
    if (n != 1)
        return admin_answered(http1_res_error(out, to, 400, SPAN("Say which app: ?app=ID.")));
    if (!app)
        return admin_answered(http1_res_error(out, to, 404, SPAN("There is no app with this id.")));
    return list_connections(c, app);
}

/* --- routes --- */

static enum admin_result serve_json(struct http1_reply to, unsigned status, struct buf *json,
                                    struct buf *out)
{
    enum err err = buf_failed(json) ? ERR_NOMEM : http1_res_json(out, to, status, buf_span(json));
    buf_fini(json);
    return admin_answered(err);
}

static enum admin_result serve_metrics(struct conn *c, const struct http1_req *req,
                                       struct http1_reply to, struct buf *out)
{
    enum metrics_form form =
        metrics_form_of(http1_header(req, SPAN("Accept")), c->worker->cfg->metrics.names);
    struct buf text = { 0 };
    metrics_write(c->worker->server, form, &text);
    const struct http1_res res = { .status = 200,
                                   .type = metrics_type(form),
                                   .body = buf_span(&text) };
    enum err err = buf_failed(&text) ? ERR_NOMEM : http1_res_write(out, to, &res);
    buf_fini(&text);
    return admin_answered(err);
}

static enum admin_result route(struct conn *c, const struct url_target *target,
                               struct http1_reply to, struct buf *out)
{
    struct buf json = { 0 };
    unsigned status = health_answer(c->worker->server, target->path, &json);
    if (status) return serve_json(to, status, &json, out);
    return admin_answered(
        http1_res_error(out, to, 404,
                        SPAN("This is Peal's admin listener. It knows /live, /ready, /usage, "
                             "/metrics, and /admin/ with workers, connections?app=ID, apps, "
                             "figures, channels, channel, connection, facts, explain, statistics, "
                             "disconnect, publish.")));
}

static enum admin_result route_admin(struct conn *c, struct span name, struct span query,
                                     struct http1_reply to, struct buf *out)
{
    struct buf json = { 0 };
    const struct url_target other = { .path = SPAN("/") };
    if (span_eq(name, SPAN("workers"))) {
        write_workers(c->worker->server, &json);
        return serve_json(to, 200, &json, out);
    }
    if (span_eq(name, SPAN("connections"))) return serve_connections(c, query, to, out);
    return route(c, &other, to, out);
}

/* What follows /admin/, as it stands or below the dashboard's path. */
static bool is_admin_path(const struct config *cfg, struct span path, struct span *name)
{
    struct span below;
    bool in_page = dashboard_path(cfg, path, &below) && span_starts(below, SPAN("admin/"));
    if (!in_page && !span_starts(path, SPAN("/admin/"))) return false;
    *name = in_page ? span_skip(below, 6) : span_skip(path, 7);
    return true;
}

static enum admin_result refuse(struct http1_reply to, unsigned status, const char *why,
                                struct buf *out)
{
    return admin_answered(http1_res_error(out, to, status, span_str(why)));
}

enum admin_result admin_serve(struct conn *c, const struct http1_req *req, struct http1_reply to,
                              struct buf *out)
{
    const struct config *cfg = c->worker->cfg;
    struct url_target target;
    struct span below, name;
    if (!url_split(http1_req_target(req), &target, NULL))
        return refuse(to, 400, "The request target is malformed.", out);
    struct guard_no no = guard_ask(cfg, req, &target, GUARD_PLAIN);
    if (no.status) return refuse(to, no.status, no.why, out);
    struct admin_call call = { .c = c, .req = req, .query = target.query, .to = to, .out = out };
    enum admin_result result;
    bool is_admin = is_admin_path(cfg, target.path, &name);
    if (is_admin && admin_call_serve(&call, name, &result)) return result;
    enum http1_method method = http1_req_method(req);
    if (method != HTTP1_GET && method != HTTP1_HEAD)
        return refuse(to, 405, "Only GET and HEAD.", out);
    if (is_admin && (no = guard_ask(cfg, req, &target, GUARD_READ)).status)
        return refuse(to, no.status, no.why, out);
    if (span_eq(target.path, SPAN("/metrics"))) return serve_metrics(c, req, to, out);
    if (is_admin) return route_admin(c, name, target.query, to, out);
    if (dashboard_path(cfg, target.path, &below))
        return admin_answered(dashboard_serve(cfg, below, req, to, out));
    return route(c, &target, to, out);
}
