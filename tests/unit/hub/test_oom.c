/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_oom.c: every scenario with its first, second, … allocation refused: no crash,
 * no leak, and afterwards a directory in which everything can go on and be closed.
 *
 * Each is swept with one refusal and with all from there on, and with a server that closes at once
 * or later. What a client says is written before, so that only the hub's allocations fail. */
#include "unit/hub/room.h"

static struct world w;
static struct client actor, near, far;
static struct buf said; /* what the actor is going to say */

static void prepare_subscribe(const char *channel, const char *data)
{
    write_subscribe(&said, &actor, span_str(channel), span_str(data));
}

static void say(void)
{
    client_says_span(&actor, buf_span(&said));
}

static void publish_on(const char *channel)
{
    struct hub_publish p = {
        .app = &w.apps->all[0],
        .channel = span_str(channel),
        .kind = chan_kind_of(span_str(channel)),
        .name_raw = SPAN("\"e\""),
        .data_raw = SPAN("7"),
    };
    enum err err = hub_publish(w.hubs[0], &p);
    CHECK(err == ERR_OK || err == ERR_NOMEM);
}

/* --- scenarios: what comes before (memory is there), then what is swept --- */

static void before_public(void)
{
    prepare_subscribe("new", NULL);
}
static void before_other(void)
{
    prepare_subscribe("public", NULL);
}
static void before_presence(void)
{
    prepare_subscribe("presence-cache-r", "{\"user_id\":1}");
}
static void before_repeat(void)
{
    prepare_subscribe("public", NULL);
    say();
}
static void before_repeat_presence(void)
{
    prepare_subscribe("presence-cache-r", "{\"user_id\":1}");
    say();
}
static void before_repeat_as_other(void)
{
    client_subscribes(&actor, "presence-cache-r", "{\"user_id\":9}");
    prepare_subscribe("presence-cache-r", "{\"user_id\":1}");
}
static void before_renewal(void)
{
    client_subscribes(&actor, "presence-cache-r", "{\"user_id\":1,\"user_info\":1}");
    prepare_subscribe("presence-cache-r", "{\"user_id\":1,\"user_info\":2}");
}
static void before_signin(void)
{
    write_signin(&said, &actor, SPAN("{\"id\":\"1\",\"watchlist\":[\"2\",\"3\",4,\"5\",\"2\"]}"));
}
static void before_client_event(void)
{
    client_subscribes(&actor, "private-p", NULL);
    BUF_ADD_LIT(&said, "{\"event\":\"client-\\u0074\",\"channel\":\"private-p\",\"data\":[1]}");
}
static void before_refusal(void)
{
    BUF_ADD_LIT(&said, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"private-p\"}}");
}
static void before_ping(void)
{
    BUF_ADD_LIT(&said, "{\"event\":\"pusher:ping\"}");
}
static void before_leaving(void)
{
    client_subscribes(&actor, "presence-cache-r", "{\"user_id\":1}");
    client_subscribes(&actor, "public", NULL);
    client_signs_in(&actor, "{\"id\":\"5\",\"watchlist\":[\"2\"]}");
    BUF_ADD_LIT(&said,
                "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"presence-cache-r\"}}");
}
static void before_nothing(void)
{
}

static void close_actor(void)
{
    client_close(&actor);
}
static void publish_public(void)
{
    publish_on("public");
}
static void publish_cached(void)
{
    publish_on("cache-fresh");
}
static void publish_presence_cached(void)
{
    publish_on("presence-cache-r");
}
static void publish_to_user(void)
{
    publish_on("#server-to-user-2");
}
static void terminate(void)
{
    enum err err = hub_terminate(w.hubs[1], &w.apps->all[0], SPAN("2"));
    CHECK(err == ERR_OK || err == ERR_NOMEM);
}
static void advance(void)
{
    w.now_ms += DIR_OFFLINE_GRACE_MS + 2000 * 1000; /* graces and caches are due with the turn */
}
static void go_away_and_wait(void)
{
    client_close(&actor);
    advance();
}
static void list(void)
{
    struct dir_list all;
    if (dir_list(w.dir, &w.apps->all[0], SPAN(""), &all) == ERR_OK) dir_list_fini(&all);
}

static const struct scenario {
    const char *name;
    void (*before)(void), (*run)(void);
} scenarios[] = {
    { "subscribe to a new channel", before_public, say },
    { "subscribe to a known channel", before_other, say },
    { "subscribe to a presence channel", before_presence, say },
    { "repeat", before_repeat, say },
    { "repeat on a presence channel", before_repeat_presence, say },
    { "repeat as somebody else", before_repeat_as_other, say },
    { "repeat with new info", before_renewal, say },
    { "sign in with a watchlist", before_signin, say },
    { "client event", before_client_event, say },
    { "refusal", before_refusal, say },
    { "ping", before_ping, say },
    { "unsubscribe", before_leaving, say },
    { "close", before_leaving, close_actor },
    { "close and what follows later", before_leaving, go_away_and_wait },
    { "publish", before_nothing, publish_public },
    { "publish to a cache", before_nothing, publish_cached },
    { "publish to presence and cache", before_leaving, publish_presence_cached },
    { "publish to a user", before_nothing, publish_to_user },
    { "terminate", before_leaving, terminate },
    { "caches end", before_leaving, advance },
    { "list", before_leaving, list },
};

/* Counts are posts, which hold their channel: without them it goes at the first opportunity. */
static void set_up(bool closes_late, bool counts)
{
    world_init(&w, 2);
    w.settings[0].watchlist = true;
    w.settings[0].subscription_count = counts;
    w.closes_late = closes_late;
    world_open(&w);
    client_open(&actor, &w, 0, 1);
    client_open(&near, &w, 0, 2);
    client_open(&far, &w, 1, 3);
    client_signs_in(&near, "{\"id\":\"2\",\"watchlist\":[\"1\",\"5\"]}");
    client_signs_in(&far, "{\"id\":\"3\",\"watchlist\":[\"1\",\"5\"]}");
    client_subscribes(&near, "public", NULL);
    client_subscribes(&far, "public", NULL);
    client_subscribes(&near, "private-p", NULL);
    client_subscribes(&near, "presence-cache-r", "{\"user_id\":2}");
    client_subscribes(&far, "presence-cache-r", "{\"user_id\":3}");
    world_publish(&w, "presence-cache-r", "1");
    world_settle(&w);
}

static uint32_t how_many_on(const char *channel)
{
    struct dir_facts facts;
    dir_facts(w.dir, &w.apps->all[0], span_str(channel), w.now_ms, &facts);
    msg_unref(facts.cached);
    return facts.n_subs;
}

/* Whoever the directory counts must hear, and nobody else. */
static void check_afterwards(const char *channel)
{
    struct client *all[] = { &actor, &near, &far };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) client_skips(all[i]);
    uint32_t n = 0;
    world_publish(&w, channel, "8");
    world_settle(&w);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        while (client_reads(all[i]).p) n++;
    CHECK(n == how_many_on(channel));
}

/* With allocation number `n` refused; true when none was. */
static bool run_once(const struct scenario *s, long n, bool sticky, bool late)
{
    set_up(late, sticky);
    s->before();
    world_settle(&w);
    client_skips(&actor);
    client_skips(&near);
    client_skips(&far);
    mem_fail_after(n, sticky);
    s->run();
    for (unsigned i = 0; i < w.n_workers; i++) world_turn(&w, i);
    bool refused = mem_fail_count() > 0;
    mem_fail_after(-1, false);
    world_settle(&w);
    check_afterwards("public");
    check_afterwards("new");
    check_afterwards("presence-cache-r");
    struct roster_view *people = dir_roster(w.dir, &w.apps->all[0], SPAN("presence-cache-r"));
    CHECK((people ? people->n_members : 0) == how_many_on("presence-cache-r"));
    roster_view_unref(people);
    world_end(&w);
    buf_fini(&said);
    return !refused;
}

static void nothing_breaks_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        for (int how = 0; how < 4; how++) {
            long n = 0;
            while (!run_once(&scenarios[i], n, how & 1, how & 2)) n++;
            print_message("%s: %ld allocations\n", scenarios[i].name, n);
            assert_true(n > 0 || scenarios[i].run == advance);
        }
}

static void opening_survives_any_failed_allocation(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++)
        for (long n = 0;; n++) {
            set_up(how & 2, false);
            static struct client fresh;
            fresh = (struct client) { .world = &w, .worker = 1 };
            list_push(&w.clients, &fresh.node);
            mem_fail_after(n, how & 1);
            hub_conn_open(w.hubs[1], &fresh.conn, &w.apps->all[0], 99);
            hub_turn_end(w.hubs[1]);
            bool refused = mem_fail_count() > 0;
            mem_fail_after(-1, false);
            assert_int_equal(fresh.n_heard, refused ? 0 : 1);
            assert_int_equal(fresh.close_code, refused ? 4100 : 0);
            world_end(&w);
            if (!refused) break;
        }
}

static void a_directory_and_hubs_may_not_come_about(void **state)
{
    (void)state;
    struct dir_hooks hooks = { .frame_head = world_plain_head, .wake = world_wake };
    for (long n = 0; n < 2; n++) {
        struct directory *dir = NULL;
        mem_fail_after(n, false);
        enum err err = dir_new(&dir, 2, 0, &hooks);
        mem_fail_after(-1, false);
        assert_int_equal(err, ERR_NOMEM);
        assert_null(dir);
    }
    struct hub *hub = NULL;
    struct hub_sink sink = { 0 };
    mem_fail_after(0, false);
    enum err err = hub_new(&hub, NULL, 0, &sink);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
    assert_null(hub);
    hub_free(NULL);
    dir_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_breaks_without_memory),
        cmocka_unit_test(opening_survives_any_failed_allocation),
        cmocka_unit_test(a_directory_and_hubs_may_not_come_about),
    };
    return RUN_TESTS(tests);
}
