/* SPDX-License-Identifier: MIT
 *
 * server/drain.h: how a worker stops (docs/internals/server.md).
 *
 *     SERVES ──> DRAINS (drain_ms > 0: serving goes on, closes are spread) ──> FINISHES ──> DONE
 *        └─────> REQUESTS (restart in place) ─────────────────────────────────────^
 *
 * REQUESTS: nothing is accepted; requests that have begun get DRAIN_HTTP_MS. When no worker has one
 * left, all go on: so what was acknowledged is in the mailboxes of those who still hold the
 * sockets. FINISHES: nothing is accepted; the mailbox is emptied; then every WebSocket gets its
 * error and close frame at once and CONN_STOP_ENDING_MS to hang up.
 */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H
#include "server/worker.h"

#define DRAIN_HTTP_MS 2000
#define DRAIN_FRESH_MS 500 /* REQUESTS: for a connection to send the beginning of its request */
#define DRAIN_STEP_MS 50
#define DRAIN_QUICK_MS 5 /* where clients wait for us to be back */

void drain_begin(struct worker *w);
/* In the timers phase of each turn; stops the loop when all is done. */
void drain_step(struct worker *w);
/* When drain_step must run at the latest; LOOP_NEVER while serving. */
uint64_t drain_deadline_ms(const struct worker *w);
#endif
