/* SPDX-License-Identifier: MIT
 *
 * store/store_url.h: the option `store`: where statistics are kept.
 *
 *     none
 *     sqlite:/path/to/file.db     sqlite::memory:     sqlite:   (peal.db in the state folder)
 *     postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=…&socket=…
 *     mysql://USER:PASSWORD@HOST:PORT/DATABASE?…      (the same)
 *
 * postgresql:// and mariadb:// are the same as postgres:// and mysql://. Everything between the
 * punctuation may be percent-encoded. There is a password in it: store_url_mask() is what may be
 * shown, and no text of this file repeats what was given.
 */
#ifndef STORE_STORE_URL_H
#define STORE_STORE_URL_H
#include "base/buf.h"

enum store_kind { STORE_NONE, STORE_SQLITE, STORE_POSTGRES, STORE_MYSQL };
enum store_tls { STORE_TLS_PREFER, STORE_TLS_DISABLE, STORE_TLS_REQUIRE, STORE_TLS_VERIFY };

struct store_url {
    enum store_kind kind;
    enum store_tls tls;
    uint16_t port; /* 0: the usual one */
    /* C strings, in `_text`; "" where nothing is said: */
    const char *path; /* of SQLite: a file, ":memory:", or "" for the one in the state folder */
    const char *host, *user, *password, *database;
    const char *socket; /* MySQL: the socket; PostgreSQL: the folder that it is in */
    const char *ca;     /* a file of certificates to trust */
    struct buf _text;   /* wiped by store_url_fini */
};

/* ERR_SYNTAX: `d` has the end of a sentence that fits behind "must be "; ERR_NOMEM. */
enum err store_url_parse(struct span text, struct store_url *out, struct diag *d) MUST_USE;
void store_url_fini(struct store_url *url); /* wipes; zeroed is fine */

/* Appends the text with the password replaced by ***. Any text, valid or not. */
void store_url_mask(struct span text, struct buf *out);

/* For messages: "SQLite", "PostgreSQL", "MySQL". */
const char *store_kind_name(enum store_kind kind);
#endif
