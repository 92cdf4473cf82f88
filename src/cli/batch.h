/* SPDX-License-Identifier: MIT
 *
 * cli/batch.h: many events from stdin, one a line, to POST /apps/ID/batch_events.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H
#include "base/json_read.h"
#include "cli/cmd.h"
#include "cli/target.h"

#define BATCH_SIZE_DEFAULT 10
#define BATCH_SIZE_MAX 10000

struct batch {
    const struct cmd *cmd; /* speaks */
    const struct target *target;
    size_t size; /* events in one request, at least 1 */
    bool json;
};

/* Sends stdin in requests of `size` events; says how many, or which line is wrong or was refused.
 * Nothing of a request with a wrong line is sent. Returns the exit code. */
int batch_send(const struct batch *batch);

/* Appends the event of a line to the open array of a request's body. ERR_SYNTAX: `d` says what is
 * wrong with it, without the line's number. */
enum err batch_add_line(struct span line, struct buf *body, struct diag *d) MUST_USE;
#endif
