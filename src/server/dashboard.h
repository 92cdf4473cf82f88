/* SPDX-License-Identifier: MIT
 *
 * server/dashboard.h: the dashboard's page, from memory: {dashboard.path}/ and the files below it.
 * What the page shows it asks of the admin API (docs/internals/watch.md).
 */
#ifndef SERVER_DASHBOARD_H
#define SERVER_DASHBOARD_H
#include "http/http1_res.h"

struct config;

/* Whether the program has the page. */
bool dashboard_is_built(void);
/* A file as it is; p == NULL: there is none. */
struct span dashboard_file_text(struct span name);
/* The answer where the program has no page. */
enum err dashboard_absent(struct http1_reply to, struct buf *out) MUST_USE;

/* What of `path` (raw) lies below dashboard.path, without its slash; false where it lies elsewhere.
 * p == NULL: the path itself, which wants a slash at its end, since the page's URLs are relative.
 */
bool dashboard_path(const struct config *cfg, struct span path, struct span *below);

/* Appends the answer to a GET or HEAD of what dashboard_path() gave: a file, 304, a redirect, 404.
 */
enum err dashboard_serve(const struct config *cfg, struct span below, const struct http1_req *req,
                         struct http1_reply to, struct buf *out) MUST_USE;
#endif
