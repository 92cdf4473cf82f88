/* SPDX-License-Identifier: MIT
 *
 * server/expose.h: the dashboard on the main listener (dashboard.expose), for those who are logged
 * in (docs/internals/login.md): the page, the part of /admin that it uses, the live stream. To
 * others there is the log-in page, and of all else nothing but that they have to log in.
 */
#ifndef SERVER_EXPOSE_H
#define SERVER_EXPOSE_H
#include "server/admin.h"
#include "server/guard.h"

struct admin_call;

/* Whether a request on the main listener is for the dashboard. */
bool expose_is_page(const struct config *cfg, const struct http1_req *req);
/* How large its body may be: more where it is known whose it is. */
size_t expose_body_limit(const struct conn *c, const struct http1_req *req);
enum admin_result expose_serve(struct conn *c, const struct http1_req *req, struct http1_reply to,
                               struct buf *out);

/* What of such a path the live stream is: the key of a WebSocket. */
bool expose_is_stream(const struct config *cfg, struct span path, struct span *key);
/* Who may open it. Notes in `c` whose session it belongs to. */
struct guard_no expose_guard_stream(struct conn *c, const struct http1_req *req,
                                    const struct url_target *target);
/* Who may make a call below admin/: on the admin listener who guard_ask() says. */
struct guard_no expose_guard_call(const struct admin_call *call, const struct url_target *target,
                                  enum guard_use use);
#endif
