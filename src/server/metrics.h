/* SPDX-License-Identifier: MIT
 *
 * server/metrics.h: GET /metrics, and the page that documents it.
 *
 * Text of Prometheus (version 0.0.4), or OpenMetrics 1.0 where the scraper asks for it.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H
#include "server/config.h"

struct server;

enum metrics_form { METRICS_PROMETHEUS, METRICS_OPEN };

/* Which form an Accept header asks for; p == NULL: none was sent. soketi's names do not keep the
 * rules of OpenMetrics, so with them it is Prometheus's in any case. */
enum metrics_form metrics_form_of(struct span accept, enum metrics_names names);
struct span metrics_type(enum metrics_form form); /* the Content-Type */

/* Appends all metrics. Worker 0's thread, whose settings are shown; the values are read one after
 * the other while all go on. */
void metrics_write(struct server *s, enum metrics_form form, struct buf *out);

/* What memory is used for, in octets. Worker 0's thread. */
struct metrics_memory {
    uint64_t resident; /* of the process, as the kernel counts it */
    uint64_t heap;     /* of this, what no file backs; the rest is part of it: */
    uint64_t connections, output, input, mailboxes, caches;
};
void metrics_memory(struct server *s, struct metrics_memory *m);

/* Appends docs/metrics.md. */
void metrics_doc(struct buf *out);
#endif
