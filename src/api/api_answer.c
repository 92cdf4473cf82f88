/* SPDX-License-Identifier: MIT
 *
 * api/api_answer.c: responses: `{"error":"…","code":…}` for refusals, JSON objects for successes,
 * each with the CORS headers.
 *
 * Errors are sentences for people: they quote what was sent, so everything from outside goes
 * through add_clean. Running out of memory has an answer that needs none but the output's.
 */
#include "api/api_priv.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include <stdio.h>

#define QUOTED_MAX 200
#define N_FIXED 5 /* CORS, or of a page */

static const struct span no_memory =
    SPAN("{\"error\":\"The server is out of memory; nothing, or not all, was done. Try again.\","
         "\"code\":503}");

void add_clean(struct buf *b, struct span text, size_t max)
{
    size_t at = 0;
    while (at < text.n) {
        size_t n = utf8_char(text.p + at, text.n - at);
        if (at + (n ? n : 1) > max) {
            BUF_ADD_LIT(b, "\xe2\x80\xa6"); /* … */
            return;
        }
        if (n)
            buf_add(b, text.p + at, n);
        else
            BUF_ADD_LIT(b, "\xef\xbf\xbd"); /* U+FFFD */
        at += n ? n : 1;
    }
}

void add_quoted(struct buf *b, struct span text)
{
    buf_add_byte(b, '\'');
    add_clean(b, text, QUOTED_MAX);
    buf_add_byte(b, '\'');
}

bool add_said(struct request *r, struct span text)
{
    if (!apps_have_secret(r->api->set.apps, text)) {
        add_quoted(&r->api->words, text);
        return true;
    }
    BUF_ADD_LIT(&r->api->words, "that is an app's secret; " LEAKED_SECRET);
    return false;
}

struct span api_loggable_path(const struct api *api, struct span target)
{
    struct span path, part;
    if (!span_cut(&target, '?', &path)) return SPAN("");
    struct url_path it = url_path(path);
    bool leaks = false;
    while (!leaks && url_path_next(&it, &part)) {
        struct buf room = { 0 };
        struct span text = part;
        if (url_text(part, URL_PLUS_LITERAL, &room, &text)) text = part;
        leaks = apps_have_secret(api->set.apps, text);
        buf_fini(&room);
    }
    return leaks ? SPAN("(not shown, since a part of it is an app's secret)") : path;
}

void add_quoted_path(struct request *r)
{
    add_quoted(&r->api->words, api_loggable_path(r->api, r->target.path));
}

void add_app(struct request *r)
{
    BUF_ADD_LIT(&r->api->words, " of app ");
    add_quoted(&r->api->words, r->app->s->id);
}

void answer_no_memory(struct request *r)
{
    r->answer = (struct answer) {
        .status = 503,
        .type = SPAN("application/json"),
        .body = no_memory,
        .retry = true,
    };
}

bool answer_is_no_memory(const struct answer *answer)
{
    return answer->body.p == no_memory.p;
}

void answer_error(struct request *r, unsigned status)
{
    struct buf *json = &r->api->json;
    buf_clear(json);
    http1_error_json(json, status, buf_span(&r->api->words));
    if (buf_failed(&r->api->words)) {
        answer_no_memory(r);
        return;
    }
    answer_json(r);
    if (!answer_is_no_memory(&r->answer)) r->answer.status = (uint16_t)status;
}

void answer_static(struct request *r, struct span json)
{
    r->answer.status = 200;
    r->answer.type = SPAN("application/json");
    r->answer.body = json;
}

void answer_json(struct request *r)
{
    if (buf_failed(&r->api->json))
        answer_no_memory(r);
    else
        answer_static(r, buf_span(&r->api->json));
}

/* The headers of one answer; `numbers` holds what they point at. */
struct head {
    struct http1_field fields[N_FIXED + 5];
    size_t n;
    char numbers[2][24];
};

static void add_field(struct head *h, struct span name, struct span value)
{
    CHECK(h->n < ARRAY_LEN(h->fields));
    h->fields[h->n++] = (struct http1_field) { name, value };
}

static struct span number(char text[24], uint32_t v)
{
    int n = snprintf(text, 24, "%u", (unsigned)v);
    return span_of(text, (size_t)n);
}

static void add_page(struct head *h, struct span policy)
{
    add_field(h, SPAN("Content-Security-Policy"), policy);
    add_field(h, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    add_field(h, SPAN("Referrer-Policy"), SPAN("no-referrer"));
    add_field(h, SPAN("Cache-Control"), SPAN("no-store"));
    add_field(h, SPAN("Vary"), SPAN("Accept"));
}

static void add_cors(struct head *h)
{
    add_field(h, SPAN("Access-Control-Allow-Origin"), SPAN("*"));
    add_field(h, SPAN("Access-Control-Allow-Methods"), SPAN("GET, POST, PUT, DELETE, OPTIONS"));
    add_field(h, SPAN("Access-Control-Allow-Headers"),
              SPAN("Origin, Content-Type, X-Auth-Token, X-Requested-With, Accept, Authorization, "
                   "X-CSRF-TOKEN, XSRF-TOKEN, X-Socket-Id"));
}

static void collect(struct head *h, const struct request *r)
{
    const struct answer *a = &r->answer;
    if (a->page)
        add_page(h, r->api->set.home_policy);
    else
        add_cors(h);
    if (a->allow) add_field(h, SPAN("Allow"), route_methods((enum route)r->call->_route));
    if (a->status == 426) add_field(h, SPAN("Upgrade"), SPAN("websocket"));
    if (a->retry) add_field(h, SPAN("Retry-After"), SPAN("1"));
    if (a->rate.limit == 0) return;
    add_field(h, SPAN("X-RateLimit-Limit"), number(h->numbers[0], a->rate.limit));
    add_field(h, SPAN("X-RateLimit-Remaining"), number(h->numbers[1], a->rate.left));
}

enum err answer_write(struct request *r, struct http1_reply to)
{
    struct head h = { .n = 0 };
    collect(&h, r);
    struct http1_res res = {
        .status = r->answer.status,
        .type = r->answer.type,
        .fields = h.fields,
        .n_fields = h.n,
        .body = r->answer.body,
    };
    r->call->status = res.status;
    return http1_res_write(r->out, to, &res);
}

enum err api_write_refusal(struct buf *out, struct http1_reply to, unsigned status,
                           struct span text)
{
    struct head h = { .n = 0 };
    struct buf json = { 0 };
    add_cors(&h);
    if (status == 405) add_field(&h, SPAN("Allow"), SPAN("GET"));
    if (status == 426) {
        add_field(&h, SPAN("Upgrade"), SPAN("websocket"));
        add_field(&h, SPAN("Sec-WebSocket-Version"), SPAN("13"));
    }
    if (status == 503) add_field(&h, SPAN("Retry-After"), SPAN("1"));
    http1_error_json(&json, status, text);
    struct http1_res res = {
        .status = (uint16_t)status,
        .type = SPAN("application/json"),
        .fields = h.fields,
        .n_fields = h.n,
        .body = buf_span(&json),
    };
    enum err err = buf_failed(&json) ? ERR_NOMEM : http1_res_write(out, to, &res);
    buf_fini(&json);
    return err;
}
