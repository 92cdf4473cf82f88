/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_attempts.c: the brake for those who guess; the time is virtual. */
#include "server/attempts.h"
#include "unit/test.h"
#include <stdio.h>

static struct attempts a;

static int clear(void **state)
{
    (void)state;
    memset(&a, 0, sizeof a);
    return 0;
}

static struct attempts_who address(unsigned n)
{
    char text[32];
    int len = snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return attempts_address(span_of(text, (size_t)len));
}

/* Fails as often as that, as soon as it may; the time it takes. */
static uint64_t guess(const struct attempts_who *who, unsigned n, uint64_t now_ms)
{
    uint64_t from_ms = now_ms;
    for (unsigned i = 0; i < n;) {
        uint64_t wait_ms = attempts_try(&a, who, now_ms);
        now_ms += wait_ms;
        i += wait_ms == 0;
    }
    return now_ms - from_ms;
}

static void the_wait_doubles_after_some_free_failures_up_to_a_limit(void **state)
{
    (void)state;
    struct attempts_who who = address(1);
    uint64_t now_ms = 1000, wait_ms = ATTEMPTS_FIRST_WAIT_MS;
    assert_int_equal(guess(&who, ATTEMPTS_FREE, now_ms), 0);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(attempts_try(&a, &who, now_ms), wait_ms);
        assert_int_equal(attempts_try(&a, &who, now_ms + wait_ms - 1), 1);
        now_ms += wait_ms;
        assert_int_equal(attempts_try(&a, &who, now_ms), 0);
        wait_ms = wait_ms * 2 < ATTEMPTS_MAX_WAIT_MS ? wait_ms * 2 : ATTEMPTS_MAX_WAIT_MS;
    }
    assert_int_equal(attempts_try(&a, &who, now_ms), ATTEMPTS_MAX_WAIT_MS);
}

static void the_right_password_and_a_long_time_make_it_forget(void **state)
{
    (void)state;
    struct attempts_who who = address(1);
    uint64_t now_ms = 1000;
    guess(&who, ATTEMPTS_FREE, now_ms);
    assert_int_equal(attempts_failed(&a, &who), ATTEMPTS_FREE);
    attempts_good(&a, &who);
    assert_int_equal(attempts_failed(&a, &who), 0);
    assert_int_equal(guess(&who, ATTEMPTS_FREE, now_ms), 0);
    now_ms += ATTEMPTS_FIRST_WAIT_MS + ATTEMPTS_FORGET_MS;
    assert_int_equal(guess(&who, ATTEMPTS_FREE, now_ms), 0);
    assert_int_not_equal(attempts_try(&a, &who, now_ms), 0);
}

static void an_attempt_that_was_none_does_not_count(void **state)
{
    (void)state;
    struct attempts_who who = address(1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(attempts_try(&a, &who, 1000), 0);
        attempts_undo(&a, &who);
    }
    assert_int_equal(attempts_failed(&a, &who), 0);
}

static void one_who_fails_does_not_make_others_wait(void **state)
{
    (void)state;
    struct attempts_who bad = address(1), good = address(2);
    uint64_t now_ms = 1000;
    for (int i = 0; i < 1000; i++) attempts_try(&a, &bad, now_ms + (uint64_t)i);
    assert_int_equal(attempts_try(&a, &good, now_ms), 0);
}

/* Each address fails a few times and is never seen again. */
static void many_addresses_together_are_braked_too(void **state)
{
    (void)state;
    uint64_t now_ms = 1000;
    unsigned n_tried = 0;
    for (unsigned i = 0; i < 6000; i++, now_ms += 100) { /* ten minutes */
        struct attempts_who who = address(i);
        n_tried += attempts_try(&a, &who, now_ms) == 0;
    }
    unsigned most = ATTEMPTS_BURST + 600000 / ATTEMPTS_REFILL_MS + 1;
    assert_in_range(n_tried, most - 5, most);
}

static void those_who_failed_leave_a_half_for_those_who_did_not(void **state)
{
    (void)state;
    uint64_t now_ms = 1000;
    for (unsigned i = 0; i < 100; i++) { /* twenty addresses again and again */
        struct attempts_who who = address(i % 20);
        attempts_try(&a, &who, now_ms);
    }
    struct attempts_who known = address(0), fresh = address(999);
    assert_int_not_equal(attempts_try(&a, &known, now_ms), 0);
    assert_int_equal(attempts_try(&a, &fresh, now_ms), 0);
}

static void a_device_that_was_in_before_is_not_locked_out_by_others(void **state)
{
    (void)state;
    uint64_t now_ms = 1000;
    struct attempts_who device = address(5);
    device.device = true;
    for (unsigned i = 0; i < 100000; i++) {
        struct attempts_who who = address(i % 4000);
        attempts_try(&a, &who, now_ms);
    }
    struct attempts_who fresh = address(100001);
    assert_int_not_equal(attempts_try(&a, &fresh, now_ms), 0);
    assert_int_equal(attempts_try(&a, &device, now_ms), 0);
    assert_int_equal(guess(&device, ATTEMPTS_FREE - 1, now_ms), 0);
    assert_int_equal(attempts_try(&a, &device, now_ms), ATTEMPTS_FIRST_WAIT_MS);
}

static void the_wait_that_is_told_is_enough(void **state)
{
    (void)state;
    uint64_t now_ms = 1000;
    for (unsigned i = 0; i < 200; i++) {
        struct attempts_who who = address(i);
        attempts_try(&a, &who, now_ms);
    }
    struct attempts_who who = address(500);
    uint64_t wait_ms = attempts_try(&a, &who, now_ms);
    assert_in_range(wait_ms, 1, ATTEMPTS_REFILL_MS);
    assert_int_equal(attempts_try(&a, &who, now_ms + wait_ms), 0);
}

static bool same(const char *x, const char *y)
{
    struct attempts_who one = attempts_address(span_str(x)), two = attempts_address(span_str(y));
    return memcmp(one.key, two.key, sizeof one.key) == 0;
}

static void an_address_of_ipv6_is_its_network(void **state)
{
    (void)state;
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    assert_true(same("gone", "unix"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_wait_doubles_after_some_free_failures_up_to_a_limit, clear),
        cmocka_unit_test_setup(the_right_password_and_a_long_time_make_it_forget, clear),
        cmocka_unit_test_setup(an_attempt_that_was_none_does_not_count, clear),
        cmocka_unit_test_setup(one_who_fails_does_not_make_others_wait, clear),
        cmocka_unit_test_setup(many_addresses_together_are_braked_too, clear),
        cmocka_unit_test_setup(those_who_failed_leave_a_half_for_those_who_did_not, clear),
        cmocka_unit_test_setup(a_device_that_was_in_before_is_not_locked_out_by_others, clear),
        cmocka_unit_test_setup(the_wait_that_is_told_is_enough, clear),
        cmocka_unit_test_setup(an_address_of_ipv6_is_its_network, clear),
    };
    return RUN_TESTS(tests);
}
