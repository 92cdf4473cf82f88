/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_slow.c: who does not take what is sent to him is cut, told why, and
 * harms nobody. */
#include "unit/server/brake.h"

static void a_client_that_stops_reading_is_cut_and_others_get_everything(void **state)
{
    (void)state;
    enum { EVENTS = 600, SIZE = 20000 };
    struct rig rig;
    struct cl slow, good, back_end;
    START(&rig, "limits.pending_bytes=100000", "slow_consumer_grace_ms=500");
    cl_open_with(&slow, &rig, "app-key", 4096);
    cl_subscribe(&slow, "room");
    cl_open(&good, &rig);
    cl_subscribe(&good, "room");
    cl_dial(&back_end, rig.port);
    uint64_t highest = 0;
    bool told = false;
    for (int i = 0; i < EVENTS; i++) {
        assert_int_equal(cl_publish(&back_end, "room", "event", SIZE), 200);
        assert_true(cl_hears(&good, "\"event\":\"event\""));
        uint64_t pending = atomic_load(&rig.server->pending_bytes);
        if (pending > highest) highest = pending;
        if (told || COUNT(&rig, slow_cut) == 0) continue;
        assert_true(cl_hears(&slow, "limits.pending_bytes")); /* it reads again, and is told */
        assert_true(cl_text_has(&slow, "pusher:error"));
        assert_int_equal(cl_closed(&slow), 4100);
        told = true;
    }
    assert_true(told);
    assert_true(highest < 8 * 100000 + 4 * SIZE);
    assert_true(slow.received < (uint64_t)EVENTS * SIZE);
    cl_close(&slow);
    cl_close(&good);
    cl_close(&back_end);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void a_client_that_never_reads_again_is_reset_in_bounded_time(void **state)
{
    (void)state;
    struct rig rig;
    struct cl slow, back_end;
    START(&rig, "limits.pending_bytes=100000", "slow_consumer_grace_ms=200");
    cl_open_with(&slow, &rig, "app-key", 4096);
    cl_subscribe(&slow, "room");
    cl_dial(&back_end, rig.port);
    for (int i = 0; i < 2000 && !COUNT(&rig, slow_cut); i++)
        assert_int_equal(cl_publish(&back_end, "room", "event", 20000), 200);
    UNTIL(COUNT(&rig, slow_cut) == 1);
    UNTIL(atomic_load(&rig.server->pending_bytes) == 0);
    cl_drain(&slow);
    assert_int_equal(slow.end, RESET);
    cl_close(&slow);
    cl_close(&back_end);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void one_large_message_alone_cuts_nobody(void **state)
{
    (void)state;
    enum { SIZE = 6000000 };
    struct rig rig;
    struct cl c;
    START(&rig, "limits.pending_bytes=100000", "slow_consumer_grace_ms=200",
          "app_defaults.limits.message_bytes=8000000");
    cl_open_with(&c, &rig, "app-key", 4096);
    cl_subscribe(&c, "room");
    assert_int_equal(rig_publish(&rig, "room", "large", SIZE), 200);
    UNTIL(atomic_load(&rig.server->pending_bytes) > 8 * 100000);
    assert_int_equal(rig_publish(&rig, "room", "small", 10), 200);
    poll(NULL, 0, 600); /* three times the grace: the very thing that is tested */
    assert_int_equal(COUNT(&rig, slow_cut), 0);
    assert_true(cl_hears(&c, "\"large\""));
    assert_true(c.text.n > SIZE);
    assert_true(cl_hears(&c, "\"small\""));
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* His pongs are not read while so much waits for him; that he takes it is a sign of life. */
static void who_takes_a_large_message_slowly_is_alive(void **state)
{
    (void)state;
    enum { SIZE = 12000000 };
    struct rig rig;
    struct cl c;
    LOAD(&rig, "app_defaults.activity_timeout_s=1", "app_defaults.ping_interval_s=1",
         "app_defaults.pong_timeout_s=30", "limits.pending_bytes=100000",
         "app_defaults.limits.message_bytes=16000000");
    rig.cfg->apps[0].pong_timeout_s = 2;
    rig_start(&rig);
    cl_open_with(&c, &rig, "app-key", 4096);
    cl_subscribe(&c, "room");
    assert_int_equal(rig_publish(&rig, "room", "large", SIZE), 200);
    uint64_t began_ms = clock_mono_ms();
    while (c.in.n < SIZE / 10 * 9) {
        size_t goal = c.in.n + SIZE / 60;
        while (c.in.n < goal) assert_true(cl_fill(&c));
        poll(NULL, 0, 60); /* his pace: three seconds and more in all */
    }
    assert_true(clock_mono_ms() - began_ms > 2500);
    assert_true(cl_hears(&c, "\"large\""));
    cl_raw_frame(&c, 0x8a, SPAN(""));
    assert_int_equal(COUNT(&rig, ping_cut), 0);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void who_does_not_read_answers_cannot_fill_the_memory(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "slow_consumer_grace_ms=60000");
    cl_open_with(&c, &rig, "app-key", 4096);
    struct buf pings = { 0 };
    for (int i = 0; i < 20000; i++) buf_add(&pings, "\x89\x80\0\0\0\0", 6);
    int flags = fcntl(c.fd, F_GETFL);
    assert_int_equal(fcntl(c.fd, F_SETFL, flags | O_NONBLOCK), 0);
    /* until the server stops reading and the buffers are full */
    struct pollfd p = { .fd = c.fd, .events = POLLOUT };
    uint64_t sent = 0;
    size_t at = 0;
    while (poll(&p, 1, 1000) == 1 && sent < (UINT64_C(1) << 30)) {
        ssize_t n = send(c.fd, pings.p + at, pings.n - at, MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0) {
            sent += (uint64_t)n;
            at = (at + (size_t)n) % pings.n;
        }
    }
    assert_true(sent < (UINT64_C(1) << 30));
    /* pongs of two octets; it is their number that stops the reading, long before their octets */
    UNTIL(atomic_load(&rig.server->pending_bytes) >= 2 * 8000);
    assert_in_range(atomic_load(&rig.server->pending_bytes), 2 * 8000, 2 * 9000);
    buf_fini(&pings);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void when_all_memory_for_output_is_used_up_the_largest_go(void **state)
{
    (void)state;
    struct rig rig;
    struct cl slow[3], good, back_end;
    START(&rig, "limits.pending_bytes=50000000", "limits.pending_total_bytes=3000000");
    for (int i = 0; i < 3; i++) {
        cl_open_with(&slow[i], &rig, "app-key", 4096);
        cl_subscribe(&slow[i], "room");
    }
    cl_open(&good, &rig);
    cl_subscribe(&good, "room");
    cl_dial(&back_end, rig.port);
    uint64_t highest = 0;
    for (int i = 0; i < 1000 && COUNT(&rig, slow_cut) < 3; i++) {
        assert_int_equal(cl_publish(&back_end, "room", "event", 20000), 200);
        assert_true(cl_hears(&good, "\"event\":\"event\""));
        uint64_t pending = atomic_load(&rig.server->pending_bytes);
        if (pending > highest) highest = pending;
        if (COUNT(&rig, slow_cut) > 0) break;
    }
    assert_true(COUNT(&rig, slow_cut) > 0);
    assert_true(highest < 3000000 + 10 * 20000);
    assert_int_equal(cl_publish(&back_end, "room", "last", 10), 200);
    assert_true(cl_hears(&good, "\"last\""));
    for (int i = 0; i < 3; i++) cl_close(&slow[i]);
    cl_close(&good);
    cl_close(&back_end);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* What was dropped for him counts no more, so there is time for the last words: though the rest of
 * the message that is sent in part is more than a share of many. */
static void who_is_cut_for_the_memory_of_all_is_told(void **state)
{
    (void)state;
    enum { OTHERS = 20, SIZE = 250000 };
    struct rig rig;
    struct cl slow, others[OTHERS];
    START(&rig, "limits.pending_bytes=0", "limits.pending_total_bytes=300000",
          "app_defaults.limits.message_bytes=300000");
    for (int i = 0; i < OTHERS; i++) cl_open(&others[i], &rig);
    cl_open_with(&slow, &rig, "app-key", 4096);
    cl_subscribe(&slow, "room");
    for (int i = 0; i < 1000 && COUNT(&rig, slow_cut) == 0; i++)
        assert_int_equal(rig_publish(&rig, "room", "event", SIZE), 200);
    assert_int_equal(COUNT(&rig, slow_cut), 1);
    assert_true(cl_hears(&slow, "limits.pending_total_bytes"));
    assert_true(cl_text_has(&slow, "pusher:error"));
    assert_int_equal(cl_closed(&slow), 4100);
    cl_close(&slow);
    for (int i = 0; i < OTHERS; i++) cl_close(&others[i]);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* Each holds one message only, which alone makes nobody slow; together they are too much. */
static void one_large_message_each_is_too_much_for_all_together(void **state)
{
    (void)state;
    enum { SIZE = 6000000, TOTAL = 8000000, N = 8 };
    struct rig rig;
    struct cl slow[N];
    START(&rig, "limits.pending_bytes=1000000", "limits.pending_total_bytes=8000000",
          "app_defaults.limits.message_bytes=8000000");
    for (int i = 0; i < N; i++) {
        char channel[32];
        snprintf(channel, sizeof channel, "room-%d", i);
        cl_open_with(&slow[i], &rig, "app-key", 4096);
        cl_subscribe(&slow[i], channel);
        assert_int_equal(rig_publish(&rig, channel, "large", SIZE), 200);
    }
    UNTIL(COUNT(&rig, slow_cut) >= 3 && atomic_load(&rig.server->pending_bytes) <= TOTAL);
    for (int i = 0; i < N; i++) cl_close(&slow[i]);
    rig_settles(&rig);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_stops_reading_is_cut_and_others_get_everything),
        cmocka_unit_test(a_client_that_never_reads_again_is_reset_in_bounded_time),
        cmocka_unit_test(one_large_message_alone_cuts_nobody),
        cmocka_unit_test(who_takes_a_large_message_slowly_is_alive),
        cmocka_unit_test(who_does_not_read_answers_cannot_fill_the_memory),
        cmocka_unit_test(when_all_memory_for_output_is_used_up_the_largest_go),
        cmocka_unit_test(who_is_cut_for_the_memory_of_all_is_told),
        cmocka_unit_test(one_large_message_each_is_too_much_for_all_together),
    };
    return RUN_TESTS(tests);
}
