/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_backlog.c: rows that wait: bounded, and no count is lost. */
#include "base/mem.h"
#include "store/backlog.h"
#include "unit/test.h"
#include <stdio.h>

static struct stats_row *make(const char *app, uint64_t at_s, uint64_t peak, uint64_t messages)
{
    struct stats_row *row = stats_row_new(span_str(app));
    assert_non_null(row);
    row->at_s = at_s;
    row->counts = (struct stats_counts) { peak, messages, messages * 2 };
    return row;
}

struct sum {
    struct stats_counts counts;
    size_t rows;
    uint64_t first_s, last_s;
};

/* Takes all rows out; `app` NULL: of all apps. The order of times is checked. */
static struct sum drain(struct backlog *b, const char *app)
{
    struct sum s = { .first_s = UINT64_MAX };
    struct list rows;
    list_init(&rows);
    while (backlog_take(b, &rows, 3)) continue;
    assert_int_equal(b->n, 0);
    uint64_t before = 0;
    for (struct list *link; (link = list_pop(&rows));) {
        struct stats_row *row = stats_row_of(link);
        assert_true(row->at_s >= before);
        before = row->at_s;
        if (!app || span_eq(stats_row_app(row), span_str(app))) {
            stats_counts_merge(&s.counts, &row->counts);
            if (row->at_s < s.first_s) s.first_s = row->at_s;
            s.last_s = row->at_s;
            s.rows++;
        }
        stats_row_free(row);
    }
    return s;
}

static void rows_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct backlog b;
    struct list rows;
    list_init(&rows);
    backlog_init(&b, 10);
    for (uint64_t i = 0; i < 10; i++) backlog_add(&b, make("a", i, i, i));
    assert_int_equal(backlog_take(&b, &rows, 4), 4);
    assert_int_equal(stats_row_of(rows.next)->at_s, 0);
    assert_int_equal(stats_row_of(rows.prev)->at_s, 3);
    assert_int_equal(b.n, 6);
    assert_int_equal(b.n_summed, 0);
    stats_rows_free(&rows);
    backlog_fini(&b);
}

static void over_the_limit_the_oldest_are_summed_and_no_count_is_lost(void **state)
{
    (void)state;
    struct backlog b;
    backlog_init(&b, 100);
    for (uint64_t i = 0; i < 100000; i++) {
        backlog_add(&b, make(i % 2 ? "a" : "b", i, i % 50, 1));
        assert_true(b.n <= 101);
    }
    /* The newest keep their own rows. */
    assert_int_equal(stats_row_of(b.rows.prev)->at_s, 99999);
    assert_int_equal(stats_row_of(b.rows.prev->prev)->at_s, 99998);
    assert_int_equal(stats_row_of(b.rows.prev)->counts.websocket_messages, 1);
    assert_int_equal(b.n + b.n_summed, 100000);
    assert_int_equal(b.n_lost, 0);
    struct sum s = drain(&b, NULL);
    assert_int_equal(s.counts.websocket_messages, 100000);
    assert_int_equal(s.counts.api_messages, 200000);
    assert_int_equal(s.counts.peak_connections, 49);
    backlog_fini(&b);
}

static void apps_are_never_mixed(void **state)
{
    (void)state;
    struct backlog b;
    backlog_init(&b, 10);
    for (uint64_t i = 0; i < 1000; i++)
        backlog_add(&b, make(i % 3 ? "a" : "A", i, i % 3 ? 5 : 900, i % 3 ? 1 : 1000));
    struct sum s = drain(&b, "a");
    assert_int_equal(s.counts.websocket_messages, 666);
    assert_int_equal(s.counts.peak_connections, 5);
    backlog_fini(&b);
}

/* Then there are more rows than the limit, but not for ever. */
static void many_apps_have_at_least_a_row_each(void **state)
{
    (void)state;
    struct backlog b;
    char id[16];
    backlog_init(&b, 100);
    for (uint64_t i = 0; i < 250; i++) {
        snprintf(id, sizeof id, "app-%u", (unsigned)i);
        backlog_add(&b, make(id, i, 1, 1));
    }
    assert_int_equal(b.n, 250);
    assert_int_equal(b.n_summed + b.n_lost, 0);
    for (uint64_t i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "other-%u", (unsigned)i);
        backlog_add(&b, make(id, 1000 + i, 1, 1));
    }
    assert_int_equal(b.n, 100 * BACKLOG_HARD);
    assert_int_equal(b.n + b.n_summed + b.n_lost, 1250);
    assert_int_equal(stats_row_of(b.rows.prev)->at_s, 1999);
    backlog_fini(&b);
}

static void rows_whose_sum_no_column_can_hold_stay_apart(void **state)
{
    (void)state;
    struct backlog b;
    backlog_init(&b, 4);
    for (uint64_t i = 0; i < 12; i++) backlog_add(&b, make("a", i, 1, STATS_COUNT_MAX / 4));
    for (struct list *at = b.rows.next; at != &b.rows; at = at->next)
        assert_true(stats_row_of(at)->counts.api_messages <= STATS_COUNT_MAX);
    struct sum s = drain(&b, NULL);
    assert_int_equal(s.counts.websocket_messages, 12ULL * (STATS_COUNT_MAX / 4));
    backlog_fini(&b);
}

static void without_memory_nothing_is_summed_and_nothing_lost(void **state)
{
    (void)state;
    struct backlog b;
    backlog_init(&b, 4);
    for (uint64_t i = 0; i < 8; i++) {
        struct stats_row *row = make("a", i, 1, 1);
        mem_fail_after(0, true);
        backlog_add(&b, row);
        mem_fail_after(-1, false);
    }
    assert_int_equal(b.n, 8);
    assert_int_equal(drain(&b, NULL).counts.websocket_messages, 8);
    backlog_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_as_they_went_in),
        cmocka_unit_test(over_the_limit_the_oldest_are_summed_and_no_count_is_lost),
        cmocka_unit_test(apps_are_never_mixed),
        cmocka_unit_test(many_apps_have_at_least_a_row_each),
        cmocka_unit_test(rows_whose_sum_no_column_can_hold_stay_apart),
        cmocka_unit_test(without_memory_nothing_is_summed_and_nothing_lost),
    };
    return RUN_TESTS(tests);
}
