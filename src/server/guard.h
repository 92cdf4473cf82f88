/* SPDX-License-Identifier: MIT
 *
 * server/guard.h: whose requests the admin listener answers (docs/internals/watch.md).
 *
 * Being on loopback does not make it safe: every web page can make a browser send requests there,
 * and by a name of its own (DNS rebinding) even read the answers. So the Host must be one of the
 * option admin.hosts, what browsers say of the page that asks must be ours, and what changes
 * something needs a header that no form and no other page can send. There are no CORS headers.
 */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H
#include "http/http1_req.h"
#include "http/url.h"
#include "server/config.h"

enum guard_use {
    GUARD_PLAIN,  /* GET of something that is no secret: /live, /metrics, the dashboard's files */
    GUARD_READ,   /* GET of /admin */
    GUARD_WRITE,  /* POST */
    GUARD_FORM,   /* POST of a form of ours */
    GUARD_SOCKET, /* a WebSocket */
};

struct guard_no {
    unsigned status; /* 0: it may */
    const char *why; /* a sentence */
};

struct guard_no guard_ask(const struct config *cfg, const struct http1_req *req,
                          const struct url_target *target, enum guard_use use);
/* The same without the Host, for the main listener, which may have any name: only what browsers say
 * of the page that asks, and what a write must have. */
struct guard_no guard_page(const struct http1_req *req, const struct url_target *target,
                           enum guard_use use);
#endif
