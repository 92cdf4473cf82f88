/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_peer_client_event.c: client events (protocol page 2.8). */
#include "unit/pusher/peer.h"

static const struct peer_action *whisper(struct peer *p, const char *channel, const char *rest)
{
    char text[256];
    snprintf(text, sizeof text, "{\"event\":\"client-typing\",\"channel\":\"%s\"%s}", channel,
             rest);
    return peer_hears(p, text);
}

static void an_event_is_handed_on_raw(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a =
        peer_hears(p, "{\"event\":\"client-\\u0078\",\"user_id\":\"99\",\"channel\":\"private-a\","
                      "\"data\": {\"n\":1.0, \"s\":\"\\/\\ud800\"} }");
    assert_int_equal(a->ask, PEER_ASK_CLIENT_EVENT);
    assert_span(a->channel, "private-a");
    assert_int_equal(a->kind.type, CHAN_PRIVATE);
    assert_span(a->event_raw, "\"client-\\u0078\"");
    assert_span(a->data_raw, "{\"n\":1.0, \"s\":\"\\/\\ud800\"}");
}

static void any_data_is_allowed(void **state)
{
    struct peer *p = *state;
    const char *data[] = { "{}", "[]", "null", "\"\"", "\"x\"", "-0", "true" };
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        char rest[32];
        snprintf(rest, sizeof rest, ",\"data\":%s", data[i]);
        const struct peer_action *a = whisper(p, "presence-a", rest);
        assert_int_equal(a->ask, PEER_ASK_CLIENT_EVENT);
        assert_span(a->data_raw, data[i]);
    }
    const struct peer_action *a = whisper(p, "presence-a", "");
    assert_int_equal(a->ask, PEER_ASK_CLIENT_EVENT);
    assert_int_equal(a->data_raw.n, 0);
}

static void expect_refusal(const struct peer_action *a, const char *channel, const char *text)
{
    assert_int_equal(a->refusal.code, 4301);
    assert_null(a->refusal.type);
    assert_false(a->refusal.close);
    assert_span(a->refusal.channel, channel);
    assert_span(a->refusal.text, text);
}

static void expect_refused(const struct peer_action *a, const char *channel, const char *text)
{
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_false(a->unfit);
    expect_refusal(a, channel, text);
}

/* Whether he is a member comes first, and is the hub's to know. */
static void expect_unfit(const struct peer_action *a, const char *channel, const char *text)
{
    assert_int_equal(a->ask, PEER_ASK_CLIENT_EVENT);
    assert_true(a->unfit);
    expect_refusal(a, channel, text);
}

static void the_app_must_allow_them(void **state)
{
    struct peer *p = *state;
    p->rules.client_events = false;
    expect_refused(whisper(p, "private-a", ""), "private-a",
                   "The app does not have client messaging enabled (app app-id, "
                   "option client_events).");
    expect_refused(whisper(p, "orders", ""), "orders",
                   "The app does not have client messaging enabled (app app-id, "
                   "option client_events).");
    assert_int_equal(peer_hears(p, "{\"event\":\"xclient-a\",\"channel\":\"private-a\"}")->ask,
                     PEER_ASK_NOTHING);
}

static void public_channels_need_an_option(void **state)
{
    struct peer *p = *state;
    static const char why[] = "Client events are accepted on private and presence channels only "
                              "(app app-id, option client_events_on_public_channels).";
    expect_refused(whisper(p, "orders", ""), "orders", why);
    expect_refused(whisper(p, "cache-a", ""), "cache-a", why);
    expect_refused(whisper(p, "my-private-a", ""), "my-private-a", why);
    p->rules.client_events_public = true;
    assert_int_equal(whisper(p, "orders", "")->ask, PEER_ASK_CLIENT_EVENT);
    assert_int_equal(whisper(p, "cache-a", "")->ask, PEER_ASK_CLIENT_EVENT);
}

static void user_channels_never_have_them(void **state)
{
    struct peer *p = *state;
    p->rules.client_events_public = true;
    p->user = (struct peer_user) { .id = SPAN("42"), .id_raw = SPAN("42") };
    expect_refused(whisper(p, "#server-to-user-42", ""), "#server-to-user-42",
                   "Client events are not possible on a server-to-user channel.");
}

static void names_are_counted_in_characters(void **state)
{
    struct peer *p = *state;
    p->rules.event_name_limit = 9;
    assert_int_equal(
        peer_hears(p, "{\"event\":\"client-\\u00e9\xc3\xa9\",\"channel\":\"private-a\"}")->ask,
        PEER_ASK_CLIENT_EVENT);
    expect_unfit(
        peer_hears(p, "{\"event\":\"client-\\u00e9\xc3\xa9x\",\"channel\":\"private-a\"}"),
        "private-a",
        "Event name is too long. Maximum allowed size is 9. It has 10 characters (app app-id, "
        "option limits.event_name).");
    p->rules.event_name_limit = 0;
    assert_int_equal(
        peer_hears(p, "{\"event\":\"client-long-long\",\"channel\":\"private-a\"}")->ask,
        PEER_ASK_CLIENT_EVENT);
}

static void strings_are_measured_unescaped_and_others_raw(void **state)
{
    struct peer *p = *state;
    p->rules.message_limit = 4;
    assert_int_equal(whisper(p, "private-a", ",\"data\":\"\\u0061\\\"\\nd\"")->ask,
                     PEER_ASK_CLIENT_EVENT);
    assert_int_equal(whisper(p, "private-a", ",\"data\":[12]")->ask, PEER_ASK_CLIENT_EVENT);
    expect_unfit(whisper(p, "private-a", ",\"data\":\"12345\""), "private-a",
                 "The event data should be less than 4 bytes. It has 5 bytes, the limit is 4 "
                 "(app app-id, option limits.message_bytes).");
    p->rules.message_limit = 1024;
    struct buf text = { 0 };
    BUF_ADD_LIT(&text, "{\"event\":\"client-a\",\"channel\":\"private-a\",\"data\":[");
    for (size_t i = 0; i < 1023; i++) buf_add_byte(&text, '1');
    BUF_ADD_LIT(&text, "]}");
    expect_unfit(peer_hears_span(p, buf_span(&text)), "private-a",
                 "The event data should be less than 1 KB. It has 1025 bytes, the limit is 1024 "
                 "(app app-id, option limits.message_bytes).");
    p->rules.message_limit = 0;
    assert_int_equal(peer_hears_span(p, buf_span(&text))->ask, PEER_ASK_CLIENT_EVENT);
    buf_fini(&text);
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, peer_open, peer_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(an_event_is_handed_on_raw),
        PEER_TEST(any_data_is_allowed),
        PEER_TEST(the_app_must_allow_them),
        PEER_TEST(public_channels_need_an_option),
        PEER_TEST(user_channels_never_have_them),
        PEER_TEST(names_are_counted_in_characters),
        PEER_TEST(strings_are_measured_unescaped_and_others_raw),
    };
    return RUN_TESTS(tests);
}
