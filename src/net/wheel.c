/* SPDX-License-Identifier: MIT
 *
 * net/wheel.c: the timing wheel.
 *
 * Slot i holds the timers whose tick is i modulo WHEEL_SLOTS, of whatever lap. A slot whose tick
 * has come moves as a whole to `_due`; from there each timer is looked at: it fires, or it goes
 * back because its lap has not come. So a budget can end the work between any two timers, and
 * callbacks may set and clear what they like.
 *
 * Ticks are 64 bits here and 32 in the timer; they compare by signed difference, and no timer is
 * set further ahead than MAX_AHEAD. Invariant: a bit of `_occupied` is 0 exactly for empty slots;
 * a timer that is due is in `_due`, or in a slot of the ticks after `_done` up to `_now`.
 */
#include "net/wheel.h"
#include "base/mem.h"

#define SLOT_MASK (WHEEL_SLOTS - 1u)
#define MAX_AHEAD (UINT64_C(1) << 30) /* ticks: two years of 64 ms */
_Static_assert(WHEEL_SLOTS == 64 * 64, "the summary is one word of words");

static inline void mark(struct wheel *w, uint32_t slot)
{
    w->_occupied[slot / 64] |= UINT64_C(1) << (slot % 64);
    w->_words |= UINT64_C(1) << (slot / 64);
}

static inline void unmark(struct wheel *w, uint32_t slot)
{
    w->_occupied[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    if (!w->_occupied[slot / 64]) w->_words &= ~(UINT64_C(1) << (slot / 64));
}

static inline uint32_t slot_of(const struct timer *t)
{
    return t->_tick & SLOT_MASK;
}

static void put(struct wheel *w, struct timer *t)
{
    list_push(&w->_slots[slot_of(t)], &t->_link);
    mark(w, slot_of(t));
}

/* How many ticks after `_done` the next occupied slot comes, 1 to WHEEL_SLOTS; 0: there is none. */
static uint32_t distance(const struct wheel *w)
{
    if (!w->_words) return 0;
    uint32_t from = (uint32_t)(w->_done + 1) & SLOT_MASK;
    uint64_t bits = w->_occupied[from / 64] >> (from % 64);
    if (bits) return (uint32_t)__builtin_ctzll(bits) + 1;
    uint32_t word = (from / 64 + 1) % 64; /* the words from here on, around to from's own */
    uint64_t turned = w->_words >> word | w->_words << ((64 - word) % 64);
    word = (word + (uint32_t)__builtin_ctzll(turned)) % 64;
    uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(w->_occupied[word]);
    return ((slot - from) & SLOT_MASK) + 1;
}

enum err wheel_init(struct wheel *w, uint32_t tick_ms, uint64_t now_ms, wheel_expire *on_expire,
                    void *ctx)
{
    CHECK(tick_ms >= 1 && tick_ms <= 60000 && on_expire);
    *w = (struct wheel) {
        ._origin_ms = now_ms, ._tick_ms = tick_ms, ._on_expire = on_expire, ._ctx = ctx
    };
    w->_slots = mem_alloc(WHEEL_SLOTS * sizeof *w->_slots);
    if (!w->_slots) return ERR_NOMEM;
    for (size_t i = 0; i < WHEEL_SLOTS; i++) list_init(&w->_slots[i]);
    list_init(&w->_due);
    return ERR_OK;
}

void wheel_fini(struct wheel *w)
{
    mem_free(w->_slots);
    *w = (struct wheel) { 0 };
}

/* The first tick at or after `deadline_ms`, kept within what can be set. */
static uint64_t tick_for(const struct wheel *w, uint64_t deadline_ms)
{
    uint64_t after = deadline_ms > w->_origin_ms ? deadline_ms - w->_origin_ms : 0;
    uint64_t tick = after / w->_tick_ms + (after % w->_tick_ms != 0);
    if (tick <= w->_now) tick = w->_now + 1;
    return tick - w->_now > MAX_AHEAD ? w->_now + MAX_AHEAD : tick;
}

void wheel_set(struct wheel *w, struct timer *t, uint64_t deadline_ms)
{
    if (deadline_ms == WHEEL_NEVER) {
        wheel_clear(w, t);
        return;
    }
    uint32_t tick = (uint32_t)tick_for(w, deadline_ms);
    if (timer_is_set(t) && t->_tick == tick) return;
    wheel_clear(w, t);
    t->_tick = tick;
    put(w, t);
}

void wheel_clear(struct wheel *w, struct timer *t)
{
    if (!timer_is_set(t)) return;
    list_remove(&t->_link);
    if (list_empty(&w->_slots[slot_of(t)])) unmark(w, slot_of(t));
}

/* Moves the whole slot to the empty list `_due`. */
static void take_slot(struct wheel *w, uint32_t slot)
{
    struct list *from = &w->_slots[slot];
    CHECK(list_empty(&w->_due) && !list_empty(from));
    w->_due = *from;
    w->_due.next->prev = w->_due.prev->next = &w->_due;
    list_init(from);
    unmark(w, slot);
}

/* Looks at the timers in `_due`; false when the budget ended first. */
static bool drain_due(struct wheel *w, uint32_t *budget)
{
    for (struct list *node; (node = list_first(&w->_due)) != NULL;) {
        if (*budget == 0) return false;
        --*budget;
        list_remove(node);
        struct timer *t = CONTAINER_OF(node, struct timer, _link);
        if ((int32_t)(t->_tick - (uint32_t)w->_now) > 0)
            put(w, t);
        else
            w->_on_expire(t, w->_ctx);
    }
    return true;
}

bool wheel_advance(struct wheel *w, uint64_t now_ms, uint32_t max)
{
    uint64_t now = now_ms > w->_origin_ms ? (now_ms - w->_origin_ms) / w->_tick_ms : 0;
    if (now > w->_now) w->_now = now;
    if (w->_now - w->_done > WHEEL_SLOTS) w->_done = w->_now - WHEEL_SLOTS; /* one lap sees all */
    while (drain_due(w, &max)) {
        uint32_t ticks = distance(w);
        if (ticks == 0 || w->_done + ticks > w->_now) {
            w->_done = w->_now;
            return false;
        }
        w->_done += ticks;
        take_slot(w, (uint32_t)w->_done & SLOT_MASK);
    }
    return true;
}

uint64_t wheel_next_ms(const struct wheel *w)
{
    if (!list_empty(&w->_due)) return w->_origin_ms + w->_now * w->_tick_ms;
    uint32_t ticks = distance(w);
    return ticks ? w->_origin_ms + (w->_done + ticks) * w->_tick_ms : WHEEL_NEVER;
}
