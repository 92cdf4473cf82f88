/* SPDX-License-Identifier: MIT
 *
 * ws/encoder.c: whole WebSocket frames appended to a buf.
 *
 * Each writer takes the room for head and payload at once, so that a failed allocation leaves no
 * half a frame behind.
 */
#include "ws/encoder.h"
#include "base/check.h"
#include <string.h>

static void write_frame(struct buf *out, enum ws_op op, struct span payload, const uint8_t *mask)
{
    size_t room;
    CHECK(size_add(payload.n, WS_HEAD_MAX, &room));
    char *at = buf_room(out, room);
    if (!at) return;
    uint8_t *frame = (uint8_t *)at;
    size_t head = ws_head_write(frame, op, true, payload.n, mask);
    if (payload.n) memcpy(frame + head, payload.p, payload.n);
    if (mask) ws_unmask(frame + head, payload.n, mask, 0);
    buf_grew(out, head + payload.n);
}

void ws_write_text(struct buf *out, struct span text, const uint8_t *mask)
{
    write_frame(out, WS_OP_TEXT, text, mask);
}

void ws_write_binary(struct buf *out, struct span data, const uint8_t *mask)
{
    write_frame(out, WS_OP_BINARY, data, mask);
}

void ws_write_ping(struct buf *out, struct span payload, const uint8_t *mask)
{
    CHECK(payload.n <= WS_CONTROL_MAX);
    write_frame(out, WS_OP_PING, payload, mask);
}

void ws_write_pong(struct buf *out, struct span payload, const uint8_t *mask)
{
    CHECK(payload.n <= WS_CONTROL_MAX);
    write_frame(out, WS_OP_PONG, payload, mask);
}

/* The longest head of `text` of at most `max` bytes that does not end inside a character. */
static struct span cut_text(struct span text, size_t max)
{
    if (text.n <= max) return text;
    size_t n = max;
    while (n > 0 && ((uint8_t)text.p[n] & 0xC0) == 0x80) n--;
    return span_head(text, n);
}

void ws_write_close(struct buf *out, uint16_t code, struct span reason, const uint8_t *mask)
{
    uint8_t payload[WS_CONTROL_MAX];
    size_t n = 0;
    if (code != WS_CODE_NONE) {
        CHECK(ws_code_valid(code));
        struct span cut = cut_text(reason, WS_CLOSE_REASON_MAX);
        payload[0] = (uint8_t)(code >> 8);
        payload[1] = (uint8_t)(code & 0xFF);
        if (cut.n) memcpy(payload + 2, cut.p, cut.n);
        n = 2 + cut.n;
    }
    write_frame(out, WS_OP_CLOSE, span_of(payload, n), mask);
}
