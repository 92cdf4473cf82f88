/* SPDX-License-Identifier: MIT
 *
 * cli/http_call.c: the URL (its path is signed as it is sent, but without the prefix of a proxy,
 * protocol page 4.1), and the transfer.
 */
#include "cli/http_call.h"
#include "base/clock.h"
#include "cli/api_query.h"
#include "cli/curl_setup.h"
#include "http/url.h"

void http_call_segment(struct span text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] && strchr("=@,;", text.p[i]))
            buf_add_byte(out, text.p[i]);
        else
            url_encode(span_of(text.p + i, 1), out);
    }
}

static enum err add_query(const struct target *t, const struct http_ask *ask, struct span path,
                          struct buf *url)
{
    const struct api_query query = {
        .method = ask->body.n ? SPAN("POST") : SPAN("GET"),
        .path = path,
        .params = ask->params,
        .n_params = ask->n_params,
        .body = ask->body,
        .unix_s = clock_unix_ms() / 1000,
    };
    return api_query_add(&t->keys, &query, url);
}

/* With a NUL at its end. */
static enum err make_url(const struct target *t, const struct http_ask *ask, struct buf *url)
{
    struct buf path = { 0 };
    BUF_ADD_LIT(&path, "/apps/");
    http_call_segment(t->id, &path);
    buf_add_fmt(&path, "/%.*s", SPAN_FMT(ask->what));
    buf_add_fmt(url, "%s://", t->tls ? "https" : "http");
    target_authority(t, url);
    buf_add_span(url, t->path);
    buf_add_span(url, buf_span(&path));
    enum err err = buf_failed(&path) ? ERR_NOMEM : add_query(t, ask, buf_span(&path), url);
    buf_add_byte(url, '\0');
    if (!err && buf_failed(url)) err = ERR_NOMEM;
    buf_fini(&path);
    return err;
}

static CURLcode set_body(CURL *curl, struct span body)
{
    if (!body.n) return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    CURLcode code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
    return code ? code : curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
}

static CURLcode perform(CURL *curl, struct span body, struct http_answer *out)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (!headers) return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!code) code = set_body(curl, body);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    struct curl_body keep = { &out->body, HTTP_CALL_ANSWER_MAX };
    if (!code) code = curl_keep_body(curl, &keep);
    if (!code) code = curl_easy_perform(curl);
    if (!code) code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return code;
}

/* The handle for this URL: a new one, or the one of the last call. */
static CURL *handle(struct http_caller *caller, const char *url)
{
    if (!caller->_curl)
        caller->_curl = curl_setup(caller->target, url);
    else if (curl_easy_setopt(caller->_curl, CURLOPT_URL, url) != CURLE_OK)
        return NULL;
    return caller->_curl;
}

enum err http_call(struct http_caller *caller, const struct http_ask *ask, struct http_answer *out,
                   struct diag *d)
{
    struct buf url = { 0 };
    out->status = 0;
    buf_clear(&out->body);
    enum err err = make_url(caller->target, ask, &url);
    CURL *curl = err ? NULL : handle(caller, url.p);
    if (!err && !curl) err = ERR_NOMEM;
    if (!err) err = curl_result(caller->target, perform(curl, ask->body, out), d);
    buf_fini(&url);
    return err;
}

void http_caller_fini(struct http_caller *caller)
{
    curl_easy_cleanup(caller->_curl);
    caller->_curl = NULL;
}
