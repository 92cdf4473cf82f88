/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_directory.c: what the workers share: counts, caches, throttled counts,
 * deadlines, lists, wake-ups. Through hubs where connections take part. */
#include "unit/hub/room.h"

static struct world w;
static struct client a, b, c;
static struct app *app;

#define COUNT(chan, n)                                                                             \
    "{\"event\":\"pusher_internal:subscription_count\",\"channel\":\"" chan                        \
    "\",\"data\":\"{\\\"subscription_count\\\":" n "}\"}"
#define MISS(chan) "{\"event\":\"pusher:cache_miss\",\"channel\":\"" chan "\",\"data\":\"{}\"}"

static int open_world(void **state)
{
    (void)state;
    world_init(&w, 3);
    return 0;
}

static void enter(void)
{
    world_open(&w);
    app = &w.apps->all[0];
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
    client_open(&c, &w, 2, 3);
}

static int close_world(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static struct dir_facts facts_of(const char *channel)
{
    struct dir_facts facts;
    bool known = dir_facts(w.dir, app, span_str(channel), w.now_ms, &facts);
    if (!known) assert_true(facts.n_subs == 0 && facts.n_users == 0 && !facts.cached);
    return facts;
}

static void facts_are_of_the_moment(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "presence-r", "{\"user_id\":1}");
    client_subscribes(&b, "presence-r", "{\"user_id\":1}");
    client_subscribes(&c, "presence-r", "{\"user_id\":2}");
    assert_int_equal(facts_of("presence-r").n_subs, 3);
    assert_int_equal(facts_of("presence-r").n_users, 2);
    client_close(&c);
    client_close(&a);
    assert_int_equal(facts_of("presence-r").n_subs, 1);
    assert_int_equal(facts_of("presence-r").n_users, 1);
    assert_int_equal(facts_of("presence-").n_subs, 0);
    struct roster_view *people = dir_roster(w.dir, app, SPAN("presence-r"));
    assert_int_equal(people->n_members, 1);
    roster_view_unref(people);
    client_close(&b);
    assert_null(dir_roster(w.dir, app, SPAN("presence-r")));
    struct dir_facts facts;
    world_settle(&w); /* what was posted holds the record until then */
    assert_false(dir_facts(w.dir, app, SPAN("presence-r"), 0, &facts));
}

static void a_cached_event_ends(void **state)
{
    (void)state;
    w.settings[0].cache_ttl_s = 10;
    enter();
    world_publish(&w, "cache-c", "\"one\"");
    world_advance(&w, 4000);
    struct dir_facts facts = facts_of("cache-c");
    assert_int_equal(facts.ttl_ms, 6000);
    assert_span(span_of(msg_text(facts.cached).p + facts.data_at, facts.data_n), "\"one\"");
    msg_unref(facts.cached);
    world_publish(&w, "cache-c", "\"two\""); /* begins anew */
    world_advance(&w, 9999);
    client_subscribes(&a, "cache-c", NULL);
    assert_hears(&a, SUCCEEDED("cache-c"));
    assert_hears(&a, EVENT("cache-c", "\"two\""));
    world_advance(&w, 1);
    assert_int_equal(atomic_load(&app->cache_bytes), 0);
    client_subscribes(&b, "cache-c", NULL);
    assert_hears(&b, SUCCEEDED("cache-c"));
    assert_hears(&b, MISS("cache-c"));
    client_close(&a);
    client_close(&b);
    world_settle(&w);
    assert_false(dir_facts(w.dir, app, SPAN("cache-c"), w.now_ms, &facts));
}

static void a_purge_takes_all_cached_events_of_one_app(void **state)
{
    (void)state;
    w.settings[0].cache_ttl_s = 0;
    enter();
    for (int i = 0; i < 20000; i++) { /* more of a stripe than go at one time */
        char name[32];
        snprintf(name, sizeof name, "cache-%d", i);
        world_publish(&w, name, "1");
    }
    assert_true(atomic_load(&app->cache_bytes) > 20000);
    dir_purge(w.dir, &w.apps->all[1]);
    assert_true(atomic_load(&app->cache_bytes) > 20000);
    dir_purge(w.dir, app);
    assert_int_equal(atomic_load(&app->cache_bytes), 0);
    client_subscribes(&a, "cache-7", NULL);
    assert_hears(&a, SUCCEEDED("cache-7"));
    assert_hears(&a, MISS("cache-7"));
}

static void a_cache_without_end_stays_until_it_is_replaced(void **state)
{
    (void)state;
    w.settings[0].cache_ttl_s = 0;
    enter();
    world_publish(&w, "cache-c", "1");
    world_publish(&w, "cache-d", "1"); /* still there when the directory ends */
    world_advance(&w, UINT64_C(100) * 86400000);
    struct dir_facts facts = facts_of("cache-c");
    assert_true(facts.ttl_ms == DEADLINE_NEVER);
    msg_unref(facts.cached);
}

static void the_cache_has_a_limit(void **state)
{
    (void)state;
    w.settings[0].limits.cache_bytes = 1000;
    enter();
    world_publish(&w, "cache-c", "1");
    uint64_t one = atomic_load(&app->cache_bytes);
    assert_true(one > sizeof(struct dir_chan) && one < 500); /* the event, and its channel */
    w.settings[0].limits.cache_bytes = 2 * one + one / 2;
    world_publish(&w, "cache-c", "2"); /* in place of the first */
    assert_true(atomic_load(&app->cache_bytes) == one);
    world_publish(&w, "cache-d", "1");
    assert_int_equal(w.n_cache_full, 0);
    world_publish(&w, "cache-e", "1");
    assert_int_equal(w.n_cache_full, 1);
    assert_null(facts_of("cache-e").cached);
    char data[600];
    memset(data, '1', sizeof data);
    data[sizeof data - 1] = 0;
    world_publish(&w, "cache-c", data); /* too large; the older one would be stale */
    assert_int_equal(w.n_cache_full, 2);
    assert_null(facts_of("cache-c").cached);
    assert_true(atomic_load(&app->cache_bytes) == one);
    assert_int_equal(atomic_load(&w.apps->all[1].cache_bytes), 0);
}

static void client_events_are_not_cached(void **state)
{
    (void)state;
    enter();
    client_subscribes(&a, "private-cache-c", NULL);
    client_says(&a, "{\"event\":\"client-t\",\"channel\":\"private-cache-c\",\"data\":1}");
    assert_null(facts_of("private-cache-c").cached);
}

static void counts_are_told_to_everybody(void **state)
{
    (void)state;
    w.settings[0].subscription_count = true;
    enter();
    client_subscribes(&a, "c", NULL);
    world_settle(&w);
    assert_hears(&a, SUCCEEDED("c"));
    assert_hears(&a, COUNT("c", "1"));
    client_subscribes(&b, "c", NULL);
    world_settle(&w);
    assert_hears(&a, COUNT("c", "2"));
    assert_hears(&b, SUCCEEDED("c"));
    assert_hears(&b, COUNT("c", "2"));
    client_subscribes(&b, "c", NULL); /* again changes nothing */
    client_subscribes(&b, "presence-r", "{\"user_id\":1}");
    world_settle(&w);
    client_skips(&b);
    client_close(&a);
    world_settle(&w);
    assert_hears(&b, COUNT("c", "1"));
    assert_hears_nothing(&b);
}

#define CROWD 130

static void counts_of_large_channels_are_throttled(void **state)
{
    (void)state;
    w.settings[0].subscription_count = true;
    enter();
    static struct client crowd[CROWD];
    for (uint32_t i = 0; i < CROWD; i++) {
        client_open(&crowd[i], &w, i % 3, i + 10);
        client_subscribes(&crowd[i], "c", NULL);
        world_settle(&w);
        for (uint32_t k = 0; k <= i; k++) client_skips(&crowd[k]);
        if (i == 99) client_subscribes(&a, "c", NULL); /* number 101 listens */
    }
    client_reads(&a);
    assert_hears_nothing(&a);
    world_advance(&w, 4999); /* protocol page 2.6: once in five seconds */
    assert_hears_nothing(&a);
    world_advance(&w, 1);
    assert_hears(&a, COUNT("c", "131"));
    client_skips(&crowd[0]);
    world_advance(&w, 15000);
    assert_hears_nothing(&a); /* without a change nothing is told */
    client_close(&crowd[CROWD - 1]);
    world_settle(&w);
    assert_hears(&a, COUNT("c", "130")); /* at once, since the last is long ago */
    world_advance(&w, 4999);
    client_close(&crowd[CROWD - 2]);
    world_settle(&w);
    assert_hears_nothing(&a);
    world_advance(&w, 1);
    assert_hears(&a, COUNT("c", "129"));
    for (uint32_t i = 0; i < CROWD; i++) {
        client_skips(&crowd[i]);
        client_close(&crowd[i]);
        world_settle(&w);
        client_skips(&a);
        for (uint32_t k = i; k < CROWD; k++) client_skips(&crowd[k]);
    }
    client_close(&a); /* a count may still be waiting for a channel that is gone */
}

static void lists_are_sorted_and_of_one_app(void **state)
{
    (void)state;
    enter();
    static struct client other;
    client_open_as(&other, &w, 0, 1, 77);
    client_subscribes(&other, "zzz", NULL);
    client_subscribes(&a, "b", NULL);
    client_subscribes(&b, "b", NULL);
    client_subscribes(&a, "presence-ab", "{\"user_id\":1}");
    client_subscribes(&a, "presence-a", "{\"user_id\":1}");
    world_publish(&w, "cache-x", "1"); /* known, but nobody is there */
    struct dir_list list;
    assert_int_equal(dir_list(w.dir, app, SPAN(""), &list), ERR_OK);
    assert_int_equal(list.n, 3);
    assert_span(list.items[0].name, "b");
    assert_int_equal(list.items[0].n_subs, 2);
    assert_span(list.items[1].name, "presence-a");
    assert_int_equal(list.items[1].n_users, 1);
    assert_int_equal(list.items[1].kind.type, CHAN_PRESENCE);
    assert_span(list.items[2].name, "presence-ab");
    dir_list_fini(&list);
    assert_int_equal(dir_list(w.dir, app, SPAN("presence-ab"), &list), ERR_OK);
    assert_int_equal(list.n, 1);
    dir_list_fini(&list);
    assert_int_equal(dir_list(w.dir, app, SPAN("nothing"), &list), ERR_OK);
    assert_int_equal(list.n, 0);
    dir_list_fini(&list);
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        client_subscribes(&c, name, NULL);
        client_skips(&c);
    }
    assert_int_equal(dir_list(w.dir, app, SPAN("m"), &list), ERR_OK);
    assert_int_equal(list.n, 200);
    dir_list_fini(&list);
}

static void only_workers_with_subscribers_are_woken(void **state)
{
    (void)state;
    enter();
    client_subscribes(&b, "c", NULL);
    world_settle(&w);
    world_publish_as(&w, 0, "c", "1", 0);
    assert_false(w.woken[0] || w.woken[2]);
    assert_true(w.woken[1]);
    w.woken[1] = false;
    world_publish_as(&w, 0, "c", "2", 0); /* one wake-up per batch */
    assert_false(w.woken[1]);
    world_publish_as(&w, 0, "nobody", "2", 0);
    assert_true(dir_backlog_bytes(w.dir, 1) > 0);
    assert_int_equal(dir_backlog_bytes(w.dir, 0), 0);
}

static void a_deadline_wakes_the_worker_that_serves_it(void **state)
{
    (void)state;
    w.settings[0].cache_ttl_s = 5;
    enter();
    for (unsigned i = 0; i < 3; i++) assert_true(hub_next_deadline_ms(w.hubs[i]) == DEADLINE_NEVER);
    world_publish_as(&w, 0, "cache-c", "1", 0);
    unsigned n_woken = 0;
    for (unsigned i = 0; i < 3; i++)
        if (w.woken[i]) {
            n_woken++;
            assert_true(hub_next_deadline_ms(w.hubs[i]) == w.now_ms + 5000);
        }
    assert_int_equal(n_woken, 1);
    world_advance(&w, 5000);
    for (unsigned i = 0; i < 3; i++) assert_true(hub_next_deadline_ms(w.hubs[i]) == DEADLINE_NEVER);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(facts_are_of_the_moment),
        IN_WORLD(a_cached_event_ends),
        IN_WORLD(a_purge_takes_all_cached_events_of_one_app),
        IN_WORLD(a_cache_without_end_stays_until_it_is_replaced),
        IN_WORLD(the_cache_has_a_limit),
        IN_WORLD(client_events_are_not_cached),
        IN_WORLD(counts_are_told_to_everybody),
        IN_WORLD(counts_of_large_channels_are_throttled),
        IN_WORLD(lists_are_sorted_and_of_one_app),
        IN_WORLD(only_workers_with_subscribers_are_woken),
        IN_WORLD(a_deadline_wakes_the_worker_that_serves_it),
    };
    return RUN_TESTS(tests);
}
