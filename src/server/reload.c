/* SPDX-License-Identifier: MIT
 *
 * server/reload.c: see reload.h.
 *
 * Workers never wait and take no lock: each has its own pointer to the settings and to the set of
 * apps, which a task changes between two pieces of its work; the slots of the apps are changed by
 * storing an address. When a round of tasks has come by all workers, none can hold what was before
 * it. The rounds:
 *
 *     1. both: the apps of the old and of the new configuration, signatures by any of their secrets
 *     2. the new one; each worker closes the sockets that have no place in it
 *     3. apps that are gone lose their settings; after that nothing of them can come any more
 *
 * Then what is left of them is purged, and what was before is freed.
 */
#include "server/reload.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config_value.h"
#include "server/conn.h"
#include "server/server_priv.h"
#include <errno.h>
#include <semaphore.h>

struct reload_task {
    struct task task;
    struct reload *reload;
};

struct reload {
    struct server *server;
    struct config *cfg; /* the new one */
    struct apps *both, *next;
    uint8_t *changes;                   /* enum app_change by slot */
    size_t n_added, n_removed, n_other; /* apps */
    bool closes, timers;                /* connections are concerned; their deadlines are */
    sem_t passed;
    struct reload_task tasks[DIR_MAX_WORKERS];
};

/* --- options --- */

void reload_keep(struct config *cfg, const struct config *was, struct buf *names)
{
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        const struct option *opt = &option_globals[i];
        union option_value old, new;
        if (!opt->restart) continue;
        option_load(opt, was, &old);
        option_load(opt, cfg, &new);
        bool same = option_value_eq(opt, &old, &new);
        option_store(opt, cfg, &old);
        if (!same) buf_add_fmt(names, "%s%s", names->n ? " " : "", opt->name);
    }
}

static bool same_deadlines(const struct app_settings *a, const struct app_settings *b)
{
    return a->ping_interval_s == b->ping_interval_s && a->pong_timeout_s == b->pong_timeout_s &&
           a->user_authentication == b->user_authentication &&
           a->user_authentication_timeout_ms == b->user_authentication_timeout_ms;
}

/* Whether timers that run now would be due at another time. */
static bool timers_change(const struct server *s, const struct config *cfg)
{
    const struct config *was = s->cfg;
    if (was->handshake_timeout_ms != cfg->handshake_timeout_ms ||
        was->keepalive_timeout_ms != cfg->keepalive_timeout_ms ||
        was->body_timeout_ms != cfg->body_timeout_ms ||
        was->slow_consumer_grace_ms != cfg->slow_consumer_grace_ms)
        return true;
    for (size_t i = 0; i < cfg->n_apps; i++) {
        const struct app *app = apps_find_id(s->apps, cfg->apps[i].id);
        if (app && !same_deadlines(app->s, &cfg->apps[i])) return true;
    }
    return false;
}

/* --- what workers do --- */

static void pass_by(struct worker *w, struct task *t)
{
    (void)w;
    struct reload *r = CONTAINER_OF(t, struct reload_task, task)->reload;
    CHECK(sem_post(&r->passed) == 0);
}

static void take_both(struct worker *w, struct task *t)
{
    struct reload *r = CONTAINER_OF(t, struct reload_task, task)->reload;
    worker_configure(w, w->cfg, r->both);
    pass_by(w, t);
}

static void close_one(const struct reload *r, struct conn *c)
{
    uint32_t index = c->hub.app->index;
    if (c->hub.app->internal) { /* of the server: a watcher of one app, or none that could change */
        if (c->scope == 0) return;
        index = c->scope - 1u;
    }
    switch ((enum app_change)r->changes[index]) {
    case APP_STAYS:
    case APP_ADDED:
        break;
    case APP_NEW_SECRETS: /* who has come in is in; a watcher's token is judged anew */
        if (c->scope) conn_ws_refuse(c, 4200, SPAN("The secrets of the app have changed."));
        break;
    case APP_REMOVED:
        conn_ws_refuse(c, 4001, SPAN("The app does not exist any more."));
        break;
    case APP_DISABLED:
        conn_ws_refuse(c, 4003, SPAN("The app is not enabled."));
        break;
    case APP_REKEYED:
        conn_ws_refuse(c, 4100, SPAN("The key of the app has changed."));
        break;
    }
}

static void close_some(const struct reload *r, struct worker *w)
{
    const struct list *head = &w->ws;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        close_one(r, CONTAINER_OF(node, struct conn, link));
    }
}

static void set_timers(const struct list *head)
{
    for (struct list *node = head->next; node != head; node = node->next)
        conn_set_timer(CONTAINER_OF(node, struct conn, link));
}

/* All sockets that are open here came in by the old apps, all later ones come in by the new ones:
 * so each is judged exactly once. */
static void take_new(struct worker *w, struct task *t)
{
    struct reload *r = CONTAINER_OF(t, struct reload_task, task)->reload;
    if (r->closes) close_some(r, w);
    worker_configure(w, r->cfg, r->next);
    if (r->timers) {
        set_timers(&w->http);
        set_timers(&w->ws);
    }
    pass_by(w, t);
}

/* Returns when all workers have run it. */
static void run_round(struct reload *r, void (*run)(struct worker *w, struct task *t))
{
    struct server *s = r->server;
    for (unsigned i = 0; i < s->n_workers; i++) {
        r->tasks[i] = (struct reload_task) { .task = { .run = run }, .reload = r };
        worker_post(&s->workers[i], &r->tasks[i].task);
    }
    for (unsigned i = 0; i < s->n_workers; i++)
        while (sem_wait(&r->passed) != 0) CHECK(errno == EINTR);
}

/* --- the whole --- */

static enum err note_changes(struct reload *r)
{
    size_t n = apps_n_slots(r->next);
    r->changes = mem_zalloc(n ? n : 1);
    if (!r->changes) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct app *app;
        enum app_change change = apps_change(r->server->apps, r->next, i, &app);
        r->changes[i] = (uint8_t)change;
        r->n_added += change == APP_ADDED;
        r->n_removed += change == APP_REMOVED;
        r->n_other += change == APP_DISABLED || change == APP_REKEYED;
        r->closes |= change != APP_STAYS && change != APP_ADDED;
    }
    return ERR_OK;
}

/* Everything that can fail. */
static enum err prepare(struct reload *r, struct diag *d)
{
    struct server *s = r->server;
    if (!s->origin.load)
        return diag_set(d, ERR_CONFIG, "this server cannot read its settings anew");
    enum err err = s->origin.load(s->origin.ctx, &r->cfg, d);
    if (err) return err;
    struct buf kept = { 0 };
    reload_keep(r->cfg, s->boot, &kept);
    err = apps_next(&r->next, s->apps, r->cfg->apps, r->cfg->n_apps, d);
    if (!err) err = apps_count(r->next, s->n_workers);
    if (!err) err = apps_union(&r->both, s->apps, r->next);
    if (!err) err = note_changes(r);
    r->timers = timers_change(s, r->cfg);
    if (!err && kept.n > 0)
        log_warn("server", "options need a restart", kv_span("options", buf_span(&kept)),
                 kv_str("effect", "they keep their old values until then (peal restart)"));
    buf_fini(&kept);
    return err;
}

static void purge_removed(const struct reload *r, const struct apps *was)
{
    for (size_t i = 0; i < apps_n_slots(r->next); i++) {
        struct app *app;
        if (apps_change(was, r->next, i, &app) == APP_REMOVED) dir_purge(r->server->dir, app);
    }
}

static void carry_out(struct reload *r)
{
    struct server *s = r->server;
    struct apps *was = s->apps;
    struct config *was_cfg = s->reloaded;
    apps_publish(r->both);
    run_round(r, take_both);
    log_set_level(r->cfg->log.level);
    dir_limit_mailboxes(s->dir, r->cfg->limits.mailbox_bytes);
    apps_publish(r->next);
    run_round(r, take_new);
    s->cfg = s->reloaded = r->cfg;
    s->apps = r->next;
    login_configure(s->login, r->cfg);
    statistics_reloaded(s, was, r->next);
    apps_retire(was, r->next);
    run_round(r, pass_by);
    purge_removed(r, was);
    apps_free(r->both);
    apps_free(was);
    config_free(&was_cfg);
}

static void drop(struct reload *r)
{
    apps_free(r->both);
    apps_free(r->next);
    config_free(&r->cfg);
}

static void run(struct reload *r)
{
    struct diag d = { "" };
    enum err err = prepare(r, &d);
    if (err) {
        log_error("server", "reload refused", kv_str("why", d.text[0] ? d.text : err_text(err)),
                  kv_str("effect", "the server goes on with the settings that it has"));
        drop(r);
        return;
    }
    for (size_t i = 0; i < r->cfg->warnings.n; i++)
        log_warn("config", "warning", kv_span("text", r->cfg->warnings.items[i]));
    carry_out(r);
    log_info("server", "reloaded", kv_u64("apps", r->cfg->n_apps), kv_u64("added", r->n_added),
             kv_u64("removed", r->n_removed), kv_u64("disabled_or_new_key", r->n_other));
}

void reload_run(struct server *s)
{
    struct reload *r = mem_zalloc(sizeof *r);
    if (!r) {
        log_error("server", "reload refused", kv_str("why", "out of memory"));
        return;
    }
    r->server = s;
    CHECK(sem_init(&r->passed, 0, 0) == 0);
    run(r);
    sem_destroy(&r->passed);
    mem_free(r->changes);
    mem_free(r);
}
