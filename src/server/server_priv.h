/* SPDX-License-Identifier: MIT
 * server/server_priv.h: what the parts of a server share: settings, the apps, the directory, the
 * workers, and the few counters that all workers add to. */
#ifndef SERVER_SERVER_PRIV_H
#define SERVER_SERVER_PRIV_H
#include "base/lock.h"
#include "server/login.h"
#include "server/self_test.h"
#include "server/server.h"
#include "server/statistics.h"
#include "server/worker.h"

struct server {
    const struct config *cfg;  /* the main thread's view; workers have their own */
    const struct config *boot; /* that of the start, borrowed */
    struct config *reloaded;   /* the same where it is no longer that of the start */
    struct server_origin origin;
    struct apps *apps;
    struct directory *dir;
    struct watchers *watchers;
    struct self_test *self_test;
    struct login *login;
    struct statistics *statistics;                    /* NULL: none are kept */
    struct endpoint *endpoints[WORKER_MAX_LISTENERS]; /* the last one is the admin listener */
    struct buf endpoint_names[WORKER_MAX_LISTENERS];  /* as the next generation is told */
    size_t n_endpoints;
    struct worker *workers;
    unsigned n_workers;
    uint64_t started_ms, started_unix_ms;
    struct fds_forecast forecast;
    uint64_t n_upgrade_fds;           /* more descriptors than these: no further WebSockets */
    _Atomic bool stopping;            /* then it is not ready */
    _Atomic bool restarting;          /* stopping to come back at once: drain_* do not apply */
    _Atomic unsigned n_with_requests; /* workers that have not finished what they had begun */
    _Atomic uint64_t pending_bytes;   /* output that waits, all connections */
    _Atomic uint64_t held_bytes;      /* input that is incomplete, all connections */
    _Atomic uint64_t signed_bytes;    /* of these, of requests whose signature is right */
    _Atomic unsigned fds_wanted;      /* by workers that have nobody to drop */
    _Atomic unsigned n_running;       /* workers whose loop runs */
    struct buf listen_text;
    uint64_t beat_every_ms, next_beat_ms; /* service.c's; 0: no watchdog */
    struct {
        struct lock lock;
        bool seen, ok; /* there was one; the last one was none that failed */
        uint64_t failures;
        struct diag why;
    } restart;
    char host[SOCK_ADDR_TEXT_MAX], admin[SOCK_ADDR_TEXT_MAX];
};

/* Any thread: descriptors in use, of the fullest table where there are several. */
uint64_t server_fds_in_use(const struct server *s);
/* server.c: the directory and the workers; all gone or all there. */
enum err server_start_workers(struct server *s, struct diag *d) MUST_USE;
void server_end_workers(struct server *s);
/* server_listen.c */
enum err server_open_listeners(struct server *s, struct diag *d) MUST_USE;
void server_close_listeners(struct server *s);

static inline bool server_restarting(const struct server *s)
{
    return atomic_load_explicit(&s->restarting, memory_order_relaxed);
}
/* What clients are told who are closed, or come, while it stops. */
static inline unsigned server_drain_code(const struct worker *w)
{
    return server_restarting(w->server) ? 4100 : (unsigned)w->cfg->drain_code;
}
static inline bool server_stopping(const struct server *s)
{
    return atomic_load_explicit(&s->stopping, memory_order_acquire);
}
/* As /ready says. */
static inline bool server_is_ready(const struct server *s)
{
    return !server_stopping(s) && self_test_ok(s->self_test);
}
#endif
