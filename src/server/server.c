/* SPDX-License-Identifier: MIT
 *
 * server/server.c: puts a server together, waits for signals, takes it apart.
 *
 * The main thread opens the listeners, starts the workers and then only waits for signals. What is
 * built in server_start is taken down in server_free in the opposite order; a half-built server is
 * taken down the same way.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "net/signals.h"
#include "server/drain.h"
#include "server/server_priv.h"

#define WS_FRAME_ROOM 65536 /* of a frame, beside the data: names, channel_data, envelope */
#define WS_ESCAPE_FACTOR 6  /* \u0000: what an octet may become in JSON */
#define WS_MIN_MESSAGE 10000
#define WS_MAX_FRAGMENTS 1024

/* --- building --- */

static void wake_worker(void *ctx, unsigned worker)
{
    struct server *s = ctx;
    worker_wake(&s->workers[worker]);
}

static enum err set_ws_limits(struct server *s)
{
    size_t n = s->apps->n;
    s->ws_limits = mem_zalloc((n ? n : 1) * sizeof *s->ws_limits);
    if (!s->ws_limits) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint64_t data = s->apps->all[i].s->limits.message_bytes;
        size_t max = data ? (size_t)data * WS_ESCAPE_FACTOR + WS_FRAME_ROOM : 0;
        s->ws_limits[i] = (struct ws_limits) {
            .max_message = max && max < WS_MIN_MESSAGE ? WS_MIN_MESSAGE : max,
            .max_fragments = WS_MAX_FRAGMENTS,
            .role = WS_ROLE_SERVER,
        };
    }
    return ERR_OK;
}

static enum err open_endpoint(struct server *s, const struct config_addr *at, unsigned n_workers,
                              struct diag *d)
{
    struct sock_addr addr;
    enum err err = endpoint_parse(at->text, &addr, d);
    if (err) return err;
    err = endpoint_open(&addr, n_workers, &s->endpoints[s->n_endpoints], d);
    if (err) return err;
    s->n_endpoints++;
    return ERR_OK;
}

static enum err open_endpoints(struct server *s, struct diag *d)
{
    const struct config *cfg = s->cfg;
    for (size_t i = 0; i < cfg->listen.n; i++) {
        enum err err = open_endpoint(s, &cfg->listen.items[i], s->n_workers, d);
        if (err) return err;
    }
    return open_endpoint(s, &cfg->admin.listen.items[0], 1, d);
}

static void name_listeners(struct server *s)
{
    char text[SOCK_ADDR_TEXT_MAX];
    for (size_t i = 0; i + 1 < s->n_endpoints; i++) {
        if (i > 0) buf_add_byte(&s->listen_text, ',');
        buf_add_span(&s->listen_text, sock_addr_text(endpoint_addr(s->endpoints[i]), text));
    }
    buf_add_byte(&s->listen_text, '\0');
    const struct sock_addr *first = endpoint_addr(s->endpoints[0]);
    if (sock_addr_is_unix(first))
        sock_addr_text(first, s->host);
    else
        sock_addr_host(first, s->host);
    sock_addr_text(endpoint_addr(s->endpoints[s->n_endpoints - 1]), s->admin);
}

static void forecast(struct server *s)
{
    struct fds_forecast f;
    uint64_t reserved = s->cfg->limits.reserved_descriptors;
    fds_start(reserved, &f);
    s->n_upgrade_fds = f.limit > reserved ? f.limit - reserved : 0;
    struct buf text = { 0 };
    fds_forecast_text(&f, &text);
    if (!buf_failed(&text)) log_info("server", "descriptors", kv_span("forecast", buf_span(&text)));
    buf_fini(&text);
}

static enum err start_workers(struct server *s, struct diag *d)
{
    s->workers = mem_zalloc(s->n_workers * sizeof *s->workers);
    if (!s->workers) return ERR_NOMEM;
    for (unsigned i = 0; i < s->n_workers; i++) {
        enum err err = worker_init(&s->workers[i], s, i);
        if (err) return err;
    }
    for (unsigned i = 0; i < s->n_workers; i++) {
        enum err err = worker_start(&s->workers[i], d);
        if (err) return err;
    }
    return ERR_OK;
}

static enum err build(struct server *s, struct diag *d)
{
    const struct config *cfg = s->cfg;
    const struct dir_hooks hooks = { .frame_head = ws_text_head, .wake = wake_worker, .ctx = s };
    enum err err = apps_new(&s->apps, cfg->apps, cfg->n_apps, cfg->strict_channel_names, d);
    if (err) return err;
    if ((err = set_ws_limits(s))) return err;
    if ((err = dir_new(&s->dir, s->n_workers, cfg->limits.mailbox_bytes, &hooks))) return err;
    signals_start();
    forecast(s);
    if ((err = open_endpoints(s, d))) return err;
    name_listeners(s);
    return start_workers(s, d);
}

enum err server_start(struct server **out, const struct config *cfg, struct diag *d)
{
    d->text[0] = '\0';
    struct server *s = mem_zalloc(sizeof *s);
    if (!s) return diag_set(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    s->cfg = cfg;
    s->n_workers = (unsigned)cfg->workers;
    s->started_ms = clock_mono_ms();
    enum err err = build(s, d);
    if (err) {
        if (!d->text[0]) diag_set(d, err, "%s", err_text(err));
        server_free(&s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

/* --- running and stopping --- */

static void run_drain(struct worker *w, struct task *t)
{
    (void)t;
    drain_begin(w);
}

static void run_stop(struct worker *w, struct task *t)
{
    (void)t;
    loop_stop(w->loop);
}

static void post_drain(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        w->drain_task.run = run_drain;
        worker_post(w, &w->drain_task);
    }
}

static void post_stop(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        w->stop_task.run = run_stop;
        worker_post(w, &w->stop_task);
    }
}

static bool all_ended(struct server *s)
{
    return atomic_load_explicit(&s->n_running, memory_order_acquire) == 0;
}

static void wait_for_stop(void)
{
    for (bool stop = false; !stop;) {
        switch (signals_wait(-1)) {
        case SIGNALS_STOP:
            stop = true;
            break;
        case SIGNALS_RELOAD:
        case SIGNALS_RESTART:
            log_warn("server", "signal ignored",
                     kv_str("why", "this version has no reload and no restart in place yet: stop "
                                   "and start it"));
            break;
        case SIGNALS_NONE:
            break;
        }
    }
}

int server_run(struct server *s)
{
    wait_for_stop();
    log_info("server", "stopping", kv_u64("drain_ms", s->cfg->drain_ms));
    atomic_store_explicit(&s->stopping, true, memory_order_release);
    post_drain(s);
    while (!all_ended(s)) {
        if (signals_wait(20) != SIGNALS_STOP) continue;
        log_warn("server", "stopping at once", kv_str("why", "a second signal"));
        post_stop(s);
        break;
    }
    for (unsigned i = 0; i < s->n_workers; i++) worker_join(&s->workers[i]);
    log_info("server", "stopped");
    return 0;
}

static void end_workers(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        if (w->started) loop_stop(w->loop);
        worker_join(w);
    }
    for (unsigned i = 0; i < s->n_workers; i++) worker_end_conns(&s->workers[i]);
    /* Answers to tasks may have gone to a worker that was ended before. */
    for (unsigned i = 0; i < s->n_workers; i++) worker_end_conns(&s->workers[i]);
    for (unsigned i = 0; i < s->n_workers; i++) worker_fini(&s->workers[i]);
}

void server_free(struct server **server)
{
    struct server *s = *server;
    *server = NULL;
    if (!s) return;
    if (s->workers) end_workers(s);
    mem_free(s->workers);
    for (size_t i = 0; i < s->n_endpoints; i++) endpoint_close(&s->endpoints[i]);
    dir_free(s->dir);
    apps_free(s->apps);
    mem_free(s->ws_limits);
    buf_fini(&s->listen_text);
    mem_free(s);
}

void server_ready_info(const struct server *s, struct server_ready *out)
{
    const struct sock_addr *first = endpoint_addr(s->endpoints[0]);
    *out = (struct server_ready) {
        .host = s->host,
        .port = sock_addr_port(first),
        .admin = s->admin,
        .workers = s->n_workers,
        .listen = s->listen_text.p ? s->listen_text.p : "",
    };
}
