/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_conn_input.c: how much of one connection's input is carried out in a turn,
 * what is kept, and who goes when too much is kept. */
#include "unit/server/brake.h"

static struct worker *worker_of(const struct rig *rig)
{
    return &rig->server->workers[0];
}

static uint64_t texts(const struct rig *rig)
{
    return atomic_load(&hub_stats(worker_of(rig)->hub)->texts);
}

static void add_text(struct buf *b, const char *text)
{
    static const uint8_t mask[4] = { 1, 2, 3, 4 };
    ws_write_text(b, span_str(text), mask);
}

/* --- work --- */

#define PING "{\"event\":\"pusher:ping\",\"data\":{}}"

static void many_messages_in_one_piece_leave_room_for_others(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct rig rig;
    struct cl flood, other;
    struct brake a, b;
    struct buf all = { 0 };
    START(&rig, "workers=1");
    cl_open(&flood, &rig);
    cl_open(&other, &rig);
    for (int i = 0; i < MANY; i++) add_text(&all, PING);
    assert_true(all.n < WORKER_READ_BYTES);
    brake_post(&a, worker_of(&rig));
    brake_wait(&a);
    uint64_t before = texts(&rig);
    cl_send(&flood, buf_span(&all));
    cl_frame(&other, SPAN(PING));
    brake_one_turn(&a, &b, worker_of(&rig));
    uint64_t done = texts(&rig) - before;
    assert_in_range(done, 200 + 1, 300 + 1);
    brake_release(&b);
    assert_true(cl_hears(&other, "pusher:pong"));
    for (int i = 0; i < MANY; i++) assert_true(cl_hears(&flood, "pusher:pong"));
    assert_int_equal(texts(&rig) - before, MANY + 1);
    buf_fini(&all);
    cl_close(&flood);
    cl_close(&other);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* A frame whose mask is 0. */
static void add_frame(struct buf *b, uint8_t first, const char *payload)
{
    size_t n = strlen(payload);
    const uint8_t head[6] = { first, (uint8_t)(0x80 | n) };
    CHECK(n < 126);
    buf_add(b, head, sizeof head);
    buf_add(b, payload, n);
}

/* The share of a turn is used up in the middle of a message: what comes behind is kept. */
static void nothing_is_lost_between_the_fragments_of_a_message(void **state)
{
    (void)state;
    enum { PINGS = 700 };
    struct rig rig;
    struct cl c;
    struct buf all = { 0 };
    START(&rig, "workers=1");
    cl_open(&c, &rig);
    add_frame(&all, 0x01, "{\"event\":\"pusher:subscribe\",");
    for (int i = 0; i < PINGS; i++) add_frame(&all, 0x89, "");
    add_frame(&all, 0x80, "\"data\":{\"channel\":\"first\"}}");
    add_text(&all, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"second\"}}");
    assert_true(all.n < WORKER_READ_BYTES);
    cl_send(&c, buf_span(&all));
    assert_true(cl_hears(&c, "subscription_succeeded"));
    assert_true(cl_text_has(&c, "first"));
    assert_true(cl_hears(&c, "subscription_succeeded"));
    assert_true(cl_text_has(&c, "second"));
    buf_fini(&all);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void many_requests_in_one_piece_leave_room_for_others(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct rig rig;
    struct cl flood, other;
    struct brake a, b;
    struct buf all = { 0 };
    START(&rig, "workers=1");
    cl_dial(&flood, rig.port);
    cl_dial(&other, rig.port);
    UNTIL(COUNT(&rig, n_http) == 2);
    for (int i = 0; i < MANY; i++)
        buf_add_fmt(&all, "GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", i % 7 ? "up" : "nowhere");
    brake_post(&a, worker_of(&rig));
    brake_wait(&a);
    cl_send(&flood, buf_span(&all));
    cl_says(&other, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    brake_one_turn(&a, &b, worker_of(&rig));
    assert_in_range(COUNT(&rig, http_requests), 20 + 1, 40 + 1);
    brake_release(&b);
    assert_int_equal(cl_response(&other), 200);
    for (int i = 0; i < MANY; i++) assert_int_equal(cl_response(&flood), i % 7 ? 200 : 404);
    buf_fini(&all);
    cl_close(&flood);
    cl_close(&other);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* Each has some, and all together no more than a turn may have. */
static void many_connections_share_a_turn(void **state)
{
    (void)state;
    enum { CLIENTS = 100, EACH = 250 };
    static struct cl c[CLIENTS];
    struct rig rig;
    struct brake a, b;
    struct buf all = { 0 };
    START(&rig, "workers=1");
    for (int i = 0; i < CLIENTS; i++) cl_open(&c[i], &rig);
    for (int i = 0; i < EACH; i++) add_text(&all, PING);
    brake_post(&a, worker_of(&rig));
    brake_wait(&a);
    uint64_t before = texts(&rig);
    for (int i = 0; i < CLIENTS; i++) cl_send(&c[i], buf_span(&all));
    brake_one_turn(&a, &b, worker_of(&rig));
    uint64_t done = texts(&rig) - before;
    assert_in_range(done, 8000, 10000);
    brake_release(&b);
    for (int i = 0; i < CLIENTS; i++)
        for (int k = 0; k < EACH; k++) assert_true(cl_hears(&c[i], "pusher:pong"));
    buf_fini(&all);
    for (int i = 0; i < CLIENTS; i++) cl_close(&c[i]);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void what_was_sent_before_hanging_up_is_carried_out(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct rig rig;
    struct cl c, listens;
    struct buf all = { 0 };
    START(&rig);
    cl_open(&listens, &rig);
    cl_subscribe(&listens, "room");
    for (int i = 0; i < MANY; i++) write_publish(&all, "room", "event", 20);
    cl_dial(&c, rig.port);
    cl_send(&c, buf_span(&all));
    shutdown(c.fd, SHUT_WR);
    for (int i = 0; i < MANY; i++) assert_true(cl_hears(&listens, "\"event\":\"event\""));
    for (int i = 0; i < MANY; i++) assert_int_equal(cl_response(&c), 200);
    cl_drain(&c);
    assert_int_equal(c.end, ENDED);
    buf_fini(&all);
    cl_close(&c);
    cl_close(&listens);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void who_goes_with_input_kept_for_him_leaves_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct buf pings = { 0 }, asks = { 0 };
    START(&rig);
    for (int i = 0; i < 1000; i++) add_text(&pings, PING);
    buf_add(&pings, "\x88\x80\0\0\0\0", 6);
    for (int i = 0; i < 1000; i++) BUF_ADD_LIT(&asks, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int round = 0; round < 20; round++) {
        struct cl ws, http;
        cl_open(&ws, &rig);
        cl_send(&ws, buf_span(&pings));
        cl_dial(&http, rig.port);
        cl_send(&http, buf_span(&asks));
        if (round % 2 == 0) cl_hears(&ws, "pusher:pong");
        cl_reset(&ws);
        cl_reset(&http);
    }
    rig_settles(&rig);
    buf_fini(&pings);
    buf_fini(&asks);
    rig_stop(&rig);
}

/* --- answers that are larger than their questions --- */

#define LARGE 100000
#define PAIRS 300

/* Subscribes to a channel with a large cached event, leaves, and again, all in one piece. */
static void write_pairs(struct buf *b)
{
    for (int i = 0; i < PAIRS; i++) {
        add_text(b, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"cache-room\"}}");
        add_text(b, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"cache-room\"}}");
    }
    assert_true(b->n < WORKER_READ_BYTES);
}

static uint64_t subscribed(const struct rig *rig)
{
    return atomic_load(&hub_stats(worker_of(rig)->hub)->subscribed);
}

static void answers_are_paid_for_by_their_size(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct brake a, b;
    struct buf pairs = { 0 };
    START(&rig, "workers=1");
    assert_int_equal(rig_publish(&rig, "cache-room", "large", LARGE), 200);
    cl_open(&c, &rig);
    write_pairs(&pairs);
    brake_post(&a, worker_of(&rig));
    brake_wait(&a);
    cl_send(&c, buf_span(&pairs));
    brake_one_turn(&a, &b, worker_of(&rig));
    assert_in_range(subscribed(&rig), 2, 4);
    brake_release(&b);
    for (int i = 0; i < PAIRS; i++) assert_true(cl_hears(&c, "\"event\":\"large\""));
    buf_fini(&pairs);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void who_asks_for_much_and_reads_late_gets_all_and_costs_little(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct buf pairs = { 0 };
    START(&rig, "workers=1", "slow_consumer_grace_ms=60000");
    assert_int_equal(rig_publish(&rig, "cache-room", "large", LARGE), 200);
    cl_open_with(&c, &rig, "app-key", 4096);
    write_pairs(&pairs);
    cl_send(&c, buf_span(&pairs));
    UNTIL(atomic_load(&rig.server->pending_bytes) > 1048576);
    static struct brake turns[100];
    for (size_t i = 0; i < ARRAY_LEN(turns); i++) { /* a hundred turns later it is no more */
        brake_post(&turns[i], worker_of(&rig));
        brake_wait(&turns[i]);
        assert_in_range(atomic_load(&rig.server->pending_bytes), 1048576, 1600000);
        brake_release(&turns[i]);
    }
    for (int i = 0; i < PAIRS; i++) assert_true(cl_hears(&c, "\"event\":\"large\""));
    assert_int_equal(COUNT(&rig, slow_cut), 0);
    cl_frame(&c, SPAN(PING));
    assert_true(cl_hears(&c, "pusher:pong"));
    buf_fini(&pairs);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* A turn's share of answers would be far over a low limit: it is not used up then. */
static void low_limits_on_waiting_output_are_kept_within_a_turn(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct buf pairs = { 0 };
    START(&rig, "workers=1", "limits.pending_bytes=2000", "slow_consumer_grace_ms=60000");
    assert_int_equal(rig_publish(&rig, "cache-room", "large", 15000), 200);
    cl_open_with(&c, &rig, "app-key", 4096);
    write_pairs(&pairs);
    cl_send(&c, buf_span(&pairs));
    UNTIL(atomic_load(&rig.server->pending_bytes) > 2000); /* the kernel takes no more */
    for (int i = 0; i < PAIRS; i++) assert_true(cl_hears(&c, "\"event\":\"large\""));
    assert_int_equal(COUNT(&rig, slow_cut), 0);
    buf_fini(&pairs);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* --- memory --- */

#define BUDGET "limits.request_total_bytes=40000", "app_defaults.limits.message_bytes=6000"
#define HALF 14000 /* of a message: two are more than half of the budget */

/* The first frame of a message that is to be continued. */
static void begin_message(struct cl *c, struct rig *rig)
{
    static char text[HALF];
    uint64_t accepted = COUNT(rig, opened);
    memset(text, 'x', sizeof text);
    cl_open(c, rig);
    assert_int_equal(COUNT(rig, opened), accepted + 1);
    cl_send(c, span_of("\x01\xfe\x36\xb0\0\0\0\0", 8));
    cl_send(c, span_of(text, sizeof text));
}

static void assert_cut(struct cl *c)
{
    assert_true(cl_hears(c, "limits.request_total_bytes allows 40000"));
    assert_int_equal(cl_closed_well(c), 4100);
    cl_close(c);
}

/* A ping behind the fragment: who is answered has been read, and is still there. */
static void assert_there(struct cl *c)
{
    cl_raw_frame(c, 0x89, SPAN("there"));
    assert_int_equal(cl_event(c).kind, WS_EV_PONG);
}

static void of_unfinished_messages_the_oldest_goes(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[5];
    START(&rig, BUDGET, "workers=1");
    for (int i = 0; i < 5; i++) {
        begin_message(&c[i], &rig);
        assert_there(&c[i]);
        if (i > 0) assert_cut(&c[i - 1]);
    }
    cl_raw_frame(&c[4], 0x80, SPAN("!")); /* the end: no JSON, but whole */
    assert_true(cl_hears(&c[4], "pusher:error"));
    cl_close(&c[4]);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* One that has lasted weighs more than one that has just begun, though this one is larger. */
static void of_unfinished_messages_the_one_that_lasts_goes(void **state)
{
    (void)state;
    static char some[8000];
    struct rig rig;
    struct cl lasts, begins;
    START(&rig, BUDGET, "workers=1");
    memset(some, 'x', sizeof some);
    cl_open(&begins, &rig); /* the older connection */
    cl_open(&lasts, &rig);
    cl_send(&lasts, span_of("\x01\xfe\x1f\x40\0\0\0\0", 8));
    cl_send(&lasts, span_of(some, sizeof some));
    assert_there(&lasts);
    poll(NULL, 0, 300); /* it lasts */
    cl_send(&begins, span_of("\x01\xfe\x36\xb0\0\0\0\0", 8));
    for (int i = 0; i < 2; i++) cl_send(&begins, span_of(some, HALF / 2));
    assert_cut(&lasts);
    assert_there(&begins);
    cl_close(&begins);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void of_unfinished_messages_the_large_ones_go_and_the_small_ones_stay(void **state)
{
    (void)state;
    struct rig rig;
    struct cl small[10], large[2];
    START(&rig, BUDGET, "workers=1");
    for (int i = 0; i < 10; i++) {
        cl_open(&small[i], &rig);
        cl_raw_frame(&small[i], 0x01, SPAN("x"));
    }
    begin_message(&large[0], &rig);
    assert_there(&large[0]);
    poll(NULL, 0, 20); /* it has lasted for some time */
    begin_message(&large[1], &rig);
    assert_cut(&large[0]);
    for (int i = 0; i < 10; i++) {
        assert_there(&small[i]);
        cl_close(&small[i]);
    }
    assert_there(&large[1]);
    cl_close(&large[1]);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void of_unsigned_requests_the_oldest_goes(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c[6];
    struct buf b = { 0 };
    START(&rig, "limits.request_total_bytes=50000", "app_defaults.limits.message_bytes=6000",
          "workers=1");
    BUF_ADD_LIT(&b,
                "POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 15100\r\n\r\n");
    for (int i = 0; i < 15000; i++) buf_add_byte(&b, 'x');
    for (int i = 0; i < 6; i++) {
        cl_dial(&c[i], rig.port);
        cl_send(&c[i], buf_span(&b));
        if (i > 0) {
            assert_int_equal(cl_response(&c[i - 1]), 503);
            assert_true(cl_text_has(&c[i - 1], "limits.request_total_bytes allows 50000"));
            cl_drain(&c[i - 1]);
            assert_int_equal(c[i - 1].end, ENDED);
            cl_close(&c[i - 1]);
        } else {
            UNTIL(atomic_load(&rig.server->held_bytes) > 15000);
        }
    }
    for (int i = 0; i < 100; i++) cl_send(&c[5], SPAN("x"));
    assert_int_equal(cl_response(&c[5]), 401);
    cl_close(&c[5]);
    buf_fini(&b);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* Sends all but the last octet; true when the server holds it. */
static void begin_publish(struct cl *c, const struct rig *rig, struct buf *b, size_t size)
{
    uint64_t before = atomic_load(&rig->server->signed_bytes);
    cl_dial(c, rig->port);
    write_publish(b, "none", "e", size);
    cl_send(c, span_head(buf_span(b), b->n - 1));
    UNTIL(atomic_load(&rig->server->signed_bytes) > before + size);
}

static void signed_requests_are_finished_whatever_others_hold(void **state)
{
    (void)state;
    struct rig rig;
    struct cl ws[8], back_end, late;
    struct buf b = { 0 }, two = { 0 };
    START(&rig, BUDGET);
    begin_publish(&back_end, &rig, &b, 5000);
    for (int i = 0; i < 8; i++) begin_message(&ws[i], &rig);
    for (int i = 0; i < 4; i++) { /* each in two pieces, the head cut, too */
        buf_clear(&two);
        write_publish(&two, "none", "e", 5000);
        size_t at = i % 2 ? 30 : 4000;
        cl_dial(&late, rig.port);
        uint64_t requests = COUNT(&rig, http_requests);
        cl_send(&late, span_head(buf_span(&two), at));
        cl_close(&ws[i]);
        begin_message(&ws[i], &rig); /* one more in between */
        cl_send(&late, span_skip(buf_span(&two), at));
        assert_int_equal(cl_response(&late), 200);
        assert_int_equal(COUNT(&rig, http_requests), requests + 1);
        cl_close(&late);
    }
    cl_send(&back_end, span_skip(buf_span(&b), b.n - 1));
    assert_int_equal(cl_response(&back_end), 200);
    cl_close(&back_end);
    for (int i = 0; i < 8; i++) cl_close(&ws[i]);
    buf_fini(&b);
    buf_fini(&two);
    rig_stop(&rig);
}

static void signed_requests_may_use_all_and_then_they_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct cl ws, c[5], more;
    struct buf b[5] = { { 0 } }, refused = { 0 };
    START(&rig, BUDGET, "workers=1");
    begin_message(&ws, &rig);
    assert_there(&ws);
    for (int i = 0; i < 5; i++) begin_publish(&c[i], &rig, &b[i], 6000);
    assert_cut(&ws); /* what they need is taken from those */
    cl_dial(&more, rig.port);
    write_publish(&refused, "none", "e", 6000);
    cl_send(&more, span_head(buf_span(&refused), refused.n - 1));
    assert_int_equal(cl_response(&more), 503);
    assert_true(cl_text_has(&more, "limits.request_total_bytes allows 40000 for all)"));
    cl_close(&more);
    for (int i = 0; i < 5; i++) {
        cl_send(&c[i], span_skip(buf_span(&b[i]), b[i].n - 1));
        assert_int_equal(cl_response(&c[i]), 200);
        cl_close(&c[i]);
        buf_fini(&b[i]);
    }
    buf_fini(&refused);
    rig_settles(&rig);
    assert_int_equal(atomic_load(&rig.server->signed_bytes), 0);
    rig_stop(&rig);
}

/* --- time --- */

static void a_message_that_does_not_end_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "body_timeout_ms=400");
    cl_open(&c, &rig);
    uint64_t began_ms = clock_mono_ms();
    cl_raw_frame(&c, 0x01, SPAN("{"));
    struct pollfd p = { .fd = c.fd, .events = POLLIN };
    while (poll(&p, 1, 20) == 0) { /* neither more of it nor pongs put it off */
        assert_true(clock_mono_ms() - began_ms < 10000);
        if (send(c.fd, "\x00\x81\0\0\0\0 \x8a\x80\0\0\0\0", 13, MSG_NOSIGNAL) < 0) break;
    }
    assert_true(clock_mono_ms() - began_ms >= 390);
    assert_true(cl_hears(&c, "body_timeout_ms allows 400"));
    assert_int_equal(cl_closed(&c), 4100);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void half_a_frame_header_has_a_deadline_too(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "body_timeout_ms=200");
    cl_open(&c, &rig);
    cl_send(&c, span_of("\x81", 1));
    assert_true(cl_hears(&c, "body_timeout_ms allows 200"));
    assert_int_equal(cl_closed_well(&c), 4100);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* Each message ends in time, though there is always one under way. */
static void one_message_after_the_other_is_in_time(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    struct buf ping = { 0 };
    START(&rig, "body_timeout_ms=1000");
    cl_open(&c, &rig);
    add_text(&ping, PING);
    uint64_t began_ms = clock_mono_ms();
    cl_send(&c, span_head(buf_span(&ping), 9));
    while (clock_mono_ms() - began_ms < 2500) {
        struct buf piece = { 0 };
        buf_add_span(&piece, span_skip(buf_span(&ping), 9));
        buf_add_span(&piece, span_head(buf_span(&ping), 9));
        cl_send(&c, buf_span(&piece));
        buf_fini(&piece);
        assert_true(cl_hears(&c, "pusher:pong"));
        poll(NULL, 0, 50); /* the pace of the client */
    }
    buf_fini(&ping);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_messages_in_one_piece_leave_room_for_others),
        cmocka_unit_test(nothing_is_lost_between_the_fragments_of_a_message),
        cmocka_unit_test(many_requests_in_one_piece_leave_room_for_others),
        cmocka_unit_test(many_connections_share_a_turn),
        cmocka_unit_test(what_was_sent_before_hanging_up_is_carried_out),
        cmocka_unit_test(who_goes_with_input_kept_for_him_leaves_nothing),
        cmocka_unit_test(answers_are_paid_for_by_their_size),
        cmocka_unit_test(who_asks_for_much_and_reads_late_gets_all_and_costs_little),
        cmocka_unit_test(low_limits_on_waiting_output_are_kept_within_a_turn),
        cmocka_unit_test(of_unfinished_messages_the_oldest_goes),
        cmocka_unit_test(of_unfinished_messages_the_one_that_lasts_goes),
        cmocka_unit_test(of_unfinished_messages_the_large_ones_go_and_the_small_ones_stay),
        cmocka_unit_test(of_unsigned_requests_the_oldest_goes),
        cmocka_unit_test(signed_requests_are_finished_whatever_others_hold),
        cmocka_unit_test(signed_requests_may_use_all_and_then_they_are_refused),
        cmocka_unit_test(a_message_that_does_not_end_is_told),
        cmocka_unit_test(half_a_frame_header_has_a_deadline_too),
        cmocka_unit_test(one_message_after_the_other_is_in_time),
    };
    return RUN_TESTS(tests);
}
