/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_db.c: the table in SQLite; other databases are tested end to end, with real
 * servers. */
#include "base/mem.h"
#include "unit/store/store_fixture.h"
#include <sys/stat.h>

#define T0 1767225600ULL /* 2026-01-01 00:00:00 */

struct sum {
    size_t n;
    struct stats_counts counts;
    uint64_t last_s;
};

static void sum_up(void *ctx, struct span app_id, uint64_t at_s, const struct stats_counts *counts)
{
    struct sum *s = ctx;
    (void)app_id;
    s->n++;
    s->last_s = at_s;
    stats_counts_merge(&s->counts, counts);
}

/* `app` NULL: all. */
static struct sum read_sum(struct db *db, const char *app, uint64_t from_s, uint64_t to_s)
{
    struct sum s = { 0 };
    struct diag d = { "" };
    const struct db_range range = { span_str(app), from_s, to_s };
    if (db_read(db, &range, sum_up, &s, &d)) fail_msg("%s", d.text);
    return s;
}

static uint64_t clean(struct db *db, const char *app, uint64_t before_s)
{
    struct diag d = { "" };
    uint64_t n = 0;
    if (db_clean(db, span_str(app), before_s, &n, &d)) fail_msg("%s", d.text);
    return n;
}

static void rows_are_kept_in_a_new_file_and_its_folders(void **state)
{
    (void)state;
    struct place p;
    struct list rows;
    place_make(&p);
    char deep[64], url[80];
    snprintf(deep, sizeof deep, "%s/a", p.folder);
    snprintf(p.file, sizeof p.file, "%s/a/peal.db", p.folder);
    snprintf(url, sizeof url, "sqlite:%s", p.file);
    list_init(&rows);
    struct db *db = open_db(url, DB_WRITE);
    push(&rows, "shop", T0, (struct stats_counts) { 3, 10, 2 });
    push(&rows, "shop", T0 + 60, (struct stats_counts) { 2, 20, 1 });
    push(&rows, "007", T0 + 60, (struct stats_counts) { 1, 1, 1 });
    write_rows(db, &rows);
    struct sum s = read_sum(db, "shop", T0, T0 + 61);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.counts.peak_connections, 3);
    assert_int_equal(s.counts.websocket_messages, 30);
    assert_int_equal(read_sum(db, "shop", T0, T0 + 60).n, 1);
    assert_int_equal(read_sum(db, "7", 0, UINT64_MAX).n, 0);
    assert_int_equal(read_sum(db, NULL, 0, UINT64_MAX).n, 3);
    db_close(&db);
    struct stat st;
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(sql(p.file, "SELECT count(*) FROM websockets_statistics_entries WHERE "
                                 "created_at = '2026-01-01 00:01:00' AND updated_at = created_at "
                                 "AND typeof(app_id) = 'text' AND id > 1"),
                     2);
    db = open_db(url, DB_LOOK);
    assert_int_equal(read_sum(db, NULL, 0, UINT64_MAX).n, 3);
    db_close(&db);
    unlink(p.file);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(rmdir(p.folder), 0);
}

/* As the migrations of laravel-websockets make it in SQLite. */
#define LARAVEL_TABLE(peak, websocket, api)                                                        \
    "create table \"websockets_statistics_entries\" (\"id\" integer primary key autoincrement "    \
    "not "                                                                                         \
    "null, \"app_id\" varchar not null, \"" peak "\" integer not null, \"" websocket               \
    "\" integer not null, \"" api "\" integer not null, \"created_at\" datetime, \"updated_at\" "  \
    "datetime)"

static void tables_of_both_versions_are_used_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *create, *count;
    } rows[] = {
        { LARAVEL_TABLE("peak_connection_count", "websocket_message_count", "api_message_count"),
          "SELECT peak_connection_count * 10000 + websocket_message_count * 100 + "
          "api_message_count FROM websockets_statistics_entries" },
        { LARAVEL_TABLE("peak_connections_count", "websocket_messages_count", "api_messages_count"),
          "SELECT peak_connections_count * 10000 + websocket_messages_count * 100 + "
          "api_messages_count FROM websockets_statistics_entries" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct place p;
        struct list list;
        list_init(&list);
        place_make(&p);
        sql(p.file, rows[i].create);
        long long schema = sql(p.file, "PRAGMA schema_version");
        struct db *db = open_db(p.url, DB_WRITE);
        push(&list, "shop", T0, (struct stats_counts) { 12, 34, 56 });
        write_rows(db, &list);
        assert_int_equal(read_sum(db, "shop", T0, T0 + 1).counts.api_messages, 56);
        db_close(&db);
        assert_int_equal(sql(p.file, rows[i].count), 123456);
        assert_int_equal(sql(p.file, "PRAGMA schema_version"), schema);
        /* The mode of somebody's database is left alone. */
        assert_int_equal(sql(p.file, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
        place_remove(&p);
    }
}

static void other_tables_are_refused(void **state)
{
    (void)state;
    struct place p;
    struct db *db = NULL;
    struct diag d = { "" };
    place_make(&p);
    sql(p.file, "CREATE TABLE websockets_statistics_entries (id INTEGER, peak_connection_count "
                "INTEGER, websocket_messages_count INTEGER)");
    assert_int_equal(try_open(&db, p.url, DB_WRITE, &d), ERR_IO);
    assert_null(db);
    assert_non_null(strstr(d.text, "peak_connections_count"));
    place_remove(&p);
}

static void looking_makes_nothing(void **state)
{
    (void)state;
    struct place p;
    struct db *db = NULL;
    struct diag d = { "" };
    place_make(&p);
    assert_int_equal(try_open(&db, p.url, DB_LOOK, &d), ERR_ABSENT);
    assert_non_null(strstr(d.text, p.file));
    assert_int_not_equal(access(p.file, F_OK), 0);
    sql(p.file, "CREATE TABLE other (id INTEGER)");
    assert_int_equal(try_open(&db, p.url, DB_LOOK, &d), ERR_ABSENT);
    assert_int_equal(sql(p.file, "SELECT count(*) FROM sqlite_master"), 1);
    place_remove(&p);
}

static void what_is_no_database_is_an_error(void **state)
{
    (void)state;
    struct place p;
    struct db *db = NULL;
    struct diag d = { "" };
    place_make(&p);
    FILE *f = fopen(p.file, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++) fputs("not a database, whatever its name says\n", f);
    fclose(f);
    assert_int_equal(try_open(&db, p.url, DB_WRITE, &d), ERR_IO);
    assert_true(d.text[0]);
    place_remove(&p);
    assert_int_equal(try_open(&db, "sqlite:/dev/null/x/peal.db", DB_WRITE, &d), ERR_IO);
}

/* Ids that would do something if they became part of a statement, or of a pattern. */
static const char *const hostile[] = {
    "x');DROP/**/TABLE",
    "'",
    "''",
    "a'OR'1'='1",
    "%",
    "_",
    "shop",
    "SHOP",
    "Shop",
    "shop\\",
    "0",
    "0x0",
    "1e3",
    "NULL",
    "$1",
    "?1",
    "@x",
    "`a`",
};

static void hostile_ids_are_just_ids(void **state)
{
    (void)state;
    struct place p;
    struct list rows;
    list_init(&rows);
    place_make(&p);
    struct db *db = open_db(p.url, DB_WRITE);
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
        push(&rows, hostile[i], T0 + i, (struct stats_counts) { i + 1, i, i });
    write_rows(db, &rows);
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct sum s = read_sum(db, hostile[i], 0, UINT64_MAX);
        if (s.n != 1 || s.last_s != T0 + i) fail_msg("%s", hostile[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        assert_int_equal(clean(db, hostile[i], UINT64_MAX), 1);
        assert_int_equal(read_sum(db, NULL, 0, UINT64_MAX).n, ARRAY_LEN(hostile) - 1 - i);
    }
    db_close(&db);
    place_remove(&p);
}

static void cleaning_deletes_what_is_older_and_nothing_else(void **state)
{
    (void)state;
    struct place p;
    struct list rows;
    list_init(&rows);
    place_make(&p);
    struct db *db = open_db(p.url, DB_WRITE);
    for (uint64_t i = 0; i < 12000; i++)
        push(&rows, i % 2 ? "a" : "b", T0 + i, (struct stats_counts) { 1, 1, 1 });
    write_rows(db, &rows);
    sql(p.file, "INSERT INTO websockets_statistics_entries (app_id, peak_connections_count, "
                "websocket_messages_count, api_messages_count) VALUES ('a', 1, 1, 1)");
    assert_int_equal(clean(db, "a", T0), 0);
    assert_int_equal(clean(db, "c", UINT64_MAX), 0);
    assert_int_equal(clean(db, "a", T0 + 11001), 5500);
    assert_int_equal(read_sum(db, "a", 0, UINT64_MAX).n, 500);
    assert_int_equal(read_sum(db, "a", 0, T0 + 11001).n, 0);
    assert_int_equal(read_sum(db, "b", 0, UINT64_MAX).n, 6000);
    assert_int_equal(clean(db, NULL, T0 + 11500), 5750 + 250);
    assert_int_equal(read_sum(db, NULL, 0, UINT64_MAX).n, 500);
    /* A row without a time is nobody's. */
    assert_int_equal(sql(p.file, "SELECT count(*) FROM websockets_statistics_entries"), 501);
    db_close(&db);
    place_remove(&p);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    (void)state;
    struct place p;
    struct list rows;
    struct diag d = { "" };
    bool unsure = true, has = true;
    list_init(&rows);
    place_make(&p);
    struct db *db = open_db(p.url, DB_WRITE);
    sql(p.file, "CREATE TRIGGER no BEFORE INSERT ON websockets_statistics_entries WHEN "
                "new.app_id = 'bad' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
    push(&rows, "good", T0, (struct stats_counts) { 1, 2, 3 });
    push(&rows, "bad", T0, (struct stats_counts) { 1, 2, 3 });
    assert_int_equal(db_write(db, &rows, &unsure, &d), ERR_IO);
    assert_false(unsure);
    assert_non_null(strstr(d.text, "not this one"));
    db_close(&db);
    assert_int_equal(sql(p.file, "SELECT count(*) FROM websockets_statistics_entries"), 0);
    sql(p.file, "DROP TRIGGER no");
    db = open_db(p.url, DB_WRITE);
    struct stats_row *first = stats_row_of(rows.next);
    assert_int_equal(db_has(db, first, &has, &d), ERR_OK);
    assert_false(has);
    assert_int_equal(db_write(db, &rows, &unsure, &d), ERR_OK);
    assert_int_equal(db_has(db, first, &has, &d), ERR_OK);
    assert_true(has);
    first->counts.api_messages++;
    assert_int_equal(db_has(db, first, &has, &d), ERR_OK);
    assert_false(has);
    stats_rows_free(&rows);
    db_close(&db);
    place_remove(&p);
}

static void counts_larger_than_a_column_are_cut(void **state)
{
    (void)state;
    struct list rows;
    list_init(&rows);
    struct db *db = open_db("sqlite::memory:", DB_WRITE);
    push(&rows, "a", T0, (struct stats_counts) { UINT64_MAX, 1ULL << 31, STATS_COUNT_MAX });
    write_rows(db, &rows);
    struct sum s = read_sum(db, "a", 0, UINT64_MAX);
    assert_int_equal(s.counts.peak_connections, STATS_COUNT_MAX);
    assert_int_equal(s.counts.websocket_messages, STATS_COUNT_MAX);
    assert_int_equal(s.counts.api_messages, STATS_COUNT_MAX);
    db_close(&db);
}

static void a_table_in_memory_stays_short(void **state)
{
    (void)state;
    struct list rows;
    list_init(&rows);
    struct db *db = open_db("sqlite::memory:", DB_WRITE);
    for (int batch = 0; batch < 6; batch++) {
        for (uint64_t i = 0; i < 20000; i++)
            push(&rows, "a", T0 + (uint64_t)batch * 20000 + i, (struct stats_counts) { 1, 1, 1 });
        write_rows(db, &rows);
    }
    struct sum s = read_sum(db, "a", 0, UINT64_MAX);
    assert_int_equal(s.n, 100000);
    assert_int_equal(read_sum(db, "a", 0, T0 + 20000).n, 0);
    db_close(&db);
}

static void strange_values_count_as_nothing(void **state)
{
    (void)state;
    struct place p;
    place_make(&p);
    struct db *db = open_db(p.url, DB_WRITE);
    sql(p.file, "INSERT INTO websockets_statistics_entries (app_id, peak_connections_count, "
                "websocket_messages_count, api_messages_count, created_at) VALUES "
                "('a', -5, 'many', 3.5, '2026-01-01 00:00:00'), "
                "('a', 1, 2, 3, '2026-01-01 00:00:0x'), ('a', 1, 2, 3, '2026-01-01')");
    struct sum s = read_sum(db, "a", 0, UINT64_MAX);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.counts.peak_connections + s.counts.websocket_messages, 0);
    db_close(&db);
    place_remove(&p);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        struct db *db = NULL;
        struct diag d = { "" };
        mem_fail_after(n, true);
        struct store_url url;
        enum err err = store_url_parse(SPAN("sqlite::memory:"), &url, &d);
        if (!err) err = db_open(&db, &url, DB_WRITE, &d);
        long failed = mem_fail_count();
        mem_fail_after(-1, false);
        store_url_fini(&url);
        assert_int_equal(err, failed ? ERR_NOMEM : ERR_OK);
        assert_true(!db == (failed > 0));
        db_close(&db);
        if (!failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_kept_in_a_new_file_and_its_folders),
        cmocka_unit_test(tables_of_both_versions_are_used_as_they_are),
        cmocka_unit_test(other_tables_are_refused),
        cmocka_unit_test(looking_makes_nothing),
        cmocka_unit_test(what_is_no_database_is_an_error),
        cmocka_unit_test(hostile_ids_are_just_ids),
        cmocka_unit_test(cleaning_deletes_what_is_older_and_nothing_else),
        cmocka_unit_test(a_transaction_is_all_or_nothing),
        cmocka_unit_test(counts_larger_than_a_column_are_cut),
        cmocka_unit_test(a_table_in_memory_stays_short),
        cmocka_unit_test(strange_values_count_as_nothing),
        cmocka_unit_test(memory_may_be_short),
    };
    return RUN_TESTS(tests);
}
