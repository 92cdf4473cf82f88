/* SPDX-License-Identifier: MIT
 *
 * store/store_postgres.c: statistics in PostgreSQL, through libpq without its blocking calls: each
 * thing that is asked has DB_PATIENCE_MS, also of a server that is there and does not answer.
 */
#ifdef PEAL_POSTGRES
#include "base/clock.h"
#include "store/db_priv.h"
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

/* libpq ends its messages with a line feed, and may say several lines. */
static enum err fail(const struct db *db, const char *what, struct diag *d)
{
    struct span said = span_str(db->conn ? PQerrorMessage(db->conn) : "out of memory");
    struct span line = SPAN("");
    span_cut(&said, '\n', &line);
    if (!line.n) line = SPAN("no reason was given");
    return diag_set(d, ERR_IO, "%s: %.*s", what, (int)(line.n < 500 ? line.n : 500), line.p);
}

static enum err fail_late(const char *what, int ms, struct diag *d)
{
    return diag_set(d, ERR_IO, "%s: no answer within %d ms", what, ms);
}

/* Until the socket is ready for `events`; false: the time is over. */
static bool await(const struct db *db, short events, uint64_t until_ms)
{
    struct pollfd fd = { .fd = PQsocket(db->conn), .events = events };
    for (;;) {
        uint64_t now = clock_mono_ms();
        int n = poll(&fd, 1, until_ms > now ? (int)(until_ms - now) : 0);
        if (n > 0) return true;
        if (n == 0 || errno != EINTR) return false;
    }
}

/* --- connecting --- */

static const char *tls_mode(enum store_tls tls)
{
    switch (tls) {
    case STORE_TLS_PREFER:
        return "prefer";
    case STORE_TLS_DISABLE:
        return "disable";
    case STORE_TLS_REQUIRE:
        return "require";
    case STORE_TLS_VERIFY:
        return "verify-full";
    }
    UNREACHABLE();
}

static PGconn *start(const struct store_url *url)
{
    char port[8];
    snprintf(port, sizeof port, "%u", url->port);
    const struct {
        const char *name, *value;
    } all[] = {
        { "host", *url->socket ? url->socket : url->host },
        { "port", url->port ? port : "" },
        { "user", url->user },
        { "password", url->password },
        { "dbname", url->database },
        { "sslmode", tls_mode(url->tls) },
        { "sslrootcert", url->ca },
        { "application_name", "peal" },
    };
    const char *names[ARRAY_LEN(all) + 1] = { NULL }, *values[ARRAY_LEN(all) + 1] = { NULL };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!*all[i].value) continue;
        names[n] = all[i].name;
        values[n++] = all[i].value;
    }
    return PQconnectStartParams(names, values, 0);
}

static void say_nothing(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static enum err postgres_open(struct db *db, const struct store_url *url, enum db_mode mode,
                              struct diag *d)
{
    static const char what[] = "cannot connect to PostgreSQL";
    uint64_t until_ms = clock_mono_ms() + DB_CONNECT_MS;
    (void)mode;
    db->conn = start(url);
    if (!db->conn) return ERR_NOMEM;
    PQsetNoticeProcessor(db->conn, say_nothing, NULL);
    if (PQstatus(db->conn) == CONNECTION_BAD) return fail(db, what, d);
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
         next = PQconnectPoll(db->conn)) {
        if (next == PGRES_POLLING_FAILED) return fail(db, what, d);
        if (!await(db, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms))
            return fail_late(what, DB_CONNECT_MS, d);
    }
    return PQsetnonblocking(db->conn, 1) == 0 ? ERR_OK : fail(db, what, d);
}

static void postgres_close(struct db *db)
{
    PQfinish(db->conn);
}

/* --- asking --- */

/* All that was asked is on its way. */
static enum err flush(const struct db *db, uint64_t until_ms, struct diag *d)
{
    for (int left; (left = PQflush(db->conn)) != 0;) {
        if (left < 0) return fail(db, "PostgreSQL", d);
        if (!await(db, POLLIN | POLLOUT, until_ms))
            return fail_late("PostgreSQL", DB_PATIENCE_MS, d);
        if (!PQconsumeInput(db->conn)) return fail(db, "PostgreSQL", d);
    }
    return ERR_OK;
}

/* The next part of the answer, or NULL behind the last. */
static enum err next_result(const struct db *db, PGresult **out, struct diag *d)
{
    uint64_t until_ms = clock_mono_ms() + DB_PATIENCE_MS;
    while (PQisBusy(db->conn)) {
        if (!await(db, POLLIN, until_ms)) return fail_late("PostgreSQL", DB_PATIENCE_MS, d);
        if (!PQconsumeInput(db->conn)) return fail(db, "PostgreSQL", d);
    }
    *out = PQgetResult(db->conn);
    return ERR_OK;
}

static void hand_rows(const PGresult *result, const struct db_call *call)
{
    int n_columns = PQnfields(result);
    for (int row = 0; row < PQntuples(result); row++) {
        struct span columns[DB_MAX_COLUMNS] = { 0 };
        for (int i = 0; i < n_columns && i < DB_MAX_COLUMNS; i++)
            columns[i] = span_of(PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
        call->row(call->ctx, columns);
    }
}

static enum err take_result(const struct db *db, PGresult *result, struct db_call *call,
                            struct diag *d)
{
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_SINGLE_TUPLE)
        return fail(db, "PostgreSQL", d);
    if (call->row) hand_rows(result, call);
    (void)span_to_u64(span_str(PQcmdTuples(result)), &call->n_changed);
    return ERR_OK;
}

/* Reads the whole answer; the first error counts. */
static enum err finish(const struct db *db, struct db_call *call, struct diag *d)
{
    enum err err = flush(db, clock_mono_ms() + DB_PATIENCE_MS, d);
    if (err) return err;
    for (PGresult *result = NULL;;) {
        enum err late = next_result(db, &result, d);
        if (late) return late;
        if (!result) return err;
        if (!err) err = take_result(db, result, call, d);
        PQclear(result);
    }
}

/* "… = ? AND …" -> "… = $1 AND …" */
static enum err number_args(const char *sql, struct buf *out)
{
    unsigned n = 0;
    for (; *sql; sql++) {
        if (*sql == '?')
            buf_add_fmt(out, "$%u", ++n);
        else
            buf_add_byte(out, *sql);
    }
    buf_add_byte(out, '\0');
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}

static enum err prepare(struct db *db, const char *name, const struct db_call *call, struct diag *d)
{
    struct buf sql = { 0 };
    struct db_call nothing = { .statement = call->statement };
    enum err err = number_args(call->sql, &sql);
    if (!err && !PQsendPrepare(db->conn, name, sql.p, 0, NULL)) err = fail(db, "PostgreSQL", d);
    if (!err) err = finish(db, &nothing, d);
    buf_fini(&sql);
    return err;
}

/* Parameters as C strings; the server finds out of which type they are to be. */
static enum err write_args(const struct db_call *call, struct buf *out, const char **args)
{
    size_t at[DB_MAX_ARGS];
    for (size_t i = 0; i < call->n_args; i++) {
        const struct db_value *v = &call->args[i];
        at[i] = out->n;
        if (v->text.p)
            buf_add_span(out, v->text);
        else
            buf_add_u64(out, v->number);
        buf_add_byte(out, '\0');
    }
    if (buf_failed(out)) return ERR_NOMEM;
    for (size_t i = 0; i < call->n_args; i++) args[i] = out->p + at[i];
    return ERR_OK;
}

static enum err postgres_run(struct db *db, struct db_call *call, struct diag *d)
{
    char name[16] = ""; /* each of the others takes the place of the one before it */
    const char *args[DB_MAX_ARGS] = { NULL };
    struct buf texts = { 0 };
    bool kept = call->statement < DB_N_STATEMENTS;
    if (kept) snprintf(name, sizeof name, "peal%d", (int)call->statement);
    enum err err = kept && db->prepared[call->statement] ? ERR_OK : prepare(db, name, call, d);
    if (!err && kept) db->prepared[call->statement] = db;
    if (!err) err = write_args(call, &texts, args);
    if (!err && !PQsendQueryPrepared(db->conn, name, (int)call->n_args, args, NULL, NULL, 0))
        err = fail(db, "PostgreSQL", d);
    if (!err && call->row) (void)PQsetSingleRowMode(db->conn);
    if (!err) err = finish(db, call, d);
    buf_fini(&texts);
    return err;
}

static const char *const create[] = {
    "CREATE TABLE IF NOT EXISTS " DB_TABLE " ("
    "id SERIAL PRIMARY KEY, "
    "app_id VARCHAR(255) NOT NULL, "
    "peak_connections_count INTEGER NOT NULL, "
    "websocket_messages_count INTEGER NOT NULL, "
    "api_messages_count INTEGER NOT NULL, "
    "created_at TIMESTAMP(0) WITHOUT TIME ZONE, updated_at TIMESTAMP(0) WITHOUT TIME ZONE)",
    "CREATE INDEX IF NOT EXISTS " DB_TABLE "_app_id_created_at_index "
    "ON " DB_TABLE " (app_id, created_at)",
    NULL,
};

const struct db_driver db_postgres = {
    .open = postgres_open,
    .close = postgres_close,
    .run = postgres_run,
    .columns = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('" DB_TABLE
               "') AND attnum > 0 AND NOT attisdropped",
    .create = create,
    .at = "to_char(created_at, 'YYYY-MM-DD HH24:MI:SS')",
    .clean_all = DB_CLEAN_BY_ID(""),
    .clean_app = DB_CLEAN_BY_ID(" AND app_id = ?"),
};
#endif
