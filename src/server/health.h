/* SPDX-License-Identifier: MIT
 * server/health.h: /live, /ready and /usage of the admin listener: for supervisors and balancers.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H
#include "base/buf.h"

struct server;

/* Appends the JSON of `path` and gives the status; 0: the path is none of these. Any thread. */
unsigned health_answer(struct server *s, struct span path, struct buf *json);

/* How much memory this process may have: the machine's, or less where a control group (version 2)
 * of it or above it allows less. `root` is "" but in tests. 0: not known. */
uint64_t health_memory_limit(const char *root);
#endif
