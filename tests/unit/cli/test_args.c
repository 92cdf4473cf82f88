/* SPDX-License-Identifier: MIT
 * tests/unit/cli/test_args.c: the command line. */
#include "cli/args.h"
#include "unit/test.h"

static const struct arg_spec specs[] = {
    { "--port", "N", "" },
    { "--json", NULL, "" },
    { "--host", "HOST", "" },
};

/* All arguments as text: "--port=1 word! …", or the sentence of the first that is wrong. */
static const char *read_all(size_t argc, const char *const *words)
{
    static char out[2000];
    static char copies[16][100];
    char *argv[17] = { copies[0] };
    struct arg arg;
    struct diag d = { "" };
    for (size_t i = 0; i < argc; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", words[i]);
        argv[i] = copies[i];
    }
    struct args args = { .specs = specs, .n_specs = 3, .argc = (int)argc, .argv = argv };
    size_t n = 0;
    out[0] = '\0';
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        if (kind == ARG_WRONG) {
            snprintf(out, sizeof out, "%s", d.text);
            break;
        }
        const char *name = kind == ARG_OPTION ? arg.spec->name : "";
        n += (size_t)snprintf(out + n, sizeof out - n, "%s[%s]", name, arg.value ? arg.value : "-");
    }
    return out;
}

#define READ(...)                                                                                  \
    read_all(sizeof((const char *[]) { "cmd", __VA_ARGS__ }) / sizeof(char *),                     \
             (const char *[]) { "cmd", __VA_ARGS__ })

static void options_and_words_come_in_order(void **state)
{
    (void)state;
    assert_string_equal(READ("a", "--port", "1", "b", "--json", "--host=x"),
                        "[a]--port[1][b]--json[-]--host[x]");
    assert_string_equal(read_all(1, (const char *[]) { "cmd" }), "");
}

static void a_value_may_look_like_anything(void **state)
{
    (void)state;
    assert_string_equal(READ("--host", "--json"), "--host[--json]");
    assert_string_equal(READ("--host=a=b"), "--host[a=b]");
    assert_string_equal(READ("--host="), "--host[]");
    assert_string_equal(READ("--host", ""), "--host[]");
    assert_string_equal(READ("-"), "[-]"); /* stdin */
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_string_equal(READ("--json", "--", "--port", "--", "-x"), "--json[-][--port][--][-x]");
    assert_string_equal(READ("--"), "");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    assert_string_equal(READ("--prot", "1"), "there is no option --prot; did you mean --port?");
    assert_string_equal(READ("--prot=1"), "there is no option --prot; did you mean --port?");
    assert_string_equal(READ("-x"), "there is no option -x; see peal help cmd");
    assert_string_equal(READ("--port"), "--port needs a value");
    assert_string_equal(READ("--json=1"), "--json takes no value");
}

static void numbers_stay_in_their_range(void **state)
{
    (void)state;
    struct diag d = { "" };
    uint64_t n = 77;
    struct arg arg = { &specs[0], "65535" };
    assert_true(arg_number(&arg, 1, 65535, &n, &d));
    assert_int_equal(n, 65535);
    static const char *const wrong[] = { "0", "65536", "", "-1", "1x", "99999999999999999999" };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        arg.value = wrong[i];
        assert_false(arg_number(&arg, 1, 65535, &n, &d));
        assert_int_equal(n, 65535);
        assert_non_null(strstr(d.text, "--port must be a whole number from 1 to 65535"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_words_come_in_order),
        cmocka_unit_test(a_value_may_look_like_anything),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(numbers_stay_in_their_range),
    };
    return RUN_TESTS(tests);
}
