/* SPDX-License-Identifier: MIT
 *
 * net/wheel.h: coarse timers for millions of objects: a timing wheel of intrusive lists.
 *
 * One level of WHEEL_SLOTS slots and a bitmap of the occupied ones. Setting, moving and cancelling
 * are O(1) and allocate nothing. A timer further away than one lap stays in its slot and is looked
 * at once per lap (at 64 ms per tick a lap is 262 s, longer than nearly all that we time), which is
 * cheaper than moving it between levels. Time is passed in, so tests use their own.
 *
 * A timer never fires early, and late by less than a tick plus whatever the caller is late. Not
 * thread-safe: a wheel and its timers belong to one worker.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H
#include "base/err.h"
#include "base/list.h"

#define WHEEL_SLOTS 4096
#define WHEEL_TICK_MS 64       /* the usual tick of connections */
#define WHEEL_NEVER UINT64_MAX /* == LOOP_NEVER */

/* Embedded in its owner. Zeroed means not set. */
struct timer {
    struct list _link;
    uint32_t _tick;
    uint32_t tag; /* the owner's: which of its deadlines this is */
};
_Static_assert(sizeof(struct timer) <= 24, "a timer is part of every connection");

/* Called once per set timer; it is already unset and may be set again, cleared, or freed with its
 * owner, as may any other timer. */
typedef void wheel_expire(struct timer *t, void *ctx);

/* Must not move while it is in use. */
struct wheel {
    struct list *_slots; /* WHEEL_SLOTS */
    struct list _due;    /* taken out of a slot, not yet looked at */
    uint64_t _occupied[WHEEL_SLOTS / 64];
    uint64_t _words; /* bit i: _occupied[i] is not 0 */
    uint64_t _origin_ms;
    uint64_t _now;  /* the tick of the latest wheel_advance() */
    uint64_t _done; /* all ticks up to this one have been taken out of their slots; <= _now */
    uint32_t _tick_ms;
    wheel_expire *_on_expire;
    void *_ctx;
};

/* `tick_ms` in 1–60000. ERR_NOMEM leaves nothing to finish. */
enum err wheel_init(struct wheel *w, uint32_t tick_ms, uint64_t now_ms, wheel_expire *on_expire,
                    void *ctx) MUST_USE;
void wheel_fini(struct wheel *w); /* forgets timers that are still set; zeroed allowed */

/* Sets or moves; fires at the first wheel_advance() whose time is at or after `deadline_ms`,
 * rounded up to a tick. A deadline that has passed fires at the next tick, never within the running
 * wheel_advance(). WHEEL_NEVER clears. */
void wheel_set(struct wheel *w, struct timer *t, uint64_t deadline_ms);
void wheel_clear(struct wheel *w, struct timer *t); /* does nothing when not set */

static inline bool timer_is_set(const struct timer *t)
{
    return list_linked(&t->_link);
}

/* Fires what is due at `now_ms` (a time before the latest one counts as the latest); looks at no
 * more than `max` timers. True when more may be due: call again in the next turn (loop_again).
 * However long the pause was, a call walks over one lap at most. The order is by tick within a
 * lap. */
bool wheel_advance(struct wheel *w, uint64_t now_ms, uint32_t max);

/* When wheel_advance() must be called next; WHEEL_NEVER without timers. Early by whole laps for
 * timers further away than one, exact otherwise. For loop_hooks.deadline. */
uint64_t wheel_next_ms(const struct wheel *w);
#endif
