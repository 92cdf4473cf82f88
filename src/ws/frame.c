/* SPDX-License-Identifier: MIT
 *
 * ws/frame.c: the header of a WebSocket frame and the masking of its payload.
 *
 * Plain functions over bytes. Policy (what is allowed when) is the decoder's.
 */
#include "ws/frame.h"
#include <string.h>

static uint64_t read_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static void write_be(uint8_t *p, size_t n, uint64_t v)
{
    for (size_t i = n; i-- > 0; v >>= 8) p[i] = (uint8_t)(v & 0xFF);
}

size_t ws_head_size(uint8_t second)
{
    size_t size = 2;
    if ((second & WS_BITS_LEN) == WS_LEN_16) size += 2;
    if ((second & WS_BITS_LEN) == WS_LEN_64) size += 8;
    if (second & WS_BIT_MASK) size += 4;
    return size;
}

uint64_t ws_head_payload(const uint8_t *head)
{
    uint8_t len = head[1] & WS_BITS_LEN;
    if (len == WS_LEN_16) return read_be(head + 2, 2);
    if (len == WS_LEN_64) return read_be(head + 2, 8);
    return len;
}

size_t ws_head_write(uint8_t out[WS_HEAD_MAX], enum ws_op op, bool fin, uint64_t len,
                     const uint8_t *mask)
{
    size_t size = 2;
    out[0] = (uint8_t)((fin ? WS_BIT_FIN : 0) | (uint8_t)op);
    if (len < WS_LEN_16) {
        out[1] = (uint8_t)len;
    } else if (len <= UINT16_MAX) {
        out[1] = WS_LEN_16;
        write_be(out + 2, 2, len);
        size = 4;
    } else {
        out[1] = WS_LEN_64;
        write_be(out + 2, 8, len);
        size = 10;
    }
    if (mask) {
        out[1] |= WS_BIT_MASK;
        memcpy(out + size, mask, 4);
        size += 4;
    }
    return size;
}

size_t ws_text_head(uint8_t out[WS_SERVER_HEAD_MAX], size_t len)
{
    uint8_t head[WS_HEAD_MAX];
    size_t size = ws_head_write(head, WS_OP_TEXT, true, len, NULL);
    memcpy(out, head, size);
    return size;
}

void ws_unmask(uint8_t *p, size_t n, const uint8_t mask[4], size_t phase)
{
    uint8_t key[8];
    for (size_t i = 0; i < 8; i++) key[i] = mask[(phase + i) & 3];
    uint64_t key64;
    memcpy(&key64, key, 8);

    size_t i = 0;
    for (; n - i >= 8; i += 8) { /* memcpy: p is aligned to nothing */
        uint64_t word;
        memcpy(&word, p + i, 8);
        word ^= key64;
        memcpy(p + i, &word, 8);
    }
    for (; i < n; i++) p[i] ^= key[i & 7];
}

bool ws_code_valid(uint16_t code)
{
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
