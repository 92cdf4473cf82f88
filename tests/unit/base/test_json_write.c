/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_json_write.c: JSON by appending. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "unit/test.h"

static void commas_stand_where_they_belong(void **state)
{
    (void)state;
    struct buf b = { 0 };
    json_open(&b, '{');
    json_key(&b, SPAN("a"));
    json_u64(&b, 1);
    json_key(&b, SPAN("b"));
    json_open(&b, '[');
    json_bool(&b, true);
    json_bool(&b, false);
    json_null(&b);
    json_i64(&b, -5);
    json_string(&b, SPAN("s"));
    json_open(&b, '{');
    json_close(&b, '}');
    json_open(&b, '[');
    json_close(&b, ']');
    json_raw(&b, SPAN("1e5"));
    json_close(&b, ']');
    json_key(&b, SPAN("c"));
    json_string(&b, SPAN(""));
    json_key(&b, SPAN("d:"));
    json_raw(&b, SPAN("{\"x\":1}"));
    json_close(&b, '}');
    assert_buf(&b, "{\"a\":1,\"b\":[true,false,null,-5,\"s\",{},[],1e5],\"c\":\"\",\"d:\":"
                   "{\"x\":1}}");
    assert_true(json_check(buf_span(&b), 8, NULL, NULL));
    buf_fini(&b);
}

static void a_text_may_follow_a_header(void **state)
{
    (void)state;
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "content-length: 2\r\n\r\n");
    json_open(&b, '{');
    json_close(&b, '}');
    assert_buf(&b, "content-length: 2\r\n\r\n{}");
    buf_fini(&b);
}

static void the_extremes_of_numbers_are_exact(void **state)
{
    (void)state;
    struct buf b = { 0 };
    json_open(&b, '[');
    json_u64(&b, UINT64_MAX);
    json_i64(&b, INT64_MIN);
    json_i64(&b, INT64_MAX);
    json_i64(&b, 0);
    json_close(&b, ']');
    assert_buf(&b, "[18446744073709551615,-9223372036854775808,9223372036854775807,0]");
    buf_fini(&b);
}

static void only_what_must_be_escaped_is(void **state)
{
    (void)state;
    struct buf b = { 0 };
    json_string(&b, SPAN("q\" b\\ s/ \b\f\n\r\t \x01\x1f \x7f \xc3\xab\xe2\x80\xa8 \0."));
    assert_buf(&b, "\"q\\\" b\\\\ s/ \\b\\f\\n\\r\\t \\u0001\\u001f \x7f "
                   "\xc3\xab\xe2\x80\xa8 \\u0000.\"");
    buf_fini(&b);
    json_escape(&b, SPAN("{\"a\":\"long enough for words of eight\"}"));
    assert_buf(&b, "{\\\"a\\\":\\\"long enough for words of eight\\\"}");
    buf_fini(&b);
    json_escape(&b, span_of(NULL, 0));
    assert_int_equal(b.n, 0);
}

/* Each octet at each place of a word, there and back. */
static void escaping_and_unescaping_return_the_text(void **state)
{
    (void)state;
    for (int c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 17; at++) {
            char text[17];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            struct buf b = { 0 }, back = { 0 };
            struct json_val v;
            json_string(&b, span_of(text, sizeof text));
            assert_true(json_check(buf_span(&b), 0, &v, NULL));
            json_unescape(v, &back);
            assert_true(span_eq(buf_span(&back), span_of(text, sizeof text)));
            buf_fini(&b);
            buf_fini(&back);
        }
    }
}

static void a_failure_is_remembered_to_the_end(void **state)
{
    (void)state;
    struct buf b = { 0 };
    mem_fail_after(0, false);
    json_open(&b, '{');
    mem_fail_after(-1, false);
    json_key(&b, SPAN("a"));
    json_u64(&b, 1);
    json_close(&b, '}');
    assert_true(buf_failed(&b));
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_where_they_belong),
        cmocka_unit_test(a_text_may_follow_a_header),
        cmocka_unit_test(the_extremes_of_numbers_are_exact),
        cmocka_unit_test(only_what_must_be_escaped_is),
        cmocka_unit_test(escaping_and_unescaping_return_the_text),
        cmocka_unit_test(a_failure_is_remembered_to_the_end),
    };
    return RUN_TESTS(tests);
}
