/* SPDX-License-Identifier: MIT
 *
 * ws/encoder.h: whole WebSocket frames appended to a buf (RFC 6455 sections 5.5 and 5.6).
 *
 * Pure. We never fragment. `mask` is NULL for a server and four fresh random octets for a client
 * (section 5.3: unpredictable, a new key for each frame); payloads are borrowed and not changed. A
 * failed allocation is the buf's to remember.
 */
#ifndef WS_ENCODER_H
#define WS_ENCODER_H
#include "base/buf.h"
#include "base/span.h"
#include "ws/frame.h"

/* `text` must be valid UTF-8. */
void ws_write_text(struct buf *out, struct span text, const uint8_t *mask);
void ws_write_binary(struct buf *out, struct span data, const uint8_t *mask);

/* The payload has at most WS_CONTROL_MAX bytes (checked). */
void ws_write_ping(struct buf *out, struct span payload, const uint8_t *mask);
void ws_write_pong(struct buf *out, struct span payload, const uint8_t *mask);

/* A close frame with `code` and the part of `reason` (UTF-8) that fits into 123 bytes, cut before a
 * character. WS_CODE_NONE gives an empty payload; any other code must be one that may be sent
 * (ws_code_valid, checked). */
void ws_write_close(struct buf *out, uint16_t code, struct span reason, const uint8_t *mask);

#endif
