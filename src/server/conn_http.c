/* SPDX-License-Identifier: MIT
 *
 * server/conn_http.c: a connection that speaks HTTP: requests in, answers out, the upgrade.
 *
 * Routes three things itself (upgrades, the admin listener, failures of the parser); everything
 * else is the API's (api/api.h). Requests are answered in the order in which they came.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/url.h"
#include "server/admin.h"
#include "server/client_addr.h"
#include "server/conn.h"
#include "server/expose.h"
#include "server/home.h"
#include "server/server_priv.h"
#include "server/watchers.h"
#include "ws/handshake.h"

#define USUAL_ANSWER 896 /* with its headers, and within the sizes that malloc has at hand */

struct http_conn {
    struct http1_req req;
    struct api_call call;
    uint64_t phase_ms; /* when the present wait began */
    uint64_t n_requests;
    bool page; /* the request is for the exposed dashboard */
};

bool conn_http_init(struct conn *c)
{
    c->in.http = mem_zalloc(sizeof *c->in.http);
    if (!c->in.http) return false;
    http1_req_init(&c->in.http->req, &http1_limits_default);
    c->in.http->phase_ms = c->seen_ms;
    return true;
}

void conn_http_fini(struct conn *c)
{
    if (!c->in.http) return;
    http1_req_fini(&c->in.http->req);
    mem_free(c->in.http);
    c->in.http = NULL;
}

/* The next request is waited for from now on; `http` stays sorted by that. */
static void await_next(struct conn *c)
{
    http1_req_next(&c->in.http->req);
    c->in.http->phase_ms = loop_now_ms(c->worker->loop);
    list_remove(&c->link);
    list_push(&c->worker->http, &c->link);
}

void conn_http_progress(struct conn *c)
{
    enum http1_phase phase = http1_req_phase(&c->in.http->req);
    if (phase == HTTP1_IN_HEAD || phase == HTTP1_IN_BODY) return; /* he owes us something */
    c->in.http->phase_ms = loop_now_ms(c->worker->loop);
}

bool conn_http_idle(const struct conn *c)
{
    return http1_req_phase(&c->in.http->req) == HTTP1_IDLE && !c->kept && !c->wait_answer &&
           out_empty(&c->out);
}

bool conn_http_reads(const struct conn *c)
{
    return !c->hangup && !c->wait_answer;
}

size_t conn_http_held(const struct conn *c)
{
    return http1_req_held(&c->in.http->req);
}

bool conn_http_signed(const struct conn *c)
{
    const struct http_conn *http = c->in.http;
    return http1_req_phase(&http->req) == HTTP1_IN_BODY && !c->admin && http->call.app &&
           !http->call.refused;
}

uint64_t conn_http_since_ms(const struct conn *c)
{
    return c->in.http->phase_ms;
}

/* --- answers --- */

static void count_status(const struct conn *c, unsigned status)
{
    count_code(&c->worker->counts.statuses, counts_statuses, status);
}

static void answer_bytes(struct conn *c, struct buf *b, bool keep_alive)
{
    if (!keep_alive) c->hangup = true;
    conn_send_bytes(c, b);
}

static void begin(struct buf *b)
{
    buf_init(b);
    msg_begin(b, USUAL_ANSWER);
}

/* A stopping server, and one that hangs up anyway, says so. */
static struct http1_reply reply_to(const struct conn *c)
{
    struct http1_reply to = http1_reply_to(&c->in.http->req);
    if (c->hangup || server_stopping(c->worker->server)) to.keep_alive = false;
    return to;
}

void conn_http_answer_with(struct conn *c, conn_http_writer *write, void *ctx)
{
    c->wait_answer = false;
    if (c->state != CONN_HTTP) { /* went away meanwhile: freed in the close phase */
        loop_again(c->worker->loop);
        return;
    }
    struct http1_reply to = reply_to(c);
    struct buf b;
    begin(&b);
    if (write(ctx, &c->in.http->req, to, &b)) {
        buf_fini(&b);
        conn_kill(c);
        return;
    }
    answer_bytes(c, &b, to.keep_alive);
    if (c->state != CONN_HTTP) return;
    await_next(c);
    conn_set_timer(c);
}

struct json_answer {
    unsigned status;
    const struct buf *body;
};

static enum err write_json(void *ctx, const struct http1_req *req, struct http1_reply to,
                           struct buf *out)
{
    const struct json_answer *answer = ctx;
    (void)req;
    if (buf_failed(answer->body)) return ERR_NOMEM;
    return admin_json(out, to, answer->status, buf_span(answer->body));
}

void conn_http_answer(struct conn *c, unsigned status, struct buf *body)
{
    struct json_answer answer = { status, body };
    conn_http_answer_with(c, write_json, &answer);
    buf_fini(body);
}

static struct span client_of(const struct conn *c, char text[SOCK_ADDR_TEXT_MAX])
{
    return client_addr(c->io.fd, &c->in.http->req, c->worker->cfg, text);
}

/* The id of the app that the request has been found to be for; empty before. */
static struct span app_of(const struct conn *c)
{
    const struct app *app = c->in.http->call.app;
    return app ? app->s->id : SPAN("");
}

/* A TLS client on a plain port cannot read HTTP: it gets an alert that it shows as an error. */
static void answer_tls(struct conn *c)
{
    static const char alert[] = { 0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x50 };
    char client[SOCK_ADDR_TEXT_MAX];
    log_warn("http", "TLS on a plain port", kv_span("client", client_of(c, client)),
             kv_str("hint",
                    "the client uses https/wss; set forceTLS: false and scheme http, or put "
                    "a TLS proxy in front"));
    struct buf b;
    begin(&b);
    buf_add(&b, alert, sizeof alert);
    answer_bytes(c, &b, false);
}

static void log_failure(const struct conn *c, const struct http1_fail *fail)
{
    char client[SOCK_ADDR_TEXT_MAX];
    struct buf why = { 0 };
    http1_fail_text(fail, &why);
    if (fail->kind == HTTP1_FAIL_HTTP2)
        BUF_ADD_LIT(&why, "; a client or proxy must be set to HTTP/1.1 for this port (nginx: "
                          "proxy_http_version 1.1)");
    if (!buf_failed(&why))
        log_info("http", "request refused", kv_u64("status", fail->status),
                 kv_span("client", client_of(c, client)), kv_span("app", app_of(c)),
                 kv_span("why", buf_span(&why)));
    buf_fini(&why);
}

/* The last answer to a request that is none, or that we do not wait for. The admin listener's are
 * not for scripts of other origins. Takes `text`. */
static void refuse(struct conn *c, unsigned status, struct buf *text)
{
    struct http1_reply to = http1_reply_to(&c->in.http->req);
    struct span said = buf_span(text);
    enum err err = ERR_NOMEM;
    struct buf b;
    to.keep_alive = false;
    count_status(c, status);
    begin(&b);
    if (!buf_failed(text))
        err = c->admin ? http1_res_error(&b, to, status, said)
                       : api_write_refusal(&b, to, status, said);
    buf_fini(text);
    if (err) {
        buf_fini(&b);
        conn_kill(c);
        return;
    }
    answer_bytes(c, &b, false);
}

static void answer_failure(struct conn *c)
{
    const struct http1_fail *fail = http1_req_fail(&c->in.http->req);
    struct buf text = { 0 };
    if (fail->kind == HTTP1_FAIL_TLS) {
        answer_tls(c);
        return;
    }
    log_failure(c, fail);
    http1_fail_text(fail, &text);
    refuse(c, fail->status, &text);
}

/* --- the upgrade --- */

/* The raw key of `[prefix]/app/{key}`; false where the path is another one. */
static bool is_app_path(const struct conn *c, struct span *key)
{
    struct url_target target;
    if (!url_split(http1_req_target(&c->in.http->req), &target, NULL)) return false;
    struct url_path it = url_path(target.path);
    if (!url_path_skip_prefix(&it, c->worker->cfg->path_prefix)) return false;
    struct span app, more;
    return url_path_next(&it, &app) && url_eq(app, URL_PLUS_LITERAL, SPAN("app")) &&
           url_path_next(&it, key) && !url_path_next(&it, &more);
}

static void read_upgrade(const struct http1_req *req, struct ws_request *wr)
{
    *wr = (struct ws_request) {
        .method = http1_req_method_name(req),
        .http_minor = (int)http1_req_minor(req),
    };
    size_t at = 0;
    for (struct http1_field f; http1_header_next(req, &at, &f);)
        ws_request_header(wr, f.name, f.value);
}

/* The rest of the input belongs to the WebSocket. The request's memory goes last, since the key and
 * the origin point into it. */
static void upgrade(struct conn *c, const struct ws_verdict *verdict, struct span key)
{
    struct http_conn *http = c->in.http;
    struct buf b;
    begin(&b);
    ws_write_verdict(&b, verdict);
    conn_send_bytes(c, &b);
    if (c->state != CONN_HTTP) return;
    char client[SOCK_ADDR_TEXT_MAX];
    struct ws_open open = {
        .key = key,
        .origin = http1_header(&http->req, SPAN("Origin")),
        .client = client_addr(c->io.fd, &http->req, c->worker->cfg, client),
    };
    open.client_told = open.client.p != client; /* in a header, not of the socket */
    struct url_target target;
    if (url_split(http1_req_target(&http->req), &target, NULL)) open.query = target.query;
    if (http->page)
        open.watch = WATCH_ALL;
    else
        watch_judge(c, &open);
    conn_ws_open(c, &open);
    http1_req_fini(&http->req);
    mem_free(http);
}

/* The key of a WebSocket; false where the path is that of none. */
static bool is_socket_path(const struct conn *c, struct span *key)
{
    struct url_target target;
    if (c->in.http->page)
        return url_split(http1_req_target(&c->in.http->req), &target, NULL) &&
               expose_is_stream(c->worker->cfg, target.path, key);
    return is_app_path(c, key) && (!c->admin || watch_is_key(*key));
}

/* A WebSocket that sees everything, and that a page of somebody else's may have opened. */
static bool refuse_watcher(struct conn *c)
{
    const struct http1_req *req = &c->in.http->req;
    struct url_target target;
    struct buf text = { 0 };
    if (!url_split(http1_req_target(req), &target, NULL)) return false;
    struct guard_no no = c->admin ? guard_ask(c->worker->cfg, req, &target, GUARD_SOCKET)
                                  : expose_guard_stream(c, req, &target);
    if (!no.status) return false;
    buf_add_span(&text, span_str(no.why));
    refuse(c, no.status, &text);
    return true;
}

/* True when the request was an upgrade: answered, or refused. */
static bool try_upgrade(struct conn *c)
{
    const struct http1_req *req = &c->in.http->req;
    struct span key;
    if (!http1_req_has_upgrade(req) || !is_socket_path(c, &key)) return false;
    struct ws_request wr;
    read_upgrade(req, &wr);
    if (!ws_request_is_upgrade(&wr)) return false;
    struct ws_verdict verdict;
    ws_request_judge(&wr, &verdict);
    if ((c->admin || c->in.http->page) && refuse_watcher(c)) return true;
    if (verdict.status == 101) {
        upgrade(c, &verdict, key);
        return true;
    }
    char client[SOCK_ADDR_TEXT_MAX];
    log_info("http", "upgrade refused", kv_u64("status", verdict.status),
             kv_span("client", client_of(c, client)), kv_str("why", verdict.text));
    struct buf text = { 0 };
    buf_add_span(&text, span_str(verdict.text));
    refuse(c, verdict.status, &text);
    return true;
}

/* --- requests --- */

static void log_api(const struct conn *c, const struct api_call *call)
{
    const struct http1_req *req = &c->in.http->req;
    char client[SOCK_ADDR_TEXT_MAX];
    const struct api *api = c->worker->api;
    struct span target = http1_req_target(req);
    if (call->refused || call->status >= 400)
        log_info("api", "refused", kv_u64("status", call->status),
                 kv_span("method", http1_req_method_name(req)),
                 kv_span("path", api_loggable_path(api, target)),
                 kv_span("client", client_of(c, client)), kv_span("app", app_of(c)),
                 kv_span("why", api_why(api)));
    else
        log_debug("api", "served", kv_u64("status", call->status),
                  kv_span("method", http1_req_method_name(req)),
                  kv_span("path", api_loggable_path(api, target)));
}

static void count_request(const struct conn *c, size_t answer_bytes)
{
    const struct http_conn *http = c->in.http;
    count_status(c, http->call.status);
    struct app_tally *tally = http->call.app ? app_tally(http->call.app, c->worker->index) : NULL;
    if (!tally) return;
    count_add(&tally->requests, 1);
    count_add(&tally->request_bytes, (int64_t)http1_req_body(&http->req).n);
    count_add(&tally->response_bytes, (int64_t)answer_bytes);
}

static void serve(struct conn *c)
{
    struct http_conn *http = c->in.http;
    count_add(&c->worker->counts.http_requests, 1);
    http->n_requests++;
    struct http1_reply to = reply_to(c);
    struct buf b;
    begin(&b);
    enum err err = ERR_OK;
    if (home_show_dashboard(c, &http->req, to, &b)) {
        http->call.status = 302;
        http->call.refused = false;
    } else {
        err = api_finish(c->worker->api, &http->req, to, &http->call, &b);
    }
    if (err || buf_failed(&b)) {
        buf_fini(&b);
        conn_kill(c);
        return;
    }
    count_request(c, b.n - msg_text_offset());
    log_api(c, &http->call);
    answer_bytes(c, &b, to.keep_alive);
}

static void on_head(struct conn *c)
{
    struct http_conn *http = c->in.http;
    http->phase_ms = loop_now_ms(c->worker->loop);
    if (c->admin) {
        http1_req_limit_body(&http->req, ADMIN_BODY_MAX, "built-in limit");
        return;
    }
    http->page = expose_is_page(c->worker->cfg, &http->req);
    if (http->page) {
        http->call = (struct api_call) { .refused = true }; /* nobody has signed it */
        http1_req_limit_body(&http->req, expose_body_limit(c, &http->req), "built-in limit");
        return;
    }
    api_head(c->worker->api, &http->req, clock_unix_s(), &http->call);
    http->call.local = c->worker->cfg->dev && home_is_local(c, &http->req);
    http1_req_limit_body(&http->req, http->call.body_limit, http->call.body_option);
    uint64_t length;
    bool known = http1_req_length(&http->req, &length);
    if (known && length > http->call.body_limit && http->call.refused) {
        serve(c); /* why it is refused tells more than that the body is too large */
        return;
    }
    if (!http1_req_wants_continue(&http->req) || (known && length > http->call.body_limit)) return;
    struct buf b;
    begin(&b);
    if (http1_res_continue(&b) == ERR_OK) conn_send_bytes(c, &b);
}

/* The admin listener, and what of it is exposed. */
static void serve_admin(struct conn *c)
{
    struct http_conn *http = c->in.http;
    http->n_requests++;
    struct http1_reply to = reply_to(c);
    struct buf b;
    begin(&b);
    switch (http->page ? expose_serve(c, &http->req, to, &b) : admin_serve(c, &http->req, to, &b)) {
    case ADMIN_ANSWERED:
        answer_bytes(c, &b, to.keep_alive);
        break;
    case ADMIN_WAITS:
        buf_fini(&b);
        c->wait_answer = c->hangup = true; /* what follows in the input is not kept */
        break;
    case ADMIN_FAILED:
        buf_fini(&b);
        conn_kill(c);
        break;
    }
}

static void on_done(struct conn *c)
{
    if (try_upgrade(c)) return;
    if (c->admin || c->in.http->page)
        serve_admin(c);
    else
        serve(c);
    if (c->state == CONN_HTTP && !c->wait_answer) await_next(c);
}

size_t conn_http_input(struct conn *c, char *in, size_t n)
{
    size_t left = n;
    while (c->state == CONN_HTTP && conn_http_reads(c)) {
        struct http_conn *http = c->in.http;
        if (http1_req_phase(&http->req) == HTTP1_IDLE && left > 0) {
            if (!conn_may_go_on(c)) break;
            if (http->n_requests) http->phase_ms = loop_now_ms(c->worker->loop);
        }
        enum http1_ev ev;
        uint64_t waited_bytes = c->out.bytes;
        size_t used = http1_req_feed(&http->req, in, left, &ev);
        in += used;
        left -= used;
        switch (ev) {
        case HTTP1_EV_MORE:
            conn_set_timer(c);
            return n - left;
        case HTTP1_EV_HEAD:
            on_head(c);
            break;
        case HTTP1_EV_DONE:
            on_done(c);
            conn_worked(c, WORK_REQUEST, waited_bytes);
            break;
        case HTTP1_EV_FAIL:
            answer_failure(c);
            break;
        }
    }
    return n - left;
}

void conn_http_refuse(struct conn *c, unsigned status, struct buf *text)
{
    refuse(c, status, text);
    if (c->state != CONN_HTTP) return;
    http1_req_fini(&c->in.http->req);
    http1_req_init(&c->in.http->req, &http1_limits_default);
}

/* --- time --- */

uint64_t conn_http_deadline(const struct conn *c)
{
    const struct config *cfg = c->worker->cfg;
    const struct http_conn *http = c->in.http;
    uint64_t timeout = 0;
    switch (http1_req_phase(&http->req)) {
    case HTTP1_IDLE:
        timeout = http->n_requests ? cfg->keepalive_timeout_ms : cfg->handshake_timeout_ms;
        break;
    case HTTP1_IN_HEAD:
        timeout = cfg->handshake_timeout_ms;
        break;
    case HTTP1_IN_BODY:
        timeout = cfg->body_timeout_ms;
        break;
    case HTTP1_COMPLETE: /* waits for an answer of ours, or for the end */
    case HTTP1_FAILED:
        timeout = cfg->body_timeout_ms;
        break;
    }
    return timeout ? http->phase_ms + timeout : WHEEL_NEVER;
}

/* Who has begun a request is told; a silent one is just closed. */
void conn_http_timeout(struct conn *c)
{
    struct http_conn *http = c->in.http;
    enum http1_phase phase = http1_req_phase(&http->req);
    if (c->wait_answer || phase == HTTP1_IDLE || c->hangup) {
        conn_end(c, CONN_ENDING_MS);
        return;
    }
    bool head = phase == HTTP1_IN_HEAD;
    const struct config *cfg = c->worker->cfg;
    const char *option = head ? "handshake_timeout_ms" : "body_timeout_ms";
    uint64_t limit_ms = head ? cfg->handshake_timeout_ms : cfg->body_timeout_ms;
    char client[SOCK_ADDR_TEXT_MAX];
    log_info("http", "request timed out", kv_str("part", head ? "head" : "body"),
             kv_u64("ms", loop_now_ms(c->worker->loop) - http->phase_ms), kv_str("option", option),
             kv_u64("limit", limit_ms), kv_span("client", client_of(c, client)));
    struct buf text = { 0 };
    buf_add_fmt(&text, "The request's %s did not arrive within %llu ms (%s).",
                head ? "head" : "body", (unsigned long long)limit_ms, option);
    conn_http_refuse(c, 408, &text);
}
