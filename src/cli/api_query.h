/* SPDX-License-Identifier: MIT
 *
 * cli/api_query.h: the query of a signed request to the HTTP API (protocol page 4.1). Pure.
 */
#ifndef CLI_API_QUERY_H
#define CLI_API_QUERY_H
#include "base/buf.h"
#include "pusher/auth.h"

/* All borrowed. */
struct api_query {
    struct span method, path;        /* as they are signed; the path without a proxy's prefix */
    const struct auth_param *params; /* what the request asks for, not encoded */
    size_t n_params;                 /* at most API_QUERY_MAX */
    struct span body;                /* n == 0: no body_md5 */
    uint64_t unix_s;
};
#define API_QUERY_MAX 8

/* Appends "?auth_key=…&…&auth_signature=…", with the values percent-encoded; signs with the first
 * secret of `keys`. */
enum err api_query_add(const struct auth_keys *keys, const struct api_query *query,
                       struct buf *url) MUST_USE;
#endif
