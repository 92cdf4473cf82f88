/* SPDX-License-Identifier: MIT
 *
 * cli/api_query.c: signs as all Pusher libraries do: over the values as they are, and then encodes
 * them for the way.
 */
#include "cli/api_query.h"
#include "http/url.h"
#include <stdio.h>

static void add_pairs(const struct auth_request *req, struct buf *url)
{
    for (size_t i = 0; i < req->n_params; i++) {
        buf_add_fmt(url, "%c%.*s=", i ? '&' : '?', SPAN_FMT(req->params[i].key));
        url_encode(req->params[i].value, url);
    }
}

static enum err add_signed(const struct auth_keys *keys, const struct auth_request *req,
                           struct buf *url)
{
    struct buf string = { 0 };
    char signature[SHA256_HEX_LEN];
    enum err err = auth_request_string(req, &string);
    if (!err) {
        auth_sign_string(keys, buf_span(&string), signature);
        add_pairs(req, url);
        buf_add_fmt(url, "&auth_signature=%.*s", SHA256_HEX_LEN, signature);
        if (buf_failed(url)) err = ERR_NOMEM;
    }
    buf_fini(&string);
    return err;
}

enum err api_query_add(const struct auth_keys *keys, const struct api_query *query, struct buf *url)
{
    struct auth_param params[API_QUERY_MAX + 4];
    char time[24], md5[MD5_HEX_LEN];
    size_t n = 0;
    CHECK(query->n_params <= API_QUERY_MAX);
    int digits = snprintf(time, sizeof time, "%llu", (unsigned long long)query->unix_s);
    params[n++] = (struct auth_param) { SPAN("auth_key"), keys->key };
    params[n++] = (struct auth_param) { SPAN("auth_timestamp"), span_of(time, (size_t)digits) };
    params[n++] = (struct auth_param) { SPAN("auth_version"), SPAN("1.0") };
    if (query->body.n) {
        md5_hex(query->body, md5);
        params[n++] = (struct auth_param) { SPAN("body_md5"), span_of(md5, sizeof md5) };
    }
    for (size_t i = 0; i < query->n_params; i++) params[n++] = query->params[i];
    const struct auth_request req = {
        .method = query->method, .path = query->path, .params = params, .n_params = n
    };
    return add_signed(keys, &req, url);
}
