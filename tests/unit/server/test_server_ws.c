/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_ws.c: a whole server and raw WebSocket clients: delivery between
 * workers, admission, keep-alive, ends. Clients that do not read: test_server_slow.c. */
#include "unit/server/brake.h"

/* --- delivery --- */

static void everybody_on_all_workers_gets_everything_in_order(void **state)
{
    (void)state;
    enum { CLIENTS = 12, EVENTS = 200 };
    struct rig rig;
    struct cl c[CLIENTS], back_end;
    START(&rig, "workers=3");
    for (int i = 0; i < CLIENTS; i++) {
        cl_open(&c[i], &rig);
        cl_subscribe(&c[i], "room");
    }
    cl_dial(&back_end, rig.port);
    for (int i = 0; i < EVENTS; i++) {
        char name[20];
        snprintf(name, sizeof name, "event-%d", i);
        assert_int_equal(cl_publish(&back_end, "room", name, 300), 200);
    }
    for (int i = 0; i < CLIENTS; i++)
        for (int k = 0; k < EVENTS; k++) {
            char want[40];
            snprintf(want, sizeof want, "\"event\":\"event-%d\"", k);
            struct ws_ev ev = cl_event(&c[i]);
            assert_int_equal(ev.kind, WS_EV_MESSAGE);
            assert_true(cl_text_has(&c[i], want));
        }
    for (int i = 0; i < CLIENTS; i++) cl_close(&c[i]);
    cl_close(&back_end);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void frames_in_the_packet_of_the_handshake_are_read(void **state)
{
    (void)state;
    static const uint8_t mask[4] = { 9, 8, 7, 6 };
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_dial(&c, rig.port);
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    ws_write_text(&b, SPAN("{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"room\"}}"),
                  mask);
    ws_write_text(&b, SPAN("{\"event\":\"pusher:ping\",\"data\":{}}"), mask);
    cl_send(&c, buf_span(&b));
    buf_fini(&b);
    assert_int_equal(cl_response(&c), 200);
    cl_accepted(&c);
    assert_int_equal(cl_event(&c).kind, WS_EV_MESSAGE);
    assert_true(cl_text_has(&c, "connection_established"));
    assert_int_equal(cl_event(&c).kind, WS_EV_MESSAGE);
    assert_true(cl_text_has(&c, "subscription_succeeded"));
    assert_int_equal(cl_event(&c).kind, WS_EV_MESSAGE);
    assert_true(cl_text_has(&c, "pusher:pong"));
    cl_close(&c);
    rig_stop(&rig);
}

static void killed_clients_leave_their_channels(void **state)
{
    (void)state;
    struct rig rig;
    struct cl watch, c[30];
    START(&rig, "app_defaults.subscription_count=true");
    cl_open(&watch, &rig);
    cl_subscribe(&watch, "room");
    for (int i = 0; i < 30; i++) {
        cl_open(&c[i], &rig);
        cl_subscribe(&c[i], "room");
    }
    for (int i = 0; i < 30; i++) cl_reset(&c[i]);
    UNTIL(COUNT(&rig, n_ws) == 1);
    assert_true(cl_hears(&watch, "{\\\"subscription_count\\\":1}"));
    cl_close(&watch);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* --- admission --- */

static void who_may_not_come_in_is_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *key, *headers, *why;
        unsigned code;
    } rows[] = {
        { "no-such-key", "Origin: https://good.example\r\n", "no-such-key", 4001 },
        { "%ff%fe", "", "not UTF-8", 4001 },
        { "x%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"
          "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"
          "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9",
          "", "does not exist", 4001 },
        { "app-key", "", "no Origin", 4009 },
        { "app-key", "Origin: https://evil.good.example.attacker.net\r\n", "attacker.net", 4009 },
        { "app-key", "Origin: https://\xff\xfe\r\n", "not UTF-8", 4009 },
    };
    struct rig rig;
    START(&rig, "app_defaults.allowed_origins=good.example");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cl c;
        cl_dial(&c, rig.port);
        cl_upgrade(&c, rows[i].key, rows[i].headers);
        cl_accepted(&c);
        assert_int_equal(cl_event(&c).kind, WS_EV_MESSAGE); /* valid UTF-8, or the decoder fails */
        assert_true(cl_text_has(&c, "pusher:error"));
        if (!cl_text_has(&c, rows[i].why)) fail_msg("row %zu: %.*s", i, SPAN_FMT(c.text));
        assert_int_equal(cl_closed_well(&c), rows[i].code);
        cl_close(&c);
    }
    struct cl good;
    cl_dial(&good, rig.port);
    cl_upgrade(&good, "app-key", "Origin: https://GOOD.example:8443\r\n");
    cl_accepted(&good);
    assert_true(cl_hears(&good, "connection_established"));
    cl_close(&good);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void a_disabled_app_takes_nobody(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "app_defaults.enabled=false");
    cl_open_with(&c, &rig, "app-key", 0);
    assert_int_equal(cl_closed_well(&c), 4003);
    cl_close(&c);
    rig_stop(&rig);
}

static void the_connection_limit_counts_those_who_are_there(void **state)
{
    (void)state;
    struct rig rig;
    struct cl a, b, c;
    START(&rig, "app_defaults.limits.connections=2", "app_defaults.connection_limit_code=4004");
    for (int round = 0; round < 3; round++) {
        cl_open(&a, &rig);
        cl_open(&b, &rig);
        cl_open_with(&c, &rig, "app-key", 0);
        assert_int_equal(cl_closed_well(&c), 4004);
        cl_close(&c);
        cl_reset(&a);
        UNTIL(COUNT(&rig, n_ws) == 1);
        cl_open(&c, &rig);
        cl_close(&b);
        cl_close(&c);
        rig_settles(&rig);
    }
    rig_stop(&rig);
}

/* --- ends --- */

static void a_close_of_the_client_is_answered(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_open(&c, &rig);
    cl_raw_frame(&c, 0x88, span_of("\x0f\xa0 bye", 6)); /* 4000 */
    assert_int_equal(cl_closed_well(&c), 4000);
    cl_close(&c);
    cl_open(&c, &rig);
    cl_raw_frame(&c, 0x88, SPAN(""));
    assert_int_equal(cl_event(&c).kind, WS_EV_CLOSE);
    cl_drain(&c);
    assert_int_equal(c.end, ENDED);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void wrong_frames_get_a_close_frame_that_arrives(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        unsigned code;
    } rows[] = {
        { "\x81\x02hi", 4, 1002 },                                /* not masked */
        { "\xc1\x80\0\0\0\0", 6, 1002 },                          /* a reserved bit */
        { "\x83\x80\0\0\0\0", 6, 1002 },                          /* a reserved code */
        { "\x89\xfe\0\x7e\0\0\0\0", 8, 1002 },                    /* a large control frame */
        { "\x81\x82\0\0\0\0\xff\xfe", 8, 1007 },                  /* not UTF-8 */
        { "\x80\x80\0\0\0\0", 6, 1002 },                          /* nothing to continue */
        { "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10, 1009 }, /* too large */
        { "\x88\x81\0\0\0\0x", 7, 1002 },                         /* half a close code */
    };
    struct rig rig;
    struct cl other;
    START(&rig);
    cl_open(&other, &rig);
    cl_subscribe(&other, "room");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static char rest[100000]; /* unread input must not reset the connection */
        struct cl c;
        cl_open(&c, &rig);
        cl_send(&c, span_of(rows[i].bytes, rows[i].n));
        cl_send(&c, span_of(rest, sizeof rest));
        unsigned code = cl_closed(&c);
        if (code != rows[i].code) fail_msg("row %zu: %u", i, code);
        shutdown(c.fd, SHUT_WR);
        cl_drain(&c);
        assert_int_equal(c.end, ENDED);
        cl_close(&c);
    }
    assert_int_equal(rig_publish(&rig, "room", "still-here", 5), 200);
    assert_true(cl_hears(&other, "still-here"));
    cl_close(&other);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void fragments_are_joined_up_to_a_number(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_open(&c, &rig);
    static const char ping[] = "{\"event\":\"pusher:ping\",\"data\":{}}";
    for (size_t i = 0; ping[i]; i++) {
        cl_raw_frame(&c, (uint8_t)((i ? 0 : 1) | (ping[i + 1] ? 0 : 0x80)), span_of(ping + i, 1));
        if (i == 5) cl_raw_frame(&c, 0x89, SPAN("between"));
    }
    assert_int_equal(cl_event(&c).kind, WS_EV_PONG);
    assert_buf(&c.text, "between");
    assert_int_equal(cl_event(&c).kind, WS_EV_MESSAGE);
    assert_true(cl_text_has(&c, "pusher:pong"));
    cl_raw_frame(&c, 0x01, SPAN(""));
    struct buf many = { 0 };
    for (int i = 0; i < 5000; i++) buf_add(&many, "\x00\x80\0\0\0\0", 6);
    cl_send(&c, buf_span(&many));
    buf_fini(&many);
    unsigned code = cl_closed(&c);
    assert_true(code == 1008 || code == 1009);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void bad_texts_are_answered_and_harm_nobody(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "nonsense",
        "[]",
        "{\"event\":7}",
        "{\"event\":\"pusher:nothing\"}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":1e999999}}",
        "{\"event\":\"a\",\"event\":\"pusher:ping\"}",
        "{\"event\":\"pusher:ping\\u0000\"}",
    };
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_open(&c, &rig);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) cl_frame(&c, span_str(texts[i]));
    struct buf deep = { 0 };
    for (int i = 0; i < 100000; i++) buf_add_byte(&deep, '[');
    cl_frame(&c, buf_span(&deep));
    buf_fini(&deep);
    cl_raw_frame(&c, 0x82, SPAN("\xff\xfe"));
    cl_raw_frame(&c, 0x82, SPAN("{\"event\":\"pusher:ping\",\"data\":{}}"));
    assert_true(cl_hears(&c, "pusher:error"));
    assert_true(cl_hears(&c, "binary"));
    assert_true(cl_hears(&c, "pusher:pong"));
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* --- keep-alive --- */

#define SHORT_ACTIVITY                                                                             \
    "app_defaults.activity_timeout_s=1", "app_defaults.ping_interval_s=1",                         \
        "app_defaults.pong_timeout_s=30"

static void silence_is_pinged_and_an_answer_keeps_the_connection(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, SHORT_ACTIVITY);
    cl_open(&c, &rig);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cl_event(&c).kind, WS_EV_PING);
        cl_raw_frame(&c, 0x8a, SPAN(""));
    }
    assert_int_equal(cl_event(&c).kind, WS_EV_PING);
    assert_int_equal(COUNT(&rig, ping_cut), 0);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* The check of the configuration keeps pong_timeout_s at 30 and more here, so the settings are
 * changed behind its back. */
static void who_does_not_answer_a_ping_is_closed_with_4201(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    LOAD(&rig, SHORT_ACTIVITY);
    rig.cfg->apps[0].pong_timeout_s = 1;
    rig_start(&rig);
    uint64_t began_ms = clock_mono_ms();
    cl_open(&c, &rig);
    assert_int_equal(cl_event(&c).kind, WS_EV_PING);
    assert_int_equal(cl_closed_well(&c), 4201);
    uint64_t ms = clock_mono_ms() - began_ms;
    assert_true(ms >= 1900 && ms < 10000);
    cl_close(&c);
    rig_settles(&rig);
    assert_int_equal(COUNT(&rig, ping_cut), 1);
    rig_stop(&rig);
}

/* Whoever was stopped, here the server, the ping's answer has its whole time from then on. */
static void a_late_ping_may_be_answered_in_full_time(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct brake b;
    LOAD(&rig, SHORT_ACTIVITY, "workers=1");
    rig.cfg->apps[0].pong_timeout_s = 2;
    rig_start(&rig);
    cl_open(&c, &rig);
    brake_post(&b, &rig.server->workers[0]);
    brake_wait(&b);
    poll(NULL, 0, 3300); /* longer than ping and pong together */
    brake_release(&b);
    assert_int_equal(cl_event(&c).kind, WS_EV_PING);
    poll(NULL, 0, 400); /* some of the two seconds that are his */
    cl_raw_frame(&c, 0x8a, SPAN(""));
    assert_int_equal(cl_event(&c).kind, WS_EV_PING);
    assert_int_equal(COUNT(&rig, ping_cut), 0);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void who_does_not_sign_in_in_time_is_closed(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "app_defaults.user_authentication=true",
          "app_defaults.user_authentication_timeout_ms=300");
    cl_open(&c, &rig);
    cl_subscribe(&c, "public");
    assert_int_equal(cl_closed_well(&c), 4009);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_on_all_workers_gets_everything_in_order),
        cmocka_unit_test(frames_in_the_packet_of_the_handshake_are_read),
        cmocka_unit_test(killed_clients_leave_their_channels),
        cmocka_unit_test(who_may_not_come_in_is_told_why),
        cmocka_unit_test(a_disabled_app_takes_nobody),
        cmocka_unit_test(the_connection_limit_counts_those_who_are_there),
        cmocka_unit_test(a_close_of_the_client_is_answered),
        cmocka_unit_test(wrong_frames_get_a_close_frame_that_arrives),
        cmocka_unit_test(fragments_are_joined_up_to_a_number),
        cmocka_unit_test(bad_texts_are_answered_and_harm_nobody),
        cmocka_unit_test(silence_is_pinged_and_an_answer_keeps_the_connection),
        cmocka_unit_test(who_does_not_answer_a_ping_is_closed_with_4201),
        cmocka_unit_test(a_late_ping_may_be_answered_in_full_time),
        cmocka_unit_test(who_does_not_sign_in_in_time_is_closed),
    };
    return RUN_TESTS(tests);
}
