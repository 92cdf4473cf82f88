/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_event_line.c: what `peal listen` prints. */
#include "cli/event_line.h"
#include "cli/subscriber.h"
#include "cli/text.h"
#include "unit/test.h"

static struct json_val json(const char *text)
{
    struct json_val val = { .type = JSON_ABSENT };
    if (text) assert_true(json_check(span_str(text), 64, &val, NULL));
    return val;
}

static struct event_line line_of(const char *channel, const char *event, const char *data)
{
    return (struct event_line) {
        .at_ms = 1700000000123, .channel = json(channel), .event = json(event), .data = json(data)
    };
}

static void a_line_for_people_shows_data_unescaped(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct event_line line = line_of("\"orders\"", "\"paid\"", "\"{\\\"id\\\":1}\"");
    event_line_text(&line, &out);
    struct span rest = span_skip(buf_span(&out), 8); /* the hour is local */
    assert_span(rest, ".123 orders paid {\"id\":1}\n");
    buf_clear(&out);
    line = line_of(NULL, "\"e\"", "{\"a\":\n1}");
    event_line_text(&line, &out);
    rest = span_skip(buf_span(&out), 8);
    assert_span(rest, ".123 - e {\"a\":\\n1}\n");
    buf_fini(&out);
}

static void no_event_can_move_the_cursor_or_forge_a_line(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct event_line line =
        line_of("\"c\"", "\"e\\u001b[2J\"", "\"a\\nb\\u009bx\\u007f\\u0000é\"");
    event_line_text(&line, &out);
    struct span rest = span_skip(buf_span(&out), 8);
    assert_span(rest, ".123 c e\\x1b[2J a\\nb\\xc2\\x9bx\\x7f\\x00é\n");
    buf_fini(&out);
}

static void a_line_for_programs_is_one_json_object(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct event_line line = line_of("\"orders\"", "\"paid\"", "{ \"n\": 1.50,\n\"s\": \"\\n\" }");
    line.user_id = json("\"7\"");
    event_line_json(&line, &out);
    assert_buf(&out,
               "{\"time\":\"2023-11-14T22:13:20.123Z\",\"channel\":\"orders\",\"event\":\"paid\","
               "\"data\":{ \"n\": 1.50, \"s\": \"\\n\" },\"user_id\":\"7\"}\n");
    assert_true(json_check(buf_span(&out), 64, NULL, NULL));
    buf_clear(&out);
    line = line_of(NULL, "\"x\"", NULL);
    line.name = "pusher:member_added";
    event_line_json(&line, &out);
    assert_buf(&out, "{\"time\":\"2023-11-14T22:13:20.123Z\",\"channel\":null,"
                     "\"event\":\"pusher:member_added\",\"data\":null}\n");
    buf_fini(&out);
}

static void octets_that_are_no_text_are_shown_as_numbers(void **state)
{
    (void)state;
    struct buf out = { 0 };
    text_add_safe(&out, SPAN("a\xff\xc3\t\r\0b"));
    assert_buf(&out, "a\\xff\\xc3\\t\\r\\x00b");
    buf_fini(&out);
}

static void close_codes_decide_as_in_pusher_js(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        bool again;
        uint64_t wait_ms;
    } rows[] = {
        { 1000, true, 1000 }, { 1006, true, 1000 }, { 1011, true, 1000 }, { 3999, true, 1000 },
        { 4000, false, 0 },   { 4001, false, 0 },   { 4099, false, 0 },   { 4100, true, 1000 },
        { 4199, true, 1000 }, { 4200, true, 0 },    { 4299, true, 0 },    { 4300, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t wait = 0;
        assert_int_equal(subscriber_retry_ms(rows[i].code, &wait), rows[i].again);
        assert_int_equal(wait, rows[i].wait_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_people_shows_data_unescaped),
        cmocka_unit_test(no_event_can_move_the_cursor_or_forge_a_line),
        cmocka_unit_test(a_line_for_programs_is_one_json_object),
        cmocka_unit_test(octets_that_are_no_text_are_shown_as_numbers),
        cmocka_unit_test(close_codes_decide_as_in_pusher_js),
    };
    return RUN_TESTS(tests);
}
