/* SPDX-License-Identifier: MIT
 * tests/unit/bench/test_report.c: medians, their intervals, and what is made of a goal; what was
 * recorded is found again. */
#include "bench/baseline.h"
#include "unit/test.h"
#include <stdlib.h>
#include <unistd.h>

static struct report report;

/* A row with these rounds: 1, 2, … n, times `unit`. */
static struct row *ascending(const char *name, size_t n, double unit)
{
    struct row *row = report_row(&report, "scenario", 2, "%s", name);
    for (size_t i = 0; i < n; i++) row_add(row, REPORT_SUBJECT, (double)(i + 1) * unit);
    return row;
}

static int clear(void **state)
{
    (void)state;
    memset(&report, 0, sizeof report);
    return 0;
}

/* The ranks stand in every table of the sign test: of 9 rounds the second, of 15 the fourth, of 21
 * the sixth, of 31 the tenth smallest and largest; of fewer than six there is none. */
static void the_interval_of_a_median_is_that_of_the_sign_test(void **state)
{
    (void)state;
    static const struct {
        size_t rounds, rank;
    } cases[] = { { 1, 1 },  { 5, 1 },  { 6, 1 },  { 8, 1 },  { 9, 2 },
                  { 12, 3 }, { 15, 4 }, { 21, 6 }, { 31, 10 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clear(NULL);
        size_t n = cases[i].rounds, rank = cases[i].rank;
        struct spread s = row_spread(ascending("row", n, 1), REPORT_SUBJECT);
        assert_true(s.low == (double)rank && s.high == (double)(n + 1 - rank));
        assert_true(s.median == (double)(n + 1) / 2 && s.min == 1 && s.max == (double)n);
    }
}

static enum report_verdict judge(enum report_goal is, double goal)
{
    struct row *row = &report.rows[0];
    row_goal(row, 1, is, goal);
    return row_judge(row);
}

static void a_goal_within_the_interval_is_no_certain_verdict(void **state)
{
    (void)state;
    ascending("row", 15, 1); /* median 8, interval 4 to 12 */
    assert_int_equal(judge(GOAL_AT_MOST, 12), MET);
    assert_int_equal(judge(GOAL_AT_MOST, 11.9), MET_PERHAPS);
    assert_int_equal(judge(GOAL_AT_MOST, 8), MET_PERHAPS);
    assert_int_equal(judge(GOAL_AT_MOST, 7.9), MISSED_PERHAPS);
    assert_int_equal(judge(GOAL_AT_MOST, 4), MISSED_PERHAPS);
    assert_int_equal(judge(GOAL_AT_MOST, 3.9), MISSED);
    assert_int_equal(judge(GOAL_AT_LEAST, 4), MET);
    assert_int_equal(judge(GOAL_AT_LEAST, 4.1), MET_PERHAPS);
    assert_int_equal(judge(GOAL_AT_LEAST, 8.1), MISSED_PERHAPS);
    assert_int_equal(judge(GOAL_AT_LEAST, 12.1), MISSED);
}

static void what_is_counted_is_judged_by_the_worst_round(void **state)
{
    (void)state;
    ascending("row", 15, 1);
    assert_int_equal(judge(GOAL_NEVER_ABOVE, 15), MET);
    assert_int_equal(judge(GOAL_NEVER_ABOVE, 14), MISSED);
    assert_int_equal(judge(GOAL_NEVER_BELOW, 1), MET);
    assert_int_equal(judge(GOAL_NEVER_BELOW, 2), MISSED);
}

static void a_ratio_is_that_of_each_round(void **state)
{
    (void)state;
    struct row *row = ascending("row", 3, 1);
    static const double floor[] = { 1, 1, 6 }; /* 1, 2, 0.5: the medians' quotient would be 2 */
    for (size_t i = 0; i < ARRAY_LEN(floor); i++) row_add(row, REPORT_FLOOR, floor[i]);
    struct spread ratio = row_ratio(row);
    assert_true(ratio.median == 1 && ratio.min == 0.5 && ratio.max == 2);
    assert_int_equal(judge(GOAL_RATIO_AT_MOST, 2), MET_PERHAPS); /* three rounds are few */
    assert_int_equal(judge(GOAL_RATIO_AT_MOST, 0.9), MISSED_PERHAPS);
}

static void a_goal_without_a_figure_is_missed(void **state)
{
    (void)state;
    report_row(&report, "scenario", 0, "row");
    for (enum report_goal is = GOAL_RATIO_AT_MOST; is <= GOAL_NEVER_BELOW; is++)
        assert_int_equal(judge(is, 1), MISSED);
}

static void what_was_recorded_is_found_where_it_is_of_the_same_kind(void **state)
{
    (void)state;
    const struct report_about about = { .version = "1", .commit = "abc", .rounds = 7 };
    char folder[] = "/tmp/peal-report-XXXXXX", path[64];
    double median;
    assert_non_null(mkdtemp(folder));
    report_row(&report, "scenario", 0, "without a figure");
    struct row *value = ascending("a value", 3, 10), *ratio = ascending("a ratio", 3, 10);
    for (int i = 0; i < 3; i++) row_add(ratio, REPORT_FLOOR, 10);
    baseline_record(folder, &report, &about);
    assert_true(baseline_find(folder, value, &median) && median == 20);
    assert_true(baseline_find(folder, ratio, &median) && median == 2);
    row_add(value, REPORT_FLOOR, 1); /* a ratio now: not to be compared with a value */
    assert_false(baseline_find(folder, value, &median));
    snprintf(path, sizeof path, "%s/scenario.json", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_interval_of_a_median_is_that_of_the_sign_test, clear),
        cmocka_unit_test_setup(a_goal_within_the_interval_is_no_certain_verdict, clear),
        cmocka_unit_test_setup(what_is_counted_is_judged_by_the_worst_round, clear),
        cmocka_unit_test_setup(a_ratio_is_that_of_each_round, clear),
        cmocka_unit_test_setup(a_goal_without_a_figure_is_missed, clear),
        cmocka_unit_test_setup(what_was_recorded_is_found_where_it_is_of_the_same_kind, clear),
    };
    return RUN_TESTS(tests);
}
