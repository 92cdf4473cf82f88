/* SPDX-License-Identifier: MIT
 *
 * server/restart.h: the two ends of a restart in place: asking the new program whether it would
 * start, and becoming it. What lies between (draining) is server.c's and drain.c's.
 */
#ifndef SERVER_RESTART_H
#define SERVER_RESTART_H
#include "server/server.h"

#define RESTART_CHECK_MS 10000

enum restart_verdict {
    RESTART_GO,
    RESTART_NO,   /* `d` says why */
    RESTART_STOP, /* a signal to stop came meanwhile */
};

/* Runs `PATH serve --check ARGUMENTS` for at most RESTART_CHECK_MS. The main thread. Nothing has
 * changed when it returns; `*reload`: a SIGHUP came meanwhile. */
enum restart_verdict restart_check(struct server *s, bool *reload, struct diag *d);

/* Becomes the new program, with the listeners. No other thread may run. Returns only where that
 * fails: the sentence in `d` says why, and nothing has changed. */
void restart_exec(struct server *s, struct diag *d);
#endif
