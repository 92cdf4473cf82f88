/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_publish.c: who gets what was published, counts, rates, load, users. */
#include "unit/api/ask.h"

static void subscribers_get_the_event_once_each(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_subscribe(rig, c, "orders", NULL);
    rig_subscribe(rig, c, "private-orders.7", NULL);
    rig_subscribe(rig, d, "other", NULL);
    rig_post(rig, "/events",
             "{\"name\":\"order.shipped\",\"channels\":[\"orders\",\"private-orders.7\","
             "\"orders\"],\"data\":\"{\\\"id\\\":7}\"}");
    assert_answer(rig, 200, "{}");
    assert_got(c,
               "{\"event\":\"order.shipped\",\"channel\":\"orders\",\"data\":\"{\\\"id\\\":7}\"}\n"
               "{\"event\":\"order.shipped\",\"channel\":\"private-orders.7\",\"data\":\""
               "{\\\"id\\\":7}\"}\n");
    assert_got(d, "");
}

static void many_channels_are_deduplicated_too(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    struct buf b = { 0 };
    rig_subscribe(rig, c, "c3", NULL);
    rig_subscribe(rig, c, "c9", NULL);
    BUF_ADD_LIT(&b, "{\"name\":\"e\",\"data\":\"x\",\"channels\":[\"c0\"");
    for (int i = 1; i < 20; i++) buf_add_fmt(&b, ",\"c%d\"", i % 10);
    BUF_ADD_LIT(&b, "]}");
    buf_add_byte(&b, '\0');
    rig_post(rig, "/events", b.p);
    assert_answer(rig, 200, "{}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"c3\",\"data\":\"x\"}\n"
                  "{\"event\":\"e\",\"channel\":\"c9\",\"data\":\"x\"}\n");
    buf_fini(&b);
}

static void without_limits_thousands_of_channels_will_do(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    struct buf b = { 0 };
    rig->settings[0].limits.channels_per_publish = 0;
    rig_subscribe(rig, c, "c4999", NULL);
    BUF_ADD_LIT(&b, "{\"name\":\"e\",\"data\":\"x\",\"channels\":[\"a\"");
    for (int i = 0; i < 10000; i++) buf_add_fmt(&b, ",\"c%d\"", i % 5000);
    BUF_ADD_LIT(&b, "]}");
    buf_add_byte(&b, '\0');
    for (int i = 0; i < 2; i++) {
        rig_post(rig, "/events", b.p);
        assert_answer(rig, 200, "{}");
        assert_got(c, "{\"event\":\"e\",\"channel\":\"c4999\",\"data\":\"x\"}\n");
    }
    buf_fini(&b);
}

static void channels_win_over_channel_and_may_be_a_string(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_subscribe(rig, c, "b", NULL);
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channels\":[\"a\"],\"channel\":\"b\",\"data\":\"x\"}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"x\"}\n");
    rig_post(rig, "/events", "{\"name\":\"e\",\"channels\":\"b\",\"data\":\"x\"}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"b\",\"data\":\"x\"}\n");
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channels\":null,\"channel\":\"\\u0061\",\"data\":\"x\"}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"x\"}\n");
}

static void tokens_are_relayed_byte_for_byte(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_post(rig, "/events",
             "{\"name\":\"caf\\u00e9 \xc3\xa9\",\"channel\":\"a\",\"data\":\"a\\/b \\ud83d\\ude80"
             " \\n\"}");
    assert_got(c, "{\"event\":\"caf\\u00e9 \xc3\xa9\",\"channel\":\"a\",\"data\":\"a\\/b "
                  "\\ud83d\\ude80 \\n\"}\n");
    static const char *const values[] = { "{ \"a\" : [1.50, null] }", "17e2", "false", "[]",
                                          "\"\"" };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char body[128], want[128];
        snprintf(body, sizeof body, "{\"data\": %s ,\"name\":\"e\",\"channel\":\"a\"}", values[i]);
        snprintf(want, sizeof want, "{\"event\":\"e\",\"channel\":\"a\",\"data\":%s}\n", values[i]);
        rig_post(rig, "/events", body);
        assert_answer(rig, 200, "{}");
        assert_got(c, want);
    }
}

static void the_sender_is_left_out(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1234, 5678), *d = rig_connect(rig, 3, 4);
    rig_subscribe(rig, c, "a", NULL);
    rig_subscribe(rig, d, "a", NULL);
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\",\"socket_id\":\"1234.5678\"}");
    assert_got(c, "");
    assert_got(d, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"x\"}\n");
}

static void info_tells_counts_where_they_apply(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_subscribe(rig, c, "orders", NULL);
    rig_subscribe(rig, d, "orders", NULL);
    rig_subscribe(rig, c, "presence-room", "{\"user_id\":\"7\"}");
    rig_subscribe(rig, d, "presence-room", "{\"user_id\":\"7\"}");
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channels\":[\"presence-room\",\"orders\",\"empty\","
             "\"presence-empty\",\"#server-to-user-7\"],\"data\":\"x\",\"info\":\"user_count,"
             "subscription_count,x\"}");
    assert_answer(rig, 200,
                  "{\"channels\":{\"presence-room\":{\"user_count\":1},\"orders\":"
                  "{\"subscription_count\":2},\"empty\":{},"
                  "\"presence-empty\":{},\"#server-to-user-7\":{}}}");
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channels\":[\"orders\"],\"data\":\"x\",\"info\":\"user_count\"}");
    assert_answer(rig, 200, "{\"channels\":{\"orders\":{}}}");
}

static void a_batch_is_sent_in_order_and_answered_by_index(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_subscribe(rig, c, "b", NULL);
    rig_post(rig, "/batch_events",
             "{\"batch\":[{\"name\":\"1\",\"channel\":\"a\",\"data\":\"x\"},"
             "{\"name\":\"2\",\"channel\":\"b\",\"data\":\"y\",\"info\":\"subscription_count\"},"
             "{\"name\":\"3\",\"channels\":[\"a\"],\"data\":\"z\",\"socket_id\":\"1.2\"}]}");
    assert_answer(rig, 200, "{\"batch\":[{},{\"subscription_count\":1},{}]}");
    assert_got(c, "{\"event\":\"1\",\"channel\":\"a\",\"data\":\"x\"}\n"
                  "{\"event\":\"2\",\"channel\":\"b\",\"data\":\"y\"}\n");
    rig_post(rig, "/batch_events",
             "{\"batch\":[{\"name\":\"1\",\"channel\":\"a\",\"data\":\"x\"}]}");
    assert_answer(rig, 200, "{}");
}

static void users_are_reached_by_channel_and_by_route(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    rig_signin(rig, c, "a@b");
    rig_signin(rig, d, "other");
    rig_post(rig, "/events",
             "{\"name\":\"e\",\"channels\":[\"#server-to-user-a@b\"],\"data\":\"x\"}");
    assert_answer(rig, 200, "{}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"#server-to-user-a@b\",\"data\":\"x\"}\n");
    rig_post(rig, "/users/a%40b/events", "{\"name\":\"e\",\"data\":\"y\",\"channel\":\"ignored\"}");
    assert_answer(rig, 200, "{}");
    assert_got(c, "{\"event\":\"e\",\"channel\":\"#server-to-user-a@b\",\"data\":\"y\"}\n");
    assert_got(d, "");
    rig_post(rig, "/users/nobody/events", "{\"name\":\"e\",\"data\":\"y\"}");
    assert_answer(rig, 200, "{}");
    rig_post(rig, "/users/a%20b/events", "{\"name\":\"e\",\"data\":\"y\"}");
    assert_int_equal(rig->status, 400);
    assert_true(rig_has(rig->body, "'#server-to-user-a b'"));
}

static void terminate_closes_signed_in_and_present_sockets(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2), *d = rig_connect(rig, 3, 4);
    struct client *e = rig_connect(rig, 5, 6);
    rig_signin(rig, c, "7");
    rig_subscribe(rig, d, "presence-room", "{\"user_id\":7}");
    rig_signin(rig, e, "8");
    rig_post(rig, "/users/7/terminate_connections", "{}");
    assert_answer(rig, 200, "{}");
    assert_int_equal(c->close_code, 4009);
    assert_int_equal(d->close_code, 4009);
    assert_int_equal(e->close_code, 0);
    rig_post(rig, "/users/%38/terminate_connections", "");
    assert_answer(rig, 200, "{}");
    assert_int_equal(e->close_code, 4009);
    rig_post(rig, "/users/nobody/terminate_connections", "{}");
    assert_answer(rig, 200, "{}");
}

static void the_rate_counts_channels(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    const char *two = "{\"name\":\"e\",\"channels\":[\"a\",\"b\"],\"data\":\"x\"}";
    rig_subscribe(rig, c, "a", NULL);
    rig->settings[0].limits.publishes_per_second = 5;
    rig_post(rig, "/events", two);
    assert_int_equal(rig->status, 200);
    assert_header(rig, "X-RateLimit-Limit: 5");
    assert_header(rig, "X-RateLimit-Remaining: 3");
    rig_post(rig, "/events", two);
    assert_header(rig, "X-RateLimit-Remaining: 1");
    buf_clear(&c->got);
    rig_post(rig, "/events", two);
    assert_refused(rig, 429,
                   "Too many requests. This one publishes to 2 channels, 1 of this second are "
                   "left; limits.publishes_per_second of app 'app-id' allows 5.");
    assert_header(rig, "X-RateLimit-Limit: 5");
    assert_header(rig, "X-RateLimit-Remaining: 1");
    assert_header(rig, "Retry-After: 1");
    assert_got(c, "");
    rig_post(rig, "/batch_events",
             "{\"batch\":[{\"name\":\"1\",\"channel\":\"a\",\"data\":\"x\"}]}");
    assert_int_equal(rig->status, 200);
    rig->now_ms += 1000;
    rig_turn(rig);
    rig_post(rig, "/events", two);
    assert_header(rig, "X-RateLimit-Remaining: 3");
}

static void what_no_second_can_take_is_not_to_be_tried_again(void **state)
{
    struct rig *rig = *state;
    rig->settings[0].limits.publishes_per_second = 2;
    rig_post(rig, "/events", "{\"name\":\"e\",\"channels\":[\"a\",\"b\",\"c\"],\"data\":\"x\"}");
    assert_refused(rig, 400,
                   "3 channels at once are more than can ever be taken; send some at a time. "
                   "limits.publishes_per_second of app 'app-id' allows 2.");
    assert_false(rig_has(rig->head, "Retry-After"));
}

static void without_a_rate_there_are_no_such_headers(void **state)
{
    struct rig *rig = *state;
    rig_post(rig, "/events", "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"x\"}");
    assert_int_equal(rig->status, 200);
    assert_false(rig_has(rig->head, "X-RateLimit"));
}

/* Sends without letting the hub deliver. */
static void post_only(struct rig *rig, const char *body)
{
    struct buf b = { 0 }, query = { 0 };
    rig_sign(rig, "POST", "/apps/app-id/events", &query, body);
    buf_add_fmt(&b, "POST /apps/app-id/events?%.*s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n",
                SPAN_FMT(buf_span(&query)), strlen(body));
    buf_add_fmt(&b, "\r\n%s", body);
    assert_int_equal(rig_send(rig, buf_span(&b)), ERR_OK);
    rig_read_answer(rig);
    buf_fini(&b);
    buf_fini(&query);
}

static void an_overloaded_server_says_503_and_sends_nothing(void **state)
{
    struct rig *rig = *state;
    rig_stop(rig);
    rig_init(rig);
    rig->mailbox_bytes = 50;
    rig_start(rig);
    rig->settings[0].limits.publishes_per_second = 5;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    const char *body = "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"0123456789 0123456789\"}";
    post_only(rig, body);
    assert_int_equal(rig->status, 200);
    post_only(rig, body);
    assert_refused(rig, 503,
                   "The server has too many messages waiting for delivery (more than "
                   "limits.mailbox_bytes for one worker). Nothing was published; try again "
                   "(request of app 'app-id').");
    assert_header(rig, "Retry-After: 1");
    rig_turn(rig);
    assert_got(c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"0123456789 0123456789\"}\n");
    post_only(rig, body);
    assert_header(rig, "X-RateLimit-Remaining: 3"); /* the refused one took no point */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(subscribers_get_the_event_once_each),
        RIG_TEST(many_channels_are_deduplicated_too),
        RIG_TEST(without_limits_thousands_of_channels_will_do),
        RIG_TEST(channels_win_over_channel_and_may_be_a_string),
        RIG_TEST(tokens_are_relayed_byte_for_byte),
        RIG_TEST(the_sender_is_left_out),
        RIG_TEST(info_tells_counts_where_they_apply),
        RIG_TEST(a_batch_is_sent_in_order_and_answered_by_index),
        RIG_TEST(users_are_reached_by_channel_and_by_route),
        RIG_TEST(terminate_closes_signed_in_and_present_sockets),
        RIG_TEST(the_rate_counts_channels),
        RIG_TEST(what_no_second_can_take_is_not_to_be_tried_again),
        RIG_TEST(without_a_rate_there_are_no_such_headers),
        RIG_TEST(an_overloaded_server_says_503_and_sends_nothing),
    };
    return RUN_TESTS(tests);
}
