/* SPDX-License-Identifier: MIT
 *
 * server/worker.c: see worker.h. The phases of a turn, in the order in which net/loop runs them:
 * I/O (conn.c) · mailbox · timers · flush · close.
 */
#include "server/worker.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include "net/signals.h"
#include "server/conn.h"
#include "server/dev_page.h"
#include "server/drain.h"
#include "server/home.h"
#include "server/notes.h"
#include "server/self_test.h"
#include "server/server_priv.h"
#include <errno.h>

#define TIMERS_PER_TURN 20000
#define LOOP_DESCRIPTORS 2 /* of libuv: its epoll set and the wake-up */

/* --- phases --- */

static void run_tasks(struct worker *w)
{
    for (struct mpsc_node *node = mpsc_take_all(&w->tasks), *next; node; node = next) {
        next = node->next;
        struct task *t = CONTAINER_OF(node, struct task, node);
        t->run(w, t);
    }
}

static void on_mailbox(void *ctx)
{
    struct worker *w = ctx;
    w->mailbox_done = true; /* what is posted from here on may not be seen in this turn */
    hub_turn_begin_ns(w->hub, loop_now_ns(w->loop));
    run_tasks(w);
    if (!list_empty(&w->resume)) conn_resume_all(w);
    w->mailbox_left = hub_run_mailbox(w->hub);
    if (w->mailbox_left) loop_again(w->loop);
}

static void on_timers(void *ctx)
{
    struct worker *w = ctx;
    if (wheel_advance(&w->wheel, loop_now_ms(w->loop), TIMERS_PER_TURN)) loop_again(w->loop);
    conn_give_room(w);
    if (conn_must_shed(w)) conn_shed(w);
    drain_step(w);
    watch_step(w);
    self_test_step(w);
}

static void on_flush(void *ctx)
{
    conn_flush_all(ctx);
}

static void on_close(void *ctx)
{
    struct worker *w = ctx;
    conn_free_dead(w);
    conn_input_turn_end(w);
    hub_turn_end(w->hub);
    w->mailbox_done = false;
}

/* All events of a turn count as the oldest of them: one look at the clock, and none for each. */
static void time_deliveries(struct worker *w, uint64_t now_ns)
{
    uint64_t oldest_ns;
    uint32_t n = hub_take_delivered(w->hub, &oldest_ns);
    if (n == 0) return;
    uint64_t took_ns = now_ns > oldest_ns ? now_ns - oldest_ns : 0;
    histo_add(&w->counts.delivery_us, took_ns / 1000, n);
}

static void on_measured(void *ctx, uint64_t busy_ns)
{
    struct worker *w = ctx;
    histo_add(&w->counts.turn_us, busy_ns / 1000, 1);
    if (busy_ns > w->watch.busy_max_ns) w->watch.busy_max_ns = busy_ns;
    time_deliveries(w, loop_now_ns(w->loop) + busy_ns);
}

static uint64_t next_deadline(void *ctx)
{
    struct worker *w = ctx;
    uint64_t at = wheel_next_ms(&w->wheel);
    uint64_t hub = hub_next_deadline_ms(w->hub), drain = drain_deadline_ms(w);
    uint64_t watch = watch_deadline_ms(w), test = self_test_deadline_ms(w);
    if (hub < at) at = hub;
    if (test < at) at = test;
    if (watch < at) at = watch;
    return drain < at ? drain : at;
}

/* --- hand-over --- */

void worker_wake(struct worker *w)
{
    bool here = atomic_load_explicit(&w->self, memory_order_relaxed) == (uintptr_t)pthread_self();
    if (!here)
        loop_wake(w->loop);
    else if (w->mailbox_done)
        loop_again(w->loop); /* else this turn's mailbox phase is still to come */
}

void worker_post(struct worker *w, struct task *t)
{
    if (mpsc_push(&w->tasks, &t->node)) worker_wake(w);
}

/* --- life --- */

static struct api_settings api_settings_of(const struct worker *w)
{
    return (struct api_settings) {
        .apps = w->apps,
        .hub = w->hub,
        .path_prefix = w->cfg->path_prefix,
        .auth_window_s = w->cfg->auth_timestamp_window_s,
        .home = w->cfg->dev ? home_write : NULL,
        .home_ctx = w,
        .home_policy = dev_page_policy,
        .explain = config_explains(w->cfg),
    };
}

void worker_configure(struct worker *w, const struct config *cfg, const struct apps *apps)
{
    w->cfg = cfg;
    w->apps = apps;
    const struct api_settings api = api_settings_of(w);
    api_change(w->api, &api);
}

enum err worker_init(struct worker *w, struct server *server, unsigned index)
{
    w->server = server;
    w->cfg = server->cfg;
    w->apps = server->apps;
    w->index = index;
    w->phase = WORKER_SERVES;
    list_init(&w->http);
    list_init(&w->ws);
    list_init(&w->ending);
    list_init(&w->dirty);
    list_init(&w->dead);
    list_init(&w->resume);
    conn_input_turn_end(w);
    const struct loop_hooks hooks = {
        .ctx = w,
        .mailbox = on_mailbox,
        .timers = on_timers,
        .flush = on_flush,
        .close = on_close,
        .measured = on_measured,
        .deadline = next_deadline,
    };
    enum err err = loop_new(&hooks, &w->loop);
    if (err) return err;
    fds_opened(LOOP_DESCRIPTORS);
    if ((err = poller_open(w->loop, &w->poller))) return err;
    if ((err = wheel_init(&w->wheel, WHEEL_TICK_MS, loop_now_ms(w->loop), conn_on_timer, w)))
        return err;
    w->clients = mem_zalloc(sizeof *w->clients);
    if (!w->clients) return ERR_NOMEM;
    struct hub_sink sink = conn_hub_sink;
    watch_sink(w, &sink);
    if ((err = hub_new(&w->hub, server->dir, index, &sink))) return err;
    const struct api_settings api = api_settings_of(w);
    if ((err = api_new(&w->api, &api))) return err;
    w->read_buf = mem_alloc(WORKER_READ_BYTES);
    return w->read_buf ? ERR_OK : ERR_NOMEM;
}

static void accept_main(void *ctx, int fd, const struct sock_addr *peer)
{
    (void)peer;
    conn_new(ctx, fd, false);
}

static void accept_admin(void *ctx, int fd, const struct sock_addr *peer)
{
    (void)peer;
    conn_new(ctx, fd, true);
}

static void full_main(void *ctx, int fd)
{
    conn_new_last(ctx, fd, false);
}

static void full_admin(void *ctx, int fd)
{
    conn_new_last(ctx, fd, true);
}

/* Worker 0 serves the admin listener, too. */
static enum err open_listeners(struct worker *w)
{
    struct server *s = w->server;
    for (size_t i = 0; i < s->n_endpoints; i++) {
        bool admin = i + 1 == s->n_endpoints;
        if (admin && w->index != 0) continue;
        const struct listener_hooks hooks = { .ctx = w,
                                              .on_accept = admin ? accept_admin : accept_main,
                                              .on_full = admin ? full_admin : full_main };
        enum err err = listener_open(s->endpoints[i], w->index, w->poller, &hooks,
                                     &w->listeners[w->n_listeners]);
        if (err) return err;
        w->n_listeners++;
    }
    return ERR_OK;
}

/* What this thread opens it closes itself, since its descriptors may be its own (fd_tables). */
static enum err open_own(struct worker *w, struct diag *d)
{
    enum err err = w->server->boot->fd_tables ? fds_split(&w->fds) : ERR_OK;
    if (err)
        return diag_set(
            d, err,
            "fd_tables: worker %u gets no table of descriptors of its own: %s (a filter "
            "of system calls forbids unshare and close_range); set fd_tables to false, "
            "or allow one of them",
            w->index, err_text(err));
    if ((err = open_listeners(w)))
        return diag_set(d, err, "worker %u cannot accept: %s", w->index, err_text(err));
    if ((err = self_test_open(w))) diag_set(d, err, "worker %u: %s", w->index, err_text(err));
    return err;
}

struct beginning {
    struct worker *w;
    struct diag *d;
    enum err err;
    sem_t known; /* `err`; the thread does not look at this any more */
};

static void await(sem_t *sem)
{
    while (sem_wait(sem) != 0) CHECK(errno == EINTR);
}

static void *thread_main(void *arg)
{
    struct beginning *b = arg;
    struct worker *w = b->w;
    signals_block_all();
    lock_count_waits(&w->lock_waits);
    atomic_store_explicit(&w->self, (uintptr_t)pthread_self(), memory_order_relaxed);
    bool open = !(b->err = open_own(w, b->d));
    CHECK(sem_post(&b->known) == 0);
    await(&w->go);
    if (open) loop_run(w->loop);
    worker_end_conns(w);
    atomic_fetch_sub_explicit(&w->server->n_running, 1, memory_order_release);
    return NULL;
}

enum err worker_start(struct worker *w, struct diag *d)
{
    struct beginning b = { .w = w, .d = d };
    CHECK(sem_init(&b.known, 0, 0) == 0 && sem_init(&w->go, 0, 0) == 0);
    atomic_fetch_add_explicit(&w->server->n_running, 1, memory_order_relaxed);
    w->started = pthread_create(&w->thread, NULL, thread_main, &b) == 0;
    if (w->started) {
        await(&b.known);
    } else {
        atomic_fetch_sub_explicit(&w->server->n_running, 1, memory_order_relaxed);
        b.err = diag_set(d, ERR_IO, "no thread could be made for worker %u", w->index);
    }
    sem_destroy(&b.known);
    return b.err;
}

void worker_go(struct worker *w)
{
    CHECK(sem_post(&w->go) == 0);
}

void worker_join(struct worker *w)
{
    if (!w->started) return;
    pthread_join(w->thread, NULL);
    sem_destroy(&w->go);
    w->started = false;
}

static void kill_all(struct list *conns)
{
    for (struct list *node; (node = list_first(conns));)
        conn_kill(CONTAINER_OF(node, struct conn, link));
}

void worker_end_conns(struct worker *w)
{
    for (size_t i = 0; i < w->n_listeners; i++) listener_close(&w->listeners[i]);
    self_test_stop(w);
    if (w->hub) { /* nothing was accepted before there was one */
        kill_all(&w->http);
        kill_all(&w->ws);
        kill_all(&w->ending);
    }
    run_tasks(w);
}

void worker_fini(struct worker *w)
{
    if (w->hub) hub_free(w->hub);
    if (w->dead.next) conn_free_dead(w);
    self_test_close(w);
    api_free(w->api);
    wheel_fini(&w->wheel);
    poller_close(&w->poller);
    if (w->loop) fds_closed(LOOP_DESCRIPTORS);
    loop_free(&w->loop);
    out_batch_fini(&w->batch);
    watch_out_fini(&w->watch);
    mem_free(w->clients);
    mem_free(w->read_buf);
}
