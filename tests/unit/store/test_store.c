/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_store.c: the thread between those who count and the database. */
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "unit/store/store_fixture.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#define T0 1767225600ULL /* 2026-01-01 00:00:00 */
#define PATIENCE_MS 20000
#define COUNT_ROWS "SELECT count(*) FROM websockets_statistics_entries"

/* What other threads do without telling us: looks again until it is so. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t until_ms_ = clock_mono_ms() + PATIENCE_MS;                                        \
        while (!(cond)) {                                                                          \
            if (clock_mono_ms() >= until_ms_) fail_msg("not within the time: %s", #cond);          \
            poll(NULL, 0, 1);                                                                      \
        }                                                                                          \
    } while (0)

static struct store *start(const char *text)
{
    static int nowhere = -1; /* all lines are written, nobody reads them */
    if (nowhere < 0) nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_setup(LOG_DEBUG, LOG_JSON, nowhere);
    struct store *store = NULL;
    struct store_url url = url_of(text);
    assert_int_equal(store_open(&store, &url), ERR_OK);
    return store;
}

static void give(struct store *store, const char *app, uint64_t at_s)
{
    struct list rows;
    list_init(&rows);
    push(&rows, app, at_s, (struct stats_counts) { 1, 10, 100 });
    store_add(store, &rows);
    assert_true(list_empty(&rows));
}

/* --- questions --- */

struct asked {
    struct store_query query;
    atomic_uint n_done;
};

static void note_done(struct store_query *q)
{
    atomic_fetch_add(&CONTAINER_OF(q, struct asked, query)->n_done, 1);
}

static void ask(struct store *store, struct asked *a, const char *app)
{
    *a = (struct asked) {
        .query = { .app_id = span_str(app), .range = { T0, T0 + 3600, 3600 }, .done = note_done }
    };
    assert_int_equal(store_ask(store, &a->query), ERR_OK);
}

static uint64_t messages_of(struct store *store, const char *app)
{
    struct asked a;
    ask(store, &a, app);
    UNTIL(atomic_load(&a.n_done) == 1);
    if (a.query.err) return UINT64_MAX;
    uint64_t n = a.query.series.steps[0].counts.websocket_messages;
    series_fini(&a.query.series);
    return n;
}

static void what_is_given_is_written_and_can_be_asked_for(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    struct store *store = start(p.url);
    for (uint64_t i = 0; i < 10; i++) give(store, i % 2 ? "a" : "b", T0 + i);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(atomic_load(&store_stats(store)->written), 10);
    assert_int_equal(messages_of(store, "a"), 50);
    assert_int_equal(messages_of(store, "nobody"), 0);
    store_close(&store, STORE_CLOSE_MS);
    assert_null(store);
    assert_int_equal(sql(p.file, COUNT_ROWS), 10);
    place_remove(&p);
}

static void closing_writes_what_there_is(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    struct store *store = start(p.url);
    for (uint64_t i = 0; i < 1700; i++) give(store, "a", T0 + i);
    store_close(&store, STORE_CLOSE_MS);
    assert_int_equal(sql(p.file, COUNT_ROWS), 1700);
    place_remove(&p);
}

static void counts_are_kept_while_the_database_is_away(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    assert_int_equal(mkdir(p.file, 0700), 0); /* no file can be opened there */
    struct store *store = start(p.url);
    give(store, "a", T0);
    UNTIL(atomic_load(&store_stats(store)->failures) > 0);
    give(store, "a", T0 + 1);
    assert_int_equal(store_waiting(store), 2);
    assert_int_equal(messages_of(store, "a"), UINT64_MAX);
    assert_int_equal(rmdir(p.file), 0);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(messages_of(store, "a"), 20);
    store_close(&store, STORE_CLOSE_MS);
    assert_int_equal(sql(p.file, COUNT_ROWS), 2);
    place_remove(&p);
}

static void a_stop_while_it_is_away_does_not_wait_for_it(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    assert_int_equal(mkdir(p.file, 0700), 0);
    struct store *store = start(p.url);
    give(store, "a", T0);
    UNTIL(atomic_load(&store_stats(store)->failures) > 0);
    uint64_t began_ms = clock_mono_ms();
    store_close(&store, PATIENCE_MS);
    assert_true(clock_mono_ms() - began_ms < PATIENCE_MS / 2);
    assert_int_equal(rmdir(p.file), 0);
    place_remove(&p);
}

/* The columns change under the open connection: no failure, no lost row, none twice. */
static void a_migration_in_between_costs_nothing(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    struct store *store = start(p.url);
    give(store, "a", T0);
    UNTIL(store_waiting(store) == 0);
    sql(p.file, "ALTER TABLE websockets_statistics_entries RENAME COLUMN "
                "peak_connections_count TO peak_connection_count;"
                "ALTER TABLE websockets_statistics_entries RENAME COLUMN "
                "websocket_messages_count TO websocket_message_count;"
                "ALTER TABLE websockets_statistics_entries RENAME COLUMN "
                "api_messages_count TO api_message_count");
    give(store, "a", T0 + 1);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(messages_of(store, "a"), 20);
    sql(p.file, "DROP TABLE websockets_statistics_entries");
    assert_int_equal(messages_of(store, "a"), 0); /* made anew */
    give(store, "a", T0 + 2);
    store_close(&store, STORE_CLOSE_MS);
    assert_int_equal(sql(p.file, "SELECT sum(websocket_messages_count) FROM "
                                 "websockets_statistics_entries"),
                     10);
    place_remove(&p);
}

/* A writer that holds the file for longer than we wait: tried again later. */
static void a_busy_database_is_tried_again(void **state)
{
    (void)state;
    struct place p;
    sqlite3 *other = NULL;
    place_make(&p);
    struct store *store = start(p.url);
    give(store, "a", T0);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(sqlite3_open(p.file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    give(store, "a", T0 + 1);
    UNTIL(atomic_load(&store_stats(store)->failures) > 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(messages_of(store, "a"), 20);
    store_close(&store, STORE_CLOSE_MS);
    place_remove(&p);
}

static void old_rows_are_deleted_by_age(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    struct store *store = start(p.url);
    uint64_t now_s = clock_unix_ms() / 1000;
    give(store, "a", now_s - 10 * 86400);
    give(store, "a", now_s - 3 * 86400 - 60);
    give(store, "a", now_s - 3 * 86400 + 3600);
    give(store, "b", now_s);
    UNTIL(store_waiting(store) == 0);
    store_keep_days(store, 3);
    UNTIL(sql(p.file, COUNT_ROWS) == 2);
    store_keep_days(store, 1);
    UNTIL(sql(p.file, COUNT_ROWS) == 1);
    assert_int_equal(sql(p.file, COUNT_ROWS " WHERE app_id = 'b'"), 1);
    store_close(&store, STORE_CLOSE_MS);
    place_remove(&p);
}

static void forgotten_questions_are_ended_once(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    for (int round = 0; round < 30; round++) {
        struct asked a[STORE_MAX_QUERIES];
        struct store *store = start(p.url);
        for (int i = 0; i < STORE_MAX_QUERIES; i++) ask(store, &a[i], "a");
        if (round % 2) UNTIL(atomic_load(&a[round].n_done) == 1);
        store_forget(store);
        for (int i = 0; i < STORE_MAX_QUERIES; i++) {
            assert_int_equal(atomic_load(&a[i].n_done), 1);
            if (a[i].query.err == ERR_OK) series_fini(&a[i].query.series);
        }
        store_close(&store, STORE_CLOSE_MS);
        for (int i = 0; i < STORE_MAX_QUERIES; i++) assert_int_equal(atomic_load(&a[i].n_done), 1);
    }
    place_remove(&p);
}

static void too_many_questions_are_refused(void **state)
{
    (void)state;
    struct place p;
    sqlite3 *other = NULL;
    static struct asked a[2 * STORE_MAX_QUERIES + 2];
    size_t n = 0;
    place_make(&p);
    struct store *store = start(p.url);
    give(store, "a", T0);
    UNTIL(store_waiting(store) == 0);
    assert_int_equal(sqlite3_open(p.file, &other), SQLITE_OK);
    /* Its thread waits for the file, and cannot answer meanwhile. */
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    give(store, "a", T0 + 1);
    enum err err = ERR_OK;
    while (!err && n < ARRAY_LEN(a)) {
        a[n] = (struct asked) {
            .query = { .app_id = SPAN("a"), .range = { T0, T0 + 60, 60 }, .done = note_done }
        };
        err = store_ask(store, &a[n].query);
        n += !err;
    }
    assert_int_equal(err, ERR_LIMIT);
    assert_true(n >= STORE_MAX_QUERIES);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    for (size_t i = 0; i < n; i++) {
        UNTIL(atomic_load(&a[i].n_done) == 1);
        series_fini(&a[i].query.series);
    }
    store_close(&store, STORE_CLOSE_MS);
    place_remove(&p);
}

static void *give_many(void *arg)
{
    struct store *store = arg;
    for (uint64_t i = 0; i < 500; i++) give(store, "a", T0 + i);
    return NULL;
}

static void several_threads_may_give(void **state)
{
    (void)state;
    struct place p;
    pthread_t threads[4];
    place_make(&p);
    struct store *store = start(p.url);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, give_many, store), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) pthread_join(threads[i], NULL);
    store_close(&store, STORE_CLOSE_MS);
    assert_int_equal(sql(p.file, COUNT_ROWS), 2000);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_written_and_can_be_asked_for),
        cmocka_unit_test(closing_writes_what_there_is),
        cmocka_unit_test(counts_are_kept_while_the_database_is_away),
        cmocka_unit_test(a_stop_while_it_is_away_does_not_wait_for_it),
        cmocka_unit_test(a_migration_in_between_costs_nothing),
        cmocka_unit_test(a_busy_database_is_tried_again),
        cmocka_unit_test(old_rows_are_deleted_by_age),
        cmocka_unit_test(forgotten_questions_are_ended_once),
        cmocka_unit_test(too_many_questions_are_refused),
        cmocka_unit_test(several_threads_may_give),
    };
    return RUN_TESTS(tests);
}
