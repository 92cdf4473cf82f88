/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_peer_signin.c: pusher:signin (protocol page 3.4, 3.5). */
#include "unit/pusher/peer.h"

static void the_example_of_the_protocol_page_signs_in(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_hears(
        p, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"app-key:"
           "0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e\",\"user_data\":"
           "\"{\\\"id\\\":\\\"42\\\",\\\"user_info\\\":{\\\"name\\\":\\\"Ann Lee\\\"},"
           "\\\"watchlist\\\":[\\\"7\\\",\\\"9\\\"]}\"}}");
    assert_int_equal(a->ask, PEER_ASK_SIGNIN);
    assert_span(a->user.id, "42");
    assert_span(a->user.id_raw, "\"42\"");
    assert_span(a->user.info_raw, "{\"name\":\"Ann Lee\"}");
    assert_int_equal(a->watchlist.type, JSON_ARRAY);
    assert_span(a->watchlist.raw, "[\"7\",\"9\"]");
    assert_span(a->user_data,
                "{\"id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"},\"watchlist\":[\"7\",\"9\"]}");
}

static void a_number_is_an_id_too(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_signs_in(p, "{\"id\":12345678901234567890}");
    assert_int_equal(a->ask, PEER_ASK_SIGNIN);
    assert_span(a->user.id, "12345678901234567890");
    assert_span(a->user.id_raw, "12345678901234567890");
    assert_int_equal(a->user.info_raw.n, 0);
    assert_int_equal(a->watchlist.type, JSON_ABSENT);
}

static void watchlists_are_arrays_of_ids(void **state)
{
    struct peer *p = *state;
    const char *good[] = { "{\"id\":\"1\",\"watchlist\":null}", "{\"id\":\"1\",\"watchlist\":[]}",
                           "{\"id\":\"1\",\"watchlist\":[\"7\",8]}" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(peer_signs_in(p, good[i])->ask, PEER_ASK_SIGNIN);
    assert_int_equal(peer_signs_in(p, good[0])->watchlist.type, JSON_ABSENT);
    const char *bad[] = { "{\"id\":\"1\",\"watchlist\":\"7\"}", "{\"id\":\"1\",\"watchlist\":{}}",
                          "{\"id\":\"1\",\"watchlist\":[[]]}",
                          "{\"id\":\"1\",\"watchlist\":[\"7\",null]}" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct peer_action *a = peer_signs_in(p, bad[i]);
        assert_int_equal(a->ask, PEER_ASK_REFUSE);
        assert_int_equal(a->refusal.code, 4009);
        assert_span(a->refusal.text,
                    "The watchlist in the user data must be an array of user ids.");
    }
}

static void expect_refused(const struct peer_action *a, const char *text)
{
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_int_equal(a->refusal.code, 4009);
    assert_true(a->refusal.signin);
    assert_null(a->refusal.type);
    assert_null(a->refusal.channel.p);
    assert_span(a->refusal.text, text);
    assert_true(a->refusal.detail.n > 0);
}

static void user_data_without_an_id_is_refused(void **state)
{
    struct peer *p = *state;
    const char *bad[] = { "{}",
                          "{\"id\":null}",
                          "{\"id\":\"\"}",
                          "{\"id\":{}}",
                          "{\"id\":true}",
                          "{\"user_id\":\"1\"}",
                          "{\"id\":\"\\udc00\"}" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused(peer_signs_in(p, bad[i]),
                       "The returned user data must contain the \"id\" field.");
}

static void user_data_that_is_no_object_is_refused(void **state)
{
    struct peer *p = *state;
    const char *bad[] = { "", "42", "[]", "{\"id\":1,\"id\":2}", "{\"id\":1}}" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused(peer_signs_in(p, bad[i]), "Connection not authorized.");
}

static void what_nobody_signed_is_refused(void **state)
{
    struct peer *p = *state;
    const char *bad[] = {
        "{\"event\":\"pusher:signin\",\"data\":{}}",
        "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"\",\"user_data\":\"{}\"}}",
        "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"x\",\"user_data\":{\"id\":\"1\"}}}",
        "{\"event\":\"pusher:signin\",\"data\":{\"auth\":null,\"user_data\":\"{}\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_refused(peer_hears(p, bad[i]), "Connection not authorized.");
}

static void the_signed_string_is_explained(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_hears(
        p, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":\"app-key:"
           "0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e\",\"user_data\":"
           "\"{\\\"id\\\":\\\"43\\\"}\"}}");
    expect_refused(a, "Connection not authorized.");
    assert_span(a->refusal.detail,
                "auth was made with another secret or for another string; the string to sign is "
                "1234.5678::user::{\"id\":\"43\"}");
}

static void a_long_id_is_refused(void **state)
{
    struct peer *p = *state;
    char data[160] = "{\"id\":\"";
    memset(data + 7, 'x', 129);
    memcpy(data + 7 + 128, "\"}", 3);
    assert_int_equal(peer_signs_in(p, data)->ask, PEER_ASK_SIGNIN);
    memcpy(data + 7 + 128, "x\"}", 4);
    const struct peer_action *a = peer_signs_in(p, data);
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_int_equal(a->refusal.code, 4009);
    assert_true(a->refusal.signin);
    assert_span(a->refusal.text,
                "The user id is longer than the allowed 128 characters. It has 129.");
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, peer_open, peer_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(the_example_of_the_protocol_page_signs_in),
        PEER_TEST(a_number_is_an_id_too),
        PEER_TEST(watchlists_are_arrays_of_ids),
        PEER_TEST(user_data_without_an_id_is_refused),
        PEER_TEST(user_data_that_is_no_object_is_refused),
        PEER_TEST(what_nobody_signed_is_refused),
        PEER_TEST(the_signed_string_is_explained),
        PEER_TEST(a_long_id_is_refused),
    };
    return RUN_TESTS(tests);
}
