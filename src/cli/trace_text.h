/* SPDX-License-Identifier: MIT
 * cli/trace_text.h: an explanation (docs/internals/watch.md) as lines for people. Pure but for the
 * time zone. */
#ifndef CLI_TRACE_TEXT_H
#define CLI_TRACE_TEXT_H
#include "base/json_read.h"

/* Appends some lines:
 *
 *     12:34:56.789 shop orders.7 paid (api, 12 bytes, 0-17)
 *       Nobody was subscribed to orders.7.
 *       - private-orders.7 has 14 subscriptions: …
 *
 * Control characters are escaped. False where the text is no explanation. */
bool trace_text(struct span explanation, struct buf *out);
#endif
