/* SPDX-License-Identifier: MIT
 * tests/unit/pusher/test_event.c: frames read, and frames written byte for byte as the examples on
 * the protocol page. */
#include "base/mem.h"
#include "pusher/event.h"
#include "unit/test.h"

/* --- reading --- */

static void a_frame_gives_its_members(void **state)
{
    (void)state;
    struct event_in ev;
    struct buf scratch = { 0 };
    const char *why;
    assert_true(
        event_parse(SPAN(" {\"channel\":\"private-orders.7\",\"x\":1,\"data\":{\"on\":true},"
                         "\"event\":\"client-typing\"} "),
                    &ev, &scratch, &why));
    assert_span(ev.name, "client-typing");
    assert_span(ev.name_raw, "\"client-typing\"");
    assert_span(ev.channel, "private-orders.7");
    assert_span(ev.data.raw, "{\"on\":true}");
    assert_true(
        event_parse(SPAN("{\"event\":\"pusher:ping\",\"channel\":null}"), &ev, &scratch, &why));
    assert_null(ev.channel.p);
    assert_int_equal(ev.data.type, JSON_ABSENT);
    buf_fini(&scratch);
}

static void escapes_are_resolved_and_the_token_is_kept(void **state)
{
    (void)state;
    struct event_in ev;
    struct buf scratch = { 0 };
    const char *why;
    assert_true(event_parse(SPAN("{\"\\u0065vent\":\"App\\\\Events\\\\\\u00e9\","
                                 "\"channel\":\"a\\/b\\ud800\",\"data\":\"\\u0000\"}"),
                            &ev, &scratch, &why));
    assert_span(ev.name, "App\\Events\\\xc3\xa9");
    assert_span(ev.name_raw, "\"App\\\\Events\\\\\\u00e9\"");
    assert_span(ev.channel, "a/b\xed\xa0\x80");
    assert_span(ev.data.raw, "\"\\u0000\"");
    buf_fini(&scratch);
}

static void what_is_no_frame_is_refused_with_a_reason(void **state)
{
    (void)state;
    const char *bad[] = {
        "",
        "hello",
        "[]",
        "\"event\"",
        "null",
        "{}",
        "{\"event\":1}",
        "{\"event\":null}",
        "{\"event\":[\"a\"]}",
        "{\"event\":\"a\",\"channel\":1}",
        "{\"event\":\"a\",\"channel\":{}}",
        "{\"event\":\"a\",\"event\":\"b\"}",
        "{\"event\":\"a\",\"ev\\u0065nt\":\"a\"}",
        "{\"event\":\"a\",\"data\":1,\"data\":1}",
        "{\"event\":\"a\",\"channel\":\"a\",\"channel\":\"a\"}",
        "{\"event\":\"a\"} x",
        "{\"event\":\"a\",}",
        "{\"event\":\"\xff\"}",
    };
    struct event_in ev;
    struct buf scratch = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why = NULL;
        if (event_parse(span_str(bad[i]), &ev, &scratch, &why)) fail_msg("read %s", bad[i]);
        assert_non_null(why);
    }
    buf_fini(&scratch);
}

/* A frame whose data is `depth` arrays in each other. */
static bool reads_nested(size_t depth)
{
    struct buf text = { 0 }, scratch = { 0 };
    struct event_in ev;
    const char *why;
    BUF_ADD_LIT(&text, "{\"event\":\"a\",\"data\":");
    for (size_t i = 0; i < depth; i++) buf_add_byte(&text, '[');
    for (size_t i = 0; i < depth; i++) buf_add_byte(&text, ']');
    BUF_ADD_LIT(&text, "}");
    bool ok = event_parse(buf_span(&text), &ev, &scratch, &why);
    buf_fini(&text);
    buf_fini(&scratch);
    return ok;
}

static void nesting_is_limited(void **state)
{
    (void)state;
    assert_true(reads_nested(EVENT_MAX_DEPTH - 1));
    assert_false(reads_nested(EVENT_MAX_DEPTH));
}

/* Reads the member `channel` of the data of a frame; "!" where that is refused. */
static void expect_data_channel(const char *frame, const char *raw)
{
    struct event_in ev;
    struct buf scratch = { 0 };
    const char *why = NULL;
    struct json_field field = { .name = "channel" };
    assert_true(event_parse(span_str(frame), &ev, &scratch, &why));
    if (event_data_fields(ev.data, &field, 1, &scratch, &why)) {
        assert_null(why);
        assert_span(field.val.raw, raw);
    } else {
        assert_non_null(why);
        assert_span(SPAN("!"), raw);
    }
    buf_fini(&scratch);
}

static void data_is_an_object_or_a_string_of_one(void **state)
{
    (void)state;
    expect_data_channel("{\"event\":\"e\",\"data\":{\"channel\":\"a\"}}", "\"a\"");
    expect_data_channel("{\"event\":\"e\",\"data\":\"{\\\"channel\\\":\\\"a\\\"}\"}", "\"a\"");
    expect_data_channel("{\"event\":\"e\",\"data\":\"{\\\"channel\\\":\\\"\\\\u00e9\\\"}\"}",
                        "\"\\u00e9\"");
    expect_data_channel("{\"event\":\"e\",\"data\":{}}", "");
    const char *bad[] = {
        "{\"event\":\"e\"}",
        "{\"event\":\"e\",\"data\":null}",
        "{\"event\":\"e\",\"data\":[]}",
        "{\"event\":\"e\",\"data\":\"\"}",
        "{\"event\":\"e\",\"data\":\"[]\"}",
        "{\"event\":\"e\",\"data\":\"{}x\"}",
        "{\"event\":\"e\",\"data\":\"\\\"{}\\\"\"}",
        "{\"event\":\"e\",\"data\":{\"channel\":1,\"channel\":1}}",
        "{\"event\":\"e\",\"data\":\"{\\\"channel\\\":1,\\\"channel\\\":1}\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) expect_data_channel(bad[i], "!");
}

static void no_memory_to_unescape_is_a_failure(void **state)
{
    (void)state;
    struct event_in ev;
    struct buf scratch = { 0 };
    const char *why = NULL;
    mem_fail_after(0, true);
    bool ok = event_parse(SPAN("{\"event\":\"\\u0061\"}"), &ev, &scratch, &why);
    mem_fail_after(-1, false);
    assert_false(ok);
    assert_true(buf_failed(&scratch));
    assert_non_null(why);
    buf_fini(&scratch);
}

/* --- writing --- */

static int new_buf(void **state)
{
    static struct buf b;
    buf_init(&b);
    *state = &b;
    return 0;
}

static int free_buf(void **state)
{
    buf_fini(*state);
    return 0;
}

static void connection_frames(void **state)
{
    struct buf *b = *state;
    event_connection_established(b, SPAN("1234.5678"), 120);
    assert_buf(b, "{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":"
                  "\\\"1234.5678\\\",\\\"activity_timeout\\\":120}\"}");
    buf_clear(b);
    event_pong(b);
    assert_buf(b, "{\"event\":\"pusher:pong\",\"data\":\"{}\"}");
    buf_clear(b);
    event_ping(b);
    assert_buf(b, "{\"event\":\"pusher:ping\",\"data\":\"{}\"}");
}

static void error_frames(void **state)
{
    struct buf *b = *state;
    struct span none = { NULL, 0 };
    event_error(b, none, 4200, SPAN("Invalid message format"));
    assert_buf(b, "{\"event\":\"pusher:error\",\"data\":{\"code\":4200,"
                  "\"message\":\"Invalid message format\"}}");
    buf_clear(b);
    event_error(b, SPAN("private-orders.7"), 4009, SPAN("Connection is unauthorized"));
    assert_buf(b, "{\"event\":\"pusher:error\",\"channel\":\"private-orders.7\","
                  "\"data\":{\"code\":4009,\"message\":\"Connection is unauthorized\"}}");
    buf_clear(b);
    event_error(b, SPAN(""), 0, SPAN("say \"no\""));
    assert_buf(b, "{\"event\":\"pusher:error\",\"channel\":\"\","
                  "\"data\":{\"code\":null,\"message\":\"say \\\"no\\\"\"}}");
    buf_clear(b);
    event_subscription_error(b, SPAN("bad name"), SPAN("LimitReached"),
                             SPAN("The channel name is longer than the allowed 200 characters."),
                             4009);
    assert_buf(b, "{\"event\":\"pusher:subscription_error\",\"channel\":\"bad name\","
                  "\"data\":{\"type\":\"LimitReached\",\"error\":\"The channel name is longer than "
                  "the allowed 200 characters.\",\"status\":4009}}");
}

static void subscription_frames(void **state)
{
    struct buf *b = *state;
    event_subscription_succeeded(b, SPAN("orders"));
    assert_buf(b, "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"orders\","
                  "\"data\":\"{}\"}");
    buf_clear(b);
    event_subscription_count(b, SPAN("orders"), 3);
    assert_buf(b, "{\"event\":\"pusher_internal:subscription_count\",\"channel\":\"orders\","
                  "\"data\":\"{\\\"subscription_count\\\":3}\"}");
    buf_clear(b);
    event_cache_miss(b, SPAN("cache-btc"));
    assert_buf(b, "{\"event\":\"pusher:cache_miss\",\"channel\":\"cache-btc\",\"data\":\"{}\"}");
}

static const struct event_member ann = { { "42", 2 },
                                         { "\"42\"", 4 },
                                         { "{\"name\":\"Ann Lee\"}", 18 } };
static const struct event_member seven = { { "7", 1 }, { "\"7\"", 3 }, { NULL, 0 } };

static void snapshot_of(struct buf *b, const struct event_member *members, size_t n)
{
    struct event_snapshot s = event_snapshot_begin(b, SPAN("presence-room.1"), n);
    for (size_t i = 0; i < n; i++) event_snapshot_id(&s, &members[i]);
    event_snapshot_middle(&s);
    for (size_t i = 0; i < n; i++) event_snapshot_info(&s, &members[i]);
    event_snapshot_end(&s);
}

#define SNAPSHOT                                                                                   \
    "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"presence-room.1\","       \
    "\"data\":\"{\\\"presence\\\":{\\\"count\\\":"

static void presence_snapshots(void **state)
{
    struct buf *b = *state;
    const struct event_member members[] = { ann, seven };
    snapshot_of(b, members, 2);
    assert_buf(b, SNAPSHOT "2,\\\"ids\\\":[\\\"42\\\",\\\"7\\\"],\\\"hash\\\":{\\\"42\\\":"
                           "{\\\"name\\\":\\\"Ann Lee\\\"},\\\"7\\\":null}}}\"}");
    buf_clear(b);
    snapshot_of(b, NULL, 0);
    assert_buf(b, SNAPSHOT "0,\\\"ids\\\":[],\\\"hash\\\":{}}}\"}");
}

/* Ids keep their token, keys are strings made from the text, info keeps its bytes. */
static void a_snapshot_keeps_tokens_and_escapes_twice(void **state)
{
    struct buf *b = *state;
    const struct event_member members[] = {
        { SPAN("42"), SPAN("42"), SPAN("1e400") },
        { SPAN("a\"b\\c\n"), SPAN("\"a\\\"b\\\\c\\n\""), SPAN("\"\\u00eb\\/\"") },
    };
    snapshot_of(b, members, 2);
    assert_buf(b, SNAPSHOT "2,\\\"ids\\\":[42,\\\"a\\\\\\\"b\\\\\\\\c\\\\n\\\"],\\\"hash\\\":{"
                           "\\\"42\\\":1e400,\\\"a\\\\\\\"b\\\\\\\\c\\\\u000a\\\":"
                           "\\\"\\\\u00eb\\\\/\\\"}}}\"}");
}

static void member_frames(void **state)
{
    struct buf *b = *state;
    event_member_added(b, SPAN("presence-room.1"), &ann);
    assert_buf(b, "{\"event\":\"pusher_internal:member_added\",\"channel\":\"presence-room.1\","
                  "\"data\":\"{\\\"user_id\\\":\\\"42\\\",\\\"user_info\\\":{\\\"name\\\":"
                  "\\\"Ann Lee\\\"}}\"}");
    buf_clear(b);
    event_member_added(b, SPAN("presence-room.1"), &seven);
    assert_buf(b, "{\"event\":\"pusher_internal:member_added\",\"channel\":\"presence-room.1\","
                  "\"data\":\"{\\\"user_id\\\":\\\"7\\\",\\\"user_info\\\":null}\"}");
    buf_clear(b);
    event_member_removed(b, SPAN("presence-room.1"), &ann);
    assert_buf(b, "{\"event\":\"pusher_internal:member_removed\",\"channel\":\"presence-room.1\","
                  "\"data\":\"{\\\"user_id\\\":\\\"42\\\"}\"}");
}

static void signin_success_carries_the_signed_string(void **state)
{
    struct buf *b = *state;
    event_signin_success(
        b,
        SPAN("{\"id\":\"42\",\"user_info\":{\"name\":\"Ann Lee\"},\"watchlist\":[\"7\",\"9\"]}"));
    assert_buf(b, "{\"event\":\"pusher:signin_success\",\"data\":\"{\\\"user_data\\\":\\\"{"
                  "\\\\\\\"id\\\\\\\":\\\\\\\"42\\\\\\\",\\\\\\\"user_info\\\\\\\":{"
                  "\\\\\\\"name\\\\\\\":\\\\\\\"Ann Lee\\\\\\\"},\\\\\\\"watchlist\\\\\\\":["
                  "\\\\\\\"7\\\\\\\",\\\\\\\"9\\\\\\\"]}\\\"}\"}");
}

/* What a client gets after decoding frame, data and user_data is the text, whatever is in it. */
static void text_escaped_twice_decodes_to_itself(void **state)
{
    struct buf *b = *state;
    static const char text[] =
        "a\"\\\n\t\x01\x7f/\xc3\xa9\xed\x95\x9c\xf0\x9f\x9a\x80\xed\xa0\x80z";
    event_signin_success(b, span_str(text));
    struct json_val frame, data;
    struct json_field outer = { .name = "data" }, inner = { .name = "user_data" };
    struct buf once = { 0 }, twice = { 0 };
    assert_true(json_check(buf_span(b), 8, &frame, NULL));
    assert_null(json_fields(frame, &outer, 1));
    json_unescape(outer.val, &once);
    assert_true(json_check(buf_span(&once), 8, &data, NULL));
    assert_null(json_fields(data, &inner, 1));
    json_unescape(inner.val, &twice);
    assert_buf(&twice, text);
    buf_fini(&once);
    buf_fini(&twice);
}

static void half_a_surrogate_pair_goes_out_as_an_escape(void **state)
{
    struct buf *b = *state;
    event_error(b, SPAN("\xed\xa0\x80x\xed\xbf\xbf\xed\x95\x9c\xed"), 4009, SPAN("no"));
    assert_buf(b, "{\"event\":\"pusher:error\",\"channel\":\"\\ud800x\\udfff\xed\x95\x9c\xed\","
                  "\"data\":{\"code\":4009,\"message\":\"no\"}}");
    buf_clear(b);
    event_watchlist_change(b, true, SPAN("\xed\xa0\x80"));
    assert_buf(b, "{\"event\":\"pusher_internal:watchlist_events\",\"data\":\"{\\\"events\\\":[{"
                  "\\\"name\\\":\\\"online\\\",\\\"user_ids\\\":[\\\"\\\\ud800\\\"]}]}\"}");
}

static void watchlist_frames(void **state)
{
    struct buf *b = *state;
    const struct span seven_id = SPAN("7"), rest[] = { SPAN("9"), SPAN("10") };
    struct event_ids online = { &seven_id, 1 }, offline = { rest, 1 }, none = { NULL, 0 };
    assert_true(event_watchlist_state(b, online, offline));
    assert_buf(b, "{\"event\":\"pusher_internal:watchlist_events\",\"data\":\"{\\\"events\\\":[{"
                  "\\\"name\\\":\\\"online\\\",\\\"user_ids\\\":[\\\"7\\\"]},{\\\"name\\\":"
                  "\\\"offline\\\",\\\"user_ids\\\":[\\\"9\\\"]}]}\"}");
    buf_clear(b);
    assert_true(event_watchlist_state(b, none, (struct event_ids) { rest, 2 }));
    assert_buf(b, "{\"event\":\"pusher_internal:watchlist_events\",\"data\":\"{\\\"events\\\":[{"
                  "\\\"name\\\":\\\"offline\\\",\\\"user_ids\\\":[\\\"9\\\",\\\"10\\\"]}]}\"}");
    buf_clear(b);
    assert_false(event_watchlist_state(b, none, none));
    assert_int_equal(b->n, 0);
    event_watchlist_change(b, false, SPAN("7"));
    assert_buf(b, "{\"event\":\"pusher_internal:watchlist_events\",\"data\":\"{\\\"events\\\":[{"
                  "\\\"name\\\":\\\"offline\\\",\\\"user_ids\\\":[\\\"7\\\"]}]}\"}");
}

static void channel_events(void **state)
{
    struct buf *b = *state;
    size_t at = 0;
    struct event_out ev = { .name_raw = SPAN("\"order.shipped\""),
                            .channel = SPAN("private-orders.7"),
                            .data_raw = SPAN("\"{\\\"id\\\":7,\\\"ok\\\":true}\"") };
    BUF_ADD_LIT(b, "head");
    event_channel(b, &ev, &at);
    assert_buf(b, "head{\"event\":\"order.shipped\",\"channel\":\"private-orders.7\","
                  "\"data\":\"{\\\"id\\\":7,\\\"ok\\\":true}\"}");
    assert_true(span_starts(span_skip(buf_span(b), 4 + at), ev.data_raw));
    buf_clear(b);
    ev = (struct event_out) { SPAN("\"client-typing\""), SPAN("presence-room.1"),
                              SPAN("{\"on\":true}"), SPAN("42") };
    event_channel(b, &ev, NULL);
    assert_buf(b, "{\"event\":\"client-typing\",\"channel\":\"presence-room.1\","
                  "\"data\":{\"on\":true},\"user_id\":\"42\"}");
    buf_clear(b);
    ev = (struct event_out) { .name_raw = SPAN("\"client-x\""), .channel = SPAN("a\"b") };
    event_channel(b, &ev, &at);
    assert_buf(b, "{\"event\":\"client-x\",\"channel\":\"a\\\"b\"}");
}

static void a_channel_event_takes_its_memory_at_once(void **state)
{
    struct buf *b = *state;
    char data[5000];
    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 1] = '"';
    struct event_out ev = { SPAN("\"e\""), SPAN("presence-room"), span_of(data, sizeof data),
                            SPAN("42") };
    mem_fail_after(1, true);
    event_channel(b, &ev, NULL);
    mem_fail_after(-1, false);
    assert_false(buf_failed(b));
}

static void refused_memory_marks_the_buffer(void **state)
{
    struct buf *b = *state;
    struct event_out ev = { .name_raw = SPAN("\"e\""), .channel = SPAN("c") };
    mem_fail_after(0, true);
    event_channel(b, &ev, NULL);
    mem_fail_after(-1, false);
    assert_true(buf_failed(b));
}

#define WRITER(f) cmocka_unit_test_setup_teardown(f, new_buf, free_buf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_gives_its_members),
        cmocka_unit_test(escapes_are_resolved_and_the_token_is_kept),
        cmocka_unit_test(what_is_no_frame_is_refused_with_a_reason),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(data_is_an_object_or_a_string_of_one),
        cmocka_unit_test(no_memory_to_unescape_is_a_failure),
        WRITER(connection_frames),
        WRITER(error_frames),
        WRITER(subscription_frames),
        WRITER(presence_snapshots),
        WRITER(a_snapshot_keeps_tokens_and_escapes_twice),
        WRITER(member_frames),
        WRITER(signin_success_carries_the_signed_string),
        WRITER(text_escaped_twice_decodes_to_itself),
        WRITER(half_a_surrogate_pair_goes_out_as_an_escape),
        WRITER(watchlist_frames),
        WRITER(channel_events),
        WRITER(a_channel_event_takes_its_memory_at_once),
        WRITER(refused_memory_marks_the_buffer),
    };
    return RUN_TESTS(tests);
}
