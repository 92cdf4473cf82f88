/* SPDX-License-Identifier: MIT
 *
 * server/admin.h: what the admin listener answers: /live, /ready, /admin/workers,
 * /admin/connections?app=ID.
 *
 * Being on loopback does not make it safe: a web page can make a browser send requests there, so
 * Host must be one of the option admin.hosts.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H
#include "http/http1_res.h"

struct conn;

enum admin_result {
    ADMIN_ANSWERED, /* the response is in `out` */
    ADMIN_WAITS,    /* other workers are asked; conn_http_answer() will be called */
    ADMIN_FAILED,   /* no memory: close */
};
enum admin_result admin_serve(struct conn *c, const struct http1_req *req, struct http1_reply to,
                              struct buf *out);
#endif
