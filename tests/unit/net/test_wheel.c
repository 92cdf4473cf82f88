/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_wheel.c: timers against a model, in virtual time. */
#include "base/mem.h"
#include "net/wheel.h"
#include "unit/test.h"

#define ORIGIN 1000003 /* times do not begin at 0 or at a tick */
#define TICK WHEEL_TICK_MS
#define LAP ((uint64_t)WHEEL_SLOTS * TICK)

static uint64_t seed = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* The first time at which a timer with this deadline may fire. */
static uint64_t tick_time(uint64_t deadline)
{
    return ORIGIN + (deadline - ORIGIN + TICK - 1) / TICK * TICK;
}

struct item {
    struct timer timer;
    uint64_t earliest; /* when it must fire: at the first advance from here on */
    unsigned fired;
};

struct clock {
    uint64_t before, now; /* the last advance, this one */
    uint64_t fired;
};

static void must_be_due(struct timer *t, void *ctx)
{
    struct item *item = CONTAINER_OF(t, struct item, timer);
    struct clock *clock = ctx;
    assert_false(timer_is_set(t));
    assert_true(item->earliest <= clock->now);   /* not early */
    assert_true(item->earliest > clock->before); /* not late */
    item->fired++;
    clock->fired++;
}

static void advance(struct wheel *w, struct clock *clock, uint64_t to)
{
    clock->before = clock->now;
    clock->now = to;
    assert_false(wheel_advance(w, to, UINT32_MAX));
}

static void set_item(struct wheel *w, struct item *item, uint64_t now, uint64_t after)
{
    wheel_set(w, &item->timer, now + after);
    item->earliest = tick_time(now + after);
    uint64_t next_tick = ORIGIN + ((now - ORIGIN) / TICK + 1) * TICK;
    if (item->earliest < next_tick) item->earliest = next_tick;
}

#define MANY 1000000

static void a_million_timers_fire_in_the_right_tick(void **state)
{
    (void)state;
    struct clock clock = { .now = ORIGIN };
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, must_be_due, &clock), ERR_OK);
    struct item *items = mem_zalloc(MANY * sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < MANY; i++) set_item(&w, &items[i], ORIGIN, draw(3 * LAP));
    uint64_t cleared = 0;
    while (clock.now < ORIGIN + 2 * LAP) { /* meanwhile some move, some are cleared, some are new */
        for (size_t i = 0; i < 200; i++) {
            struct item *item = &items[draw(MANY)];
            bool was_set = timer_is_set(&item->timer);
            if (draw(4)) {
                set_item(&w, item, clock.now, draw(LAP));
                if (!was_set) item->fired = 0;
            } else if (was_set) {
                wheel_clear(&w, &item->timer);
                item->fired = 1; /* done with */
                cleared++;
            }
            if (was_set) assert_true(item->fired <= 1);
        }
        advance(&w, &clock, clock.now + 1 + draw(900));
    }
    while (wheel_next_ms(&w) != WHEEL_NEVER) advance(&w, &clock, clock.now + 1 + draw(9000));
    for (size_t i = 0; i < MANY; i++) {
        assert_false(timer_is_set(&items[i].timer));
        assert_int_equal(items[i].fired, 1);
    }
    assert_true(clock.fired > MANY / 2 && cleared > 0);
    mem_free(items);
    wheel_fini(&w);
}

static void the_next_deadline_is_exact_within_a_lap(void **state)
{
    (void)state;
    struct clock clock = { .now = ORIGIN };
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, must_be_due, &clock), ERR_OK);
    assert_int_equal(wheel_next_ms(&w), WHEEL_NEVER);
    struct item item = { 0 };
    for (unsigned i = 0; i < 20000; i++) {
        set_item(&w, &item, clock.now, draw(LAP - TICK));
        assert_int_equal(wheel_next_ms(&w), item.earliest);
        uint64_t fired = clock.fired;
        advance(&w, &clock, item.earliest - 1);
        assert_int_equal(clock.fired, fired);
        advance(&w, &clock, item.earliest);
        assert_int_equal(clock.fired, fired + 1);
        assert_int_equal(wheel_next_ms(&w), WHEEL_NEVER);
        advance(&w, &clock, clock.now + draw(5 * LAP)); /* quiet for long */
    }
    wheel_fini(&w);
}

static void a_far_timer_costs_one_look_per_lap_and_fires_in_its_own(void **state)
{
    (void)state;
    struct clock clock = { .now = ORIGIN };
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, must_be_due, &clock), ERR_OK);
    struct item item = { 0 };
    set_item(&w, &item, ORIGIN, 10 * LAP + 7 * TICK);
    unsigned looks = 0;
    for (; wheel_next_ms(&w) != WHEEL_NEVER; looks++) advance(&w, &clock, wheel_next_ms(&w));
    assert_int_equal(item.fired, 1);
    assert_int_equal(clock.now, item.earliest);
    assert_int_equal(looks, 11);
    wheel_fini(&w);
}

static void after_a_long_pause_all_that_is_due_fires_and_nothing_else(void **state)
{
    (void)state;
    struct clock clock = { .now = ORIGIN };
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, must_be_due, &clock), ERR_OK);
    enum { N = 4 * WHEEL_SLOTS }; /* each slot has some that are due and some that are not */
    static struct item items[N];
    for (size_t i = 0; i < N; i++)
        set_item(&w, &items[i], ORIGIN, i * TICK + (i < N / 2 ? 0 : 15 * LAP));
    advance(&w, &clock, ORIGIN + 10 * LAP + 12345);
    for (size_t i = 0; i < N; i++) assert_int_equal(items[i].fired, items[i].earliest <= clock.now);
    advance(&w, &clock, ORIGIN + 100000 * LAP);
    assert_int_equal(clock.fired, N);
    wheel_fini(&w);
}

static void count(struct timer *t, void *ctx)
{
    (void)t;
    unsigned *n = ctx;
    ++*n;
}

static void a_call_looks_at_no_more_timers_than_it_may(void **state)
{
    (void)state;
    unsigned fired = 0;
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, count, &fired), ERR_OK);
    static struct timer timers[1000];
    for (size_t i = 0; i < 1000; i++)
        wheel_set(&w, &timers[i], ORIGIN + (i % 2 ? 10 : 10 + LAP)); /* one slot, two laps */
    uint64_t now = ORIGIN + TICK;
    for (unsigned call = 0; call < 9; call++) {
        assert_true(wheel_advance(&w, now, 100));
        assert_true(wheel_next_ms(&w) <= now); /* the poll must not sleep */
    }
    wheel_clear(&w, &timers[999]); /* waits in the rest */
    assert_false(wheel_advance(&w, now, 100));
    assert_int_equal(fired, 499);
    assert_false(wheel_advance(&w, now + LAP, 1000));
    assert_int_equal(fired, 999);
    wheel_fini(&w);
}

struct chain {
    struct wheel w;
    struct timer timer;
    struct timer other;
    unsigned fired;
};

static void set_again(struct timer *t, void *ctx)
{
    struct chain *c = ctx;
    c->fired++;
    wheel_set(&c->w, t, 0); /* long ago */
}

static void a_timer_that_sets_itself_to_the_past_fires_once_per_tick(void **state)
{
    (void)state;
    struct chain c = { .fired = 0 };
    assert_int_equal(wheel_init(&c.w, TICK, ORIGIN, set_again, &c), ERR_OK);
    wheel_set(&c.w, &c.timer, 0);
    assert_false(wheel_advance(&c.w, ORIGIN + TICK - 1, 100));
    assert_int_equal(c.fired, 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_false(wheel_advance(&c.w, ORIGIN + 10 * i * TICK, 100));
        assert_int_equal(c.fired, i);
        assert_int_equal(wheel_next_ms(&c.w), ORIGIN + (10 * i + 1) * TICK);
    }
    wheel_fini(&c.w);
}

static void clear_both(struct timer *t, void *ctx)
{
    (void)t;
    struct chain *c = ctx;
    c->fired++;
    wheel_clear(&c->w, &c->timer);
    wheel_clear(&c->w, &c->other);
}

static void a_callback_may_clear_a_timer_of_the_same_tick(void **state)
{
    (void)state;
    struct chain c = { .fired = 0 };
    assert_int_equal(wheel_init(&c.w, TICK, ORIGIN, clear_both, &c), ERR_OK);
    wheel_set(&c.w, &c.timer, ORIGIN + 5);
    wheel_set(&c.w, &c.other, ORIGIN + 6);
    assert_false(wheel_advance(&c.w, ORIGIN + TICK, 100));
    assert_int_equal(c.fired, 1);
    assert_int_equal(wheel_next_ms(&c.w), WHEEL_NEVER);
    wheel_fini(&c.w);
}

struct owner {
    struct owner *next; /* frees it with itself */
    struct wheel *w;
    struct timer timer;
};

static void free_two(struct timer *t, void *ctx)
{
    struct owner *o = CONTAINER_OF(t, struct owner, timer);
    unsigned *n = ctx;
    ++*n;
    wheel_clear(o->w, &o->next->timer);
    mem_free(o->next);
    mem_free(o);
}

static void owners_may_be_freed_in_callbacks(void **state)
{
    (void)state;
    unsigned fired = 0;
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, free_two, &fired), ERR_OK);
    struct owner *a = mem_zalloc(sizeof *a), *b = mem_zalloc(sizeof *b);
    assert_true(a && b);
    *a = (struct owner) { .next = b, .w = &w };
    *b = (struct owner) { .next = a, .w = &w };
    wheel_set(&w, &a->timer, ORIGIN + 1);
    wheel_set(&w, &b->timer, ORIGIN + 2);
    assert_false(wheel_advance(&w, ORIGIN + LAP, 100));
    assert_int_equal(fired, 1);
    wheel_fini(&w);
}

static void never_and_time_that_goes_back_are_harmless(void **state)
{
    (void)state;
    unsigned fired = 0;
    struct wheel w;
    assert_int_equal(wheel_init(&w, TICK, ORIGIN, count, &fired), ERR_OK);
    struct timer t = { .tag = 7 };
    wheel_clear(&w, &t);
    wheel_set(&w, &t, ORIGIN + 100);
    wheel_set(&w, &t, WHEEL_NEVER);
    assert_false(timer_is_set(&t));
    wheel_set(&w, &t, WHEEL_NEVER - 1); /* as far as it goes */
    assert_true(timer_is_set(&t));
    assert_false(wheel_advance(&w, ORIGIN + 5 * LAP, 100));
    assert_false(wheel_advance(&w, ORIGIN, 100));
    assert_false(wheel_advance(&w, 0, 100));
    assert_int_equal(fired, 0);
    assert_int_equal(t.tag, 7);
    wheel_fini(&w);
    mem_fail_after(0, true);
    enum err err = wheel_init(&w, TICK, ORIGIN, count, &fired);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_timers_fire_in_the_right_tick),
        cmocka_unit_test(the_next_deadline_is_exact_within_a_lap),
        cmocka_unit_test(a_far_timer_costs_one_look_per_lap_and_fires_in_its_own),
        cmocka_unit_test(after_a_long_pause_all_that_is_due_fires_and_nothing_else),
        cmocka_unit_test(a_call_looks_at_no_more_timers_than_it_may),
        cmocka_unit_test(a_timer_that_sets_itself_to_the_past_fires_once_per_tick),
        cmocka_unit_test(a_callback_may_clear_a_timer_of_the_same_tick),
        cmocka_unit_test(owners_may_be_freed_in_callbacks),
        cmocka_unit_test(never_and_time_that_goes_back_are_harmless),
    };
    return RUN_TESTS(tests);
}
