/* SPDX-License-Identifier: MIT
 *
 * server/server_run.c: what the main thread does with signals: reload (reload.c), stop and
 * restart in place (docs/internals/server.md).
 *
 *     SIGUSR2: check the new program · drain (drain.c) · join the workers · exec
 *
 * Until exec nothing is lost for good: where it fails, new workers are started on the listeners,
 * which were open all the time.
 */
#include "base/log.h"
#include "net/signals.h"
#include "server/drain.h"
#include "server/reload.h"
#include "server/restart.h"
#include "server/server_priv.h"
#include "server/service.h"

/* --- draining --- */

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

static bool all_ended(struct server *s)
{
    return atomic_load_explicit(&s->n_running, memory_order_acquire) == 0;
}

static void stop_at_once(struct server *s)
{
    log_warn("server", "stopping at once", kv_str("why", "a second signal"));
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        w->stop_task.run = run_stop;
        worker_post(w, &w->stop_task);
    }
}

/* Ends all workers' threads; false where a signal to stop came meanwhile. */
static bool drain(struct server *s)
{
    bool undisturbed = true;
    atomic_store_explicit(&s->n_with_requests, s->n_workers, memory_order_relaxed);
    atomic_store_explicit(&s->stopping, true, memory_order_release);
    for (unsigned i = 0; i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];
        w->drain_task.run = run_drain;
        worker_post(w, &w->drain_task);
    }
    while (!all_ended(s)) {
        service_beat(s);
        statistics_beat(s);
        if (signals_wait(5) != SIGNALS_STOP) continue;
        bool restarting = atomic_exchange(&s->restarting, false);
        undisturbed = false;
        if (restarting) continue; /* it is a stop from now on; the next signal ends it */
        stop_at_once(s);
        break;
    }
    for (unsigned i = 0; i < s->n_workers; i++) worker_join(&s->workers[i]);
    return undisturbed;
}

static int stop(struct server *s)
{
    log_info("server", "stopping", kv_u64("drain_ms", s->cfg->drain_ms));
    service_stopping();
    drain(s);
    log_info("server", "stopped");
    return 0;
}

/* --- restart in place --- */

static void note_failure(struct server *s, const struct diag *d)
{
    log_error("server", "restart in place failed", kv_str("why", d->text),
              kv_str("effect", "the server goes on as it was"));
    lock_take(&s->restart.lock);
    s->restart.seen = true;
    s->restart.ok = false;
    s->restart.failures++;
    s->restart.why = *d;
    lock_drop(&s->restart.lock);
}

/* exec returned: everything is there but the workers. */
static int resume(struct server *s, const struct diag *why)
{
    struct diag d = { "" };
    note_failure(s, why);
    atomic_store(&s->restarting, false);
    atomic_store_explicit(&s->stopping, false, memory_order_release);
    enum err err = server_start_workers(s, &d);
    if (!err) {
        service_ready(s);
        return -1;
    }
    log_error("server", "workers could not be started again",
              kv_str("why", d.text[0] ? d.text : err_text(err)));
    return 1;
}

/* The process's exit code, or -1: go on. */
static int restart(struct server *s, bool *reload)
{
    struct diag d = { "" };
    if (!s->origin.path) {
        diag_set(&d, ERR_CONFIG, "this server does not know which program it is");
        note_failure(s, &d);
        return -1;
    }
    log_info("server", "restart in place", kv_str("program", s->origin.path),
             kv_u64("generation", s->origin.generation + 1));
    switch (restart_check(s, reload, &d)) {
    case RESTART_NO:
        note_failure(s, &d);
        return -1;
    case RESTART_STOP:
        return stop(s);
    case RESTART_GO:
        break;
    }
    atomic_store(&s->restarting, true);
    service_reloading(); /* the new program says READY */
    if (!drain(s)) {
        service_stopping();
        log_info("server", "stopped", kv_str("why", "a signal to stop came during the restart"));
        return 0;
    }
    server_end_workers(s);
    restart_exec(s, &d);
    return resume(s, &d);
}

/* --- signals --- */

/* Until one of those that the main thread looks after has something to do; -1: for ever. */
static int wait_ms(const struct server *s)
{
    int service = service_wait_ms(s), statistics = statistics_wait_ms(s);
    if (service < 0) return statistics;
    return statistics >= 0 && statistics < service ? statistics : service;
}

int server_run(struct server *s)
{
    int code = -1;
    service_start(s);
    service_ready(s);
    while (code < 0) {
        bool reload = false;
        service_beat(s);
        statistics_beat(s);
        switch (signals_wait(wait_ms(s))) {
        case SIGNALS_STOP:
            code = stop(s);
            break;
        case SIGNALS_RELOAD:
            reload = true;
            break;
        case SIGNALS_RESTART:
            code = restart(s, &reload);
            break;
        case SIGNALS_NONE:
            break;
        }
        if (!reload || code >= 0) continue;
        service_reloading();
        reload_run(s);
        service_ready(s);
    }
    return code;
}
