/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_hub.c: turns, large fan-outs that are suspended, publishing. */
#include "unit/hub/room.h"

#define CROWD 40000 /* more than a turn delivers */

static struct world w;

/* A crowd hears numbers only: which ones, and in which order. */
struct head {
    struct client c;
    uint32_t n, last;
};
static struct head *crowd;

static void count(struct client *c, struct msg *msg)
{
    struct head *h = CONTAINER_OF(c, struct head, c);
    struct span text = msg_text(msg);
    const char *at = memmem(text.p, text.n, "\"data\":", 7);
    if (!at || at[7] == '"') return;
    uint32_t number = (uint32_t)(at[7] - '0');
    assert_true(number > h->last);
    h->last = number;
    h->n++;
}

static void join(struct head *h, const char *channel)
{
    h->n = h->last = 0;
    client_subscribes(&h->c, channel, NULL);
}

static int open_world(void **state)
{
    (void)state;
    world_init(&w, 2);
    w.mailbox_bytes = 100000;
    world_open(&w);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_end(&w);
    mem_free(crowd);
    crowd = NULL;
    return 0;
}

static void assemble(void)
{
    crowd = mem_zalloc(CROWD * sizeof *crowd);
    for (uint32_t i = 0; i < CROWD; i++) {
        crowd[i].c.hears = count;
        client_open(&crowd[i].c, &w, 0, i + 1);
        join(&crowd[i], "c");
    }
}

static uint32_t how_many_heard(uint32_t number)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < CROWD; i++) n += crowd[i].last == number;
    return n;
}

/* However many subscribe there, a worker gets one message; one without subscribers gets none. */
static void a_publish_is_one_message_for_each_worker_with_subscribers(void **state)
{
    (void)state;
    enum { N = 6 };
    crowd = mem_zalloc(N * sizeof *crowd);
    for (uint32_t i = 0; i < N; i++) {
        crowd[i].c.hears = count;
        client_open(&crowd[i].c, &w, i % 2, i + 1);
        join(&crowd[i], "everywhere");
        if (i % 2) join(&crowd[i], "second");
    }
    world_settle(&w);
    uint64_t first = atomic_load(&hub_stats(w.hubs[0])->posts);
    uint64_t second = atomic_load(&hub_stats(w.hubs[1])->posts);
    world_publish(&w, "everywhere", "1");
    world_publish(&w, "second", "2");
    world_publish(&w, "nobody", "3");
    world_settle(&w);
    assert_int_equal(atomic_load(&hub_stats(w.hubs[0])->posts) - first, 1);
    assert_int_equal(atomic_load(&hub_stats(w.hubs[1])->posts) - second, 2);
    for (uint32_t i = 0; i < N; i++) assert_int_equal(crowd[i].n, i % 2 ? 2 : 1);
}

static void a_large_fan_out_takes_several_turns(void **state)
{
    (void)state;
    assemble();
    world_publish(&w, "c", "1");
    world_publish(&w, "c", "2");
    unsigned turns = 1;
    assert_true(world_turn(&w, 0));
    uint32_t first = how_many_heard(1);
    assert_true(first > 0 && first < CROWD);
    assert_int_equal(how_many_heard(2), 0); /* nothing overtakes it */
    assert_true(dir_backlog_bytes(w.dir, 0) > 0);
    while (world_turn(&w, 0)) turns++;
    assert_true(turns >= 4);
    assert_int_equal(how_many_heard(2), CROWD);
    for (uint32_t i = 0; i < CROWD; i++) assert_int_equal(crowd[i].n, 2);
    assert_int_equal(dir_backlog_bytes(w.dir, 0), 0);
}

/* Leaves and joins while a fan-out is suspended: everybody who stays hears it once. */
static void a_suspended_fan_out_meets_everybody_once(void **state)
{
    (void)state;
    assemble();
    world_publish(&w, "c", "1");
    assert_true(world_turn(&w, 0));
    for (uint32_t i = 0; i < CROWD; i += 3) client_unsubscribes(&crowd[i].c, "c");
    for (uint32_t i = 0; i < CROWD; i += 6) join(&crowd[i], "c"); /* too late for 1 */
    for (uint32_t i = 1; i < CROWD; i += 3000) client_close(&crowd[i].c);
    world_publish(&w, "c", "2");
    world_settle(&w);
    for (uint32_t i = 0; i < CROWD; i++) {
        if (crowd[i].c.conn.closed) continue;
        bool left = i % 3 == 0, back = i % 6 == 0;
        if (left && !back) assert_true(crowd[i].last <= 1);
        if (!left || back) assert_int_equal(crowd[i].last, 2);
        if (!left) assert_int_equal(crowd[i].n, 2);
        if (back) assert_int_equal(crowd[i].n, 1);
    }
}

static void a_channel_is_emptied_while_it_is_suspended(void **state)
{
    (void)state;
    assemble();
    world_publish(&w, "c", "1");
    assert_true(world_turn(&w, 0));
    for (uint32_t i = 0; i < CROWD; i++) client_unsubscribes(&crowd[i].c, "c");
    assert_int_equal(world_publish_as(&w, 0, "c", "2", 0).n_subs, 0);
    world_settle(&w);
    assert_int_equal(how_many_heard(2), 0);
    struct dir_facts facts;
    assert_false(dir_facts(w.dir, &w.apps->all[0], SPAN("c"), w.now_ms, &facts));
    join(&crowd[5], "c");
    world_publish(&w, "c", "3");
    world_settle(&w);
    assert_int_equal(how_many_heard(3), 1);
}

static void a_turn_is_bounded_even_if_nobody_hears(void **state)
{
    (void)state;
    static struct client a;
    client_open(&a, &w, 0, 1);
    client_subscribes(&a, "c", NULL);
    client_skips(&a);
    for (int i = 0; i < 20000; i++) world_publish_as(&w, 0, "c", "1", a.conn.socket_id);
    assert_true(world_turn(&w, 0));
    world_settle(&w);
    assert_hears_nothing(&a);
}

static void an_overloaded_worker_is_everybodys_brake(void **state)
{
    (void)state;
    static struct client a, b;
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
    client_subscribes(&a, "private-c", NULL);
    client_subscribes(&b, "private-c", NULL);
    client_skips(&a);
    assert_false(hub_overloaded(w.hubs[1]));
    char data[20003];
    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 2] = '"';
    data[sizeof data - 1] = 0;
    while (!hub_overloaded(w.hubs[0])) world_publish(&w, "private-c", data);
    assert_true(hub_overloaded(w.hubs[1]));
    client_says(&a, "{\"event\":\"client-x\",\"channel\":\"private-c\"}");
    assert_hears(&a,
                 "{\"event\":\"pusher:error\",\"channel\":\"private-c\",\"data\":{\"code\":4301,"
                 "\"message\":\"The server is overloaded (limits.mailbox_bytes); try again.\"}}");
    while (world_turn(&w, 0)) continue;
    assert_true(hub_overloaded(w.hubs[0])); /* worker 1 has not worked yet */
    world_settle(&w);
    assert_false(hub_overloaded(w.hubs[0]));
}

static void publishing_tells_how_many_there_are(void **state)
{
    (void)state;
    static struct client a, b;
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
    assert_int_equal(world_publish_as(&w, 0, "presence-r", "1", 0).n_subs, 0);
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_subscribes(&b, "presence-r", "{\"user_id\":1}");
    struct hub_publish p = world_publish_as(&w, 1, "presence-r", "1", a.conn.socket_id);
    assert_int_equal(p.n_subs, 2);
    assert_int_equal(p.n_users, 1);
    client_skips(&a);
    client_skips(&b);
    world_settle(&w);
    assert_hears_nothing(&a);
    assert_hears(&b, EVENT("presence-r", "1"));
}

static void an_event_without_data_has_none(void **state)
{
    (void)state;
    static struct client a;
    client_open(&a, &w, 0, 1);
    world_publish(&w, "cache-c", "");
    client_subscribes(&a, "cache-c", NULL);
    assert_hears(&a, SUCCEEDED("cache-c"));
    assert_hears(&a, "{\"event\":\"e\",\"channel\":\"cache-c\"}");
}

static void the_oldest_delivered_event_of_a_turn_is_remembered(void **state)
{
    (void)state;
    static struct client a, b;
    uint64_t at_ns = 0;
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
    client_subscribes(&a, "c", NULL);
    client_subscribes(&b, "c", NULL);
    world_settle(&w);
    assert_int_equal(hub_take_delivered(w.hubs[0], &at_ns), 0);

    uint64_t first_ns = w.now_ms * 1000000;
    world_publish(&w, "c", "1");
    w.now_ms += 7;
    world_publish(&w, "c", "2");
    world_publish(&w, "nobody", "3");
    world_publish_as(&w, 0, "c", "4", a.conn.socket_id); /* worker 0 has nobody else */
    w.now_ms += 7;
    world_settle(&w);
    assert_int_equal(hub_take_delivered(w.hubs[0], &at_ns), 2);
    assert_int_equal(at_ns, first_ns);
    assert_int_equal(hub_take_delivered(w.hubs[0], &at_ns), 0);
    assert_int_equal(hub_take_delivered(w.hubs[1], &at_ns), 3);
    assert_int_equal(at_ns, first_ns);

    world_publish(&w, "c", "5");
    world_settle(&w);
    assert_int_equal(hub_take_delivered(w.hubs[0], &at_ns), 1);
    assert_int_equal(at_ns, first_ns + 14 * 1000000);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_publish_is_one_message_for_each_worker_with_subscribers),
        IN_WORLD(a_large_fan_out_takes_several_turns),
        IN_WORLD(a_suspended_fan_out_meets_everybody_once),
        IN_WORLD(a_channel_is_emptied_while_it_is_suspended),
        IN_WORLD(a_turn_is_bounded_even_if_nobody_hears),
        IN_WORLD(an_overloaded_worker_is_everybodys_brake),
        IN_WORLD(publishing_tells_how_many_there_are),
        IN_WORLD(an_event_without_data_has_none),
        IN_WORLD(the_oldest_delivered_event_of_a_turn_is_remembered),
    };
    return RUN_TESTS(tests);
}
