/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_json_style.c: JSON as other libraries would have written it. */
#include "base/json_read.h"
#include "cli/json_style.h"
#include "unit/test.h"

enum { SLASH_ESCAPED = 1, SLASH_PLAIN = 2, UNI_ESCAPED = 3, UNI_RAW = 6, TIGHT = 9, SPACED = 18 };

static const char *restyle(const char *json, unsigned style)
{
    static struct buf out;
    buf_fini(&out);
    json_style(span_str(json), style, &out);
    assert_true(json_check(buf_span(&out), 64, NULL, NULL));
    buf_add_byte(&out, '\0');
    return out.p;
}

static void style_0_is_the_text_itself(void **state)
{
    (void)state;
    const char *text = " { \"a\\/b/\" : \"é\\u00e9 \\\" , :\" , \"b\" : [1, 2.0] } ";
    assert_string_equal(restyle(text, 0), text);
}

static void slashes_are_escaped_or_not(void **state)
{
    (void)state;
    assert_string_equal(restyle("\"a/b\\/c\"", SLASH_ESCAPED), "\"a\\/b\\/c\"");
    assert_string_equal(restyle("\"a/b\\/c\"", SLASH_PLAIN), "\"a/b/c\"");
    assert_string_equal(restyle("\"\\\\/\"", SLASH_PLAIN), "\"\\\\/\""); /* a backslash, a slash */
    assert_string_equal(restyle("\"\\\\/\"", SLASH_ESCAPED), "\"\\\\\\/\"");
}

static void other_than_ascii_is_escaped_or_not(void **state)
{
    (void)state;
    assert_string_equal(restyle("\"Zoë 🚀 €\"", UNI_ESCAPED),
                        "\"Zo\\u00eb \\ud83d\\ude80 \\u20ac\"");
    assert_string_equal(restyle("\"Zo\\u00eb \\uD83D\\ude80 \\u20AC\"", UNI_RAW), "\"Zoë 🚀 €\"");
}

static void what_must_be_escaped_stays_so(void **state)
{
    (void)state;
    const char *text = "\"\\u0022\\u005c\\u000a\\u0041\\n\\\"\"";
    assert_string_equal(restyle(text, UNI_RAW), text);
    assert_string_equal(restyle("\"\\u0080\"", UNI_RAW), "\"\xc2\x80\"");
    /* Half of a character is none. */
    assert_string_equal(restyle("\"\\ud800 \\udc00\\ud800\"", UNI_RAW),
                        "\"\\ud800 \\udc00\\ud800\"");
}

static void spaces_between_tokens_only(void **state)
{
    (void)state;
    const char *text = "{ \"a, b\" :\n1,\"c\":[ 1,2 ]}";
    assert_string_equal(restyle(text, TIGHT), "{\"a, b\":1,\"c\":[1,2]}");
    assert_string_equal(restyle(text, SPACED), "{\"a, b\": 1, \"c\": [1, 2]}");
}

static void styles_combine_and_have_names(void **state)
{
    (void)state;
    struct buf name = { 0 };
    unsigned style = SLASH_ESCAPED + UNI_ESCAPED + TIGHT;
    assert_string_equal(restyle("[ \"é/\" ]", style), "[\"\\u00e9\\/\"]");
    json_style_name(style, &name);
    assert_span(buf_span(&name), "slashes escaped (\\/), other than ASCII as \\uXXXX, no spaces "
                                 "between tokens");
    buf_fini(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(style_0_is_the_text_itself),
        cmocka_unit_test(slashes_are_escaped_or_not),
        cmocka_unit_test(other_than_ascii_is_escaped_or_not),
        cmocka_unit_test(what_must_be_escaped_stays_so),
        cmocka_unit_test(spaces_between_tokens_only),
        cmocka_unit_test(styles_combine_and_have_names),
    };
    return RUN_TESTS(tests);
}
