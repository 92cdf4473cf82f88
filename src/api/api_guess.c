/* SPDX-License-Identifier: MIT
 *
 * api/api_guess.c: why a signature does not match: the likely mistakes are made one after the
 * other.
 *
 * Where one change of one part makes the signature right, that is what was done: whoever made it
 * has the secret (or has not understood what it is), so the answer tells a stranger nothing. Each
 * guess costs an HMAC, and anybody who has the public key can ask for it; so only the first few
 * wrong signatures of a second are worth it (guess_admit), and a request with many parameters is
 * not tried without each of them.
 */
#include "api/api_priv.h"

#define EXPLAIN_MAX 4096
#define MAX_PARAMS 12

bool guess_admit(struct api *api, uint64_t unix_s)
{
    if (api->guess_s != unix_s) {
        api->guess_s = unix_s;
        api->n_guessed = 0;
    }
    if (api->n_guessed >= GUESSES_A_SECOND) return false;
    api->n_guessed++;
    return true;
}

/* --- one changed part each; true: that was it, and it is said --- */

static bool fits(struct request *r, struct span signature, const struct auth_request *req)
{
    buf_clear(&r->api->json);
    return auth_request_string(req, &r->api->json) == ERR_OK &&
           auth_check_string(&r->app->rules->keys, signature, buf_span(&r->api->json));
}

static bool guess_method(struct request *r, struct span signature, struct auth_request req)
{
    static const struct span methods[] = { SPAN("GET"), SPAN("POST"), SPAN("PUT"), SPAN("DELETE") };
    struct buf *words = &r->api->words;
    struct span real = req.method;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        req.method = methods[i];
        if (!fits(r, signature, &req)) continue;
        buf_add_fmt(words, "It was made for the method %.*s, the request's is ",
                    SPAN_FMT(methods[i]));
        add_clean(words, real, 32);
        BUF_ADD_LIT(words, ". ");
        return true;
    }
    return false;
}

/* With a slash at the end, without the one at the beginning, with the host before it. */
static bool guess_path(struct request *r, struct span signature, struct auth_request req)
{
    struct buf *words = &r->api->words;
    struct span real = req.path, host = http1_header(r->req, SPAN("Host"));
    struct buf b = { 0 };
    buf_add_fmt(&b, "http://%.*s%.*s/", SPAN_FMT(host), SPAN_FMT(real));
    struct span all = buf_span(&b), slash = span_skip(all, 7 + host.n);
    struct span no_host = span_head(slash, real.n);
    const struct span guesses[] = {
        slash,
        span_skip(no_host, 1),
        span_head(all, all.n - 1),
        span_head(span_skip(all, 7), host.n + real.n),
    };
    bool found = false;
    for (size_t i = 0; !buf_failed(&b) && !found && i < ARRAY_LEN(guesses); i++) {
        req.path = guesses[i];
        found = fits(r, signature, &req);
    }
    if (found) {
        BUF_ADD_LIT(words, "It was made for the path ");
        add_quoted(words, req.path);
        BUF_ADD_LIT(words, ", the request's is ");
        add_quoted(words, real);
        BUF_ADD_LIT(words, ". ");
    }
    buf_fini(&b);
    return found;
}

/* Without one of the parameters. */
static bool guess_params(struct request *r, struct span signature, struct auth_request req)
{
    struct auth_param some[AUTH_MAX_PARAMS];
    size_t n = req.n_params;
    struct buf *words = &r->api->words;
    const struct auth_param *all = req.params;
    req.params = some;
    req.n_params = n - 1;
    for (size_t left_out = 0; left_out < n; left_out++) {
        for (size_t i = 0, to = 0; i < n; i++)
            if (i != left_out) some[to++] = all[i];
        if (!fits(r, signature, &req)) continue;
        BUF_ADD_LIT(words, "It was made without the parameter ");
        add_quoted(words, all[left_out].key);
        BUF_ADD_LIT(words, ". ");
        return true;
    }
    return false;
}

/* The parameters in the order in which they were sent. */
static bool guess_order(struct request *r, struct span signature, const struct auth_request *req)
{
    struct buf *json = &r->api->json;
    buf_clear(json);
    buf_add_fmt(json, "%.*s\n%.*s\n", SPAN_FMT(req->method), SPAN_FMT(req->path));
    for (size_t i = 0, n = 0; i < req->n_params; i++) {
        if (span_eq(req->params[i].key, SPAN("auth_signature"))) continue;
        buf_add_fmt(json, "%s%.*s=%.*s", n++ ? "&" : "", SPAN_FMT(req->params[i].key),
                    SPAN_FMT(req->params[i].value));
    }
    if (buf_failed(json) || !auth_check_string(&r->app->rules->keys, signature, buf_span(json)))
        return false;
    BUF_ADD_LIT(&r->api->words, "It was made over parameters that are not sorted by their names. ");
    return true;
}

/* The right string, but with the app's key or id instead of the secret. */
static bool guess_secret(struct request *r, struct span signature, const struct auth_request *req)
{
    const struct span wrong[] = { r->app->s->key, r->app->s->id };
    static const char *const names[] = { "key", "id" };
    buf_clear(&r->api->json);
    if (auth_request_string(req, &r->api->json)) return false;
    const struct span string = buf_span(&r->api->json);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char hex[SHA256_HEX_LEN];
        struct hmac_key *key = hmac_key_new(wrong[i]);
        if (!key) return false;
        hmac_sha256_hex(key, &string, 1, hex);
        hmac_key_free(key);
        if (!span_eq(signature, span_of(hex, sizeof hex))) continue;
        buf_add_fmt(&r->api->words, "It was made with the app's %s instead of its secret. ",
                    names[i]);
        return true;
    }
    return false;
}

/* The request as it is usually signed: behind our prefix, with decoded values. */
static struct auth_request as_usual(struct request *r, struct auth_param params[AUTH_MAX_PARAMS])
{
    struct url_path behind = url_path(r->target.path);
    struct url_query it = url_query(r->target.query);
    struct url_pair pair;
    struct auth_request req = {
        .method = http1_req_method_name(r->req),
        .path = r->target.path,
        .params = params,
    };
    if (url_path_skip_prefix(&behind, r->api->set.path_prefix)) req.path = url_path_rest(&behind);
    while (req.n_params < AUTH_MAX_PARAMS && url_query_next(&it, &pair)) {
        struct auth_param *p = &params[req.n_params++];
        p->key = text_of(r, pair.key, READING_DECODED);
        p->value = text_of(r, pair.value, READING_DECODED);
    }
    return req;
}

/* The right one, but in upper case. */
static bool guess_case(struct request *r, struct span signature, const struct auth_request *req)
{
    const struct span_list *secrets = &r->app->s->secrets;
    buf_clear(&r->api->json);
    if (auth_request_string(req, &r->api->json)) return false;
    const struct span string = buf_span(&r->api->json);
    for (size_t i = 0; i < secrets->n; i++) {
        char hex[SHA256_HEX_LEN];
        struct hmac_key *key = hmac_key_new(secrets->items[i]);
        if (!key) return false;
        hmac_sha256_hex(key, &string, 1, hex);
        hmac_key_free(key);
        if (!span_eq_nocase(signature, span_of(hex, sizeof hex))) continue;
        BUF_ADD_LIT(&r->api->words, "It is right but for its case: it must be lower-case "
                                    "hexadecimal. ");
        return true;
    }
    return false;
}

static void guess(struct request *r, const struct auth_request *req)
{
    struct buf *words = &r->api->words;
    struct span signature = query_text(r, SPAN("auth_signature"));
    if (signature.n != SHA256_HEX_LEN) {
        buf_add_fmt(words, "It has %zu characters, an HMAC-SHA256 in hexadecimal has %d. ",
                    signature.n, SHA256_HEX_LEN);
        return;
    }
    if (!r->call->_guess) {
        buf_add_fmt(words,
                    "Which part differs was not looked for: there are more than %d wrong "
                    "signatures in this second. ",
                    GUESSES_A_SECOND);
        return;
    }
    if (guess_method(r, signature, *req) || guess_path(r, signature, *req) ||
        (req->n_params <= MAX_PARAMS && guess_params(r, signature, *req)) ||
        guess_order(r, signature, req) || guess_secret(r, signature, req) ||
        guess_case(r, signature, req))
        return;
    BUF_ADD_LIT(words, "Is it made with the secret of this app? ");
}

void guess_words(struct request *r, struct buf *words)
{
    struct auth_param params[AUTH_MAX_PARAMS];
    const struct auth_request req = as_usual(r, params);
    BUF_ADD_LIT(words, "auth_signature does not match. ");
    guess(r, &req);
    if (!r->api->set.explain) {
        BUF_ADD_LIT(words,
                    "Expected is the HMAC-SHA256, keyed with the secret, of METHOD, path and "
                    "sorted parameters; `--dev` or log.level=debug tells the exact string");
        return;
    }
    buf_clear(&r->api->json);
    if (auth_request_string(&req, &r->api->json)) return;
    BUF_ADD_LIT(words, "Expected is the HMAC-SHA256, keyed with the secret, of the string \"");
    add_clean(words, buf_span(&r->api->json), EXPLAIN_MAX);
    buf_add_byte(words, '"');
}
