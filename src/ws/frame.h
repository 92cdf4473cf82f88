/* SPDX-License-Identifier: MIT
 *
 * ws/frame.h: the header of a WebSocket frame (RFC 6455 section 5.2) and the masking of its payload
 * (section 5.3).
 *
 * Pure. What both directions share; the decoder and the encoder build on it.
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_op {
    WS_OP_CONTINUATION = 0x0,
    WS_OP_TEXT = 0x1,
    WS_OP_BINARY = 0x2,
    WS_OP_CLOSE = 0x8,
    WS_OP_PING = 0x9,
    WS_OP_PONG = 0xA
};

/* Close codes that we send or report ourselves (RFC 6455 section 7.4.1). */
enum ws_code {
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_NONE = 1005, /* never on the wire: the close frame had no code */
    WS_CODE_BAD_TEXT = 1007,
    WS_CODE_POLICY = 1008,
    WS_CODE_TOO_BIG = 1009,
    WS_CODE_INTERNAL = 1011
};

#define WS_HEAD_MAX 14        /* bytes of the longest header */
#define WS_SERVER_HEAD_MAX 10 /* and of the longest without a mask */
#define WS_CONTROL_MAX 125    /* payload bytes of a ping, pong or close frame */
#define WS_CLOSE_REASON_MAX 123

#define WS_BIT_FIN 0x80
#define WS_BITS_RSV 0x70
#define WS_BITS_OP 0x0F
#define WS_BIT_MASK 0x80
#define WS_BITS_LEN 0x7F
#define WS_LEN_16 126 /* the length is in the next two octets */
#define WS_LEN_64 127 /* … in the next eight */

/* How long the whole header is, from its second octet. 2..14. */
size_t ws_head_size(uint8_t second);

/* The payload length that a complete header announces, as it stands there: neither its minimality
 * nor its range is checked. `head` has ws_head_size(head[1]) bytes, of which the mask is not read.
 */
uint64_t ws_head_payload(const uint8_t *head);

/* Writes the header of a frame with `len` payload bytes (below 2^63) in the shortest form and
 * returns its size. `mask`: the four octets of a client's masking key, NULL for a server; without
 * it at most WS_SERVER_HEAD_MAX bytes of `out` are written. */
size_t ws_head_write(uint8_t out[WS_HEAD_MAX], enum ws_op op, bool fin, uint64_t len,
                     const uint8_t *mask);

/* The header of a server's whole text frame: what a sink that frames a message once is given. */
size_t ws_text_head(uint8_t out[WS_SERVER_HEAD_MAX], size_t len);

/* Masks or unmasks n bytes in place (the operation is its own inverse). `phase` is the offset of
 * p[0] in the payload; only its value modulo 4 matters. p may be NULL when n is 0. */
void ws_unmask(uint8_t *p, size_t n, const uint8_t mask[4], size_t phase);

/* Whether a peer may put this code into a close frame: 1000-1003, 1007-1014, 3000-4999 (RFC 6455
 * section 7.4 and the IANA registry for 1012-1014). */
bool ws_code_valid(uint16_t code);

#endif
