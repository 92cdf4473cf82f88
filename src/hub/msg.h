/* SPDX-License-Identifier: MIT
 *
 * hub/msg.h: one immutable, already framed message, shared by all its receivers on all workers.
 *
 * Made from a buf without copying: msg_begin() reserves room for the head, the writers of
 * pusher/event.h append the text, msg_finish() puts the frame head right before it and takes the
 * buf's memory. The count is atomic, and touched once per worker and message, not per receiver.
 */
#ifndef HUB_MSG_H
#define HUB_MSG_H
#include "base/buf.h"
#include <stdatomic.h>

#define MSG_HEAD_MAX 10

/* Writes the head of a text frame of `len` octets and returns its length (ws_text_head). Passed in
 * as a function, since the hub knows no WebSocket. */
typedef size_t msg_frame_head(uint8_t out[MSG_HEAD_MAX], size_t len);

struct msg {
    _Atomic uint32_t _refs;
    uint32_t n;       /* octets of the frame */
    uint32_t _at;     /* where it begins in _bytes */
    uint32_t text_at; /* where the text begins within the frame */
    char _bytes[];
};

/* Empties `b` and reserves the room before the text; `size_hint` octets of text are expected. */
void msg_begin(struct buf *b, size_t size_hint);
/* How many octets stand before the text in such a buf (for offsets that the writers give). */
size_t msg_text_offset(void);
/* Takes the memory of `b`. NULL when an append had failed or the text has 4 GiB; b is empty. */
struct msg *msg_finish(struct buf *b, msg_frame_head *head) MUST_USE;

struct msg *msg_ref(struct msg *m);
void msg_unref(struct msg *m); /* NULL allowed */

static inline struct span msg_frame(const struct msg *m)
{
    return span_of(m->_bytes + m->_at, m->n);
}
static inline struct span msg_text(const struct msg *m)
{
    return span_of(m->_bytes + m->_at + m->text_at, m->n - m->text_at);
}
#endif
