/* SPDX-License-Identifier: MIT
 *
 * bench/text.h: what the benchmark publishes: texts that say which message they are.
 *
 * "bench 0000000000000123 " and then a fixed pattern up to the wanted length. Nothing in it needs
 * escaping in JSON, so that its bytes are the same at every stage. Pure.
 */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H
#include "base/buf.h"

#define TEXT_MIN 24
#define TEXT_MAX ((size_t)256 * 1024)
#define TEXT_APP_ID "bench"
#define TEXT_APP_KEY "bench-key"
#define TEXT_APP_SECRET "bench-secret"
#define TEXT_CHANNEL "bench"        /* all subscribers are on it */
#define TEXT_EMPTY_CHANNEL "nobody" /* nobody is on it */
#define TEXT_EVENT "bench.event"

/* Appends the text of message `seq`, `bytes` long (TEXT_MIN–TEXT_MAX). */
void text_write(struct buf *out, uint64_t seq, size_t bytes);

/* Looks for a whole text of `bytes` bytes, closed by a quote, in the frame; `*hint` is where the
 * last one was and is updated. False: there is none, or a byte of it is wrong. */
bool text_find(struct span frame, size_t bytes, size_t *hint, uint64_t *seq);
#endif
