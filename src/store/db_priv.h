/* SPDX-License-Identifier: MIT
 *
 * store/db_priv.h: what db.c needs of a kind of database: to run a statement with parameters.
 *
 * All statements are made of constant texts and prepared; what comes from outside goes in as
 * parameters only. They are written with ? for a parameter.
 */
#ifndef STORE_DB_PRIV_H
#define STORE_DB_PRIV_H
#include "store/db.h"

#define DB_MAX_ARGS 6
#define DB_MAX_COLUMNS 5

enum db_statement {
    DB_COLUMNS, /* names of the table's columns; no rows: there is no table */
    DB_BEGIN,
    DB_COMMIT,
    DB_INSERT,
    DB_HAS,
    DB_READ_ALL,
    DB_READ_APP,
    DB_CLEAN_ALL,
    DB_CLEAN_APP,
    DB_TRIM, /* of a table in memory */
    DB_N_STATEMENTS,
};

struct db_value {
    struct span text; /* p == NULL: the number */
    uint64_t number;
};

struct db_call {
    enum db_statement statement; /* prepared once for each connection */
    const char *sql;
    const struct db_value *args;
    size_t n_args;
    /* For each row; columns that are NULL are empty. May be NULL. */
    void (*row)(void *ctx, const struct span *columns);
    void *ctx;
    uint64_t n_changed; /* out: rows that were inserted or deleted */
};

struct db_driver {
    /* Connects; fills db->conn also where it fails half-way, for close. */
    enum err (*open)(struct db *db, const struct store_url *url, enum db_mode mode, struct diag *d);
    void (*close)(struct db *db);
    enum err (*run)(struct db *db, struct db_call *call, struct diag *d);
    const char *columns;               /* SQL of DB_COLUMNS */
    const char *const *create;         /* statements that make the table; NULL at the end */
    const char *at;                    /* created_at as text */
    const char *clean_all, *clean_app; /* at most DB_CLEAN_ROWS */
};
#define DB_CLEAN_ROWS "5000"
/* For those whose DELETE has no LIMIT; `where` after the date. */
#define DB_CLEAN_BY_ID(where)                                                                      \
    "DELETE FROM " DB_TABLE " WHERE id IN (SELECT id FROM " DB_TABLE " WHERE created_at < ?" where \
    " LIMIT " DB_CLEAN_ROWS ")"

struct db {
    const struct db_driver *driver;
    void *conn; /* the driver's */
    void *prepared[DB_N_STATEMENTS];
    struct buf sql[DB_N_STATEMENTS]; /* C strings */
    bool in_memory;                  /* gone with the process, so it is kept short */
};

/* NULL: not built. */
const struct db_driver *db_driver_of(enum store_kind kind);
extern const struct db_driver db_sqlite;
#ifdef PEAL_POSTGRES
extern const struct db_driver db_postgres;
#endif
#ifdef PEAL_MYSQL
extern const struct db_driver db_mysql;
#endif
#endif
