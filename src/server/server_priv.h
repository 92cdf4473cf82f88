/* SPDX-License-Identifier: MIT
 * server/server_priv.h: what the parts of a server share: settings, the apps, the directory, the
 * workers, and the few counters that all workers add to. */
#ifndef SERVER_SERVER_PRIV_H
#define SERVER_SERVER_PRIV_H
#include "server/server.h"
#include "server/worker.h"

struct server {
    const struct config *cfg;
    struct apps *apps;
    struct ws_limits *ws_limits; /* by app->index */
    struct directory *dir;
    struct endpoint *endpoints[WORKER_MAX_LISTENERS]; /* the last one is the admin listener */
    size_t n_endpoints;
    struct worker *workers;
    unsigned n_workers;
    uint64_t started_ms;
    uint64_t n_upgrade_fds;         /* more descriptors than these: no further WebSockets */
    _Atomic bool stopping;          /* /ready says no */
    _Atomic uint64_t pending_bytes; /* output that waits, all connections */
    _Atomic uint64_t held_bytes;    /* input that is incomplete, all connections */
    _Atomic unsigned n_running;     /* workers whose loop runs */
    struct buf listen_text;
    char host[SOCK_ADDR_TEXT_MAX], admin[SOCK_ADDR_TEXT_MAX];
};

static inline bool server_stopping(const struct server *s)
{
    return atomic_load_explicit(&s->stopping, memory_order_acquire);
}
#endif
