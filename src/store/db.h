/* SPDX-License-Identifier: MIT
 *
 * store/db.h: a connection to the database that holds the statistics, whatever its kind.
 *
 * Table `websockets_statistics_entries` as laravel-websockets made it: its version 2 names the
 * counts peak_connections_count, websocket_messages_count, api_messages_count, version 1
 * peak_connection_count and so on. Which of them a table has is found out when it is opened; where
 * there is no table, one with the columns of version 2 is made (and never changed later).
 *
 * Every call blocks, for a bounded time (DB_CONNECT_MS, and DB_PATIENCE_MS for each thing that is
 * asked of a server; looking up its name takes what the resolver takes). After an error the
 * connection is of no further use: db_close(). Not thread-safe. Reasons in `d` never hold the
 * password.
 */
#ifndef STORE_DB_H
#define STORE_DB_H
#include "store/row.h"
#include "store/store_url.h"

#define DB_CONNECT_MS 5000
#define DB_PATIENCE_MS 10000
#define DB_TABLE "websockets_statistics_entries"

struct db;

/* To write: the table, and SQLite's file with its folder, are made where they are missing. To look
 * and to clean: ERR_ABSENT then. */
enum db_mode { DB_WRITE, DB_LOOK };

/* Whether this program was built with it. */
bool db_kind_built(enum store_kind kind);

/* The URL's kind is not STORE_NONE; it is not kept. ERR_IO, ERR_ABSENT, ERR_NOMEM, ERR_CONFIG (not
 * built with it). */
enum err db_open(struct db **out, const struct store_url *url, enum db_mode mode,
                 struct diag *d) MUST_USE;
void db_close(struct db **db); /* NULL allowed */

/* All rows (struct stats_row) in one transaction. `*unsure`: it failed while it was being
 * committed, so they may be there or not; db_has() of the first one tells. */
enum err db_write(struct db *db, struct list *rows, bool *unsure, struct diag *d) MUST_USE;
enum err db_has(struct db *db, const struct stats_row *row, bool *has, struct diag *d) MUST_USE;

/* from ≤ time < to; the rows of one app, or with p == NULL of all; in no particular order. */
struct db_range {
    struct span app_id;
    uint64_t from_s, to_s;
};
typedef void db_take(void *ctx, struct span app_id, uint64_t at_s,
                     const struct stats_counts *counts);
enum err db_read(struct db *db, const struct db_range *range, db_take *take, void *ctx,
                 struct diag *d) MUST_USE;

/* Deletes rows older than `before_s`, of one app (compared octet by octet) or of all, some thousand
 * at a time; `*n`: how many, also of those before an error. */
enum err db_clean(struct db *db, struct span app_id, uint64_t before_s, uint64_t *n,
                  struct diag *d) MUST_USE;
#endif
