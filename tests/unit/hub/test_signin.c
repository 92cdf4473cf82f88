/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_signin.c: signed-in users, messages to them, watchlists, terminate. */
#include "unit/hub/room.h"

static struct world w;
static struct client a, b, c;

#define SUCCESS(user_data)                                                                         \
    "{\"event\":\"pusher:signin_success\",\"data\":\"{\\\"user_data\\\":\\\"" user_data "\\\"}\"}"
#define WATCH(events)                                                                              \
    "{\"event\":\"pusher_internal:watchlist_events\",\"data\":\"{\\\"events\\\":[" events "]}\"}"
#define STATE(name, ids) "{\\\"name\\\":\\\"" name "\\\",\\\"user_ids\\\":[" ids "]}"

static int open_world(void **state)
{
    (void)state;
    world_init(&w, 2);
    w.settings[0].watchlist = true;
    return 0;
}

static void enter(void)
{
    world_open(&w);
    client_open(&a, &w, 0, 1);
    client_open(&b, &w, 1, 2);
    client_open(&c, &w, 0, 3);
}

static int close_world(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void a_user_is_reached_on_all_his_sockets(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":42}");
    assert_hears(&a, SUCCESS("{\\\\\\\"id\\\\\\\":42}"));
    client_signs_in(&b, "{\"id\":\"42\"}");
    client_skips(&b);
    struct hub_publish p = world_publish_as(&w, 1, "#server-to-user-42", "1", 0);
    assert_int_equal(p.n_subs, 2);
    world_settle(&w);
    assert_hears(&a, EVENT("#server-to-user-42", "1"));
    assert_hears(&b, EVENT("#server-to-user-42", "1"));
    assert_span(hub_conn_user(&b.conn), "42");
    assert_null(hub_conn_user(&c.conn).p);
    world_publish_as(&w, 0, "#server-to-user-42", "2", a.conn.socket_id);
    world_settle(&w);
    assert_hears_nothing(&a);
    assert_hears(&b, EVENT("#server-to-user-42", "2"));
    assert_int_equal(world_publish_as(&w, 0, "#server-to-user-43", "1", 0).n_subs, 0);
}

static void a_sign_in_skips_older_messages(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":\"42\"}");
    client_skips(&a);
    world_publish(&w, "#server-to-user-42", "1");
    client_signs_in(&c, "{\"id\":\"42\"}"); /* the same worker, before its mailbox runs */
    client_skips(&c);
    world_settle(&w);
    assert_hears(&a, EVENT("#server-to-user-42", "1"));
    assert_hears_nothing(&c);
}

static void signing_in_again_keeps_the_first_user(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":\"42\"}");
    client_skips(&a);
    client_signs_in(&a, "{\"id\":\"42\",\"x\":1}");
    assert_hears(&a, SUCCESS("{\\\\\\\"id\\\\\\\":\\\\\\\"42\\\\\\\",\\\\\\\"x\\\\\\\":1}"));
    client_signs_in(&a, "{\"id\":\"43\"}");
    assert_hears(&a, ERROR_FRAME("4009", "Connection not authorized: it is signed in as another "
                                         "user already."));
    assert_int_equal(a.close_code, 0);
    assert_span(hub_conn_user(&a.conn), "42");
    assert_int_equal(world_publish_as(&w, 0, "#server-to-user-42", "1", 0).n_subs, 1);
}

static void a_failed_sign_in_closes_where_the_app_says_so(void **state)
{
    (void)state;
    w.settings[0].signin_failure_closes = true;
    enter();
    client_says(&a, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"app-key:0\",\"user_data\":"
                    "\"{}\"}}");
    assert_int_equal(a.close_code, 4009);
    assert_string_equal(a.close_text, "Connection not authorized.");
    assert_hears_nothing(&a);
}

static void watchers_learn_states_and_changes(void **state)
{
    (void)state;
    enter();
    client_signs_in(&b, "{\"id\":\"7\"}");
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\",9,\"7\"]}");
    client_reads(&a);
    assert_hears(&a, WATCH(STATE("online", "\\\"7\\\"") "," STATE("offline", "\\\"9\\\"")));
    client_signs_in(&c, "{\"id\":9}");
    world_settle(&w);
    assert_hears(&a, WATCH(STATE("online", "\\\"9\\\"")));
    client_close(&b);
    world_advance(&w, DIR_OFFLINE_GRACE_MS - 1);
    assert_hears_nothing(&a);
    world_advance(&w, 1);
    assert_hears(&a, WATCH(STATE("offline", "\\\"7\\\"")));
    assert_hears_nothing(&a);
}

/* The change that made him online is under way when the watcher learns the state. */
static void a_watch_skips_changes_that_its_state_contains(void **state)
{
    (void)state;
    enter();
    client_signs_in(&c, "{\"id\":\"1\",\"watchlist\":[\"7\"]}");
    client_reads(&c);
    assert_hears(&c, WATCH(STATE("offline", "\\\"7\\\"")));
    client_signs_in(&b, "{\"id\":\"7\"}");
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\"]}"); /* the same worker as c */
    client_reads(&a);
    assert_hears(&a, WATCH(STATE("online", "\\\"7\\\"")));
    world_settle(&w);
    assert_hears(&c, WATCH(STATE("online", "\\\"7\\\"")));
    assert_hears_nothing(&a); /* he knows it already */
    client_close(&b);
    world_advance(&w, DIR_OFFLINE_GRACE_MS);
    assert_hears(&a, WATCH(STATE("offline", "\\\"7\\\"")));
}

/* --- a reload in the middle of a sign-in: what `a` hears first changes the option --- */

static struct app_settings reloaded;
static unsigned n_heard;
static bool heard_states;

static void reload_once(struct client *client, struct msg *msg)
{
    if (n_heard++ == 0) client->conn.app->s = &reloaded;
    if (memmem(msg_text(msg).p, msg_text(msg).n, "watchlist_events", 16)) heard_states = true;
}

static void sign_in_while_the_option_becomes(bool watchlist)
{
    world_open(&w);
    client_open(&a, &w, 0, 1);
    const struct app_settings *before = a.conn.app->s;
    assert_true(before->watchlist != watchlist);
    reloaded = *before;
    reloaded.watchlist = watchlist;
    n_heard = 0;
    heard_states = false;
    a.hears = reload_once;
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\",\"8\",\"9\"]}");
    assert_true(a.conn.app->s == &reloaded);
    world_settle(&w);
    assert_int_equal(a.close_code, 0);
    assert_true(heard_states != watchlist); /* as it was when the sign-in began */
    client_close(&a);
    a.conn.app->s = before;
    a.hears = NULL;
}

static void a_watchlist_that_is_turned_on_meanwhile_is_safe(void **state)
{
    (void)state;
    w.settings[0].watchlist = false;
    sign_in_while_the_option_becomes(true);
}

static void a_watchlist_that_is_turned_off_meanwhile_is_still_told(void **state)
{
    (void)state;
    sign_in_while_the_option_becomes(false);
}

static void the_grace_rides_out_a_reconnect(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\"]}");
    client_signs_in(&b, "{\"id\":\"7\"}");
    world_settle(&w);
    client_skips(&a);
    client_close(&b);
    world_advance(&w, DIR_OFFLINE_GRACE_MS - 1);
    client_signs_in(&c, "{\"id\":\"7\"}");
    world_advance(&w, DIR_OFFLINE_GRACE_MS * 2);
    assert_hears_nothing(&a);
    client_close(&c); /* gone, and for good */
    world_advance(&w, DIR_OFFLINE_GRACE_MS);
    assert_hears(&a, WATCH(STATE("offline", "\\\"7\\\"")));
}

static void a_second_absence_begins_a_grace_of_its_own(void **state)
{
    (void)state;
    enter();
    static struct client d;
    client_open(&d, &w, 1, 4);
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\"]}");
    client_signs_in(&b, "{\"id\":\"7\"}");
    world_settle(&w);
    client_skips(&a);
    client_close(&b);
    world_advance(&w, 1000);
    client_signs_in(&d, "{\"id\":\"7\"}");
    world_advance(&w, 1000);
    client_close(&d);
    world_advance(&w, DIR_OFFLINE_GRACE_MS - 1);
    assert_hears_nothing(&a);
    world_advance(&w, 1);
    assert_hears(&a, WATCH(STATE("offline", "\\\"7\\\"")));
}

static void a_watcher_may_watch_himself(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"42\"]}");
    client_reads(&a);
    assert_hears(&a, WATCH(STATE("online", "\\\"42\\\"")));
    client_close(&a);
    world_advance(&w, DIR_OFFLINE_GRACE_MS * 2);
    assert_int_equal(dir_user_count(w.dir, &w.apps->all[0], SPAN("42")), 0);
}

static void a_watchlist_ends_at_a_hundred(void **state)
{
    (void)state;
    enter();
    struct buf data = { 0 };
    BUF_ADD_LIT(&data, "{\"id\":\"42\",\"watchlist\":[");
    for (int i = 0; i < 101; i++) buf_add_fmt(&data, "%s\"u%d\"", i ? "," : "", i);
    BUF_ADD_LIT(&data, "]}");
    buf_add_byte(&data, 0);
    client_signs_in(&a, data.p);
    buf_fini(&data);
    client_reads(&a);
    struct span states = client_reads(&a);
    assert_non_null(memmem(states.p, states.n, "u99\\\"]", 6));
    assert_hears(&a,
                 ERROR_FRAME("4302", "Watchlist limit exceeded. Only the first 100 user IDs are "
                                     "accepted."));
    client_signs_in(&b, "{\"id\":\"u100\"}");
    client_signs_in(&c, "{\"id\":\"u99\"}");
    world_settle(&w);
    assert_hears(&a, WATCH(STATE("online", "\\\"u99\\\"")));
    assert_hears_nothing(&a);
}

static void terminate_closes_signed_in_and_present(void **state)
{
    (void)state;
    enter();
    client_signs_in(&a, "{\"id\":\"42\"}");
    client_subscribes(&a, "presence-r", "{\"user_id\":42}");
    client_subscribes(&b, "presence-r", "{\"user_id\":\"42\"}");
    client_subscribes(&c, "presence-r", "{\"user_id\":\"43\"}");
    world_settle(&w);
    client_skips(&c);
    assert_int_equal(hub_terminate(w.hubs[1], &w.apps->all[1], SPAN("42")), ERR_OK);
    world_settle(&w);
    assert_int_equal(a.close_code, 0); /* that was another app */
    assert_int_equal(hub_terminate(w.hubs[1], &w.apps->all[0], SPAN("42")), ERR_OK);
    world_settle(&w);
    assert_int_equal(a.close_code, 4009);
    assert_int_equal(b.close_code, 4009);
    assert_int_equal(c.close_code, 0);
    assert_string_equal(b.close_text, "You got disconnected by the app.");
    assert_hears(&c, REMOVED("presence-r", "\\\"42\\\""));
    assert_hears_nothing(&c);
    assert_int_equal(world_publish_as(&w, 0, "#server-to-user-42", "1", 0).n_subs, 0);
}

static void without_the_option_a_watchlist_is_nothing(void **state)
{
    (void)state;
    w.settings[0].watchlist = false;
    enter();
    client_signs_in(&a, "{\"id\":\"42\",\"watchlist\":[\"7\"]}");
    client_reads(&a);
    client_signs_in(&b, "{\"id\":\"7\"}");
    world_settle(&w);
    assert_hears_nothing(&a);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_user_is_reached_on_all_his_sockets),
        IN_WORLD(a_sign_in_skips_older_messages),
        IN_WORLD(signing_in_again_keeps_the_first_user),
        IN_WORLD(a_failed_sign_in_closes_where_the_app_says_so),
        IN_WORLD(watchers_learn_states_and_changes),
        IN_WORLD(a_watch_skips_changes_that_its_state_contains),
        IN_WORLD(a_watchlist_that_is_turned_on_meanwhile_is_safe),
        IN_WORLD(a_watchlist_that_is_turned_off_meanwhile_is_still_told),
        IN_WORLD(the_grace_rides_out_a_reconnect),
        IN_WORLD(a_second_absence_begins_a_grace_of_its_own),
        IN_WORLD(a_watcher_may_watch_himself),
        IN_WORLD(a_watchlist_ends_at_a_hundred),
        IN_WORLD(terminate_closes_signed_in_and_present),
        IN_WORLD(without_the_option_a_watchlist_is_nothing),
    };
    return RUN_TESTS(tests);
}
