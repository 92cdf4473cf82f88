/* SPDX-License-Identifier: MIT
 * server/client_addr.h: who a request comes from, for logs: the socket's peer, or what a trusted
 * proxy says in X-Forwarded-For. */
#ifndef SERVER_CLIENT_ADDR_H
#define SERVER_CLIENT_ADDR_H
#include "http/http1_req.h"
#include "net/sock.h"
#include "server/config.h"

/* The address without port. Behind trusted proxies: the last address of X-Forwarded-For that is not
 * itself a trusted proxy. Returns a span over `text` or over the request's head. */
struct span client_addr(int fd, const struct http1_req *req, const struct config *cfg,
                        char text[SOCK_ADDR_TEXT_MAX]);

/* Whether a trusted proxy says, in X-Forwarded-Proto, that the client speaks https. */
bool client_is_https(int fd, const struct http1_req *req, const struct config *cfg);
/* Whether the client is on this machine, as client_addr() has him. */
bool client_is_here(int fd, const struct http1_req *req, const struct config *cfg);
#endif
