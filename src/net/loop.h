/* SPDX-License-Identifier: MIT
 *
 * net/loop.h: one worker's event loop: libuv underneath, our order of phases on top.
 *
 * A turn is: wait, I/O (callbacks of net/poller), then in one place mailbox, timers, flush,
 * close, whatever it was that ended the wait. So what I/O and messages cause is written by the
 * flush of the same turn, and memory is given back only when nobody can touch it any more.
 * A turn without a reason never happens: an idle worker sleeps until a descriptor, a wake-up or a
 * deadline. All functions belong to the loop's thread unless they say otherwise.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include "base/err.h"
#include <uv.h>

#define LOOP_NEVER UINT64_MAX /* "no deadline" */

/* The phases of a turn after I/O, in this order. Any may be NULL. They run in each turn, also when
 * there is nothing for them, so they must be cheap then. */
struct loop_hooks {
    void *ctx;
    void (*mailbox)(void *ctx); /* messages of other threads */
    void (*timers)(void *ctx);  /* whatever is due at loop_now_ms(): wheel_advance() and others */
    void (*flush)(void *ctx);   /* one write per connection that has something */
    void (*close)(void *ctx);   /* the only place where connections are freed */
    /* After all of them: how long the turn took, from its first I/O on, without the wait. */
    void (*measured)(void *ctx, uint64_t busy_ns);
    /* Asked at the end of each turn: the absolute time of the next deadline on the clock of
     * loop_now_ms(), LOOP_NEVER for none. May be early (costs a turn), never late. */
    uint64_t (*deadline)(void *ctx);
};

struct loop;

/* A loop that does nothing yet. Copies the hooks, borrows `hooks->ctx` until loop_free(). The
 * thread that calls loop_run() need not be the one that made it. */
enum err loop_new(const struct loop_hooks *hooks, struct loop **out) MUST_USE;

/* Ends what is left (all pollers and listeners of it must have been closed) and frees.
 * Not while it runs. Sets the pointer to NULL; NULL allowed. */
void loop_free(struct loop **loop);

/* Takes turns until loop_stop(); the first one does not wait. It returns after a complete turn. A
 * stop that came before the run ends it after one turn. May be called again. */
void loop_run(struct loop *loop);

/* Any thread: the loop returns at the end of the turn that notices it. */
void loop_stop(struct loop *loop);

/* Any thread: makes one turn happen, with what was handed over (by C11 atomics or locks: this
 * function promises no ordering) before the call. Several calls may make one turn. Costs a system
 * call when the loop sleeps or is busy elsewhere, little when a wake-up is already on its way. */
void loop_wake(struct loop *loop);

/* From the loop's own callbacks: work is left over, so the next turn does not wait. */
void loop_again(struct loop *loop);

/* Milliseconds of the monotonic clock (clock_mono_ms), read once per turn: the same in all phases
 * of it. */
uint64_t loop_now_ms(struct loop *loop);
/* The same moment in nanoseconds. */
uint64_t loop_now_ns(struct loop *loop);

/* How many turns it has taken since it was made. */
uint64_t loop_turns(const struct loop *loop);

/* For the adapters of other libraries and for handles of net/. Their callbacks count as I/O. */
uv_loop_t *loop_uv(struct loop *loop);
#endif
