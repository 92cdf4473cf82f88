/* SPDX-License-Identifier: MIT
 *
 * net/loop.c: the turn, as one function (end_turn) called by one uv_check.
 *
 * The uv_async and the uv_timer exist to end the wait and do nothing else: what they stand for is
 * looked at in end_turn in any case. That is why the order of phases cannot depend on what woke us,
 * or on the order in which libuv finds out. libuv 1.44 runs its timers before it polls, so our
 * deadlines are not libuv timers; the one uv_timer only bounds the poll.
 *
 * Invariant: when the loop goes to sleep, `armed` is the deadline that the hook named last, or the
 * idle handle is running and the sleep has length 0.
 */
#include "net/loop.h"
#include "base/clock.h"
#include "base/mem.h"
#include <stdatomic.h>

#define MAGIC 0x6c6f6f70u

struct loop {
    uint32_t magic;
    bool time_known; /* now_ms is of this turn */
    bool again;      /* the next turn shall not wait */
    uint64_t now_ms, now_ns;
    uint64_t armed; /* when `bound` fires; LOOP_NEVER: it is stopped */
    uint64_t turns;
    atomic_bool stop;
    struct loop_hooks hooks;
    uv_loop_t uv;
    uv_check_t check;
    uv_idle_t idle;   /* running: the poll does not wait */
    uv_timer_t bound; /* ends the poll at `armed` */
    uv_async_t wake;
};

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* being active is all that it does */
}

static void on_wake(uv_async_t *handle)
{
    (void)handle; /* end_turn looks at the mailbox anyway */
}

static void start_idle(struct loop *loop)
{
    CHECK(uv_idle_start(&loop->idle, on_idle) == 0);
}

/* Called where the deadline came while a turn was still at work: libuv runs its timers before it
 * polls, and the poll would sleep beyond it. One that comes during the sleep is handled by the turn
 * that follows, which sets the timer anew. */
static void on_bound(uv_timer_t *handle)
{
    struct loop *loop = handle->data;
    CHECK_MAGIC(loop, MAGIC);
    loop->armed = LOOP_NEVER;
    start_idle(loop);
}

/* Makes the next poll end at the next deadline. The real time counts here, not the turn's: a long
 * turn must not make the sleep longer. */
static void bound_poll(struct loop *loop)
{
    uint64_t deadline = loop->hooks.deadline ? loop->hooks.deadline(loop->hooks.ctx) : LOOP_NEVER;
    if (deadline != LOOP_NEVER && deadline <= loop->now_ms) {
        loop->again = true;
        return;
    }
    if (deadline == loop->armed) return;
    loop->armed = deadline;
    if (deadline == LOOP_NEVER) {
        CHECK(uv_timer_stop(&loop->bound) == 0);
        return;
    }
    uint64_t now = clock_mono_ms();
    uv_update_time(&loop->uv);
    CHECK(uv_timer_start(&loop->bound, on_bound, deadline > now ? deadline - now : 0, 0) == 0);
}

static inline void run_phase(void (*phase)(void *), void *ctx)
{
    if (phase) phase(ctx);
}

static void end_turn(struct loop *loop)
{
    const struct loop_hooks *h = &loop->hooks;
    loop_now_ms(loop);
    run_phase(h->mailbox, h->ctx);
    run_phase(h->timers, h->ctx);
    run_phase(h->flush, h->ctx);
    run_phase(h->close, h->ctx);
    if (h->measured) h->measured(h->ctx, clock_mono_ns() - loop->now_ns);
    bound_poll(loop);
    if (!loop->again)
        CHECK(uv_idle_stop(&loop->idle) == 0);
    else
        start_idle(loop);
    loop->again = false;
    loop->time_known = false;
    loop->turns++;
    if (atomic_exchange(&loop->stop, false)) uv_stop(&loop->uv);
}

static void on_check(uv_check_t *handle)
{
    struct loop *loop = handle->data;
    CHECK_MAGIC(loop, MAGIC);
    end_turn(loop);
}

static void init_handles(struct loop *loop)
{
    CHECK(uv_check_init(&loop->uv, &loop->check) == 0);
    CHECK(uv_idle_init(&loop->uv, &loop->idle) == 0);
    CHECK(uv_timer_init(&loop->uv, &loop->bound) == 0);
    loop->check.data = loop->bound.data = loop;
    CHECK(uv_check_start(&loop->check, on_check) == 0);
}

enum err loop_new(const struct loop_hooks *hooks, struct loop **out)
{
    struct loop *loop = mem_zalloc(sizeof *loop);
    if (!loop) return ERR_NOMEM;
    loop->magic = MAGIC;
    loop->hooks = *hooks;
    loop->armed = LOOP_NEVER;
    atomic_init(&loop->stop, false);
    int bad = uv_loop_init(&loop->uv);
    if (bad) goto fail;
    bad = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (bad) {
        CHECK(uv_loop_close(&loop->uv) == 0);
        goto fail;
    }
    init_handles(loop);
    *out = loop;
    return ERR_OK;
fail:
    mem_free(loop);
    return bad == UV_EMFILE || bad == UV_ENFILE ? ERR_LIMIT : ERR_NOMEM;
}

void loop_free(struct loop **where)
{
    struct loop *loop = *where;
    if (!loop) return;
    CHECK_MAGIC(loop, MAGIC);
    *where = NULL;
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->bound, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* close callbacks, also of pollers and listeners */
    CHECK(uv_loop_close(&loop->uv) == 0);
    loop->magic = 0;
    mem_free(loop);
}

void loop_run(struct loop *loop)
{
    CHECK_MAGIC(loop, MAGIC);
    start_idle(loop); /* deadlines that exist already are not known to the poll yet */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    CHECK_MAGIC(loop, MAGIC);
    atomic_store(&loop->stop, true);
    loop_wake(loop);
}

void loop_wake(struct loop *loop)
{
    /* libuv looks at its own flag with a plain read, which may not pass what was handed over. */
    atomic_thread_fence(memory_order_seq_cst);
    CHECK(uv_async_send(&loop->wake) == 0);
}

void loop_again(struct loop *loop)
{
    loop->again = true;
}

uint64_t loop_now_ms(struct loop *loop)
{
    if (!loop->time_known) {
        loop->now_ns = clock_mono_ns();
        loop->now_ms = loop->now_ns / 1000000;
        loop->time_known = true;
    }
    return loop->now_ms;
}

uint64_t loop_now_ns(struct loop *loop)
{
    loop_now_ms(loop);
    return loop->now_ns;
}

uint64_t loop_turns(const struct loop *loop)
{
    return loop->turns;
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}
