/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_json_read.c: what is JSON (RFC 8259), and reading it without a tree. */
#include "base/json_read.h"
#include "base/mem.h"
#include "unit/test.h"

#define DEPTH 8

static struct json_val parse(struct span text)
{
    struct json_val root;
    struct json_bad bad;
    if (!json_check(text, DEPTH, &root, &bad))
        fail_msg("%.*s: %s at %zu", SPAN_FMT(text), bad.why, bad.at);
    return root;
}

static void valid_texts_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "null",
        " true ",
        "\t\r\nfalse\n",
        "0",
        "-0",
        "-0.0e-0",
        "123456789012345678901234567890",
        "1.5",
        "1E5",
        "1e+5",
        "1.25e-300",
        "\"\"",
        "\"a\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1]",
        "[1,2 , 3]",
        "{\"a\":1}",
        "{ \"a\" : [ { } , null ] }",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE80\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"Zo\xc3\xab \xf0\x9f\x9a\x80 \x7f\"",
        "[[[[[[[[1]]]]]]]]",
        "[[],[[]],{\"a\":[]}]",
        "\"a longer text than one word of eight octets\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) (void)parse(span_str(good[i]));
}

/* Each with the offset at which it cannot be JSON any more. */
static const struct {
    const char *text;
    size_t at;
} malformed[] = {
    { "", 0 },
    { "   ", 3 },
    { "nul", 0 },
    { "nulL", 0 },
    { "True", 0 },
    { "NaN", 0 },
    { "Infinity", 0 },
    { "undefined", 0 },
    { "truex", 4 },
    { "1 2", 2 },
    { "-", 1 },
    { "+1", 0 },
    { ".5", 0 },
    { "1.", 2 },
    { "1.e5", 2 },
    { "01", 0 },
    { "-01", 1 },
    { "00", 0 },
    { "1e", 2 },
    { "1e+", 3 },
    { "0x10", 1 },
    { "'a'", 0 },
    { "\"a", 2 },
    { "\"", 1 },
    { "\"\\\"", 3 },
    { "\"\\x\"", 1 },
    { "\"\\u12\"", 1 },
    { "\"\\u123g\"", 1 },
    { "\"\\u123", 1 },
    { "\"\\", 1 },
    { "\"a\nb\"", 2 },
    { "\"12345678\x01\"", 9 },
    { "\"\x1f\"", 1 },
    { "[", 1 },
    { "[1", 2 },
    { "[1,", 3 },
    { "[1,]", 3 },
    { "[,1]", 1 },
    { "[1 2]", 3 },
    { "[1}", 2 },
    { "]", 0 },
    { "{", 1 },
    { "{]", 1 },
    { "{1:2}", 1 },
    { "{\"a\"}", 4 },
    { "{\"a\" 1}", 5 },
    { "{\"a\":}", 5 },
    { "{\"a\":1", 6 },
    { "{\"a\":1,}", 7 },
    { "{\"a\":1]", 6 },
    { "{\"a\":1 \"b\":2}", 7 },
    { "{a:1}", 1 },
    { "{,}", 1 },
    { "[]]", 2 },
    { "{}{}", 2 },
    { "\xef\xbb\xbf{}", 0 },
    { "[1]//", 3 },
    { "[/**/1]", 1 },
    { "\x0b[]", 0 },
    { "\xc2\xa0[]", 0 },
    { "\"\xc3\"", 1 },
    { "\"abc\xed\xa0\x80\"", 4 },
    { "\"\xc0\xaf\"", 1 },
    { "\"\xff\"", 1 },
    { "\"\xf4\x90\x80\x80\"", 1 },
    { "[[[[[[[[[1]]]]]]]]]", 8 },
};

static void invalid_texts_are_refused_where_they_go_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct json_val root = { .type = JSON_ABSENT };
        struct json_bad why = { .at = 999 };
        if (json_check(span_str(malformed[i].text), DEPTH, &root, &why))
            fail_msg("accepted: %s", malformed[i].text);
        if (why.at != malformed[i].at || !why.why)
            fail_msg("%s: at %zu, not %zu", malformed[i].text, why.at, malformed[i].at);
        assert_int_equal(root.type, JSON_ABSENT); /* not written on failure */
        assert_false(json_check(span_str(malformed[i].text), DEPTH, NULL, NULL));
    }
}

/* Strings are scanned by words of eight octets: each forbidden octet at each place of three. */
static void a_forbidden_octet_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        if (c >= 0x20 && c < 0x80) continue;
        for (size_t at = 1; at < 25; at++) {
            char text[26];
            struct json_bad bad;
            memset(text, 'a', sizeof text);
            text[0] = text[25] = '"';
            text[at] = (char)c;
            assert_false(json_check(span_of(text, sizeof text), 0, NULL, &bad));
            assert_int_equal(bad.at, at);
        }
    }
}

/* Every way to cut a text short, and a NUL inside one. */
static void no_beginning_of_a_document_is_a_document(void **state)
{
    (void)state;
    struct span text = SPAN("{\"a\":[1.5e3,\"x\\u00e9\xc3\xa9\",true],\"b\":{\"c\":null}}");
    (void)parse(text);
    for (size_t n = 0; n < text.n; n++) assert_false(json_check(span_head(text, n), 8, NULL, NULL));
    assert_false(json_check(SPAN("[1\0]"), DEPTH, NULL, NULL));
    assert_false(json_check(SPAN("\"a\0b\""), DEPTH, NULL, NULL));
    assert_false(json_check(span_of(NULL, 0), DEPTH, NULL, NULL));
}

static void depth_is_limited_exactly(void **state)
{
    (void)state;
    static char text[4 * JSON_MAX_DEPTH + 8];
    for (unsigned depth = 1; depth <= JSON_MAX_DEPTH; depth = depth * 2 - depth / 3) {
        struct buf b = { 0 };
        for (unsigned i = 0; i < depth; i++) buf_add_span(&b, i % 2 ? SPAN("{\"\":") : SPAN("["));
        buf_add_byte(&b, '1');
        for (unsigned i = depth; i-- > 0;) buf_add_byte(&b, i % 2 ? '}' : ']');
        assert_true(json_check(buf_span(&b), depth, NULL, NULL));
        assert_false(json_check(buf_span(&b), depth - 1, NULL, NULL));
        /* the kinds of the outer containers are remembered */
        b.p[b.n - 1] = '}';
        assert_false(json_check(buf_span(&b), depth, NULL, NULL));
        buf_fini(&b);
    }
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    assert_true(json_check(span_of(text, 2 * JSON_MAX_DEPTH), JSON_MAX_DEPTH, NULL, NULL));
    assert_false(json_check(SPAN("[]"), 0, NULL, NULL));
    assert_true(json_check(SPAN("1"), 0, NULL, NULL));
}

static void the_root_keeps_its_exact_bytes(void **state)
{
    (void)state;
    struct json_val v = parse(SPAN(" \n{\"a\" : 1.50e0 , \"b\":\"\\/\"}\t "));
    assert_int_equal(v.type, JSON_OBJECT);
    assert_span(v.raw, "{\"a\" : 1.50e0 , \"b\":\"\\/\"}");
    v = parse(SPAN(" -1.0E+2 "));
    assert_int_equal(v.type, JSON_NUMBER);
    assert_span(v.raw, "-1.0E+2");
    v = parse(SPAN(" \"a\\n\" "));
    assert_int_equal(v.type, JSON_STRING);
    assert_true(v.escaped);
    assert_span(json_inner(v), "a\\n");
    assert_false(parse(SPAN("\"a\"")).escaped);
}

static void members_come_in_order_with_their_exact_bytes(void **state)
{
    (void)state;
    struct json_val root =
        parse(SPAN("{ \"s\" : \"x]}\\\"\" ,\"n\":-1.5e3,\"a\":[1, {\"b\":\"]\"}] , \"o\":{} "
                   ",\"t\":true,\"f\" :false, \"z\":null\n}"));
    static const struct {
        const char *key, *raw;
        enum json_type type;
    } want[] = {
        { "\"s\"", "\"x]}\\\"\"", JSON_STRING },
        { "\"n\"", "-1.5e3", JSON_NUMBER },
        { "\"a\"", "[1, {\"b\":\"]\"}]", JSON_ARRAY },
        { "\"o\"", "{}", JSON_OBJECT },
        { "\"t\"", "true", JSON_TRUE },
        { "\"f\"", "false", JSON_FALSE },
        { "\"z\"", "null", JSON_NULL },
    };
    struct json_iter it = json_begin(root);
    struct json_val key, val;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(json_next_member(&it, &key, &val));
        assert_span(key.raw, want[i].key);
        assert_span(val.raw, want[i].raw);
        assert_int_equal(val.type, want[i].type);
        assert_int_equal(val.escaped, i == 0);
    }
    assert_false(json_next_member(&it, &key, &val));
    assert_false(json_next_member(&it, &key, &val));
}

static void items_come_in_order(void **state)
{
    (void)state;
    static const char *const want[] = { "1", "\"a,b\"", "[2,3]", "{\"a\":[]}", "null", "4" };
    struct json_iter it = json_begin(parse(SPAN("[1 ,\"a,b\",[2,3],{\"a\":[]}, null,4 ]")));
    struct json_val val;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(json_next_item(&it, &val));
        assert_span(val.raw, want[i]);
    }
    assert_false(json_next_item(&it, &val));
    it = json_begin(parse(SPAN("[ ]")));
    assert_false(json_next_item(&it, &val));
    it = json_begin(parse(SPAN("{ }")));
    assert_false(json_next_member(&it, &val, &val));
}

static void fields_are_found_by_their_unescaped_names(void **state)
{
    (void)state;
    struct json_field f[] = { { .name = "event" }, { .name = "data" }, { .name = "channel" } };
    struct json_val v = parse(SPAN("{\"x\":0,\"d\\u0061ta\":[1],\"event\":\"e\",\"Event\":2}"));
    assert_null(json_fields(v, f, ARRAY_LEN(f)));
    assert_span(f[0].val.raw, "\"e\"");
    assert_span(f[1].val.raw, "[1]");
    assert_int_equal(f[2].val.type, JSON_ABSENT);
}

static void a_field_that_stands_there_twice_is_named(void **state)
{
    (void)state;
    struct json_field f[] = { { .name = "a" }, { .name = "event" } };
    struct json_val v = parse(SPAN("{\"event\":1,\"x\":1,\"x\":2,\"e\\u0076ent\":1}"));
    assert_string_equal(json_fields(v, f, 2), "event");
    assert_null(json_fields(v, f, 1)); /* members nobody asked for may repeat */
    v = parse(SPAN("{\"a\":null,\"a\":null}"));
    assert_string_equal(json_fields(v, f, 2), "a");
}

static void fields_forget_the_object_before(void **state)
{
    (void)state;
    struct json_field f[] = { { .name = "a" } };
    assert_null(json_fields(parse(SPAN("{\"a\":1}")), f, 1));
    assert_null(json_fields(parse(SPAN("{}")), f, 1));
    assert_int_equal(f[0].val.type, JSON_ABSENT);
}

static void escapes_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } cases[] = {
        { "\"\"", "" },
        { "\"plain\"", "plain" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"a\\u00e9b\\u20ACc\"", "a\xc3\xa9"
                                   "b\xe2\x82\xac"
                                   "c" },
        { "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
          "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
        { "\"\\ud83d\\uDE80\"", "\xf0\x9f\x9a\x80" },
        { "\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
        { "\"\\ud83d\"", "\xed\xa0\xbd" },
        { "\"\\ude80x\"", "\xed\xba\x80x" },
        { "\"\\ud83d\\ud83d\\ude80\"", "\xed\xa0\xbd\xf0\x9f\x9a\x80" },
        { "\"\\ud83dx\\ude80\"", "\xed\xa0\xbdx\xed\xba\x80" },
        { "\"\\ud83d\\ue000\"", "\xed\xa0\xbd\xee\x80\x80" },
        { "\"\\ud83d\\n\"", "\xed\xa0\xbd\n" },
        { "\"\\ud83d\\u0041\"", "\xed\xa0\xbd"
                                "A" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_val v = parse(span_str(cases[i].json));
        struct span want = span_str(cases[i].text);
        struct buf b = { 0 };
        json_unescape(v, &b);
        assert_span(buf_span(&b), cases[i].text);
        assert_int_equal(json_unescaped_len(v), want.n);
        assert_true(json_str_eq(v, want));
        assert_false(json_str_eq(v, SPAN("something else")));
        if (want.n) assert_false(json_str_eq(v, span_head(want, want.n - 1)));
        BUF_ADD_LIT(&b, "+");
        assert_false(json_str_eq(v, buf_span(&b)));
        buf_fini(&b);
    }
}

static void an_escaped_nul_is_an_octet_like_others(void **state)
{
    (void)state;
    struct json_val v = parse(SPAN("\"a\\u0000b\""));
    assert_true(json_str_eq(v, SPAN("a\0b")));
    assert_int_equal(json_unescaped_len(v), 3);
}

static void plain_text_is_borrowed_and_escaped_text_goes_to_the_scratch(void **state)
{
    (void)state;
    struct buf scratch = { 0 };
    struct json_val plain = parse(SPAN("\"abc\"")), escaped = parse(SPAN("\"a\\nc\""));
    struct span text = json_text(plain, &scratch);
    assert_ptr_equal(text.p, plain.raw.p + 1);
    assert_int_equal(scratch.n, 0);
    BUF_ADD_LIT(&scratch, "before ");
    text = json_text(escaped, &scratch);
    assert_span(text, "a\nc");
    assert_buf(&scratch, "before a\nc");
    buf_fini(&scratch);
    mem_fail_after(0, true);
    text = json_text(escaped, &scratch);
    mem_fail_after(-1, false);
    assert_true(buf_failed(&scratch));
    assert_int_equal(text.n, 0);
    buf_fini(&scratch);
}

static void integers_that_fit_are_read(void **state)
{
    (void)state;
    uint64_t v = 1;
    assert_true(json_to_u64(parse(SPAN("0")), &v));
    assert_true(v == 0);
    assert_true(json_to_u64(parse(SPAN("18446744073709551615")), &v));
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = { "-1",    "1.0",  "1e2", "18446744073709551616",
                                       "\"1\"", "true", "[1]" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(json_to_u64(parse(span_str(bad[i])), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_accepted),
        cmocka_unit_test(invalid_texts_are_refused_where_they_go_wrong),
        cmocka_unit_test(a_forbidden_octet_is_found_wherever_it_stands),
        cmocka_unit_test(no_beginning_of_a_document_is_a_document),
        cmocka_unit_test(depth_is_limited_exactly),
        cmocka_unit_test(the_root_keeps_its_exact_bytes),
        cmocka_unit_test(members_come_in_order_with_their_exact_bytes),
        cmocka_unit_test(items_come_in_order),
        cmocka_unit_test(fields_are_found_by_their_unescaped_names),
        cmocka_unit_test(a_field_that_stands_there_twice_is_named),
        cmocka_unit_test(fields_forget_the_object_before),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(an_escaped_nul_is_an_octet_like_others),
        cmocka_unit_test(plain_text_is_borrowed_and_escaped_text_goes_to_the_scratch),
        cmocka_unit_test(integers_that_fit_are_read),
    };
    return RUN_TESTS(tests);
}
