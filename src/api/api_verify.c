/* SPDX-License-Identifier: MIT
 *
 * api/api_verify.c: whether a request may be carried out, from its head alone (protocol page 4.1).
 *
 * The query's signature covers body_md5, so it is checked before the body is read. Libraries differ
 * in what they sign: the path with or without what a proxy added, values encoded or not, keys in
 * lower case or not. Each reading that could differ for this very request is tried, the usual one
 * first; a plain request has one. What was found is remembered, since values must be understood as
 * they were signed. Why a signature is wrong is looked for elsewhere (api_guess.c): this file is
 * the way of the requests that are right.
 */
#include "api/api_priv.h"
#include "base/swar.h"

#define MAX_PATHS 4

static bool has(struct span s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

/* --- the strings that may have been signed --- */

struct paths {
    struct span p[MAX_PATHS];
    size_t n;
};

static void add_path(struct paths *paths, struct span path)
{
    for (size_t i = 0; i < paths->n; i++)
        if (span_eq(paths->p[i], path)) return;
    paths->p[paths->n++] = path;
}

/* Behind our prefix, as sent, then both decoded. */
static void collect_paths(struct request *r, struct paths *paths)
{
    struct url_path behind = url_path(r->target.path);
    paths->n = 0;
    if (url_path_skip_prefix(&behind, r->api->set.path_prefix))
        add_path(paths, url_path_rest(&behind));
    add_path(paths, r->target.path);
    if (!has(r->target.path, '%')) return;
    for (size_t i = 0, n = paths->n; i < n; i++)
        add_path(paths, text_of(r, paths->p[i], READING_DECODED));
}

struct params {
    struct auth_param p[AUTH_MAX_PARAMS];
    size_t n;
    bool upper; /* some key has an upper-case letter */
};

static bool has_upper(struct span s)
{
    uint64_t marks = 0;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) marks |= swar_upper(swar_load(s.p + i));
    for (; i < s.n; i++) marks |= s.p[i] >= 'A' && s.p[i] <= 'Z';
    return marks != 0;
}

/* The query has at most AUTH_MAX_PARAMS. */
static void collect_params(struct request *r, enum reading reading, struct params *params)
{
    const struct query *q = &r->api->query;
    params->n = q->n;
    params->upper = false;
    for (size_t i = 0; i < q->n; i++) {
        struct auth_param *p = &params->p[i];
        p->key = query_value(r, q->pairs[i].key, READING_DECODED);
        p->value = query_value(r, q->pairs[i].value, reading);
        params->upper |= has_upper(p->key);
    }
}

/* Puts the string to sign into api->json. False: no memory. */
static bool write_string(struct request *r, struct span path, const struct params *params,
                         bool keep_case)
{
    struct auth_request req = {
        .method = http1_req_method_name(r->req),
        .path = path,
        .params = params->p,
        .n_params = params->n,
        .keep_case = keep_case,
    };
    buf_clear(&r->api->json);
    return auth_request_string(&req, &r->api->json) == ERR_OK;
}

static enum verdict try_params(struct request *r, struct span signature, const struct paths *paths,
                               const struct params *params)
{
    for (size_t i = 0; i < paths->n; i++) {
        /* Without capitals both strings are the same, and keeping the case costs less. */
        for (unsigned keep_case = params->upper ? 0 : 1; keep_case < 2; keep_case++) {
            if (!write_string(r, paths->p[i], params, keep_case)) return VERDICT_NOMEM;
            if (auth_check_string(&r->app->rules->keys, signature, buf_span(&r->api->json)))
                return VERDICT_OK;
        }
    }
    return VERDICT_SIGNATURE;
}

static bool reading_matters(struct span query, enum reading reading)
{
    switch (reading) {
    case READING_DECODED:
        return true;
    case READING_FORM:
        return has(query, '+');
    case READING_RAW:
        return has(query, '%');
    case READING_N:
        break;
    }
    UNREACHABLE();
}

/* The query without its signature. */
struct rest {
    struct span before, behind;
};

/* Whether the query is written as it is signed: nothing but the parameters of a signature, in their
 * order, nothing encoded. Then what was signed is the query itself, whatever reading was meant. */
static bool is_as_signed(const struct request *r, struct rest *rest)
{
    const struct query *q = &r->api->query;
    const struct span raw = r->target.query;
    size_t octets = q->n - 1, found = 0, last = 0;
    for (enum param param = PARAM_KEY; param < PARAM_N; param++) {
        const struct url_pair *pair = &q->pairs[q->known[param].at];
        if (q->known[param].n == 0) continue;
        if (!pair->value.p || (param != PARAM_SIGNATURE && q->known[param].at < last)) return false;
        last = q->known[param].at;
        octets += pair->key.n + 1 + pair->value.n;
        found++;
    }
    if (q->encoded || found != q->n || octets != raw.n) return false; /* doubled, others, `&&` */
    const struct url_pair *signature = &q->pairs[q->known[PARAM_SIGNATURE].at];
    size_t at = (size_t)(signature->key.p - raw.p);
    size_t end = at + signature->key.n + 1 + signature->value.n;
    rest->before = span_head(raw, at ? at - 1 : 0);
    rest->behind = span_skip(raw, at ? end : end + 1);
    return true;
}

static enum verdict try_as_signed(struct request *r, struct span signature,
                                  const struct paths *paths, const struct rest *rest)
{
    struct buf *text = &r->api->json;
    for (size_t i = 0; i < paths->n; i++) {
        buf_clear(text);
        buf_add_span(text, http1_req_method_name(r->req));
        buf_add_byte(text, '\n');
        buf_add_span(text, paths->p[i]);
        buf_add_byte(text, '\n');
        buf_add_span(text, rest->before);
        buf_add_span(text, rest->behind);
        if (buf_failed(text)) return VERDICT_NOMEM;
        if (auth_check_string(&r->app->rules->keys, signature, buf_span(text))) return VERDICT_OK;
    }
    return VERDICT_SIGNATURE;
}

static enum verdict try_readings(struct request *r, struct span signature,
                                 const struct paths *paths)
{
    struct params params;
    enum verdict verdict = VERDICT_SIGNATURE;
    for (enum reading how = READING_DECODED; how < READING_N; how++) {
        if (!reading_matters(r->target.query, how)) continue;
        collect_params(r, how, &params);
        verdict = try_params(r, signature, paths, &params);
        if (verdict == VERDICT_SIGNATURE) continue;
        r->call->_reading = (uint8_t)how;
        break;
    }
    return verdict;
}

static enum verdict check_signature(struct request *r, struct span signature)
{
    struct paths paths;
    struct rest rest;
    collect_paths(r, &paths);
    if (is_as_signed(r, &rest)) {
        enum verdict verdict = try_as_signed(r, signature, &paths, &rest);
        if (verdict != VERDICT_SIGNATURE || !has(r->target.query, '+')) return verdict;
    }
    return try_readings(r, signature, &paths);
}

/* --- the checks in order --- */

static enum verdict check_app(struct request *r)
{
    const struct apps *apps = r->api->set.apps;
    r->app = apps_find_id(apps, r->args.app);
    if (!r->app) r->app = apps_find_id(apps, path_text(r, r->args.app));
    r->call->app = r->app;
    if (!r->app) return VERDICT_NO_APP;
    return r->app->s->enabled ? VERDICT_OK : VERDICT_DISABLED;
}

static enum verdict check_params(struct request *r)
{
    static const enum param needed[] = { PARAM_KEY, PARAM_TIMESTAMP, PARAM_VERSION,
                                         PARAM_SIGNATURE };
    const struct query *q = &r->api->query;
    r->call->_measured = (int64_t)q->n;
    if (q->n > AUTH_MAX_PARAMS) return VERDICT_PARAMS;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        r->call->_detail = (uint8_t)needed[i];
        if (q->known[needed[i]].n > 1) return VERDICT_DOUBLED;
        if (query_known(r, needed[i]).n == 0) return VERDICT_MISSING;
    }
    return VERDICT_OK;
}

/* A parameter of the signature, decoded. */
static struct span param_text(struct request *r, enum param param)
{
    return query_value(r, query_known(r, param), READING_DECODED);
}

static enum verdict check_time(struct request *r, struct span timestamp, uint64_t unix_s)
{
    uint64_t window_s = r->api->set.auth_window_s, then_s;
    if (window_s == 0) return VERDICT_OK;
    if (!span_to_u64(timestamp, &then_s) || then_s > INT64_MAX) return VERDICT_TIMESTAMP;
    int64_t ahead_s = (int64_t)then_s - (int64_t)unix_s;
    r->call->_measured = ahead_s;
    uint64_t off_s = ahead_s < 0 ? (uint64_t)-ahead_s : (uint64_t)ahead_s;
    return off_s <= window_s ? VERDICT_OK : VERDICT_SKEW;
}

/* Keeps body_md5, where it is all that api_finish will have to know of the target. */
static void note_usual(struct request *r)
{
    enum route route = (enum route)r->call->_route;
    if (route != ROUTE_EVENTS && route != ROUTE_BATCH) return;
    if (r->api->query.n != PARAM_N || !r->api->query.known[PARAM_MD5].n) return;
    struct span said = param_text(r, PARAM_MD5);
    r->call->_usual = said.n == MD5_HEX_LEN && hex_decode(said, r->call->_md5);
}

static enum verdict verify_signed(struct request *r, uint64_t unix_s)
{
    if (!text_reserve(r)) return VERDICT_NOMEM;
    enum verdict verdict = check_app(r);
    if (!verdict) verdict = check_params(r);
    if (verdict) return verdict;
    if (!span_eq(param_text(r, PARAM_KEY), r->app->s->key)) return VERDICT_KEY;
    if (!span_eq(param_text(r, PARAM_VERSION), SPAN("1.0"))) return VERDICT_VERSION;
    verdict = check_time(r, param_text(r, PARAM_TIMESTAMP), unix_s);
    if (!verdict) verdict = check_signature(r, param_text(r, PARAM_SIGNATURE));
    if (!verdict) note_usual(r);
    return verdict;
}

enum verdict verify_head(struct request *r, uint64_t unix_s)
{
    enum http1_method method = http1_req_method(r->req);
    enum route route = (enum route)r->call->_route;
    if (!r->target.path.p) return VERDICT_TARGET;
    if (method == HTTP1_OPTIONS) return VERDICT_PREFLIGHT;
    if (route == ROUTE_NONE) return VERDICT_NO_ROUTE;
    if (!route_takes(route, method)) return VERDICT_METHOD;
    if (route == ROUTE_SOCKET) return VERDICT_UPGRADE;
    if (route == ROUTE_ROOT || route == ROUTE_UP) return VERDICT_OK;
    return verify_signed(r, unix_s);
}

/* --- the body --- */

static bool refuse_body(struct request *r, struct span said, const uint8_t md5[MD5_LEN])
{
    struct buf *words = &r->api->words;
    char hex[MD5_HEX_LEN];
    hex_encode(span_of(md5, MD5_LEN), hex);
    BUF_ADD_LIT(words, "The secret authentication failed: ");
    if (said.p) {
        BUF_ADD_LIT(words, "body_md5 is ");
        add_quoted(words, said);
    } else {
        BUF_ADD_LIT(words, "body_md5 is missing in the query");
    }
    buf_add_fmt(words, "; the MD5 of the body that arrived (%zu bytes) is %.*s", r->body.n,
                (int)sizeof hex, hex);
    BUF_ADD_LIT(words, " (request");
    add_app(r);
    BUF_ADD_LIT(words, ").");
    answer_error(r, 401);
    return false;
}

bool verify_body(struct request *r)
{
    uint8_t is[MD5_LEN], said[MD5_LEN];
    struct span text;
    if (r->call->_usual) {
        md5(r->body, is);
        if (memcmp(is, r->call->_md5, sizeof is) == 0) return true;
        read_target(r); /* for the words */
    }
    bool some = r->api->query.known[PARAM_MD5].n > 0;
    if (!some && r->body.n == 0) return true;
    md5(r->body, is);
    text = param_text(r, PARAM_MD5);
    if (some && !text.p) text = SPAN("");
    bool fits = text.n == MD5_HEX_LEN && hex_decode(text, said) && memcmp(is, said, sizeof is) == 0;
    r->cause = CAUSE_BODY_MD5;
    return fits || refuse_body(r, text, is);
}

/* --- the words --- */

static void explain_skew(struct request *r, struct buf *words)
{
    long long ahead_s = r->call->_measured;
    buf_add_fmt(words, "auth_timestamp is %llu s %s the server's clock; ",
                ahead_s < 0 ? 0 - (unsigned long long)ahead_s : (unsigned long long)ahead_s,
                ahead_s < 0 ? "behind" : "ahead of");
    buf_add_fmt(words, "auth_timestamp_window_s allows %llu",
                (unsigned long long)r->api->set.auth_window_s);
}

static void explain_key(struct request *r, struct buf *words)
{
    struct span said = param_text(r, PARAM_KEY);
    if (apps_have_secret(r->api->set.apps, said)) { /* not quoted: this goes to the log */
        BUF_ADD_LIT(words, "auth_key is an app's secret instead of its key; " LEAKED_SECRET);
        return;
    }
    BUF_ADD_LIT(words, "auth_key ");
    add_quoted(words, said);
    BUF_ADD_LIT(words, " is not the key");
    if (span_eq(said, r->app->s->id))
        BUF_ADD_LIT(words, ", but the id");
    else if (apps_find_key(r->api->set.apps, said))
        BUF_ADD_LIT(words, ", but the key of another app");
}

void verify_words(struct request *r, enum verdict verdict, struct buf *words)
{
    struct span name = param_names[r->call->_detail % PARAM_N];
    BUF_ADD_LIT(words, "The secret authentication failed: ");
    if (verdict == VERDICT_MISSING || verdict == VERDICT_DOUBLED) {
        buf_add_span(words, name);
        BUF_ADD_LIT(words, " is ");
        buf_add_span(words, verdict == VERDICT_MISSING ? SPAN("missing in the query")
                                                       : SPAN("more than once in the query"));
    } else if (verdict == VERDICT_KEY) {
        explain_key(r, words);
    } else if (verdict == VERDICT_VERSION) {
        BUF_ADD_LIT(words, "auth_version is not 1.0");
    } else if (verdict == VERDICT_TIMESTAMP) {
        BUF_ADD_LIT(words, "auth_timestamp is not a number of seconds");
    } else if (verdict == VERDICT_SKEW) {
        explain_skew(r, words);
    } else {
        guess_words(r, words);
    }
    BUF_ADD_LIT(words, " (request");
    if (r->app) add_app(r);
    BUF_ADD_LIT(words, ").");
}
