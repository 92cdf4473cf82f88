/* SPDX-License-Identifier: MIT
 *
 * store/store_mysql.c: statistics in MySQL or MariaDB, through libmariadb, with time-outs on the
 * socket.
 *
 * created_at is written and read as text, and the session's time zone is left alone: so a row means
 * the same to Laravel, which does likewise. Strict mode is off in our sessions: else a server whose
 * time zone has a summer would refuse the hour that does not exist there. Texts compare without
 * regard to case and trailing spaces in most collations, so what is deleted by app is compared as
 * BINARY.
 */
#ifdef PEAL_MYSQL
/* clang-format off: the order matters */
#include <mysql.h>
#undef list_push /* base/list.h has functions of these names */
#undef list_pop
#undef PEAL_BAN_LATER
#include "base/banned.h"
/* clang-format on */
#include "base/mem.h"
#include "store/db_priv.h"
#include <pthread.h>

#define TEXT_MAX 1024 /* octets of a column that are read */

static enum err fail(const char *what, const char *why, struct diag *d)
{
    return diag_set(d, ERR_IO, "%s: %.500s", what, *why ? why : "no reason was given");
}

/* --- connecting --- */

static pthread_once_t library = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    (void)mysql_library_init(0, NULL, NULL);
}

static bool set_tls(MYSQL *conn, const struct store_url *url)
{
    my_bool on = 1, off = 0;
    bool verify = url->tls == STORE_TLS_VERIFY;
    bool ok = true;
    if (*url->ca) ok = !mysql_optionsv(conn, MYSQL_OPT_SSL_CA, (const void *)url->ca);
    if (url->tls == STORE_TLS_REQUIRE || verify)
        ok = ok && !mysql_optionsv(conn, MYSQL_OPT_SSL_ENFORCE, (void *)&on);
    return ok && !mysql_optionsv(conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
                                 verify ? (void *)&on : (void *)&off);
}

static bool set_options(MYSQL *conn, const struct store_url *url)
{
    unsigned connect = DB_CONNECT_MS / 1000, seconds = DB_PATIENCE_MS / 1000;
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    bool ok = !mysql_optionsv(conn, MYSQL_OPT_CONNECT_TIMEOUT, (void *)&connect) &&
              !mysql_optionsv(conn, MYSQL_OPT_READ_TIMEOUT, (void *)&seconds) &&
              !mysql_optionsv(conn, MYSQL_OPT_WRITE_TIMEOUT, (void *)&seconds) &&
              !mysql_optionsv(conn, MYSQL_SET_CHARSET_NAME, (const void *)"utf8mb4");
    if (ok && !*url->socket) ok = !mysql_optionsv(conn, MYSQL_OPT_PROTOCOL, (void *)&tcp);
    return ok && set_tls(conn, url);
}

static enum err mysql_open(struct db *db, const struct store_url *url, enum db_mode mode,
                           struct diag *d)
{
    static const char what[] = "cannot connect to MySQL";
    (void)mode;
    pthread_once(&library, start_library);
    mysql_thread_init();
    MYSQL *conn = mysql_init(NULL);
    db->conn = conn;
    if (!conn) return ERR_NOMEM;
    if (!set_options(conn, url)) return fail(what, mysql_error(conn), d);
    if (!mysql_real_connect(conn, *url->socket ? NULL : url->host, url->user, url->password,
                            url->database, url->port, *url->socket ? url->socket : NULL, 0))
        return fail(what, mysql_error(conn), d);
    return mysql_query(conn, "SET SESSION sql_mode = ''") ? fail("MySQL", mysql_error(conn), d)
                                                          : ERR_OK;
}

static void mysql_close_db(struct db *db)
{
    for (size_t i = 0; i < DB_N_STATEMENTS; i++)
        if (db->prepared[i]) mysql_stmt_close(db->prepared[i]);
    if (db->conn) mysql_close(db->conn);
    mysql_thread_end();
}

/* --- asking --- */

static bool bind_args(MYSQL_STMT *stmt, const struct db_call *call, MYSQL_BIND *binds)
{
    for (size_t i = 0; i < call->n_args; i++) {
        const struct db_value *v = &call->args[i];
        bool text = v->text.p;
        const void *at = text ? (const void *)v->text.p : (const void *)&v->number;
        binds[i] = (MYSQL_BIND) {
            .buffer_type = text ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG,
            .buffer = (void *)(uintptr_t)at, /* the library does not write to it */
            .buffer_length = text ? v->text.n : sizeof v->number,
            .is_unsigned = 1,
        };
    }
    return call->n_args == 0 || !mysql_stmt_bind_param(stmt, binds);
}

/* What a column is read into. */
struct cell {
    char text[TEXT_MAX];
    unsigned long n;
    my_bool is_null;
};

static bool bind_columns(MYSQL_STMT *stmt, unsigned n, struct cell *cells, MYSQL_BIND *binds)
{
    for (unsigned i = 0; i < n; i++)
        binds[i] = (MYSQL_BIND) {
            .buffer_type = MYSQL_TYPE_STRING,
            .buffer = cells[i].text,
            .buffer_length = sizeof cells[i].text,
            .length = &cells[i].n,
            .is_null = &cells[i].is_null,
        };
    return !mysql_stmt_bind_result(stmt, binds);
}

static enum err fetch(MYSQL_STMT *stmt, const struct db_call *call, unsigned n, struct cell *cells,
                      struct diag *d)
{
    for (;;) {
        struct span columns[DB_MAX_COLUMNS] = { 0 };
        int code = mysql_stmt_fetch(stmt);
        if (code == MYSQL_NO_DATA) return ERR_OK;
        if (code != 0 && code != MYSQL_DATA_TRUNCATED)
            return fail("MySQL", mysql_stmt_error(stmt), d);
        for (unsigned i = 0; i < n; i++) {
            size_t length = cells[i].n < TEXT_MAX ? cells[i].n : TEXT_MAX;
            columns[i] = cells[i].is_null ? SPAN("") : span_of(cells[i].text, length);
        }
        call->row(call->ctx, columns);
    }
}

/* Row by row, as they come from the server. */
static enum err take_rows(MYSQL_STMT *stmt, const struct db_call *call, struct diag *d)
{
    MYSQL_BIND binds[DB_MAX_COLUMNS] = { 0 };
    unsigned n = mysql_stmt_field_count(stmt);
    if (n > DB_MAX_COLUMNS) n = DB_MAX_COLUMNS;
    struct cell *cells = mem_zalloc(DB_MAX_COLUMNS * sizeof *cells);
    if (!cells) return ERR_NOMEM;
    enum err err = bind_columns(stmt, n, cells, binds) ? fetch(stmt, call, n, cells, d)
                                                       : fail("MySQL", mysql_stmt_error(stmt), d);
    mem_free(cells);
    return err;
}

static enum err execute(MYSQL_STMT *stmt, struct db_call *call, struct diag *d)
{
    MYSQL_BIND binds[DB_MAX_ARGS] = { 0 };
    if (!bind_args(stmt, call, binds) || mysql_stmt_execute(stmt))
        return fail("MySQL", mysql_stmt_error(stmt), d);
    enum err err = call->row ? take_rows(stmt, call, d) : ERR_OK;
    my_ulonglong changed = mysql_stmt_affected_rows(stmt);
    call->n_changed = changed == (my_ulonglong)-1 ? 0 : changed;
    mysql_stmt_free_result(stmt);
    return err;
}

/* Not all versions can prepare BEGIN; there are no parameters in such statements. */
static enum err run_plain(struct db *db, const struct db_call *call, struct diag *d)
{
    MYSQL *conn = db->conn;
    return mysql_query(conn, call->sql) ? fail("MySQL", mysql_error(conn), d) : ERR_OK;
}

static enum err mysql_run(struct db *db, struct db_call *call, struct diag *d)
{
    if (call->n_args == 0 && !call->row) return run_plain(db, call, d);
    bool kept = call->statement < DB_N_STATEMENTS;
    MYSQL_STMT *stmt = kept ? db->prepared[call->statement] : NULL;
    bool is_new = !stmt;
    if (is_new && !(stmt = mysql_stmt_init(db->conn))) return ERR_NOMEM;
    enum err err = ERR_OK;
    if (is_new && mysql_stmt_prepare(stmt, call->sql, strlen(call->sql)))
        err = fail("MySQL", mysql_stmt_error(stmt), d);
    if (!err) err = execute(stmt, call, d);
    if (kept)
        db->prepared[call->statement] = stmt;
    else
        mysql_stmt_close(stmt);
    return err;
}

static const char *const create[] = {
    "CREATE TABLE IF NOT EXISTS " DB_TABLE " ("
    "id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "app_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
    "peak_connections_count INT NOT NULL, "
    "websocket_messages_count INT NOT NULL, "
    "api_messages_count INT NOT NULL, "
    "created_at DATETIME NULL, updated_at DATETIME NULL, "
    "KEY " DB_TABLE "_app_id_created_at_index (app_id, created_at)) ENGINE=InnoDB",
    NULL,
};

const struct db_driver db_mysql = {
    .open = mysql_open,
    .close = mysql_close_db,
    .run = mysql_run,
    .columns = "SELECT column_name FROM information_schema.columns "
               "WHERE table_schema = DATABASE() AND table_name = '" DB_TABLE "'",
    .create = create,
    .at = "DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s')",
    .clean_all = "DELETE FROM " DB_TABLE " WHERE created_at < ? LIMIT " DB_CLEAN_ROWS,
    .clean_app = "DELETE FROM " DB_TABLE " WHERE created_at < ? AND app_id = CAST(? AS BINARY) "
                 "LIMIT " DB_CLEAN_ROWS,
};
#endif
