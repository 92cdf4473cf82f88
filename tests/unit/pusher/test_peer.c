/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_peer.c: what one message asks for: form, subscriptions, sign-in (protocol
 * page 1.6, 2.2 to 2.5, 2.9, 3.4). Client events are in test_peer_client_event.c. */
#include "unit/pusher/peer.h"

/* --- socket ids --- */

static void socket_ids_are_two_numbers(void **state)
{
    (void)state;
    char out[SOCKET_ID_MAX];
    uint64_t id = 0;
    assert_span(span_of(out, socket_id_write(PEER_SOCKET, out)), SOCKET_ID);
    assert_true(socket_id_read(SPAN(SOCKET_ID), &id));
    assert_true(id == PEER_SOCKET);
    assert_span(span_of(out, socket_id_write(UINT64_MAX, out)), "4294967295.4294967295");
    assert_true(socket_id_read(SPAN("4294967295.4294967295"), &id));
    assert_true(id == UINT64_MAX);
}

static void socket_ids_of_nobody_give_zero(void **state)
{
    (void)state;
    const char *nobody[] = { "0.1",         "1.0",  "4294967296.1", "1.4294967296",
                             "01.2",        "1.02", "0.0",          "1.99999999999999999999999",
                             "0001234.5678" };
    for (size_t i = 0; i < ARRAY_LEN(nobody); i++) {
        uint64_t id = 7;
        assert_true(socket_id_read(span_str(nobody[i]), &id));
        if (id != 0) fail_msg("%s", nobody[i]);
    }
}

static void socket_ids_of_another_form_are_refused(void **state)
{
    (void)state;
    const char *bad[] = { "",    ".",    "1.",   ".1",   "1",         "1.2.3", "a.1",
                          "1.a", "+1.2", "1. 2", "-1.2", "undefined", "1.2\n" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t id;
        if (socket_id_read(span_str(bad[i]), &id)) fail_msg("\"%s\"", bad[i]);
    }
}

/* --- form --- */

static void pings_are_answered_whatever_their_data(void **state)
{
    struct peer *p = *state;
    const char *data[] = { ",\"data\":{}",   ",\"data\":\"{}\"", ",\"data\":[]",
                           ",\"data\":\"\"", ",\"data\":null",   "" };
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"event\":\"pusher:ping\"%s}", data[i]);
        assert_int_equal(peer_hears(p, text)->ask, PEER_ASK_PONG);
    }
    assert_int_equal(peer_hears(p, "{\"event\":\"pusher:pong\",\"data\":{}}")->ask,
                     PEER_ASK_NOTHING);
}

static void other_events_are_ignored(void **state)
{
    struct peer *p = *state;
    const char *ignored[] = {
        "{\"event\":\"pusher_internal:member_added\",\"channel\":\"presence-x\",\"data\":\"{}\"}",
        "{\"event\":\"order.shipped\",\"channel\":\"orders\",\"data\":1}",
        "{\"event\":\"my-client-x\",\"channel\":\"private-x\"}",
        "{\"event\":\"Client-x\",\"channel\":\"private-x\"}",
        "{\"event\":\"\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        if (peer_hears(p, ignored[i])->ask != PEER_ASK_NOTHING) fail_msg("%s", ignored[i]);
}

static void wrong_form_is_refused_without_a_close(void **state)
{
    struct peer *p = *state;
    const char *bad[] = {
        "",
        "hello",
        "[1]",
        "{\"event\":7}",
        "{\"data\":{}}",
        "{\"event\":\"client-x\",\"channel\":7}",
        "{\"event\":\"client-x\"}",
        "{\"event\":\"pusher:nonsense\",\"data\":{}}",
        "{\"event\":\"pusher:\"}",
        "{\"event\":\"pusher:ping\",\"event\":\"pusher:ping\"}",
        "{\"event\":\"pusher:subscribe\"}",
        "{\"event\":\"pusher:subscribe\",\"data\":null}",
        "{\"event\":\"pusher:subscribe\",\"data\":[]}",
        "{\"event\":\"pusher:subscribe\",\"data\":\"orders\"}",
        "{\"event\":\"pusher:subscribe\",\"data\":{}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":7}}",
        "{\"event\":\"pusher:subscribe\",\"channel\":\"orders\",\"data\":{}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"a\",\"channel\":\"a\"}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"a\",\"auth\":{}}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"a\",\"auth\":7}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"a\",\"channel_data\":7}}",
        "{\"event\":\"pusher:unsubscribe\",\"data\":{}}",
        "{\"event\":\"pusher:unsubscribe\"}",
        "{\"event\":\"pusher:signin\"}",
        "{\"event\":\"pusher:signin\",\"data\":{\"auth\":7,\"user_data\":\"\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct peer_action *a = peer_hears(p, bad[i]);
        const struct peer_refusal *no = &a->refusal;
        if (a->ask != PEER_ASK_REFUSE || no->code != 4200) fail_msg("%s", bad[i]);
        assert_true(span_starts(no->text, SPAN("Invalid message format: ")));
        assert_true(!no->close && !no->signin && !no->type && !no->channel.p);
    }
}

static void no_memory_is_refused_with_4100(void **state)
{
    struct peer *p = *state;
    buf_fini(&p->scratch);
    mem_fail_after(0, true);
    const struct peer_action *a = peer_hears(p, "{\"event\":\"pusher:ping\"}");
    mem_fail_after(-1, false);
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_int_equal(a->refusal.code, 4100);
    assert_true(a->refusal.text.n > 0);
    assert_int_equal(peer_hears(p, "{\"event\":\"pusher:ping\"}")->ask, PEER_ASK_PONG);
}

/* --- subscribe --- */

static void public_channels_need_nothing(void **state)
{
    struct peer *p = *state;
    const char *texts[] = {
        "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"\",\"channel\":\"orders\"}}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"orders\"}}",
        ("{\"event\":\"pusher:subscribe\","
         "\"data\":{\"channel\":\"orders\",\"auth\":null,\"channel_data\":null}}"),
        "{\"event\":\"pusher:subscribe\",\"data\":\"{\\\"channel\\\":\\\"orders\\\"}\"}",
        "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"\\u006frders\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct peer_action *a = peer_hears(p, texts[i]);
        assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
        assert_span(a->channel, "orders");
        assert_int_equal(a->kind.type, CHAN_PUBLIC);
        assert_null(a->member.id.p);
    }
}

#define SIG_A "app-key:dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf"
#define SIG_B "app-key:ce6e93ec63376bec3962c1eced6ed49a60c49b579ce3e45f9b6552f230224b0a"
#define SIG_B2 "app-key:59da05c7f04b9b7eb5e782052b623bcae041762423f217ff695e4e4576ca4239"
#define SUBSCRIBE_A                                                                                \
    "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_A                                  \
    "\",\"channel\":\"private-orders.7\"}}"

static void the_examples_of_the_protocol_page_subscribe(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_hears(p, SUBSCRIBE_A);
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_span(a->channel, "private-orders.7");
    assert_int_equal(a->kind.type, CHAN_PRIVATE);
    a = peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_B
                      "\",\"channel_data\":\"{\\\"user_id\\\":\\\"42\\\",\\\"user_info\\\":{"
                      "\\\"name\\\":\\\"Ann Lee\\\"}}\",\"channel\":\"presence-room.1\"}}");
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_int_equal(a->kind.type, CHAN_PRESENCE);
    assert_span(a->member.id, "42");
    assert_span(a->member.id_raw, "\"42\"");
    assert_span(a->member.info_raw, "{\"name\":\"Ann Lee\"}");
}

static void escapes_inside_channel_data_survive(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_hears(
        p,
        "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_B2
        "\",\"channel_data\":\"{\\\"user_id\\\":42,\\\"user_info\\\":{\\\"name\\\":"
        "\\\"Zo\\\\u00eb \\\\ud83d\\\\ude80 a\\\\\\/b\\\"}}\",\"channel\":\"presence-room.1\"}}");
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_span(a->member.id, "42");
    assert_span(a->member.id_raw, "42");
    assert_span(a->member.info_raw, "{\"name\":\"Zo\\u00eb \\ud83d\\ude80 a\\/b\"}");
}

static void data_as_a_string_subscribes_to_presence(void **state)
{
    struct peer *p = *state;
    struct buf inner = { 0 }, text = { 0 };
    peer_subscribe_data(p, &inner, "presence-x", "{\"user_id\":\"a\\u0062\",\"user_info\":[1.0]}");
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:subscribe\",\"data\":");
    json_string(&text, buf_span(&inner));
    BUF_ADD_LIT(&text, "}");
    const struct peer_action *a = peer_hears_span(p, buf_span(&text));
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_span(a->channel, "presence-x");
    assert_span(a->member.id, "ab");
    assert_span(a->member.id_raw, "\"a\\u0062\"");
    assert_span(a->member.info_raw, "[1.0]");
    buf_fini(&inner);
    buf_fini(&text);
}

static void expect_unauthorised(const struct peer_action *a, const char *channel)
{
    const struct peer_refusal *no = &a->refusal;
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_span(no->channel, channel);
    assert_string_equal(no->type, "AuthError");
    assert_int_equal(no->status, 401);
    assert_span(no->text, "The connection is unauthorized.");
    assert_int_equal(no->code, 4009);
    assert_span(no->error_text, "Connection is unauthorized");
    assert_true(no->detail.n > 0);
    assert_false(no->close);
    assert_false(no->signin);
}

static void a_wrong_signature_is_explained_without_the_secret(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a =
        peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_A
                      "\",\"channel\":\"private-orders.8\"}}");
    expect_unauthorised(a, "private-orders.8");
    assert_span(a->refusal.detail,
                "auth was made with another secret or for another string; the string to sign is "
                "1234.5678:private-orders.8");
    a = peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_A
                      "\",\"channel\":\"private-orders.7\",\"channel_data\":\"{}\"}}");
    expect_unauthorised(a, "private-orders.7");
    assert_span(a->refusal.detail,
                "auth was made with another secret or for another string; the string to sign is "
                "1234.5678:private-orders.7:{}");
}

static void missing_and_foreign_auth_is_refused(void **state)
{
    struct peer *p = *state;
    const char *channels[] = { "private-x",           "private-cache-x",
                               "private-encrypted-x", "private-encrypted-cache-x",
                               "presence-x",          "presence-cache-x" };
    const char *auths[] = { "null", "\"\"", "\"x\"" };
    for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
        for (size_t k = 0; k < ARRAY_LEN(auths); k++) {
            char text[256];
            snprintf(text, sizeof text,
                     "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\",\"auth\":%s,"
                     "\"channel_data\":\"{\\\"user_id\\\":1}\"}}",
                     channels[i], auths[k]);
            expect_unauthorised(peer_hears(p, text), channels[i]);
        }
    }
}

static void channel_data_as_an_object_is_refused(void **state)
{
    struct peer *p = *state;
    expect_unauthorised(
        peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_B
                      "\",\"channel_data\":{\"user_id\":\"42\"},\"channel\":\"presence-room.1\"}}"),
        "presence-room.1");
}

static void signed_channel_data_without_a_member_is_refused(void **state)
{
    struct peer *p = *state;
    const char *bad[] = { "{}",
                          "[]",
                          "nonsense",
                          "{\"user_id\":null}",
                          "{\"user_id\":\"\"}",
                          "{\"user_id\":true}",
                          "{\"user_id\":[1]}",
                          "{\"user_info\":{}}",
                          "{\"user_id\":1,\"user_id\":2}",
                          "{\"user_id\":\"\\ud800\"}" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_unauthorised(peer_subscribes(p, "presence-x", bad[i]), "presence-x");
}

static void presence_without_channel_data_needs_a_sign_in(void **state)
{
    struct peer *p = *state;
    expect_unauthorised(peer_subscribes(p, "presence-x", NULL), "presence-x");
    p->user = (struct peer_user) { SPAN("42"), SPAN("42"), SPAN("{\"a\":1}") };
    const struct peer_action *a = peer_subscribes(p, "presence-x", NULL);
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_span(a->member.id, "42");
    assert_span(a->member.id_raw, "42");
    assert_span(a->member.info_raw, "{\"a\":1}");
    a = peer_subscribes(p, "presence-x", "{\"user_id\":\"7\"}");
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_span(a->member.id, "7");
    assert_int_equal(a->member.info_raw.n, 0);
}

static void private_channel_data_is_signed_but_names_nobody(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_subscribes(p, "private-x", "anything");
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_null(a->member.id.p);
}

static void expect_limit(const struct peer_action *a, unsigned status, const char *text)
{
    assert_int_equal(a->ask, PEER_ASK_REFUSE);
    assert_string_equal(a->refusal.type, "LimitReached");
    assert_int_equal(a->refusal.status, status);
    assert_int_equal(a->refusal.code, 0);
    assert_span(a->refusal.text, text);
}

static void names_that_are_not_allowed_are_refused(void **state)
{
    struct peer *p = *state;
    p->rules.names.limit = 10;
    expect_limit(peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":"
                               "\"12345678901\"}}"),
                 4009,
                 "The channel name is longer than the allowed 10 characters. It has 11 (option "
                 "limits.channel_name).");
    assert_span(p->action.refusal.channel, "12345678901");
    expect_limit(peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"\"}}"),
                 4009, "The channel name is empty.");
    assert_non_null(p->action.refusal.channel.p);
    p->rules.names.strict = false;
    expect_limit(peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":"
                               "\"a\\ud800\"}}"),
                 4009, "The channel name has an unprintable character at offset 1.");
}

static void user_info_is_measured_after_the_signature(void **state)
{
    struct peer *p = *state;
    p->rules.member_info_limit = 2048;
    struct buf data = { 0 };
    BUF_ADD_LIT(&data, "{\"user_id\":1,\"user_info\":\"");
    for (size_t i = 0; i < 2048; i++) BUF_ADD_LIT(&data, "\\u0061"); /* one octet each */
    BUF_ADD_LIT(&data, "\"}");
    buf_add_byte(&data, '\0');
    assert_int_equal(peer_subscribes(p, "presence-x", data.p)->ask, PEER_ASK_SUBSCRIBE);
    data.n -= 3;
    BUF_ADD_LIT(&data, "b\"}");
    buf_add_byte(&data, '\0');
    expect_limit(peer_subscribes(p, "presence-x", data.p), 4301,
                 "The maximum size for a channel member is 2 KB. The user_info has 2049 bytes "
                 "(app app-id, option limits.presence_member_bytes).");
    buf_fini(&data);
    p->rules.member_info_limit = 7;
    assert_int_equal(peer_subscribes(p, "presence-x", "{\"user_id\":1,\"user_info\":[1,2,3]}")->ask,
                     PEER_ASK_SUBSCRIBE);
    expect_limit(peer_subscribes(p, "presence-x", "{\"user_id\":1,\"user_info\":[1,2,30]}"), 4301,
                 "The maximum size for a channel member is 7 bytes. The user_info has 8 bytes "
                 "(app app-id, option limits.presence_member_bytes).");
    expect_unauthorised(
        peer_hears(p, "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"" SIG_B
                      "\",\"channel_data\":\"{\\\"user_id\\\":1,\\\"user_info\\\":[1,2,30]}\","
                      "\"channel\":\"presence-room.1\"}}"),
        "presence-room.1");
    p->rules.member_info_limit = 0;
    assert_int_equal(
        peer_subscribes(p, "presence-x", "{\"user_id\":1,\"user_info\":[1,2,30]}")->ask,
        PEER_ASK_SUBSCRIBE);
}

static void user_ids_have_128_characters_at_most(void **state)
{
    struct peer *p = *state;
    struct buf data = { 0 };
    BUF_ADD_LIT(&data, "{\"user_id\":\"");
    for (size_t i = 0; i < 128; i++) BUF_ADD_LIT(&data, "\xc3\xa9");
    BUF_ADD_LIT(&data, "\"}");
    buf_add_byte(&data, '\0');
    assert_int_equal(peer_subscribes(p, "presence-x", data.p)->ask, PEER_ASK_SUBSCRIBE);
    assert_int_equal(p->action.member.id.n, 256);
    data.n -= 3;
    BUF_ADD_LIT(&data, "x\"}");
    buf_add_byte(&data, '\0');
    expect_limit(peer_subscribes(p, "presence-x", data.p), 4301,
                 "The user_id of a channel member is longer than the allowed 128 characters. It "
                 "has 129.");
    buf_fini(&data);
}

/* Every string is unescaped once per layer: the data, channel_data in it, the id in that; and the
 * explanation repeats what was signed. The peer takes room for all of it beforehand and checks that
 * it was enough. */
static void the_room_suffices_for_strings_within_strings(void **state)
{
    struct peer *p = *state;
    struct buf member = { 0 }, data = { 0 }, text = { 0 };
    BUF_ADD_LIT(&member, "{\"user_id\":\"\\u0061");
    for (size_t i = 0; i < 20000; i++) buf_add_byte(&member, 'x');
    BUF_ADD_LIT(&member, "\"}");
    buf_add_byte(&member, '\0');
    peer_subscribe_data(p, &data, "presence-x", member.p);
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:\\u0073ubscribe\",\"data\":");
    json_string(&text, buf_span(&data));
    BUF_ADD_LIT(&text, "}");
    buf_fini(&p->scratch);
    assert_int_equal(peer_hears_span(p, buf_span(&text))->refusal.status, 4301);
    p->rules.keys.key = SPAN("another-key");
    buf_fini(&p->scratch);
    expect_unauthorised(peer_hears_span(p, buf_span(&text)), "presence-x");
    assert_true(p->action.refusal.detail.n > 20000);
    buf_fini(&member);
    buf_fini(&data);
    buf_fini(&text);
}

static void a_user_channel_is_for_that_user(void **state)
{
    struct peer *p = *state;
    static const char text[] = "{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"\","
                               "\"channel\":\"#server-to-user-42\"}}";
    expect_unauthorised(peer_hears(p, text), "#server-to-user-42");
    p->user = (struct peer_user) { .id = SPAN("43"), .id_raw = SPAN("\"43\"") };
    expect_unauthorised(peer_hears(p, text), "#server-to-user-42");
    p->user.id = SPAN("42");
    const struct peer_action *a = peer_hears(p, text);
    assert_int_equal(a->ask, PEER_ASK_SUBSCRIBE);
    assert_int_equal(a->kind.type, CHAN_USER);
}

static void unsubscribe_names_the_channel(void **state)
{
    struct peer *p = *state;
    const struct peer_action *a = peer_hears(
        p,
        "{\"event\":\"pusher:unsubscribe\",\"data\":{\"auth\":\"x\",\"channel\":\"presence-a\"}}");
    assert_int_equal(a->ask, PEER_ASK_UNSUBSCRIBE);
    assert_span(a->channel, "presence-a");
    assert_int_equal(a->kind.type, CHAN_PRESENCE);
    a = peer_hears(p, "{\"event\":\"pusher:unsubscribe\","
                      "\"data\":\"{\\\"channel\\\":\\\"bad name\\\"}\"}");
    assert_int_equal(a->ask, PEER_ASK_UNSUBSCRIBE);
    assert_span(a->channel, "bad name");
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, peer_open, peer_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_ids_are_two_numbers),
        cmocka_unit_test(socket_ids_of_nobody_give_zero),
        cmocka_unit_test(socket_ids_of_another_form_are_refused),
        PEER_TEST(pings_are_answered_whatever_their_data),
        PEER_TEST(other_events_are_ignored),
        PEER_TEST(wrong_form_is_refused_without_a_close),
        PEER_TEST(no_memory_is_refused_with_4100),
        PEER_TEST(public_channels_need_nothing),
        PEER_TEST(the_examples_of_the_protocol_page_subscribe),
        PEER_TEST(escapes_inside_channel_data_survive),
        PEER_TEST(data_as_a_string_subscribes_to_presence),
        PEER_TEST(a_wrong_signature_is_explained_without_the_secret),
        PEER_TEST(missing_and_foreign_auth_is_refused),
        PEER_TEST(channel_data_as_an_object_is_refused),
        PEER_TEST(signed_channel_data_without_a_member_is_refused),
        PEER_TEST(presence_without_channel_data_needs_a_sign_in),
        PEER_TEST(private_channel_data_is_signed_but_names_nobody),
        PEER_TEST(names_that_are_not_allowed_are_refused),
        PEER_TEST(user_info_is_measured_after_the_signature),
        PEER_TEST(user_ids_have_128_characters_at_most),
        PEER_TEST(the_room_suffices_for_strings_within_strings),
        PEER_TEST(a_user_channel_is_for_that_user),
        PEER_TEST(unsubscribe_names_the_channel),
    };
    return RUN_TESTS(tests);
}
