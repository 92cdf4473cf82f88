/* SPDX-License-Identifier: MIT
 *
 * store/db.c: see db.h. What is the same for all kinds of databases: the statements, the
 * transaction, finding out which columns there are.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "store/db_priv.h"
#include "store/when.h"

/* Of a table in memory, which would grow as long as the server runs: some 10 MiB. */
#define MEMORY_ROWS 100000

/* The counts' columns of laravel-websockets' versions; the newest is what we make. */
static const struct names {
    const char *peak, *websocket, *api;
} versions[] = {
    { "peak_connections_count", "websocket_messages_count", "api_messages_count" },
    { "peak_connection_count", "websocket_message_count", "api_message_count" },
};

bool db_kind_built(enum store_kind kind)
{
    return kind == STORE_NONE || db_driver_of(kind);
}

const struct db_driver *db_driver_of(enum store_kind kind)
{
    switch (kind) {
    case STORE_SQLITE:
        return &db_sqlite;
    case STORE_POSTGRES:
#ifdef PEAL_POSTGRES
        return &db_postgres;
#else
        return NULL;
#endif
    case STORE_MYSQL:
#ifdef PEAL_MYSQL
        return &db_mysql;
#else
        return NULL;
#endif
    case STORE_NONE:
        break;
    }
    return NULL;
}

/* --- statements --- */

static void say(struct db *db, enum db_statement at, const char *sql)
{
    buf_add_fmt(&db->sql[at], "%s", sql);
    buf_add_byte(&db->sql[at], '\0');
}

/* All but DB_COLUMNS. */
static enum err write_sql(struct db *db, const struct names *v)
{
    const struct db_driver *driver = db->driver;
    const char *columns[] = { v->peak, v->websocket, v->api };
    struct buf select = { 0 };
    say(db, DB_BEGIN, "BEGIN");
    say(db, DB_COMMIT, "COMMIT");
    buf_add_fmt(&db->sql[DB_INSERT],
                "INSERT INTO " DB_TABLE " (app_id, %s, %s, %s, created_at, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?)%c",
                columns[0], columns[1], columns[2], '\0');
    buf_add_fmt(&db->sql[DB_HAS],
                "SELECT 1 FROM " DB_TABLE " WHERE app_id = ? AND created_at = ? AND %s = ? AND "
                "%s = ? AND %s = ? LIMIT 1%c",
                columns[0], columns[1], columns[2], '\0');
    buf_add_fmt(&select,
                "SELECT app_id, %s, %s, %s, %s FROM " DB_TABLE
                " WHERE created_at >= ? AND created_at < ?",
                driver->at, columns[0], columns[1], columns[2]);
    buf_add_fmt(&db->sql[DB_READ_ALL], "%.*s%c", SPAN_FMT(buf_span(&select)), '\0');
    buf_add_fmt(&db->sql[DB_READ_APP], "%.*s AND app_id = ?%c", SPAN_FMT(buf_span(&select)), '\0');
    say(db, DB_CLEAN_ALL, driver->clean_all);
    say(db, DB_CLEAN_APP, driver->clean_app);
    say(db, DB_TRIM, "DELETE FROM " DB_TABLE " WHERE id <= (SELECT MAX(id) FROM " DB_TABLE ") - ?");
    bool ok = !buf_failed(&select);
    for (size_t i = 0; i < DB_N_STATEMENTS; i++) ok = ok && !buf_failed(&db->sql[i]);
    buf_fini(&select);
    return ok ? ERR_OK : ERR_NOMEM;
}

static enum err run(struct db *db, struct db_call *call, struct diag *d)
{
    call->n_changed = 0;
    call->sql = db->sql[call->statement].p;
    return db->driver->run(db, call, d);
}

static enum err run_plain(struct db *db, enum db_statement statement, struct diag *d)
{
    struct db_call call = { .statement = statement };
    return run(db, &call, d);
}

/* --- which columns --- */

struct found {
    size_t n;
    unsigned has[ARRAY_LEN(versions)]; /* of their three columns */
};

static void note_column(void *ctx, const struct span *columns)
{
    struct found *found = ctx;
    found->n++;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        found->has[i] += span_eq_nocase(columns[0], span_str(versions[i].peak)) ||
                         span_eq_nocase(columns[0], span_str(versions[i].websocket)) ||
                         span_eq_nocase(columns[0], span_str(versions[i].api));
}

static enum err look_at_columns(struct db *db, struct found *found, struct diag *d)
{
    *found = (struct found) { 0 };
    struct db_call call = { .statement = DB_COLUMNS, .row = note_column, .ctx = found };
    return run(db, &call, d);
}

static enum err create(struct db *db, struct diag *d)
{
    enum err err = ERR_OK;
    for (const char *const *sql = db->driver->create; !err && *sql; sql++) {
        struct db_call call = { .statement = DB_N_STATEMENTS, .sql = *sql };
        err = db->driver->run(db, &call, d);
    }
    return err;
}

static enum err find_table(struct db *db, enum db_mode mode, struct diag *d)
{
    struct found found;
    say(db, DB_COLUMNS, db->driver->columns);
    if (buf_failed(&db->sql[DB_COLUMNS])) return ERR_NOMEM;
    enum err err = look_at_columns(db, &found, d);
    if (err) return err;
    if (found.n == 0 && mode == DB_LOOK)
        return diag_set(d, ERR_ABSENT, "the database has no table " DB_TABLE " yet");
    if (found.n == 0) {
        err = create(db, d);
        if (!err) err = look_at_columns(db, &found, d);
        if (err) return err;
    }
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        if (found.has[i] == 3) return write_sql(db, &versions[i]);
    return diag_set(d, ERR_IO,
                    "the table " DB_TABLE " has neither the columns %s, … of laravel-websockets 2 "
                    "nor %s, … of laravel-websockets 1",
                    versions[0].peak, versions[1].peak);
}

/* --- life --- */

enum err db_open(struct db **out, const struct store_url *url, enum db_mode mode, struct diag *d)
{
    const struct db_driver *driver = db_driver_of(url->kind);
    if (!driver)
        return diag_set(d, ERR_CONFIG, "this peal was built without %s",
                        store_kind_name(url->kind));
    struct db *db = mem_zalloc(sizeof *db);
    if (!db) return diag_set(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    db->driver = driver;
    enum err err = driver->open(db, url, mode, d);
    if (!err) err = find_table(db, mode, d);
    if (err == ERR_NOMEM) diag_set(d, err, "%s", err_text(err));
    if (err)
        db_close(&db);
    else
        *out = db;
    return err;
}

void db_close(struct db **where)
{
    struct db *db = *where;
    *where = NULL;
    if (!db) return;
    db->driver->close(db);
    for (size_t i = 0; i < DB_N_STATEMENTS; i++) buf_fini(&db->sql[i]);
    mem_free(db);
}

/* --- writing --- */

static struct db_value text(struct span s)
{
    return (struct db_value) { .text = s };
}

static struct db_value number(uint64_t n)
{
    return (struct db_value) { .number = n < STATS_COUNT_MAX ? n : STATS_COUNT_MAX };
}

static enum err insert(struct db *db, const struct stats_row *row, struct diag *d)
{
    char at[WHEN_TEXT_MAX];
    struct span when = when_text(row->at_s, at);
    const struct stats_counts *c = &row->counts;
    const struct db_value args[] = { text(stats_row_app(row)),
                                     number(c->peak_connections),
                                     number(c->websocket_messages),
                                     number(c->api_messages),
                                     text(when),
                                     text(when) };
    struct db_call call = { .statement = DB_INSERT, .args = args, .n_args = ARRAY_LEN(args) };
    return run(db, &call, d);
}

static enum err trim(struct db *db, struct diag *d)
{
    const struct db_value keep = { .number = MEMORY_ROWS };
    struct db_call call = { .statement = DB_TRIM, .args = &keep, .n_args = 1 };
    return run(db, &call, d);
}

enum err db_write(struct db *db, struct list *rows, bool *unsure, struct diag *d)
{
    *unsure = false;
    enum err err = run_plain(db, DB_BEGIN, d);
    for (struct list *at = rows->next; !err && at != rows; at = at->next)
        err = insert(db, stats_row_of(at), d);
    if (!err && db->in_memory) err = trim(db, d);
    if (err) return err; /* closing the connection rolls back */
    err = run_plain(db, DB_COMMIT, d);
    *unsure = err != ERR_OK;
    return err;
}

static void note_row(void *ctx, const struct span *columns)
{
    (void)columns;
    *(bool *)ctx = true;
}

enum err db_has(struct db *db, const struct stats_row *row, bool *has, struct diag *d)
{
    char at[WHEN_TEXT_MAX];
    const struct stats_counts *c = &row->counts;
    const struct db_value args[] = { text(stats_row_app(row)), text(when_text(row->at_s, at)),
                                     number(c->peak_connections), number(c->websocket_messages),
                                     number(c->api_messages) };
    struct db_call call = {
        .statement = DB_HAS, .args = args, .n_args = ARRAY_LEN(args), .row = note_row, .ctx = has
    };
    *has = false;
    return run(db, &call, d);
}

/* --- reading --- */

struct reader {
    const struct db_range *range;
    db_take *take;
    void *ctx;
};

/* Databases may compare without regard to case: the app's id is looked at again. */
static void read_row(void *ctx, const struct span *columns)
{
    const struct reader *r = ctx;
    struct stats_counts c = { 0 };
    uint64_t at_s;
    if (r->range->app_id.p && !span_eq(columns[0], r->range->app_id)) return;
    if (!when_parse(columns[1], &at_s)) return;
    /* What is no number, or negative, counts as 0. */
    (void)span_to_u64(columns[2], &c.peak_connections);
    (void)span_to_u64(columns[3], &c.websocket_messages);
    (void)span_to_u64(columns[4], &c.api_messages);
    r->take(r->ctx, columns[0], at_s, &c);
}

enum err db_read(struct db *db, const struct db_range *range, db_take *take, void *ctx,
                 struct diag *d)
{
    char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX];
    struct reader reader = { range, take, ctx };
    bool one = range->app_id.p;
    const struct db_value args[] = { text(when_text(range->from_s, from)),
                                     text(when_text(range->to_s, to)), text(range->app_id) };
    struct db_call call = { .statement = one ? DB_READ_APP : DB_READ_ALL,
                            .args = args,
                            .n_args = one ? 3 : 2,
                            .row = read_row,
                            .ctx = &reader };
    return run(db, &call, d);
}

/* --- deleting --- */

enum err db_clean(struct db *db, struct span app_id, uint64_t before_s, uint64_t *n, struct diag *d)
{
    char before[WHEN_TEXT_MAX];
    const struct db_value args[] = { text(when_text(before_s, before)), text(app_id) };
    struct db_call call = { .statement = app_id.p ? DB_CLEAN_APP : DB_CLEAN_ALL,
                            .args = args,
                            .n_args = app_id.p ? 2 : 1 };
    *n = 0;
    do {
        enum err err = run(db, &call, d);
        if (err) return err;
        *n += call.n_changed;
    } while (call.n_changed > 0);
    return ERR_OK;
}
