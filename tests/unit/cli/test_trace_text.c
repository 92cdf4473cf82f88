/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_trace_text.c: what `peal trace` prints. */
#include "cli/trace_text.h"
#include "unit/test.h"

#define FACT(channel, more)                                                                        \
    "{\"fact\":{\"id\":\"0-17\",\"time\":1700000000123,\"kind\":\"publish\",\"app\":\"shop\","     \
    "\"channel\":" channel ",\"event\":\"App\\\\Events\\\\Paid\",\"data_bytes\":12," more "},"

static void what_and_why_stand_on_lines_of_their_own(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_true(
        trace_text(SPAN(FACT("\"orders.7\"",
                             "\"source\":\"api\"") "\"summary\":\"Nobody was there.\",\"hints\":[{"
                                                   "\"code\":\"a\",\"text\":\"One.\"},{\"code\":"
                                                   "\"b\",\"text\":\"Two.\"}]}"),
                   &out));
    struct span rest = span_skip(buf_span(&out), 8); /* the hour is local */
    assert_span(rest, ".123 shop orders.7 App\\Events\\Paid (api, 12 bytes, 0-17)\n"
                      "  Nobody was there.\n  - One.\n  - Two.\n");
    buf_fini(&out);
}

static void what_has_no_source_is_told_by_its_kind(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_true(trace_text(
        SPAN(FACT("null", "\"source\":null,\"channels\":[\"a\",\"b\"]") "\"summary\":\"x\","
                                                                        "\"hints\":[]}"),
        &out));
    struct span rest = span_skip(buf_span(&out), 8);
    assert_span(rest, ".123 shop a, b App\\Events\\Paid (publish, 12 bytes, 0-17)\n  x\n");
    buf_fini(&out);
}

static void nothing_of_it_can_move_the_cursor(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_true(trace_text(
        SPAN(FACT("\"a\\u001b[2J\"", "\"source\":\"api\"") "\"summary\":\"a\\nb\",\"hints\":[]}"),
        &out));
    assert_null(memchr(out.p, '\x1b', out.n));
    assert_non_null(memmem(out.p, out.n, "a\\nb", 4));
    buf_fini(&out);
}

static void what_is_no_explanation_is_not_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"fact\":1,\"summary\":\"\",\"hints\":[]}",
        "{\"fact\":{\"id\":\"0-1\"},\"summary\":\"\",\"hints\":[]}",
    };
    struct buf out = { 0 };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(trace_text(span_str(texts[i]), &out));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_and_why_stand_on_lines_of_their_own),
        cmocka_unit_test(what_has_no_source_is_told_by_its_kind),
        cmocka_unit_test(nothing_of_it_can_move_the_cursor),
        cmocka_unit_test(what_is_no_explanation_is_not_printed),
    };
    return RUN_TESTS(tests);
}
