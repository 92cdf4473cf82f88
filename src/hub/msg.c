/* SPDX-License-Identifier: MIT
 *
 * hub/msg.c: see msg.h. The struct lives at the start of the memory that the buf grew, so a message
 * is one allocation, and its text is written once.
 */
#include "hub/msg.h"
#include "base/mem.h"

size_t msg_text_offset(void)
{
    return sizeof(struct msg) + MSG_HEAD_MAX;
}

void msg_begin(struct buf *b, size_t size_hint)
{
    buf_clear(b);
    char *room = buf_room(b, msg_text_offset() + size_hint);
    if (!room) return;
    memset(room, 0, msg_text_offset());
    buf_grew(b, msg_text_offset());
}

struct msg *msg_finish(struct buf *b, msg_frame_head *head)
{
    size_t text_n = b->n - msg_text_offset();
    if (buf_failed(b) || b->n < msg_text_offset() || text_n >= UINT32_MAX - MSG_HEAD_MAX) {
        buf_fini(b);
        return NULL;
    }
    struct msg *m = (struct msg *)(void *)b->p;
    buf_init(b);
    uint8_t bytes[MSG_HEAD_MAX];
    size_t head_n = head(bytes, text_n);
    CHECK(head_n <= MSG_HEAD_MAX);
    atomic_init(&m->_refs, 1);
    m->n = (uint32_t)(head_n + text_n);
    m->_at = (uint32_t)(MSG_HEAD_MAX - head_n);
    m->text_at = (uint32_t)head_n;
    memcpy(m->_bytes + m->_at, bytes, head_n);
    return m;
}

struct msg *msg_ref(struct msg *m)
{
    CHECK(atomic_fetch_add_explicit(&m->_refs, 1, memory_order_relaxed) < UINT32_MAX / 2);
    return m;
}

void msg_unref(struct msg *m)
{
    if (m && atomic_fetch_sub_explicit(&m->_refs, 1, memory_order_acq_rel) == 1) mem_free(m);
}
