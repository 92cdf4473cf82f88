/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_batch.c: the lines of peal trigger --batch. */
#include "base/json_write.h"
#include "cli/batch.h"
#include "unit/test.h"

/* The event that a line gives, or the sentence that refuses it. */
static const char *read_line(const char *line)
{
    static struct buf out;
    struct diag d = { "" };
    buf_fini(&out);
    json_open(&out, '[');
    size_t before = out.n;
    enum err err = batch_add_line(span_str(line), &out, &d);
    if (err) {
        assert_int_equal(err, ERR_SYNTAX);
        assert_int_equal(out.n, before); /* nothing of it is left in the request */
        buf_clear(&out);
        buf_add_span(&out, span_str(d.text));
    }
    buf_add_byte(&out, '\0');
    return out.p + (err ? 0 : before);
}

static void an_event_is_sent_as_it_stands(void **state)
{
    (void)state;
    assert_string_equal(read_line("{\"name\":\"x\\u0041\",\"channel\":\"a\",\"data\":\"1\\/2\"}"),
                        "{\"channel\":\"a\",\"name\":\"x\\u0041\",\"data\":\"1\\/2\"}");
    assert_string_equal(read_line("{\"event\":\"x\",\"channel\":\"a\",\"socket_id\":\"1.2\"}"),
                        "{\"channel\":\"a\",\"name\":\"x\",\"data\":\"\",\"socket_id\":\"1.2\"}");
    assert_string_equal(read_line("{\"event\":\"x\",\"channel\":\"a\",\"socket_id\":null}"),
                        "{\"channel\":\"a\",\"name\":\"x\",\"data\":\"\"}");
}

static void data_that_is_no_text_becomes_its_json(void **state)
{
    (void)state;
    assert_string_equal(
        read_line("{\"event\":\"x\",\"channel\":\"a\",\"data\":{\"id\":1.0,\"t\":\"\\\"\"}}"),
        "{\"channel\":\"a\",\"name\":\"x\",\"data\":\"{\\\"id\\\":1.0,\\\"t\\\":\\\"\\\\\\\"\\\"}"
        "\"}");
    assert_string_equal(read_line("{\"event\":\"x\",\"channel\":\"a\",\"data\":null}"),
                        "{\"channel\":\"a\",\"name\":\"x\",\"data\":\"null\"}");
}

#define REFUSES(line, word)                                                                        \
    do {                                                                                           \
        const char *said = read_line(line);                                                        \
        if (!strstr(said, word)) fail_msg("%s: no '%s' in: %s", line, word, said);                 \
    } while (0)

static void a_wrong_line_is_refused_with_the_reason(void **state)
{
    (void)state;
    REFUSES("{\"event\":\"x\"", "not JSON");
    REFUSES("[1]", "no object");
    REFUSES("{\"event\":\"x\"}", "needs a text \"channel\"");
    REFUSES("{\"event\":\"x\",\"channel\":7}", "needs a text \"channel\"");
    REFUSES("{\"channel\":\"a\"}", "needs a text \"name\"");
    REFUSES("{\"channel\":\"a\",\"event\":\"x\",\"name\":\"x\"}", "both");
    REFUSES("{\"channel\":\"a\",\"channel\":\"b\",\"event\":\"x\"}", "\"channel\" twice");
    REFUSES("{\"chanel\":\"a\",\"event\":\"x\"}", "did you mean \"channel\"");
    REFUSES("{\"channel\":\"a\",\"event\":\"x\",\"zzzz\":1}", "unknown member \"zzzz\"");
    REFUSES("{\"channel\":\"a\",\"event\":\"x\",\"socket_id\":1}", "socket_id");
    REFUSES("{\"channel\":\"a\",\"event\":\"\xff\"}", "not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_sent_as_it_stands),
        cmocka_unit_test(data_that_is_no_text_becomes_its_json),
        cmocka_unit_test(a_wrong_line_is_refused_with_the_reason),
    };
    return RUN_TESTS(tests);
}
