/* SPDX-License-Identifier: MIT
 *
 * store/store_sqlite.c: statistics in SQLite, which is the default: a file of our own in the state
 * folder, or the database of a Laravel application.
 *
 * A new file gets a write-ahead log, so that who reads does not wait for who writes; one that is
 * there keeps the mode that its owner gave it. Another process may hold it for BUSY_MS.
 */
#include "base/mem.h"
#include "store/db_priv.h"
#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define BUSY_MS 2000
#define PATH_LIMIT 4096

static enum err fail(struct db *db, const char *what, struct diag *d)
{
    sqlite3 *conn = db->conn;
    int code = conn ? sqlite3_extended_errcode(conn) : SQLITE_NOMEM;
    return diag_set(d, (code & 0xff) == SQLITE_NOMEM ? ERR_NOMEM : ERR_IO, "%s: %s", what,
                    conn ? sqlite3_errmsg(conn) : "out of memory");
}

/* The folders above the file, for nobody but us. What cannot be made is said by opening the file.
 */
static void make_folders(const char *path)
{
    char folder[PATH_LIMIT];
    size_t n = strlen(path);
    if (n >= sizeof folder) return;
    memcpy(folder, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (folder[i] != '/') continue;
        folder[i] = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST) return;
        folder[i] = '/';
    }
}

static void note(void *ctx, const struct span *columns)
{
    *(bool *)ctx = !span_eq(columns[0], SPAN("0"));
}

static enum err sqlite_run(struct db *db, struct db_call *call, struct diag *d);

static enum err prepare_new(struct db *db, struct diag *d)
{
    bool used = true;
    struct db_call call = { .statement = DB_N_STATEMENTS,
                            .sql = "SELECT count(*) FROM sqlite_master",
                            .row = note,
                            .ctx = &used };
    enum err err = sqlite_run(db, &call, d);
    if (err || used) return err;
    call = (struct db_call) { .statement = DB_N_STATEMENTS, .sql = "PRAGMA journal_mode = WAL" };
    return sqlite_run(db, &call, d);
}

static enum err sqlite_open(struct db *db, const struct store_url *url, enum db_mode mode,
                            struct diag *d)
{
    sqlite3 *conn = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    struct stat st;
    db->in_memory = strcmp(url->path, ":memory:") == 0;
    if (mode == DB_WRITE) {
        flags |= SQLITE_OPEN_CREATE;
        if (!db->in_memory) make_folders(url->path);
    } else if (!db->in_memory && stat(url->path, &st) != 0 && errno == ENOENT) {
        return diag_set(d, ERR_ABSENT, "there is no file %s yet", url->path);
    }
    int code = sqlite3_open_v2(url->path, &conn, flags, NULL);
    db->conn = conn;
    if (code != SQLITE_OK) return fail(db, url->path, d);
    sqlite3_busy_timeout(conn, BUSY_MS);
    struct db_call call = { .statement = DB_N_STATEMENTS, .sql = "PRAGMA synchronous = NORMAL" };
    enum err err = sqlite_run(db, &call, d);
    return err || mode == DB_LOOK ? err : prepare_new(db, d);
}

static void sqlite_close(struct db *db)
{
    for (size_t i = 0; i < DB_N_STATEMENTS; i++) sqlite3_finalize(db->prepared[i]);
    sqlite3_close(db->conn);
}

static int bind(sqlite3_stmt *stmt, const struct db_call *call)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < call->n_args; i++) {
        const struct db_value *v = &call->args[i];
        int at = (int)i + 1;
        code = v->text.p ? sqlite3_bind_text(stmt, at, v->text.p, (int)v->text.n, SQLITE_STATIC)
                         : sqlite3_bind_int64(stmt, at, (sqlite3_int64)v->number);
    }
    return code;
}

static void hand_row(sqlite3_stmt *stmt, const struct db_call *call)
{
    struct span columns[DB_MAX_COLUMNS] = { 0 };
    int n = sqlite3_column_count(stmt);
    for (int i = 0; i < n && i < DB_MAX_COLUMNS; i++) {
        const void *p = sqlite3_column_text(stmt, i);
        columns[i] = p ? span_of(p, (size_t)sqlite3_column_bytes(stmt, i)) : SPAN("");
    }
    call->row(call->ctx, columns);
}

static int step_all(sqlite3_stmt *stmt, const struct db_call *call)
{
    int code = bind(stmt, call);
    if (code != SQLITE_OK) return code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        if (call->row) hand_row(stmt, call);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum err sqlite_run(struct db *db, struct db_call *call, struct diag *d)
{
    bool kept = call->statement < DB_N_STATEMENTS;
    sqlite3_stmt *stmt = kept ? db->prepared[call->statement] : NULL;
    if (!stmt && sqlite3_prepare_v3(db->conn, call->sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
                                    NULL) != SQLITE_OK)
        return fail(db, "SQLite", d);
    if (kept) db->prepared[call->statement] = stmt;
    enum err err = step_all(stmt, call) == SQLITE_OK ? ERR_OK : fail(db, "SQLite", d);
    call->n_changed = (uint64_t)sqlite3_changes64(db->conn);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (!kept) sqlite3_finalize(stmt);
    return err;
}

static const char *const create[] = {
    "CREATE TABLE IF NOT EXISTS " DB_TABLE " ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "
    "app_id VARCHAR NOT NULL, "
    "peak_connections_count INTEGER NOT NULL, "
    "websocket_messages_count INTEGER NOT NULL, "
    "api_messages_count INTEGER NOT NULL, "
    "created_at DATETIME, updated_at DATETIME)",
    "CREATE INDEX IF NOT EXISTS " DB_TABLE "_app_id_created_at_index "
    "ON " DB_TABLE " (app_id, created_at)",
    NULL,
};

const struct db_driver db_sqlite = {
    .open = sqlite_open,
    .close = sqlite_close,
    .run = sqlite_run,
    .columns = "SELECT name FROM pragma_table_info('" DB_TABLE "')",
    .create = create,
    .at = "created_at",
    .clean_all = DB_CLEAN_BY_ID(""),
    .clean_app = DB_CLEAN_BY_ID(" AND app_id = ?"),
};
