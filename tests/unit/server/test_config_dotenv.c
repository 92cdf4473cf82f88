/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_dotenv.c: the syntax of .env files, after phpdotenv 5. */
#include "server/config_dotenv.h"
#include "unit/test.h"

static struct span known(const void *ctx, struct span name)
{
    (void)ctx;
    if (span_eq(name, SPAN("HOST"))) return SPAN("example.com");
    return span_eq(name, SPAN("EMPTY")) ? SPAN("") : span_of(NULL, 0);
}

/* All variables as "name=[value]" lines, then "line N: why" where it ends with an error. */
static void read_all(const char *text, struct buf *out)
{
    struct dotenv d = { .rest = span_str(text), .lookup = known };
    struct buf value = { 0 };
    struct span name;
    enum dotenv_step step;
    buf_clear(out);
    while ((step = dotenv_next(&d, &name, &value)) == DOTENV_VARIABLE)
        buf_add_fmt(out, "%.*s=[%.*s]\n", SPAN_FMT(name), SPAN_FMT(value));
    if (step == DOTENV_WRONG) buf_add_fmt(out, "line %zu: %s\n", d.line, d.why);
    buf_fini(&value);
    buf_add_byte(out, '\0');
}

static void values_are_read_as_phpdotenv_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *variables;
    } rows[] = {
        { "", "" },
        { "A=b", "A=[b]\n" },
        { "A=b\r\nC=d\r\n", "A=[b]\nC=[d]\n" },
        { "\xef\xbb\xbf"
          "A=b\n",
          "A=[b]\n" },
        { "  A = b  \n", "A=[b]\n" },
        { "A=\nB=c\n", "A=[]\nB=[c]\n" },
        { "# comment\n\n  # more\nA=b # and more\n", "A=[b]\n" },
        { "A=b#c\n", "A=[b]\n" },
        { "A=\"b#c\" # x\n", "A=[b#c]\n" },
        { "A='b # c'\n", "A=[b # c]\n" },
        { "export A=b\nexport\tB=c\n", "A=[b]\nB=[c]\n" },
        { "exported=b\n", "exported=[b]\n" },
        { "\"A\"=b\n'B'=c\n", "A=[b]\nB=[c]\n" },
        { "A=b=c==\n", "A=[b=c==]\n" },
        { "A=\"with space\"\n", "A=[with space]\n" },
        { "A=\"x\\ny\\tz\\\"\\\\\\$\"\n", "A=[x\ny\tz\"\\$]\n" },
        { "A='x\\ny'\n", "A=[x\\ny]\n" },
        { "A=x\\ny\n", "A=[x\\ny]\n" },
        { "A=\"two\nlines\"\nB=c\n", "A=[two\nlines]\nB=[c]\n" },
        { "A=${HOST}:1\n", "A=[example.com:1]\n" },
        { "A=\"http://${HOST}/\"\n", "A=[http://example.com/]\n" },
        { "A='${HOST}'\n", "A=[${HOST}]\n" },
        { "A=\"\\${HOST}\"\n", "A=[${HOST}]\n" },
        { "A=${EMPTY}x\n", "A=[x]\n" },
        { "A=${NOBODY}\n", "A=[${NOBODY}]\n" },
        { "A=$HOST${\n", "A=[$HOST${]\n" },
        { "A=a\"b\"\n", "A=[a\"b\"]\n" },
        { "NAME_ONLY\nA=b\n", "A=[b]\n" },
        { "a.b_C9=d\n", "a.b_C9=[d]\n" },
        { "A=base64:ab+/cd==\n", "A=[base64:ab+/cd==]\n" },
    };
    struct buf out = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_all(rows[i].text, &out);
        if (strcmp(out.p, rows[i].variables) != 0)
            fail_msg("'%s' gives '%s', not '%s'", rows[i].text, out.p, rows[i].variables);
    }
    buf_fini(&out);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        { "A=b c\n", "line 1: something stands behind the value" },
        { "A=b\nA b=c\n", "A=[b]\nline 2: this is not NAME=value" },
        { "\n\n=c\n", "line 3: this is not NAME=value" },
        { "A='b\n", "line 1: the closing ' is missing" },
        { "A=1\nB=\"b\n\n\n", "A=[1]\nline 2: the closing \" is missing" },
        { "A=\"x\\q\"\n", "line 1: an unknown escape" },
        { "A=\"x\" y\n", "line 1: something stands behind the value" },
        { "A=\"x\\", "line 1: an unknown escape" },
    };
    struct buf out = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_all(rows[i].text, &out);
        if (strncmp(out.p, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("'%s' gives '%s', not '%s'", rows[i].text, out.p, rows[i].words);
    }
    buf_fini(&out);
}

static struct span doubled(const void *ctx, struct span name)
{
    (void)name;
    return *(const struct span *)ctx;
}

static void values_cannot_grow_without_end(void **state)
{
    (void)state;
    static char big[40000];
    memset(big, 'x', sizeof big);
    struct span value = span_of(big, sizeof big), name;
    struct dotenv d = { .rest = SPAN("A=${A}${A}\n"), .lookup = doubled, .ctx = &value };
    struct buf out = { 0 };
    assert_int_equal(dotenv_next(&d, &name, &out), DOTENV_WRONG);
    assert_non_null(strstr(d.why, "64 KiB"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_phpdotenv_reads_them),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(values_cannot_grow_without_end),
    };
    return RUN_TESTS(tests);
}
