/* SPDX-License-Identifier: MIT
 *
 * server/admin.h: what the admin listener answers: /live, /ready, /metrics, the dashboard, and
 * /admin (docs/internals/watch.md). Who may ask is decided in server/guard.h.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H
#include "http/http1_res.h"

#define ADMIN_BODY_MAX 1048576 /* octets of a POST: an event for the event creator */

struct conn;

enum admin_result {
    ADMIN_ANSWERED, /* the response is in `out` */
    ADMIN_WAITS,    /* other workers are asked; conn_http_answer() will be called */
    ADMIN_FAILED,   /* no memory: close */
};
/* Of a response that was appended, or not. */
static inline enum admin_result admin_answered(enum err err)
{
    return err ? ADMIN_FAILED : ADMIN_ANSWERED;
}
enum admin_result admin_serve(struct conn *c, const struct http1_req *req, struct http1_reply to,
                              struct buf *out);

/* Appends a response with this JSON that no other page may read and no cache may keep. */
enum err admin_json(struct buf *out, struct http1_reply to, unsigned status,
                    struct span json) MUST_USE;
/* Appends the way to another place, which no cache may keep. */
enum err admin_redirect(struct buf *out, struct http1_reply to, unsigned status,
                        struct span where) MUST_USE;
#endif
