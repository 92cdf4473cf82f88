/* SPDX-License-Identifier: MIT
 * tests/unit/store/store_fixture.h: databases in files of their own, and rows. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H
#include "store/db.h"
#include "unit/test.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A folder for one test; `file` is not there yet. */
struct place {
    char folder[32], file[64], url[80];
};

static inline void place_make(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/peal-store-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->file, sizeof p->file, "%s/peal.db", p->folder);
    snprintf(p->url, sizeof p->url, "sqlite:%s", p->file);
}

static inline void place_remove(const struct place *p)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", p->file, ends[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(p->folder), 0);
}

static inline struct store_url url_of(const char *text)
{
    struct store_url url;
    struct diag d = { "" };
    assert_int_equal(store_url_parse(span_str(text), &url, &d), ERR_OK);
    return url;
}

static inline enum err try_open(struct db **db, const char *text, enum db_mode mode, struct diag *d)
{
    struct store_url url = url_of(text);
    enum err err = db_open(db, &url, mode, d);
    store_url_fini(&url);
    return err;
}

static inline struct db *open_db(const char *text, enum db_mode mode)
{
    struct db *db = NULL;
    struct diag d = { "" };
    if (try_open(&db, text, mode, &d)) fail_msg("%s", d.text);
    return db;
}

static inline void push(struct list *rows, const char *app, uint64_t at_s, struct stats_counts c)
{
    struct stats_row *row = stats_row_new(span_str(app));
    assert_non_null(row);
    row->at_s = at_s;
    row->counts = c;
    list_push(rows, &row->link);
}

static inline void write_rows(struct db *db, struct list *rows)
{
    struct diag d = { "" };
    bool unsure;
    if (db_write(db, rows, &unsure, &d)) fail_msg("%s", d.text);
    assert_false(unsure);
    stats_rows_free(rows);
}

/* SQL of the test's own, over a connection of its own. Returns the first column of the first row as
 * a number. */
static inline long long sql(const char *file, const char *text)
{
    sqlite3 *conn = NULL;
    sqlite3_stmt *stmt = NULL;
    long long out = 0;
    assert_int_equal(sqlite3_open(file, &conn), SQLITE_OK);
    sqlite3_busy_timeout(conn, 5000);
    for (const char *tail = text; *tail;) {
        if (sqlite3_prepare_v2(conn, tail, -1, &stmt, &tail) != SQLITE_OK)
            fail_msg("%s: %s", text, sqlite3_errmsg(conn));
        int code = sqlite3_step(stmt);
        if (code == SQLITE_ROW)
            out = sqlite3_column_int64(stmt, 0);
        else if (code != SQLITE_DONE)
            fail_msg("%s: %s", text, sqlite3_errmsg(conn));
        sqlite3_finalize(stmt);
    }
    sqlite3_close(conn);
    return out;
}
#endif
