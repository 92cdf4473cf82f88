/* SPDX-License-Identifier: MIT
 * cli/store_check.h: whether the database of the option `store` can be opened, before a server
 * tries. */
#ifndef CLI_STORE_CHECK_H
#define CLI_STORE_CHECK_H
#include "base/buf.h"

/* True where it can, or where there is none, or a file that a server would make. Else `why` gets a
 * warning: a server starts all the same, and keeps no statistics until it can. Takes up to
 * DB_CONNECT_MS. */
bool store_check(struct span store, struct buf *why);
#endif
