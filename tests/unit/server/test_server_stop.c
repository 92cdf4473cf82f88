/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_stop.c: how a server ends: nobody is left without a word, what was
 * begun is finished, and nothing can hold it up for long. */
#include "server/drain.h"
#include "unit/server/server_rig.h"

#define CLIENTS 20

static void open_clients(struct cl c[CLIENTS], const struct rig *rig)
{
    for (int i = 0; i < CLIENTS; i++) {
        cl_open(&c[i], rig);
        cl_subscribe(&c[i], "room");
    }
}

static void assert_told(struct cl *c, unsigned code)
{
    assert_true(cl_hears(c, "pusher:error"));
    assert_true(cl_text_has(c, "Server closed. Please reconnect shortly."));
    assert_int_equal(cl_closed_well(c), code);
}

static void everybody_is_told_and_the_server_ends(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS], idle, silent;
    START(&rig);
    open_clients(c, &rig);
    cl_dial(&idle, rig.port);
    assert_int_equal(cl_publish(&idle, "none", "e", 5), 200);
    cl_dial(&silent, rig.port);
    rig_serve(&rig);
    uint64_t began_ms = clock_mono_ms();
    rig_signal();
    for (int i = 0; i < CLIENTS; i++) {
        assert_told(&c[i], 4100);
        cl_close(&c[i]);
    }
    assert_true(clock_mono_ms() - began_ms < 3000);
    cl_drain(&idle);
    assert_int_equal(idle.end, ENDED);
    cl_close(&idle);
    cl_close(&silent);
    rig_join(&rig);
    assert_int_equal(rig.code, 0);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void a_request_that_has_begun_is_finished(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS], back_end;
    struct buf b = { 0 };
    START(&rig);
    open_clients(c, &rig);
    cl_dial(&back_end, rig.port);
    write_publish(&b, "none", "e", 5000);
    cl_send(&back_end, span_of(b.p, b.n - 100));
    UNTIL(atomic_load(&rig.server->held_bytes) > 4900);
    rig_serve(&rig);
    rig_signal();
    for (int i = 0; i < CLIENTS; i++) assert_told(&c[i], 4100);
    cl_send(&back_end, span_of(b.p + b.n - 100, 100));
    while (!cl_has(&back_end, "\r\n\r\n")) assert_true(cl_fill(&back_end));
    assert_true(cl_has(&back_end, "HTTP/1.1 200 "));
    assert_true(cl_has(&back_end, "Connection: close"));
    cl_drain(&back_end);
    assert_int_equal(back_end.end, ENDED);
    for (int i = 0; i < CLIENTS; i++) cl_close(&c[i]);
    cl_close(&back_end);
    buf_fini(&b);
    rig_join(&rig);
    rig_stop(&rig);
}

static void who_never_hangs_up_or_finishes_cannot_hold_it_up(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS], half;
    START(&rig);
    open_clients(c, &rig);
    cl_dial(&half, rig.port);
    cl_says(&half, "GET /up HTTP/1.1\r\nHost: x\r\n");
    UNTIL(atomic_load(&rig.server->held_bytes) > 0);
    rig_serve(&rig);
    uint64_t began_ms = clock_mono_ms();
    rig_signal();
    rig_join(&rig);
    uint64_t ms = clock_mono_ms() - began_ms;
    assert_true(ms < 6000); /* 2 s for the request, half a second to hang up */
    assert_told(&c[0], 4100);
    for (int i = 0; i < CLIENTS; i++) cl_close(&c[i]);
    cl_close(&half);
    rig_stop(&rig);
}

/* Told to go, it could hang up when it likes, for up to five seconds; not while we stop. */
static void who_was_told_to_go_before_does_not_hold_it_up(void **state)
{
    (void)state;
    struct rig rig;
    struct cl wrong;
    START(&rig);
    cl_dial(&wrong, rig.port);
    cl_says(&wrong, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(cl_response(&wrong), 400);
    UNTIL(COUNT(&rig, n_http) == 0); /* it is ending */
    rig_serve(&rig);
    uint64_t began_ms = clock_mono_ms();
    rig_signal();
    rig_join(&rig);
    assert_true(clock_mono_ms() - began_ms < 3500);
    cl_close(&wrong);
    rig_stop(&rig);
}

static void run_drain(struct worker *w, struct task *t)
{
    (void)t;
    drain_begin(w);
}

/* As a restart in place does, up to the point where the next program would begin. */
static void begin_restart(struct rig *rig)
{
    struct server *s = rig->server;
    atomic_store(&s->restarting, true);
    atomic_store(&s->n_with_requests, s->n_workers);
    atomic_store(&s->stopping, true);
    for (unsigned i = 0; i < s->n_workers; i++) {
        s->workers[i].drain_task.run = run_drain;
        worker_post(&s->workers[i], &s->workers[i].drain_task);
    }
}

static void who_has_just_come_is_served_before_a_restart(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[8], silent, half;
    START(&rig);
    cl_dial(&half, rig.port);
    cl_says(&half, "GET /up HTTP/1.1\r\n");
    cl_dial(&silent, rig.port);
    for (int i = 0; i < 8; i++) cl_dial(&c[i], rig.port);
    UNTIL(COUNT(&rig, n_http) == 10);
    begin_restart(&rig);
    poll(NULL, 0, 100); /* many steps of the drain later their requests come */
    for (int i = 0; i < 8; i++) cl_says(&c[i], "GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(cl_response(&c[i]), 200);
        cl_drain(&c[i]);
        assert_int_equal(c[i].end, ENDED);
        cl_close(&c[i]);
    }
    cl_drain(&silent); /* he has half a second; who has begun has two */
    struct pollfd p = { .fd = half.fd, .events = POLLIN };
    assert_int_equal(poll(&p, 1, 200), 0);
    UNTIL(atomic_load(&rig.server->n_running) == 0);
    cl_close(&silent);
    cl_close(&half);
    rig_stop(&rig);
}

static void closes_are_spread_over_drain_ms_and_serving_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS], late, admin;
    START(&rig, "drain_ms=1500", "drain_code=4200");
    open_clients(c, &rig);
    assert_int_equal(admin_get(&admin, &rig, "/ready"), 200);
    cl_close(&admin);
    rig_serve(&rig);
    uint64_t began_ms = clock_mono_ms();
    rig_signal();
    UNTIL(server_stopping(rig.server));
    assert_int_equal(admin_get(&admin, &rig, "/ready"), 503);
    assert_true(cl_text_has(&admin, "stopping"));
    cl_close(&admin);
    cl_open_with(&late, &rig, "app-key", 0);
    assert_told(&late, 4200);
    cl_close(&late);
    assert_int_equal(rig_publish(&rig, "room", "while-draining", 5), 200);
    assert_true(COUNT(&rig, n_ws) > 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_told(&c[i], 4200);
        cl_close(&c[i]);
    }
    assert_true(clock_mono_ms() - began_ms >= 1400);
    rig_join(&rig);
    assert_int_equal(rig.code, 0);
    rig_stop(&rig);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS];
    START(&rig, "drain_ms=600000");
    open_clients(c, &rig);
    rig_serve(&rig);
    rig_signal();
    UNTIL(server_stopping(rig.server));
    uint64_t began_ms = clock_mono_ms();
    rig_signal();
    rig_join(&rig);
    assert_true(clock_mono_ms() - began_ms < 5000);
    rig_stop(&rig);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(cl_closed(&c[i]), 0);
        cl_close(&c[i]);
    }
}

static void it_stops_in_the_middle_of_everything(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        struct rig rig;
        struct cl c[CLIENTS], ask[8], back_end;
        struct buf b = { 0 };
        START(&rig, "workers=3", round % 2 ? "drain_ms=30" : "drain_ms=0");
        open_clients(c, &rig);
        rig_serve(&rig);
        cl_dial(&back_end, rig.port);
        for (int i = 0; i < 20; i++) write_publish(&b, "room", "event", 3000);
        for (int i = 0; i < 8; i++) cl_dial(&ask[i], rig.admin_port);
        cl_send(&back_end, buf_span(&b));
        for (int i = 0; i < 8; i++)
            cl_says(&ask[i],
                    "GET /admin/connections?app=app-id HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for (int i = 0; i < CLIENTS; i += 4) cl_reset(&c[i]);
        rig_signal();
        for (int i = 0; i < CLIENTS; i++) {
            if (i % 4 == 0) continue;
            assert_told(&c[i], 4100);
            cl_close(&c[i]);
        }
        for (int i = 0; i < 8; i++) cl_close(&ask[i]);
        cl_close(&back_end);
        buf_fini(&b);
        rig_join(&rig);
        rig_stop(&rig);
    }
}

static void a_server_that_was_never_run_can_be_freed_with_its_clients(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[CLIENTS], ask;
    START(&rig);
    open_clients(c, &rig);
    cl_dial(&ask, rig.admin_port);
    cl_says(&ask, "GET /admin/connections?app=app-id HTTP/1.1\r\nHost: localhost\r\n\r\n");
    rig_stop(&rig);
    for (int i = 0; i < CLIENTS; i++) cl_close(&c[i]);
    cl_close(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_told_and_the_server_ends),
        cmocka_unit_test(a_request_that_has_begun_is_finished),
        cmocka_unit_test(who_never_hangs_up_or_finishes_cannot_hold_it_up),
        cmocka_unit_test(who_was_told_to_go_before_does_not_hold_it_up),
        cmocka_unit_test(who_has_just_come_is_served_before_a_restart),
        cmocka_unit_test(closes_are_spread_over_drain_ms_and_serving_goes_on),
        cmocka_unit_test(a_second_signal_ends_it_at_once),
        cmocka_unit_test(it_stops_in_the_middle_of_everything),
        cmocka_unit_test(a_server_that_was_never_run_can_be_freed_with_its_clients),
    };
    return RUN_TESTS(tests);
}
