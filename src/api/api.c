/* SPDX-License-Identifier: MIT
 *
 * api/api.c: one request of the HTTP API, from its head to its answer.
 *
 *     api_head ──> verdict, limit of the body        (nothing is kept but struct api_call)
 *     api_finish ──> refusal by verdict ┬─ route ──> publish_…, show_…
 *                                       └─ body_md5 does not fit
 *
 * The head is looked at twice, since between the two nothing may point into it: the second time for
 * the values and for the words of a refusal; the verdict itself, which depends on the time, stands.
 * A publish whose query has nothing but its signature is spared that.
 */
#include "api/api_priv.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/near.h"

#define SCRATCH_KEPT 65536 /* what a worker keeps of a buffer after a large request */
#define ESCAPE 6           /* \u00e9 for one octet at worst */
#define CHAR_ESCAPED 12    /* \ud83d\ude00 for one character at worst */

enum err api_new(struct api **out, const struct api_settings *settings)
{
    struct api *api = mem_zalloc(sizeof *api);
    if (!api) return ERR_NOMEM;
    api->set = *settings;
    *out = api;
    return ERR_OK;
}

void api_change(struct api *api, const struct api_settings *settings)
{
    api->set = *settings;
}

void api_free(struct api *api)
{
    if (!api) return;
    buf_fini(&api->text);
    buf_fini(&api->token);
    buf_fini(&api->words);
    buf_fini(&api->json);
    mem_free(api->targets);
    mem_free(api->events);
    mem_free(api);
}

static void recycle(struct buf *b)
{
    if (b->cap > SCRATCH_KEPT) buf_fini(b);
    buf_clear(b);
}

static void clear_scratch(struct api *api)
{
    recycle(&api->text);
    recycle(&api->token);
    recycle(&api->words);
    recycle(&api->json);
    api->n_targets = api->n_events = 0;
    if (api->cap_targets * sizeof *api->targets <= SCRATCH_KEPT) return;
    mem_free(api->targets);
    api->targets = NULL;
    api->cap_targets = 0;
}

/* --- texts of the request --- */

/* Each parameter may be decoded in each reading, with its key, and looked up again when it is used;
 * the body's strings are unescaped once. */
bool text_reserve(struct request *r)
{
    size_t target_n = http1_req_target(r->req).n;
    size_t body_n = r->body.n && memchr(r->body.p, '\\', r->body.n) ? r->body.n : 0;
    return buf_room(&r->api->text, 16 * target_n + body_n + 64) != NULL;
}

struct span text_of(struct request *r, struct span raw, enum reading reading)
{
    struct buf *text = &r->api->text;
    struct span out = raw;
    CHECK(text->cap - text->n >= raw.n);
    if (reading == READING_RAW) return raw;
    enum url_plus plus = reading == READING_FORM ? URL_PLUS_SPACE : URL_PLUS_LITERAL;
    return url_text(raw, plus, text, &out) == ERR_OK ? out : raw;
}

struct span path_text(struct request *r, struct span segment)
{
    return text_of(r, segment, READING_DECODED);
}

unsigned info_of(struct span list)
{
    unsigned info = 0;
    struct span part;
    while (span_cut(&list, ',', &part)) {
        part = span_trim(part);
        if (span_eq(part, SPAN("user_count"))) info |= INFO_USERS;
        if (span_eq(part, SPAN("subscription_count"))) info |= INFO_SUBS;
        if (span_eq(part, SPAN("cache"))) info |= INFO_CACHE;
    }
    return info;
}

/* --- head --- */

static struct request open_request(struct api *api, const struct http1_req *req,
                                   struct api_call *call)
{
    clear_scratch(api);
    return (struct request) { .api = api, .req = req, .call = call, .app = call->app };
}

void read_target(struct request *r)
{
    if (url_cut(http1_req_target(r->req), &r->target, NULL))
        r->call->_route = (uint8_t)route_find(r->target.path, r->api->set.path_prefix, &r->args);
    query_open(r);
}

static uint64_t saturating_mul(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What a valid publish may have at most, by the app's options, escapes included. */
static size_t publish_limit(const struct app *app, bool batch)
{
    const struct app_settings *s = app->s;
    uint64_t n_events = batch ? s->limits.batch : 1;
    bool endless = !s->limits.message_bytes || !s->limits.event_name || !s->limits.channel_name ||
                   !s->limits.channels_per_publish || !n_events;
    uint64_t name = saturating_mul(s->limits.event_name, CHAR_ESCAPED);
    uint64_t chan = saturating_add(saturating_mul(s->limits.channel_name, ESCAPE), 4);
    uint64_t each = saturating_add(saturating_mul(s->limits.message_bytes, ESCAPE), name);
    each = saturating_add(each, saturating_mul(chan, s->limits.channels_per_publish));
    each = saturating_add(each, API_SMALL_BODY);
    uint64_t all = saturating_mul(each, n_events ? n_events : 1);
    if (endless && all < API_LARGE_BODY) all = API_LARGE_BODY;
    return all < UINT32_MAX ? (size_t)all : UINT32_MAX;
}

static void limit_body(struct api_call *call)
{
    enum route route = (enum route)call->_route;
    call->body_limit = API_SMALL_BODY;
    call->body_option = "built-in limit";
    if (call->_verdict != VERDICT_OK) return;
    if (route == ROUTE_BATCH) {
        call->body_limit = publish_limit(call->app, true);
        call->body_option = "from limits.message_bytes and limits.batch of the app";
    } else if (route == ROUTE_EVENTS || route == ROUTE_USER_EVENTS) {
        call->body_limit = publish_limit(call->app, false);
        call->body_option = "from limits.message_bytes of the app";
    }
}

void api_head(struct api *api, const struct http1_req *req, uint64_t unix_s, struct api_call *call)
{
    *call = (struct api_call) { 0 };
    struct request r = open_request(api, req, call);
    read_target(&r);
    enum verdict verdict = verify_head(&r, unix_s);
    call->_verdict = (uint8_t)verdict;
    call->refused = verdict != VERDICT_OK && verdict != VERDICT_PREFLIGHT;
    call->_guess = verdict == VERDICT_SIGNATURE && guess_admit(api, unix_s);
    limit_body(call);
}

/* --- refusals of the head --- */

static void refuse_route(struct request *r)
{
    struct buf *words = &r->api->words;
    BUF_ADD_LIT(words, "There is no route ");
    add_quoted_path(r);
    BUF_ADD_LIT(words, ". ");
    route_hint(r->target.path, r->api->set.path_prefix, words);
    answer_error(r, 404);
}

static void refuse_method(struct request *r)
{
    struct buf *words = &r->api->words;
    BUF_ADD_LIT(words, "The method ");
    add_clean(words, http1_req_method_name(r->req), 32);
    BUF_ADD_LIT(words, " is not allowed for ");
    add_quoted_path(r);
    BUF_ADD_LIT(words, "; allowed are ");
    buf_add_span(words, route_methods((enum route)r->call->_route));
    BUF_ADD_LIT(words, ".");
    answer_error(r, 405);
    r->answer.allow = true;
}

static void refuse_plain(struct request *r, unsigned status, struct span text)
{
    buf_add_span(&r->api->words, text);
    answer_error(r, status);
}

/* For developers only: elsewhere it would tell strangers who else is here. */
static void suggest_app(struct request *r, struct span id)
{
    const struct apps *apps = r->api->set.apps;
    struct near near = { .word = id };
    const struct app *app;
    for (size_t i = 0; (app = apps_at(apps, i)); i++) near_try(&near, app->s->id);
    if (!near.best.n) return;
    BUF_ADD_LIT(&r->api->words, " Did you mean ");
    add_quoted(&r->api->words, near.best);
    BUF_ADD_LIT(&r->api->words, "?");
}

static void refuse_app(struct request *r)
{
    struct buf *words = &r->api->words;
    struct span id = path_text(r, r->args.app);
    BUF_ADD_LIT(words, "There is no app with the id ");
    bool harmless = add_said(r, id);
    BUF_ADD_LIT(words, ".");
    if (harmless && apps_find_key(r->api->set.apps, id))
        BUF_ADD_LIT(words, " It is the key of an app; the path takes the app's id.");
    else if (harmless && r->api->set.explain)
        suggest_app(r, id);
    answer_error(r, 404);
}

/* The WebSocket's path with plain HTTP. */
static void refuse_socket(struct request *r)
{
    struct buf *words = &r->api->words;
    struct span key = path_text(r, r->args.app);
    BUF_ADD_LIT(words, "This is the path of WebSocket connections; the request has no valid "
                       "`Upgrade: websocket`. Does a proxy drop the headers Upgrade and "
                       "Connection?");
    if (!apps_find_key(r->api->set.apps, key)) {
        BUF_ADD_LIT(words, " And there is no app with the key ");
        add_said(r, key);
        BUF_ADD_LIT(words, ".");
    }
    answer_error(r, 426);
}

static void refuse_disabled(struct request *r)
{
    struct buf *words = &r->api->words;
    BUF_ADD_LIT(words, "The app ");
    add_quoted(words, r->app->s->id);
    BUF_ADD_LIT(words, " is disabled (its option `enabled` is false).");
    answer_error(r, 403);
}

static void refuse_params(struct request *r)
{
    buf_add_fmt(&r->api->words,
                "The query has %lld parameters; at most %d are read, so that they can be signed.",
                (long long)r->call->_measured, AUTH_MAX_PARAMS);
    answer_error(r, 400);
}

static void refuse_signed(struct request *r)
{
    verify_words(r, (enum verdict)r->call->_verdict, &r->api->words);
    answer_error(r, 401);
}

static void answer_preflight(struct request *r)
{
    r->answer.status = 204;
    r->answer.allow = r->call->_route != ROUTE_NONE;
}

static void refuse_head(struct request *r)
{
    switch ((enum verdict)r->call->_verdict) {
    case VERDICT_OK:
        UNREACHABLE();
    case VERDICT_NOMEM:
        answer_no_memory(r);
        return;
    case VERDICT_TARGET:
        refuse_plain(r, 400, SPAN("The request target is not a path like /apps/{app_id}/events."));
        return;
    case VERDICT_NO_ROUTE:
        refuse_route(r);
        return;
    case VERDICT_PREFLIGHT:
        answer_preflight(r);
        return;
    case VERDICT_METHOD:
        refuse_method(r);
        return;
    case VERDICT_UPGRADE:
        refuse_socket(r);
        return;
    case VERDICT_NO_APP:
        refuse_app(r);
        return;
    case VERDICT_DISABLED:
        refuse_disabled(r);
        return;
    case VERDICT_PARAMS:
        refuse_params(r);
        return;
    case VERDICT_MISSING:
    case VERDICT_DOUBLED:
    case VERDICT_KEY:
    case VERDICT_VERSION:
    case VERDICT_TIMESTAMP:
    case VERDICT_SKEW:
    case VERDICT_SIGNATURE:
        refuse_signed(r);
        return;
    }
    UNREACHABLE();
}

/* --- the answer --- */

typedef void answer_fn(struct request *r);

/* The page may show what other origins must not read: no CORS headers. */
static void answer_home(struct request *r)
{
    struct span accept = http1_header(r->req, SPAN("Accept"));
    const struct api_home want = {
        .html = accept.n && memmem(accept.p, accept.n, "text/html", 9),
        .local = r->call->local,
    };
    r->api->set.home(r->api->set.home_ctx, &want, &r->api->json);
    answer_json(r);
    if (answer_is_no_memory(&r->answer)) return;
    r->answer.type =
        want.html ? SPAN("text/html; charset=utf-8") : SPAN("text/plain; charset=utf-8");
    r->answer.page = true;
}

static void answer_root(struct request *r)
{
    if (r->api->set.home) {
        answer_home(r);
        return;
    }
    answer_static(r, SPAN("OK"));
    r->answer.type = SPAN("text/plain");
}

static void answer_up(struct request *r)
{
    answer_static(r, SPAN("{\"health\":\"OK\"}"));
}

static answer_fn *const answers[ROUTE_N] = {
    [ROUTE_ROOT] = answer_root,
    [ROUTE_UP] = answer_up,
    [ROUTE_EVENTS] = publish_event,
    [ROUTE_BATCH] = publish_batch,
    [ROUTE_CHANNELS] = show_channels,
    [ROUTE_CHANNEL] = show_channel,
    [ROUTE_CHANNEL_USERS] = show_users,
    [ROUTE_CONNECTIONS] = show_connections,
    [ROUTE_USER_EVENTS] = publish_to_user,
    [ROUTE_TERMINATE] = terminate_user,
};

/* The app may have been removed or disabled since the head was there. */
static void judge_again(struct request *r)
{
    const struct app *app = r->call->app;
    if (r->call->_verdict != VERDICT_OK || !app || app->s->enabled) return;
    bool known = apps_find_id(r->api->set.apps, app->s->id) == app;
    r->call->_verdict = known ? VERDICT_DISABLED : VERDICT_NO_APP;
}

enum err api_finish(struct api *api, const struct http1_req *req, struct http1_reply to,
                    struct api_call *call, struct buf *out)
{
    struct request r = open_request(api, req, call);
    r.body = http1_req_body(req);
    r.out = out;
    judge_again(&r);
    if (!call->_usual || call->_verdict != VERDICT_OK) read_target(&r);
    if (!text_reserve(&r))
        answer_no_memory(&r);
    else if (call->_verdict != VERDICT_OK)
        refuse_head(&r);
    else if (!call->app || verify_body(&r))
        answers[call->_route](&r);
    if (r.answer.status >= 400) note_refusal(&r);
    return answer_write(&r, to);
}

struct span api_why(const struct api *api)
{
    return buf_failed(&api->words) ? SPAN("out of memory") : buf_span(&api->words);
}
