/* SPDX-License-Identifier: MIT
 *
 * server/reload.h: new settings for a running server (SIGHUP): all or nothing.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H
#include "server/server.h"

/* Reads the settings anew and hands them to all workers. The main thread, while the workers run.
 * What is wrong with them is logged, and nothing changes. */
void reload_run(struct server *s);

/* Gives options of `cfg` that a running server cannot take over the values that they have in
 * `was`, which must outlive it; appends their names to `names`, separated by spaces. */
void reload_keep(struct config *cfg, const struct config *was, struct buf *names);
#endif
