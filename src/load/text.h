/* SPDX-License-Identifier: MIT
 *
 * load/text.h: what the load generator publishes: texts that say which message they are, of which
 * run, and when they were due.
 *
 * "bench 00c0ffee 000000000000007b 00000a1b2c3d4e5f " and then a pattern up to the wanted length,
 * that begins where the three numbers say: no digit of them can be wrong unnoticed. Nothing in it
 * needs escaping in JSON, so that its bytes are the same at every stage. Pure.
 */
#ifndef LOAD_TEXT_H
#define LOAD_TEXT_H
#include "base/buf.h"

#define TEXT_MIN ((size_t)50)
#define TEXT_MAX ((size_t)256 * 1024)
#define TEXT_EVENT "bench.event" /* the name of the event that carries it */

struct text_head {
    uint32_t run;    /* so that nobody else's messages are taken for ours */
    uint64_t seq;    /* on its channel */
    uint64_t due_ns; /* of clock_mono_ns(): when it was due to be published */
};

/* Appends a text of `bytes` bytes (TEXT_MIN–TEXT_MAX). */
void text_write(struct buf *out, const struct text_head *head, size_t bytes);

/* Looks for the word where it stood in the last frame, then everywhere; `*hint` is where that was
 * and is updated. `*at` begins with it. False: it is not there. */
bool text_look(struct span frame, struct span word, size_t *hint, struct span *at);

/* Looks for a whole text of `bytes` bytes, closed by a quote, in the frame; `*hint` is where the
 * last one was and is updated. False: there is none, or a byte of it is wrong. Whose run it is of
 * is for the caller to see. */
bool text_find(struct span frame, size_t bytes, size_t *hint, struct text_head *head);

/* The same, whatever its length and the rest of it. */
bool text_find_head(struct span frame, size_t *hint, struct text_head *head);
#endif
