/* SPDX-License-Identifier: MIT
 * What watchers ask for in the names of their channels; tokens; the events as JSON. */
#include "unit/test.h"
#include "watch/base64url.h"
#include "watch/filter.h"
#include "watch/token.h"

static void channel_of(const char *json, struct buf *out)
{
    BUF_ADD_LIT(out, WATCH_CHANNEL_FILTER);
    base64url_encode(span_str(json), out);
}

static bool read_json(const char *json, struct watch_filter *filter, const char **why)
{
    struct buf channel = { 0 };
    channel_of(json, &channel);
    bool ok = watch_filter_read(buf_span(&channel), filter, why);
    buf_fini(&channel);
    return ok;
}

static const struct watch_event subscribed = {
    .type = WATCH_SUBSCRIBED,
    .app = SPAN("shop"),
    .socket_id = UINT64_C(123) << 32 | 456,
    .channel = SPAN("presence-room"),
    .user_id = SPAN("7"),
};
static const struct watch_event message = {
    .type = WATCH_API_MESSAGE,
    .app = SPAN("shop"),
    .exclude = UINT64_C(123) << 32 | 456,
    .channel = SPAN("#server-to-user-7"),
    .event_raw = SPAN("\"App\\\\Events\\\\Paid\""),
    .data_raw = SPAN("\"{}\""),
    .source = "user",
};

static void each_member_of_a_filter_counts(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool subscribed, message;
    } table[] = {
        { "{}", true, true },
        { "{\"app\":\"shop\"}", true, true },
        { "{\"app\":\"shop2\"}", false, false },
        { "{\"app\":null}", true, true },
        { "{\"types\":[\"subscribed\",\"refused\"]}", true, false },
        { "{\"types\":[\"api-message\"]}", false, true },
        { "{\"channel\":\"presence-room\"}", true, false },
        { "{\"socket\":\"123.456\"}", true, true },
        { "{\"socket\":\"123.457\"}", false, false },
        { "{\"user\":\"7\"}", true, true },
        { "{\"user\":\"8\"}", false, false },
        { "{\"event\":\"App\\\\Events\\\\Paid\"}", false, true },
        { "{\"event\":\"Paid\"}", false, false },
        { "{\"app\":\"shop\",\"user\":\"7\",\"types\":[\"subscribed\"]}", true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct watch_filter f;
        const char *why;
        assert_true(read_json(table[i].json, &f, &why));
        if (watch_filter_fits(&f, &subscribed) != table[i].subscribed ||
            watch_filter_fits(&f, &message) != table[i].message)
            fail_msg("%s", table[i].json);
        watch_filter_fini(&f);
    }
}

static void what_is_no_filter_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[]",
        "{",
        "{\"app\":1}",
        "{\"socket\":\"abc\"}",
        "{\"socket\":5}",
        "{\"types\":[\"x\"]}",
        "{\"types\":\"refused\"}",
        "{\"types\":[1]}",
        "{\"app\":\"a\",\"app\":\"b\"}",
        "",
    };
    struct watch_filter f;
    const char *why;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (read_json(wrong[i], &f, &why)) fail_msg("%s", wrong[i]);
        assert_non_null(why);
    }
    assert_false(watch_filter_read(SPAN("watch-!!"), &f, &why));
}

static void names_may_hold_anything_that_json_can_say(void **state)
{
    (void)state;
    struct watch_filter f;
    const char *why;
    assert_true(
        read_json("{\"app\":\"\\u00fc>?\",\"types\":[\"refused\"],\"socket\":\"1.2\"}", &f, &why));
    assert_span(f.app, "\xc3\xbc>?");
    assert_int_equal(f.types, 1u << WATCH_REFUSED);
    assert_true(f.socket == (UINT64_C(1) << 32 | 2));
    watch_filter_fini(&f);
}

static void facts_fit_as_events_do(void **state)
{
    (void)state;
    struct facts *facts;
    assert_int_equal(facts_new(&facts, 0, 1), ERR_OK);
    const struct fact_note note = {
        .fact = { .kind = FACT_PUBLISH, .exclude = UINT64_C(1) << 32 | 2 },
        .app = SPAN("shop"),
        .channel = SPAN("#server-to-user-7"),
        .event_raw = SPAN("\"A\\\\B\""),
    };
    const struct fact *fact = facts_find(facts, facts_add(facts, &note, true));
    struct watch_filter f = { .kind = -1 };
    assert_true(watch_filter_fits_fact(&f, fact));
    f.event = SPAN("A\\B");
    f.user = SPAN("7");
    f.socket = UINT64_C(1) << 32 | 2;
    f.kind = FACT_PUBLISH;
    assert_true(watch_filter_fits_fact(&f, fact));
    f.socket = UINT64_C(3) << 32 | 4; /* it may have missed this publish */
    assert_true(watch_filter_fits_fact(&f, fact));
    f.kind = FACT_CUT;
    assert_false(watch_filter_fits_fact(&f, fact));
    f.kind = -1;
    f.user = SPAN("8");
    assert_false(watch_filter_fits_fact(&f, fact));
    const struct fact_note cut = { .fact = { .kind = FACT_CUT, .socket_id = 5 },
                                   .app = SPAN("shop") };
    fact = facts_find(facts, facts_add(facts, &cut, true));
    f = (struct watch_filter) { .kind = -1, .socket = 5 };
    assert_true(watch_filter_fits_fact(&f, fact));
    f.socket = 6;
    assert_false(watch_filter_fits_fact(&f, fact));
    facts_free(facts);
}

static void events_are_json_with_the_members_of_their_type(void **state)
{
    (void)state;
    struct buf b = { 0 };
    watch_event_write(&subscribed, &b);
    assert_span(buf_span(&b), "{\"type\":\"subscribed\",\"time\":0,\"app\":\"shop\","
                              "\"socket_id\":\"123.456\",\"channel\":\"presence-room\","
                              "\"user_id\":\"7\"}");
    buf_clear(&b);
    watch_event_write(&message, &b);
    assert_span(buf_span(&b), "{\"type\":\"api-message\",\"time\":0,\"app\":\"shop\",\"fact\":null,"
                              "\"channel\":\"#server-to-user-7\",\"source\":\"user\","
                              "\"exclude\":\"123.456\",\"workers\":0,"
                              "\"event\":\"App\\\\Events\\\\Paid\",\"data\":\"{}\","
                              "\"data_bytes\":2,\"subscriptions\":0}");
    buf_fini(&b);
}

static void a_large_payload_is_cut_at_a_character(void **state)
{
    (void)state;
    struct buf data = { 0 }, b = { 0 };
    buf_add_byte(&data, '"');
    for (int i = 0; i < 5000; i++) BUF_ADD_LIT(&data, "\xe2\x82\xac"); /* € */
    buf_add_byte(&data, '"');
    struct watch_event ev = message;
    ev.data_raw = buf_span(&data);
    watch_event_write(&ev, &b);
    assert_true(json_check(buf_span(&b), 4, NULL, NULL));
    assert_true(b.n < WATCH_DATA_MAX + 400);
    assert_non_null(memmem(b.p, b.n, "\"data_bytes\":15000", 18));
    buf_fini(&data);
    buf_fini(&b);
}

static void a_token_is_good_for_its_app_until_it_is_over(void **state)
{
    (void)state;
    struct hmac_key *right = hmac_key_new(SPAN("right")), *wrong = hmac_key_new(SPAN("wrong"));
    const struct auth_keys keys = { SPAN("k"), &right, 1 }, others = { SPAN("k"), &wrong, 1 };
    struct buf token = { 0 }, scratch = { 0 };
    struct span app;
    assert_int_equal(watch_token_make(SPAN("shop.1"), &keys, 1000, &token), ERR_OK);
    assert_true(watch_token_app(buf_span(&token), &scratch, &app));
    assert_span(app, "shop.1");
    assert_int_equal(watch_token_lasts(buf_span(&token), app, &keys, 999), 1);
    assert_false(watch_token_lasts(buf_span(&token), app, &keys, 1000));
    assert_false(watch_token_lasts(buf_span(&token), SPAN("shop.2"), &keys, 999));
    assert_false(watch_token_lasts(buf_span(&token), app, &others, 999));
    buf_clear(&token); /* nobody may make one for ever */
    assert_int_equal(watch_token_make(SPAN("shop.1"), &keys, 999999, &token), ERR_OK);
    assert_false(watch_token_lasts(buf_span(&token), app, &keys, 1000));
    static const char *const forms[] = { "", "v1", "v1.a.b", "v2.c2hvcA.1.x", "v1.c2hvcA.1.x.y" };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        assert_false(watch_token_lasts(span_str(forms[i]), SPAN("shop"), &keys, 0));
    buf_fini(&token);
    buf_fini(&scratch);
    hmac_key_free(right);
    hmac_key_free(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_of_a_filter_counts),
        cmocka_unit_test(what_is_no_filter_is_refused_with_a_reason),
        cmocka_unit_test(names_may_hold_anything_that_json_can_say),
        cmocka_unit_test(facts_fit_as_events_do),
        cmocka_unit_test(events_are_json_with_the_members_of_their_type),
        cmocka_unit_test(a_large_payload_is_cut_at_a_character),
        cmocka_unit_test(a_token_is_good_for_its_app_until_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
