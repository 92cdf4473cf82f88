/* SPDX-License-Identifier: MIT
 *
 * cli/http_call.c: signs as all Pusher libraries do (protocol page, HTTP API: authentication): the
 * string holds the path without the prefix of a proxy, and the query carries the signature.
 */
#include "cli/http_call.h"
#include "base/clock.h"
#include "cli/curl_setup.h"
#include "http/url.h"
#include <stdio.h>

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *body = ctx;
    if (size * n > HTTP_CALL_ANSWER_MAX - body->n) return 0;
    buf_add(body, p, size * n);
    return buf_failed(body) ? 0 : size * n;
}

/* "auth_key=…&auth_timestamp=…&auth_version=1.0&body_md5=…&auth_signature=…" */
static enum err add_query(const struct target *t, struct span path, struct span body,
                          struct buf *url)
{
    char time[24], md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    int n = snprintf(time, sizeof time, "%llu", (unsigned long long)(clock_unix_ms() / 1000));
    md5_hex(body, md5);
    const struct auth_param params[] = {
        { SPAN("auth_key"), t->key },
        { SPAN("auth_timestamp"), span_of(time, (size_t)n) },
        { SPAN("auth_version"), SPAN("1.0") },
        { SPAN("body_md5"), span_of(md5, sizeof md5) },
    };
    struct auth_request req = {
        .method = SPAN("POST"), .path = path, .params = params, .n_params = ARRAY_LEN(params)
    };
    struct buf string = { 0 };
    enum err err = auth_request_string(&req, &string);
    if (!err && buf_failed(&string)) err = ERR_NOMEM;
    if (!err) {
        auth_sign_string(&t->keys, buf_span(&string), signature);
        for (size_t i = 0; i < ARRAY_LEN(params); i++) {
            buf_add_fmt(url, "%c%.*s=", i ? '&' : '?', SPAN_FMT(params[i].key));
            url_encode(params[i].value, url);
        }
        buf_add_fmt(url, "&auth_signature=%.*s", SHA256_HEX_LEN, signature);
    }
    buf_fini(&string);
    return err;
}

static enum err make_url(const struct target *t, const char *what, struct span body,
                         struct buf *url)
{
    struct buf path = { 0 };
    buf_add_fmt(&path, "/apps/%.*s/%s", SPAN_FMT(t->id), what);
    buf_add_fmt(url, "%s://", t->tls ? "https" : "http");
    target_authority(t, url);
    buf_add_fmt(url, "%.*s/apps/", SPAN_FMT(t->path));
    url_encode(t->id, url);
    buf_add_fmt(url, "/%s", what);
    enum err err = buf_failed(&path) ? ERR_NOMEM : add_query(t, buf_span(&path), body, url);
    buf_add_byte(url, '\0');
    if (!err && buf_failed(url)) err = ERR_NOMEM;
    buf_fini(&path);
    return err;
}

static CURLcode perform(CURL *curl, struct span body, struct http_answer *out)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (!headers) return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
    if (!code) code = curl_easy_perform(curl);
    if (!code) code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return code;
}

enum err http_call_post(const struct target *t, const char *what, struct span body,
                        struct http_answer *out, struct diag *d)
{
    struct buf url = { 0 };
    enum err err = make_url(t, what, body, &url);
    CURL *curl = err ? NULL : curl_setup(t, url.p);
    if (!err && !curl) err = ERR_NOMEM;
    if (!err) err = curl_result(t, perform(curl, body, out), d);
    curl_easy_cleanup(curl);
    buf_fini(&url);
    return err;
}
