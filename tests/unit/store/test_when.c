/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_when.c: times as the table has them. */
#include "store/when.h"
#include "unit/test.h"
#include <time.h>

static void known_times_are_written_and_read(void **state)
{
    (void)state;
    static const struct {
        uint64_t unix_s;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01 00:00:00" },
        { 951782399, "2000-02-28 23:59:59" },
        { 951782400, "2000-02-29 00:00:00" },
        { 951868800, "2000-03-01 00:00:00" },
        { 4107542400, "2100-03-01 00:00:00" },
        { 2147483648, "2038-01-19 03:14:08" },
        { 253402300799, "9999-12-31 23:59:59" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[WHEN_TEXT_MAX];
        uint64_t back = 1;
        assert_span(when_text(rows[i].unix_s, text), rows[i].text);
        assert_true(when_parse(span_str(rows[i].text), &back));
        assert_int_equal(back, rows[i].unix_s);
    }
}

static void every_day_of_five_centuries_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 182622; day++) {
        time_t t = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        char want[WHEN_TEXT_MAX], got[WHEN_TEXT_MAX];
        uint64_t back = 0;
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(strftime(want, sizeof want, "%Y-%m-%d %H:%M:%S", &tm), 19);
        assert_span(when_text((uint64_t)t, got), want);
        assert_true(when_parse(span_str(got), &back));
        assert_int_equal(back, t);
    }
}

static void what_comes_after_the_year_9999_is_its_end(void **state)
{
    (void)state;
    char text[WHEN_TEXT_MAX];
    assert_span(when_text(UINT64_MAX, text), "9999-12-31 23:59:59");
}

static void other_forms_that_databases_have_are_read(void **state)
{
    (void)state;
    uint64_t s = 0;
    assert_true(when_parse(SPAN("2026-01-31T10:20:30"), &s));
    assert_int_equal(s, 1769854830);
    assert_true(when_parse(SPAN("2026-01-31 10:20:30.123456"), &s));
    assert_int_equal(s, 1769854830);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2026-01-31",
        "2026-01-31 10:20:3",
        "2026-01-31 10:20:30Z",
        "2026-01-31x10:20:30",
        "2026-02-29 00:00:00",
        "2026-13-01 00:00:00",
        "2026-00-01 00:00:00",
        "2026-04-31 00:00:00",
        "2026-01-00 00:00:00",
        "2026-01-01 24:00:00",
        "2026-01-01 00:60:00",
        "2026-01-01 00:00:60",
        "1969-12-31 23:59:59",
        "0000-00-00 00:00:00",
        "2026-01-01 00:00:-1",
        "+026-01-01 00:00:00",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint64_t s = 7;
        if (when_parse(span_str(texts[i]), &s)) fail_msg("'%s'", texts[i]);
        assert_int_equal(s, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_written_and_read),
        cmocka_unit_test(every_day_of_five_centuries_agrees_with_the_c_library),
        cmocka_unit_test(what_comes_after_the_year_9999_is_its_end),
        cmocka_unit_test(other_forms_that_databases_have_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return RUN_TESTS(tests);
}
