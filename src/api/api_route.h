/* SPDX-License-Identifier: MIT
 *
 * api/api_route.h: which path means what (protocol page 4). One table makes the routing, the Allow
 * header and the hint of a 404.
 */
#ifndef API_API_ROUTE_H
#define API_API_ROUTE_H
#include "http/http1_req.h"
#include "http/url.h"

enum route {
    ROUTE_NONE,
    ROUTE_ROOT,
    ROUTE_UP,
    ROUTE_SOCKET, /* the WebSocket's path, asked for with plain HTTP */
    ROUTE_EVENTS,
    ROUTE_BATCH,
    ROUTE_CHANNELS,
    ROUTE_CHANNEL,
    ROUTE_CHANNEL_USERS,
    ROUTE_CONNECTIONS,
    ROUTE_USER_EVENTS,
    ROUTE_TERMINATE,
    ROUTE_N,
};

/* The variable segments, raw, borrowed from the path; p == NULL where the route has none. */
struct route_args {
    struct span app, name;
};

/* The path behind `prefix` ("" fits all). `/` and `/up` are found without it, too: health checks
 * need not know it. */
enum route route_find(struct span path, struct span prefix, struct route_args *args);
bool route_takes(enum route route, enum http1_method method);
/* For the Allow header: "GET, HEAD, OPTIONS". */
struct span route_methods(enum route route);
/* Appends a sentence or two for whoever asked for a path that is no route: what it is elsewhere
 * (other servers, other listeners), or which route is most like it: "POST /apps/{app_id}/events".
 */
void route_hint(struct span path, struct span prefix, struct buf *out);
#endif
