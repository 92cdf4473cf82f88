/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_show.c: what a back end may ask: channels, people, connections. */
#include "unit/api/ask.h"

static void channels_are_sorted_and_occupied(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_get(rig, "/channels", NULL);
    assert_answer(rig, 200, "{\"channels\":{}}");
    rig_subscribe(rig, c, "zoo", NULL);
    rig_subscribe(rig, c, "orders", NULL);
    rig_subscribe(rig, d, "orders", NULL);
    rig_subscribe(rig, d, "presence-room", "{\"user_id\":\"7\"}");
    rig_get(rig, "/channels", NULL);
    assert_answer(rig, 200,
                  "{\"channels\":{\"orders\":{\"occupied\":true,\"subscription_count\":2},"
                  "\"presence-room\":{\"occupied\":true,\"subscription_count\":1},"
                  "\"zoo\":{\"occupied\":true,\"subscription_count\":1}}}");
    rig_get(rig, "/channels", "filter_by_prefix=presence-&info=user_count");
    assert_answer(rig, 200,
                  "{\"channels\":{\"presence-room\":{\"occupied\":true,\"subscription_count\":1,"
                  "\"user_count\":1}}}");
    rig_get(rig, "/channels", "info=user_count&filter_by_prefix=z");
    assert_answer(rig, 200,
                  "{\"channels\":{\"zoo\":{\"occupied\":true,\"subscription_count\":1}}}");
    rig_say(rig, c, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"zoo\"}}");
    rig_get(rig, "/channels", "filter_by_prefix=z");
    assert_answer(rig, 200, "{\"channels\":{}}");
}

static void channels_of_users_are_not_listed(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_signin(rig, c, "7");
    rig_subscribe(rig, c, "#server-to-user-7", NULL);
    rig_get(rig, "/channels", NULL);
    assert_answer(rig, 200, "{\"channels\":{}}");
}

static void a_channel_tells_what_was_asked(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_subscribe(rig, c, "orders", NULL);
    rig_subscribe(rig, c, "presence-room", "{\"user_id\":\"7\"}");
    rig_subscribe(rig, d, "presence-room", "{\"user_id\":\"7\"}");
    rig_get(rig, "/channels/orders", NULL);
    assert_answer(rig, 200, "{\"occupied\":true}");
    rig_get(rig, "/channels/orders", "info=subscription_count,cache");
    assert_answer(rig, 200, "{\"occupied\":true,\"subscription_count\":1}");
    rig_get(rig, "/channels/presence-room", "info=user_count,subscription_count");
    assert_answer(rig, 200, "{\"occupied\":true,\"user_count\":1}");
    rig_get(rig, "/channels/nobody", NULL);
    assert_answer(rig, 200, "{\"occupied\":false}");
    rig_get(rig, "/channels/nobody", "info=subscription_count,cache");
    assert_answer(rig, 200, "{\"occupied\":false}");
    rig_get(rig, "/channels/presence-nobody", "info=user_count");
    assert_answer(rig, 200, "{\"occupied\":false}");
    rig_get(rig, "/channels/orders", "info=user_count");
    assert_refused(rig, 400,
                   "Cannot retrieve the user count unless the channel is a presence channel. The "
                   "channel 'orders' of app 'app-id' is none: presence channels begin with "
                   "presence-.");
}

static void names_in_the_path_are_decoded(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a@b;c=d,e", NULL);
    rig_get(rig, "/channels/a%40b%3Bc%3Dd%2Ce", NULL);
    assert_answer(rig, 200, "{\"occupied\":true}");
    rig_get(rig, "/channels/a@b;c=d,e", NULL);
    assert_answer(rig, 200, "{\"occupied\":true}");
}

static void a_cached_event_is_shown_with_its_time(void **state)
{
    struct rig *rig = *state;
    rig_get(rig, "/channels/cache-news", "info=cache");
    assert_answer(rig, 200, "{\"occupied\":false,\"cache\":null}");
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channel\":\"cache-news\",\"data\":\"{\\\"a\\\":\\\"b\\\"}\"}");
    rig->now_ms += 800500;
    rig_turn(rig);
    rig_get(rig, "/channels/cache-news", "info=cache,subscription_count");
    assert_answer(rig, 200,
                  "{\"occupied\":false,\"cache\":{\"data\":\"{\\\"a\\\":"
                  "\\\"b\\\"}\",\"ttl\":1000}}");
    rig->now_ms += 1000000;
    rig_turn(rig);
    rig_get(rig, "/channels/cache-news", "info=cache");
    assert_answer(rig, 200, "{\"occupied\":false,\"cache\":null}");
}

static void a_cache_without_an_end_has_no_ttl(void **state)
{
    struct rig *rig = *state;
    rig->settings[0].cache_ttl_s = 0;
    rig_post(rig, "/events", "{\"name\":\"e\",\"channel\":\"private-cache-x\",\"data\":[1, 2]}");
    rig->now_ms += 1000000000;
    rig_turn(rig);
    rig_get(rig, "/channels/private-cache-x", "info=cache");
    assert_answer(rig, 200, "{\"occupied\":false,\"cache\":{\"data\":[1, 2],\"ttl\":null}}");
}

static void people_are_listed_once(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    struct client *e = rig_connect(rig, 5, 6);
    rig_get(rig, "/channels/presence-room/users", NULL);
    assert_answer(rig, 200, "{\"users\":[]}");
    rig_subscribe(rig, c, "presence-room", "{\"user_id\":42,\"user_info\":{\"name\":\"Ann\"}}");
    rig_subscribe(rig, d, "presence-room", "{\"user_id\":42,\"user_info\":{\"name\":\"Ann\"}}");
    rig_subscribe(rig, e, "presence-room", "{\"user_id\":\"7\"}");
    rig_get(rig, "/channels/presence-room/users", NULL);
    assert_answer(rig, 200, "{\"users\":[{\"id\":\"42\"},{\"id\":\"7\"}]}");
    rig_get(rig, "/channels/presence-room/users", "with_user_info=1");
    assert_answer(rig, 200,
                  "{\"users\":[{\"id\":\"42\",\"user_info\":{\"name\":\"Ann\"}},"
                  "{\"id\":\"7\",\"user_info\":null}]}");
}

static void other_channels_have_no_people(void **state)
{
    struct rig *rig = *state;
    rig_get(rig, "/channels/orders/users", NULL);
    assert_refused(rig, 400,
                   "The channel must be a presence channel. The channel 'orders' of app 'app-id' "
                   "is none: presence channels begin with presence-.");
}

static void connections_are_counted(void **state)
{
    struct rig *rig = *state;
    rig_get(rig, "/connections", NULL);
    assert_answer(rig, 200, "{\"connections\":0}");
    rig_connect(rig, 1, 2);
    rig_connect(rig, 3, 4);
    rig_get(rig, "/connections", NULL);
    assert_answer(rig, 200, "{\"connections\":2}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(channels_are_sorted_and_occupied),
        RIG_TEST(channels_of_users_are_not_listed),
        RIG_TEST(a_channel_tells_what_was_asked),
        RIG_TEST(names_in_the_path_are_decoded),
        RIG_TEST(a_cached_event_is_shown_with_its_time),
        RIG_TEST(a_cache_without_an_end_has_no_ttl),
        RIG_TEST(people_are_listed_once),
        RIG_TEST(other_channels_have_no_people),
        RIG_TEST(connections_are_counted),
    };
    return RUN_TESTS(tests);
}
