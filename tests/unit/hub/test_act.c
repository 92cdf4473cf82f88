/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_act.c: from a client's text to what happens: opening, refusals, client events
 * and their limits, closing. Frame forms are the transcripts' (tests/transcripts). */
#include "unit/hub/room.h"

static struct world w;
static struct client a, b;

static int open_world(void **state)
{
    (void)state;
    world_init(&w, 2);
    return 0;
}

static void enter(void)
{
    world_open(&w);
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
}

static int close_world(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void a_connection_begins_with_its_socket_id(void **state)
{
    (void)state;
    w.settings[0].activity_timeout_s = 120;
    enter();
    static struct client c;
    client_open_as(&c, &w, 0, 0, UINT64_C(1234) << 32 | 5678);
    assert_hears(&c, "{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":"
                     "\\\"1234.5678\\\",\\\"activity_timeout\\\":120}\"}");
    assert_hears_nothing(&c);
}

static void client_events_reach_the_others(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "private-x", NULL);
    client_subscribes(&b, "private-x", NULL);
    client_skips(&a);
    client_skips(&b);
    client_says(&a, "{\"event\":\"client-t\",\"channel\":\"private-x\",\"data\":{\"n\":1.0}}");
    world_settle(&w);
    assert_hears(&b, "{\"event\":\"client-t\",\"channel\":\"private-x\",\"data\":{\"n\":1.0}}");
    assert_hears_nothing(&a);
    const struct hub_stats *stats = hub_stats(w.hubs[0]);
    assert_int_equal(atomic_load(&stats->client_events), 1);
    assert_int_equal(atomic_load(&stats->published), 0);
}

static void client_events_need_a_subscription(void **state)
{
    (void)state;
    enter();
    client_says(&a, "{\"event\":\"client-t\",\"channel\":\"private-x\"}");
    assert_hears(&a,
                 "{\"event\":\"pusher:error\",\"channel\":\"private-x\",\"data\":{\"code\":4009,"
                 "\"message\":\"The client is not a member of the specified channel.\"}}");
    assert_int_equal(w.n_refused, 1);
    assert_int_equal(atomic_load(&hub_stats(w.hubs[0])->refused), 1);
}

static void client_events_have_a_rate(void **state)
{
    (void)state;
    w.settings[0].limits.client_events_per_second = 2;
    enter();
    client_subscribes(&a, "private-x", NULL);
    client_subscribes(&b, "private-x", NULL);
    client_skips(&a);
    client_skips(&b);
    for (int second = 0; second < 2; second++) {
        for (int i = 0; i < 3; i++)
            client_says(&a, "{\"event\":\"client-t\",\"channel\":\"private-x\"}");
        world_settle(&w);
        for (int i = 0; i < 2; i++)
            assert_hears(&b, "{\"event\":\"client-t\",\"channel\":\"private-x\"}");
        assert_hears_nothing(&b);
        struct span refusal = client_reads(&a);
        CHECK(refusal.p);
        assert_non_null(memmem(refusal.p, refusal.n, "4301", 4));
        assert_hears_nothing(&a);
        world_advance(&w, 1000);
    }
}

static void a_closed_connection_says_nothing(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "x", NULL);
    client_skips(&a);
    client_close(&a);
    client_close(&a);
    client_says(&a, "{\"event\":\"pusher:ping\"}");
    client_subscribes(&a, "y", NULL);
    assert_hears_nothing(&a);
    assert_int_equal(a.conn.n_subs, 0);
    assert_int_equal(world_publish_as(&w, 0, "x", "1", 0).n_subs, 0);
    assert_int_equal(world_publish_as(&w, 0, "y", "1", 0).n_subs, 0);
}

static void joining_what_needs_a_signature_authorises(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "public", NULL);
    assert_false(a.conn.authorised);
    client_says(&a, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"private-x\"}}");
    assert_false(a.conn.authorised);
    client_subscribes(&a, "private-x", NULL);
    assert_true(a.conn.authorised);
    client_signs_in(&b, "{\"id\":\"1\"}");
    assert_true(b.conn.authorised);
}

static void a_huge_frame_leaves_no_memory_behind(void **state)
{
    (void)state;
    w.settings[0].limits.message_bytes = 0;
    enter();
    client_subscribes(&a, "private-x", NULL);
    client_subscribes(&b, "private-x", NULL);
    client_skips(&b);
    struct buf text = { 0 };
    BUF_ADD_LIT(&text, "{\"event\":\"client-t\",\"channel\":\"private-x\",\"data\":\"");
    for (int i = 0; i < 300000; i++) buf_add_byte(&text, 'x');
    BUF_ADD_LIT(&text, "\"}");
    client_says_span(&a, buf_span(&text));
    world_settle(&w);
    assert_true(span_eq(client_reads(&b), buf_span(&text)));
    buf_fini(&text);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_connection_begins_with_its_socket_id),
        IN_WORLD(client_events_reach_the_others),
        IN_WORLD(client_events_need_a_subscription),
        IN_WORLD(client_events_have_a_rate),
        IN_WORLD(a_closed_connection_says_nothing),
        IN_WORLD(joining_what_needs_a_signature_authorises),
        IN_WORLD(a_huge_frame_leaves_no_memory_behind),
    };
    return RUN_TESTS(tests);
}
