/* SPDX-License-Identifier: MIT
 * server/home.h: `GET /` with --dev: the page of this very server (server/dev_page.h). */
#ifndef SERVER_HOME_H
#define SERVER_HOME_H
#include "api/api.h"
#include "server/conn.h"

/* As `home` of the API's settings; `ctx` is the worker. */
void home_write(const void *worker, const struct api_home *want, struct buf *out);

/* Whether a request comes from a browser or program on this machine that means this machine: the
 * client's address (behind proxies: what they say) and the Host are loopback. Without the latter a
 * web page could read what only its reader may see, by a name that leads here (DNS rebinding). */
bool home_is_local(const struct conn *c, const struct http1_req *req);

/* With --dev: a GET of the dashboard's page on the main listener, from this machine, is answered by
 * where it is: on the admin listener. False: it was something else, and nothing was written. */
bool home_show_dashboard(const struct conn *c, const struct http1_req *req, struct http1_reply to,
                         struct buf *out);
#endif
