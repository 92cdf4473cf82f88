/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/server_rig.h: a whole server in this process, its clients and its back end.
 */
#ifndef TESTS_SERVER_RIG_H
#define TESTS_SERVER_RIG_H
#include "http/http1_req.h"
#include "net/sock.h"
#include "server/server_priv.h"
#include "unit/server/back_end.h"
#include "unit/server/ws_client.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define RIG_FLAGS 12

struct rig {
    struct config *cfg;
    struct server *server;
    uint16_t port, admin_port;
    pthread_t runner; /* in server_run() */
    int code;         /* what it returned */
};

/* "name=value" settings beside the development app app-id, app-key, app-secret; NULL at the end. */
static inline void rig_load(struct rig *rig, const char *const *settings)
{
    static char names[RIG_FLAGS][64];
    struct config_flag flags[RIG_FLAGS] = { { "listen", "127.0.0.1:0", "--set" },
                                            { "admin.listen", "127.0.0.1:0", "--set" },
                                            { "workers", "2", "--set" },
                                            { "store", "none", "--set" } };
    struct config_sources src = {
        .yaml_path = "", .env_path = "", .flags = flags, .n_flags = 4, .dev = true
    };
    for (; *settings; settings++) {
        CHECK(src.n_flags < RIG_FLAGS);
        const char *equals = strchr(*settings, '=');
        char *name = names[src.n_flags];
        snprintf(name, sizeof names[0], "%.*s", (int)(equals - *settings), *settings);
        flags[src.n_flags++] = (struct config_flag) { name, equals + 1, "--set" };
    }
    struct diag d = { "" };
    *rig = (struct rig) { .code = -1 };
    if (config_load(&rig->cfg, &src, &d) == ERR_OK) return;
    fprintf(stderr, "%s\n", d.text);
    abort();
}

static inline void rig_start(struct rig *rig)
{
    struct diag d = { "" };
    static int nowhere = -1; /* all lines are written, nobody reads them */
    if (nowhere < 0) nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_setup(LOG_DEBUG, LOG_JSON, nowhere);
    if (server_start(&rig->server, rig->cfg, NULL, &d)) {
        fprintf(stderr, "%s\n", d.text);
        abort();
    }
    struct server_ready ready;
    server_ready_info(rig->server, &ready);
    rig->port = (uint16_t)ready.port;
    rig->admin_port = (uint16_t)strtoul(strrchr(ready.admin, ':') + 1, NULL, 10);
}

/* The first element is there for lists without any. */
#define LOAD(rig, ...) rig_load((rig), 1 + (const char *const[]) { NULL, ##__VA_ARGS__, NULL })
#define START(rig, ...) (LOAD(rig, ##__VA_ARGS__), rig_start(rig))

static inline void rig_stop(struct rig *rig)
{
    server_free(&rig->server);
    config_free(&rig->cfg);
}

static inline void *rig_run(void *arg)
{
    struct rig *rig = arg;
    rig->code = server_run(rig->server);
    return NULL;
}

/* server_run() in a thread of its own; a SIGTERM ends it. */
static inline void rig_serve(struct rig *rig)
{
    CHECK(pthread_create(&rig->runner, NULL, rig_run, rig) == 0);
}

static inline void rig_signal(void)
{
    CHECK(kill(getpid(), SIGTERM) == 0);
}

static inline void rig_join(struct rig *rig)
{
    CHECK(pthread_join(rig->runner, NULL) == 0);
}

/* --- clients --- */

static inline void cl_open_with(struct cl *c, const struct rig *rig, const char *key, int rcvbuf)
{
    cl_dial_with(c, rig->port, rcvbuf);
    cl_upgrade(c, key, "");
    cl_accepted(c);
}

/* Connected, welcomed. */
static inline void cl_open(struct cl *c, const struct rig *rig)
{
    cl_open_with(c, rig, "app-key", 0);
    CHECK(cl_hears(c, "pusher:connection_established"));
}

/* --- the HTTP API --- */

/* Over a connection of its own. */
static inline unsigned rig_publish(const struct rig *rig, const char *channel, const char *name,
                                   size_t size)
{
    struct cl c;
    cl_dial(&c, rig->port);
    unsigned status = cl_publish(&c, channel, name, size);
    cl_close(&c);
    return status;
}

/* GET on the admin listener, the body in c->text; the connection stays open. */
static inline unsigned admin_get(struct cl *c, const struct rig *rig, const char *path)
{
    struct buf b = { 0 };
    cl_dial(c, rig->admin_port);
    buf_add_fmt(&b, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    cl_send(c, buf_span(&b));
    buf_fini(&b);
    return cl_response(c);
}

/* --- what the server counts --- */

static inline uint64_t rig_count(const struct rig *rig, size_t offset)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < rig->server->n_workers; i++) {
        const char *counts = (const char *)&rig->server->workers[i].counts;
        n += atomic_load((const _Atomic uint64_t *)(const void *)(counts + offset));
    }
    return n;
}
#define COUNT(rig, field) rig_count((rig), offsetof(struct worker_counts, field))

/* What happens on other threads without telling us: looks again until it is so. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t until_ms_ = clock_mono_ms() + RIG_WAIT_MS;                                        \
        while (!(cond)) {                                                                          \
            CHECK(clock_mono_ms() < until_ms_);                                                    \
            poll(NULL, 0, 1);                                                                      \
        }                                                                                          \
    } while (0)

/* Nobody is connected and nothing is kept for anybody. */
static inline void rig_settles(const struct rig *rig)
{
    UNTIL(COUNT(rig, n_ws) == 0 && COUNT(rig, n_http) == 0);
    UNTIL(atomic_load(&rig->server->pending_bytes) == 0);
    UNTIL(atomic_load(&rig->server->held_bytes) == 0);
}
#endif
