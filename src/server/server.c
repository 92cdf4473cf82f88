/* SPDX-License-Identifier: MIT
 *
 * server/server.c: puts a server together and takes it apart.
 *
 * The main thread opens the listeners (server_listen.c), starts the workers and then only waits for
 * signals (server_run.c). What is built in server_start is taken down in server_free in the
 * opposite order; a half-built server is taken down the same way.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "net/signals.h"
#include "server/server_priv.h"

/* --- building --- */

static void wake_worker(void *ctx, unsigned worker)
{
    struct server *s = ctx;
    worker_wake(&s->workers[worker]);
}

static void raise_descriptors(struct server *s)
{
    uint64_t reserved = s->cfg->limits.reserved_descriptors;
    fds_start(reserved, &s->forecast);
    s->n_upgrade_fds = s->forecast.limit > reserved ? s->forecast.limit - reserved : 0;
}

uint64_t server_fds_in_use(const struct server *s)
{
    uint64_t most = fds_in_use();
    if (!s->boot->fd_tables) return most;
    for (unsigned i = 0; i < s->n_workers; i++) {
        uint64_t n = fds_table_open(&s->workers[i].fds);
        if (n > most) most = n;
    }
    return most;
}

static void tell_forecast(struct server *s)
{
    struct buf text = { 0 };
    fds_forecast(s->boot->fd_tables ? s->n_workers : 1, server_fds_in_use(s), &s->forecast);
    fds_forecast_text(&s->forecast, &text);
    if (!buf_failed(&text)) log_info("server", "descriptors", kv_span("forecast", buf_span(&text)));
    buf_fini(&text);
}

enum err server_start_workers(struct server *s, struct diag *d)
{
    const struct dir_hooks hooks = { .frame_head = ws_text_head, .wake = wake_worker, .ctx = s };
    enum err made = dir_new(&s->dir, s->n_workers, s->cfg->limits.mailbox_bytes, &hooks);
    if (made) return made;
    s->workers = mem_zalloc(s->n_workers * sizeof *s->workers);
    if (!s->workers) return ERR_NOMEM;
    for (unsigned i = 0; i < s->n_workers; i++) {
        enum err err = worker_init(&s->workers[i], s, i);
        if (err) return err;
    }
    fds_recount(); /* with the loops' */
    for (unsigned i = 0; i < s->n_workers; i++) {
        enum err err = worker_start(&s->workers[i], d);
        if (err) return err;
    }
    statistics_start(s); /* its files are in no worker's table of descriptors */
    for (unsigned i = 0; i < s->n_workers; i++) worker_go(&s->workers[i]);
    return ERR_OK;
}

/* Threads have ended, or never began. */
static void free_workers(struct server *s)
{
    /* Twice: a task's answer may go to a worker that was in front of it. */
    for (unsigned i = 0; i < s->n_workers; i++) worker_end_conns(&s->workers[i]);
    for (unsigned i = 0; i < s->n_workers; i++) worker_end_conns(&s->workers[i]);
    for (unsigned i = 0; i < s->n_workers; i++) worker_fini(&s->workers[i]);
    mem_free(s->workers);
    s->workers = NULL;
}

void server_end_workers(struct server *s)
{
    for (unsigned i = 0; s->workers && i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        if (!w->started) continue;
        loop_stop(w->loop);
        worker_go(w); /* where another one could not be started */
        worker_join(w);
    }
    statistics_stop(s);
    if (s->login) login_stop(s->login);
    if (s->workers) free_workers(s);
    dir_free(s->dir);
    s->dir = NULL;
}

static enum err build(struct server *s, struct diag *d)
{
    const struct config *cfg = s->cfg;
    enum err err = apps_new(&s->apps, cfg->apps, cfg->n_apps, cfg->strict_channel_names, d);
    if (err) return err;
    if ((err = apps_count(s->apps, s->n_workers))) return err;
    if ((err = watchers_new(&s->watchers))) return err;
    if ((err = self_test_new(&s->self_test))) return err;
    if ((err = login_new(&s->login))) return err;
    login_configure(s->login, cfg);
    signals_start();
    raise_descriptors(s);
    if ((err = server_open_listeners(s, d))) return err;
    if ((err = server_start_workers(s, d))) return err;
    tell_forecast(s);
    return ERR_OK;
}

enum err server_start(struct server **out, const struct config *cfg,
                      const struct server_origin *origin, struct diag *d)
{
    d->text[0] = '\0';
    struct server *s = mem_zalloc(sizeof *s);
    if (!s) return diag_set(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    s->cfg = s->boot = cfg;
    s->origin = origin ? *origin : (struct server_origin) { .generation = 1 };
    lock_init(&s->restart.lock);
    s->restart.seen = s->origin.generation > 1; /* it made us */
    s->restart.ok = s->restart.seen;
    s->n_workers = (unsigned)cfg->workers;
    s->started_ms = clock_mono_ms();
    s->started_unix_ms = clock_unix_ms();
    enum err err = build(s, d);
    if (err) {
        if (!d->text[0]) diag_set(d, err, "%s", err_text(err));
        server_free(&s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

/* --- taking down --- */

void server_free(struct server **server)
{
    struct server *s = *server;
    *server = NULL;
    if (!s) return;
    server_end_workers(s);
    server_close_listeners(s);
    watchers_free(s->watchers);
    self_test_free(s->self_test);
    login_free(s->login);
    statistics_free(s);
    apps_free(s->apps);
    config_free(&s->reloaded);
    lock_fini(&s->restart.lock);
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
        .generation = s->origin.generation,
        .listen = s->listen_text.p ? s->listen_text.p : "",
    };
}
