/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_subscribe.c: joining, joining again and leaving, and the order of answers and
 * messages, through hubs on several workers. */
#include "unit/hub/room.h"

static struct world w;
static struct client a, b, c;

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
    client_open(&b, &w, 0, 2);
    client_open(&c, &w, 1, 3);
}

static int close_world(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void who_joins_hears_what_follows_only(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    assert_hears(&a, SUCCEEDED("orders"));
    world_publish(&w, "orders", "1");
    client_subscribes(&c, "orders", NULL); /* before the mailboxes run */
    assert_hears(&c, SUCCEEDED("orders"));
    world_publish(&w, "orders", "2");
    world_settle(&w);
    assert_hears(&a, EVENT("orders", "1"));
    assert_hears(&a, EVENT("orders", "2"));
    assert_hears(&c, EVENT("orders", "2"));
    assert_hears_nothing(&a);
    assert_hears_nothing(&c);
}

static void who_leaves_hears_nothing_more(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    client_subscribes(&c, "orders", NULL);
    client_skips(&a);
    client_skips(&c);
    world_publish(&w, "orders", "1");
    client_unsubscribes(&a, "orders");
    client_unsubscribes(&a, "orders");
    client_unsubscribes(&a, "never");
    world_settle(&w);
    assert_hears_nothing(&a);
    assert_hears(&c, EVENT("orders", "1"));
    assert_int_equal(a.conn.n_subs, 0);
}

static void leaving_and_joining_at_once_repeats_nothing(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    world_publish(&w, "orders", "1");
    client_unsubscribes(&a, "orders");
    client_subscribes(&a, "orders", NULL);
    world_publish(&w, "orders", "2");
    world_settle(&w);
    assert_hears(&a, SUCCEEDED("orders"));
    assert_hears(&a, SUCCEEDED("orders"));
    assert_hears(&a, EVENT("orders", "2"));
    assert_hears_nothing(&a);
}

static void a_connection_has_many_channels(void **state)
{
    (void)state;
    enter();
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "c%d", i);
        client_subscribes(&a, name, NULL);
        client_subscribes(&b, name, NULL);
        client_skips(&a);
        client_skips(&b);
    }
    for (int i = 0; i < 20; i += 2) { /* the list of a gets gaps everywhere */
        snprintf(name, sizeof name, "c%d", (i * 7) % 20);
        client_unsubscribes(&a, name);
    }
    assert_int_equal(a.conn.n_subs, 10);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "c%d", i);
        world_publish(&w, name, "1");
        world_settle(&w);
        char want[64];
        snprintf(want, sizeof want, "{\"event\":\"e\",\"channel\":\"%s\",\"data\":1}", name);
        assert_hears(&b, want);
        if (i % 2) assert_hears(&a, want);
        assert_hears_nothing(&a);
    }
}

static void a_repeated_subscribe_is_answered_in_order(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    client_skips(&a);
    world_publish(&w, "orders", "1");
    client_subscribes(&a, "orders", NULL);
    world_publish(&w, "orders", "2");
    assert_int_equal(a.conn.pins, 1);
    world_settle(&w);
    assert_int_equal(a.conn.pins, 0);
    assert_hears(&a, EVENT("orders", "1"));
    assert_hears(&a, SUCCEEDED("orders"));
    assert_hears(&a, EVENT("orders", "2"));
    assert_hears_nothing(&a);
    assert_int_equal(world_publish_as(&w, 0, "orders", "3", 0).n_subs, 1);
}

static void repeated_subscribes_share_an_answer(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    client_skips(&a);
    for (int i = 0; i < 100; i++) client_subscribes(&a, "orders", NULL);
    assert_int_equal(a.conn.pins, 1);
    world_settle(&w);
    assert_hears(&a, SUCCEEDED("orders"));
    assert_hears_nothing(&a);
    client_subscribes(&a, "orders", NULL); /* the next one has its own again */
    world_settle(&w);
    assert_hears(&a, SUCCEEDED("orders"));
    assert_hears_nothing(&a);
}

static void of_many_infos_the_newest_is_answered_last(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_skips(&a);
    for (int i = 1; i <= 100; i++) {
        char data[48];
        snprintf(data, sizeof data, "{\"user_id\":1,\"user_info\":%d}", i);
        client_subscribes(&a, "presence-r", data);
    }
    assert_int_equal(a.conn.pins, 1);
    world_settle(&w);
    assert_hears(&a, SNAPSHOT("presence-r", "1", "1", "\\\"1\\\":1"));
    assert_hears(&a, SNAPSHOT("presence-r", "1", "1", "\\\"1\\\":100"));
    assert_hears_nothing(&a);
    assert_int_equal(a.conn.pins, 0);
}

static void becomes(int id)
{
    char data[32];
    snprintf(data, sizeof data, "{\"user_id\":%d}", id);
    client_subscribes(&a, "presence-r", data);
}

/* Each change is answered, since he is not told of it otherwise; so there is an end to them. */
static void who_becomes_somebody_else_too_often_at_once_is_closed(void **state)
{
    (void)state;
    enter();
    becomes(1);
    for (int round = 0; round < 3; round++) {
        client_skips(&a);
        for (int id = 2; id <= 8; id++) becomes(10 * round + id);
        world_settle(&w);
        for (int n = 0; n < 7; n++) assert_non_null(client_reads(&a).p);
        assert_hears_nothing(&a);
    }
    assert_int_equal(a.close_code, 0);
    for (int id = 2; id <= 9; id++) becomes(id);
    assert_int_equal(a.close_code, 4100);
    assert_non_null(strstr(a.close_text, "repeated subscribes"));
    world_settle(&w);
    assert_int_equal(a.conn.pins, 0);
}

/* --- what snapshots cost --- */

#define CROWD 200

static unsigned n_snapshots;

static void count_snapshot(struct client *client, struct msg *msg)
{
    (void)client;
    n_snapshots += msg->n > CROWD * 1000;
}

static void large_answers_are_spread_over_turns(void **state)
{
    (void)state;
    static struct client crowd[CROWD];
    char data[1200];
    w.settings[0].limits.presence_member_bytes = 2048;
    world_open(&w);
    for (int i = 0; i < CROWD; i++) {
        client_open(&crowd[i], &w, 0, 10 + (uint32_t)i);
        crowd[i].hears = count_snapshot;
        snprintf(data, sizeof data, "{\"user_id\":%d,\"user_info\":\"%01000d\"}", i, i);
        client_subscribes(&crowd[i], "presence-r", data);
    }
    world_settle(&w);
    n_snapshots = 0;
    for (int i = 0; i < CROWD; i++) {
        snprintf(data, sizeof data, "{\"user_id\":%d,\"user_info\":\"%01000d\"}", i, i);
        client_subscribes(&crowd[i], "presence-r", data);
    }
    hub_turn_begin(w.hubs[0], w.now_ms);
    assert_true(hub_run_mailbox(w.hubs[0]));
    hub_turn_end(w.hubs[0]);
    assert_in_range(n_snapshots, 40, 100); /* of some 200 KB: 16 MiB */
    world_settle(&w);
    assert_int_equal(n_snapshots, CROWD);
    for (int i = 0; i < CROWD; i++) client_close(&crowd[i]);
}

static void an_answer_that_a_new_join_overtook_is_dropped(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_subscribes(&a, "presence-r", "{\"user_id\":1}"); /* the answer waits */
    client_unsubscribes(&a, "presence-r");
    client_subscribes(&b, "presence-r", "{\"user_id\":2}");
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_skips(&a);
    world_settle(&w);
    assert_hears_nothing(&a); /* an old snapshot without b would have come now */
}

static void an_answer_to_who_left_is_dropped(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    client_subscribes(&a, "orders", NULL);
    client_unsubscribes(&a, "orders");
    client_subscribes(&b, "orders", NULL);
    client_subscribes(&b, "orders", NULL);
    client_close(&b);
    assert_int_equal(b.conn.pins, 1);
    client_skips(&a);
    world_settle(&w);
    assert_hears_nothing(&a);
    assert_int_equal(b.conn.pins, 0);
}

static void people_are_announced_once(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    assert_hears(&a, SNAPSHOT("presence-r", "1", "1", "\\\"1\\\":null"));
    client_subscribes(&b, "presence-r", "{\"user_id\":\"2\"}");
    client_subscribes(&c, "presence-r", "{\"user_id\":2}"); /* his second tab */
    world_settle(&w);
    assert_hears(&a, ADDED("presence-r", "\\\"2\\\""));
    assert_hears_nothing(&a);
    client_skips(&b);
    assert_hears(&c, SNAPSHOT("presence-r", "2", "1,2", "\\\"1\\\":null,\\\"2\\\":null"));
    client_close(&b);
    world_settle(&w);
    assert_hears_nothing(&a);
    client_close(&c);
    world_settle(&w);
    assert_hears(&a, REMOVED("presence-r", "2"));
}

static void another_user_id_is_one_operation(void **state)
{
    (void)state;
    w.settings[0].limits.presence_members = 2;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_subscribes(&c, "presence-r", "{\"user_id\":3}");
    world_settle(&w);
    client_skips(&a);
    client_skips(&c);
    client_subscribes(&a, "presence-r", "{\"user_id\":9}"); /* on a full channel */
    world_settle(&w);
    assert_hears(&a, SNAPSHOT("presence-r", "2", "9,3", "\\\"9\\\":null,\\\"3\\\":null"));
    assert_hears_nothing(&a);
    assert_hears(&c, REMOVED("presence-r", "1"));
    assert_hears(&c, ADDED("presence-r", "9"));
    assert_hears_nothing(&c);
    assert_int_equal(world_publish_as(&w, 1, "presence-r", "1", 0).n_users, 2);
}

static void a_full_channel_refuses_who_is_new(void **state)
{
    (void)state;
    w.settings[0].limits.presence_members = 1;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_subscribes(&b, "presence-r", "{\"user_id\":1}"); /* a tab needs no place */
    client_skips(&b);
    client_subscribes(&c, "presence-r", "{\"user_id\":3}");
    assert_hears(&c, "{\"event\":\"pusher:subscription_error\",\"channel\":\"presence-r\","
                     "\"data\":{\"type\":\"LimitReached\",\"error\":\"The maximum members per "
                     "presence channel limit was reached: limits.presence_members of app app-id "
                     "allows 1.\",\"status\":4100}}");
    assert_hears_nothing(&c);
    client_skips(&a);
    client_subscribes(&a, "presence-r", "{\"user_id\":9}"); /* the tab keeps person 1 there */
    world_settle(&w);
    struct span refusal = client_reads(&a);
    assert_non_null(refusal.p);
    assert_int_equal(a.conn.n_subs, 1);
    assert_int_equal(world_publish_as(&w, 0, "presence-r", "1", 0).n_users, 1);
}

static void subscriptions_are_limited(void **state)
{
    (void)state;
    w.settings[0].limits.subscriptions = 2;
    enter();
    client_subscribes(&a, "x", NULL);
    client_subscribes(&a, "y", NULL);
    client_subscribes(&a, "y", NULL); /* again is no further one */
    world_settle(&w);
    client_skips(&a);
    client_subscribes(&a, "z", NULL);
    assert_hears(&a, "{\"event\":\"pusher:subscription_error\",\"channel\":\"z\",\"data\":{"
                     "\"type\":\"LimitReached\",\"error\":\"The connection has 2 subscriptions; "
                     "limits.subscriptions of app app-id allows 2.\",\"status\":4301}}");
    assert_int_equal(a.conn.n_subs, 2);
    assert_int_equal(a.conn.pins, 0);
}

static void apps_do_not_hear_each_other(void **state)
{
    (void)state;
    enter();
    static struct client other;
    client_open_as(&other, &w, 1, 1, 99);
    client_subscribes(&other, "orders", NULL);
    client_skips(&other);
    client_subscribes(&a, "orders", NULL);
    assert_int_equal(world_publish_as(&w, 0, "orders", "1", 0).n_subs, 1);
    world_settle(&w);
    assert_hears_nothing(&other);
}

static void answers_that_nobody_reads_are_bounded(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "orders", NULL);
    client_skips(&a);
    a.conn.pins = UINT16_MAX;
    client_subscribes(&a, "orders", NULL);
    assert_int_equal(a.conn.pins, UINT16_MAX);
    a.conn.pins = 0;
    world_settle(&w);
    assert_hears_nothing(&a);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(who_joins_hears_what_follows_only),
        IN_WORLD(who_leaves_hears_nothing_more),
        IN_WORLD(leaving_and_joining_at_once_repeats_nothing),
        IN_WORLD(a_connection_has_many_channels),
        IN_WORLD(a_repeated_subscribe_is_answered_in_order),
        IN_WORLD(repeated_subscribes_share_an_answer),
        IN_WORLD(of_many_infos_the_newest_is_answered_last),
        IN_WORLD(who_becomes_somebody_else_too_often_at_once_is_closed),
        IN_WORLD(large_answers_are_spread_over_turns),
        IN_WORLD(an_answer_that_a_new_join_overtook_is_dropped),
        IN_WORLD(an_answer_to_who_left_is_dropped),
        IN_WORLD(people_are_announced_once),
        IN_WORLD(another_user_id_is_one_operation),
        IN_WORLD(a_full_channel_refuses_who_is_new),
        IN_WORLD(subscriptions_are_limited),
        IN_WORLD(apps_do_not_hear_each_other),
        IN_WORLD(answers_that_nobody_reads_are_bounded),
    };
    return RUN_TESTS(tests);
}
