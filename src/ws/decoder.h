/* SPDX-License-Identifier: MIT
 *
 * ws/decoder.h: bytes from a peer -> WebSocket messages (RFC 6455 sections 5, 7 and 8.1).
 *
 * Pure: no I/O, no clock. Feed any split of the stream; the events are the same.
 * Invariant: after WS_EV_FAIL every call returns the same WS_EV_FAIL; after WS_EV_CLOSE all further
 * bytes are swallowed (section 5.5.1: nothing follows a close frame).
 * Memory: at most `max_message` bytes plus one control frame (and what geometric growth adds),
 * grown by what has arrived and never by what a header announces; nothing between messages.
 */
#ifndef WS_DECODER_H
#define WS_DECODER_H
#include "base/buf.h"
#include "base/span.h"
#include "base/utf8.h"
#include "ws/frame.h"

enum ws_role {
    WS_ROLE_SERVER, /* we are the server: what comes in must be masked */
    WS_ROLE_CLIENT  /* we are the client: it must not be */
};

/* What many decoders share; must stay the same for the life of a decoder. */
struct ws_limits {
    size_t max_message;     /* bytes, over all fragments; 0: no limit */
    uint32_t max_fragments; /* frames of one message, empty ones too; 0: no limit */
    enum ws_role role;
};

/* Embedded by value in each connection, hence small. Zeroing is the same as ws_dec_init. */
struct ws_dec {
    struct buf _message; /* what has come of a message that is fragmented or cut */
    uint64_t _left;      /* payload bytes of the current frame still to come */
    uint32_t _n_frames;  /* of the current message */
    struct utf8 _utf8;   /* of the current text message */
    uint8_t _head[WS_HEAD_MAX];
    uint8_t _n_head;    /* bytes of it that have come */
    uint8_t _state : 4; /* enum state of decoder.c */
    uint8_t _op : 4;    /* of the message that is under way; 0: none is */
    uint8_t _failure;   /* which one, enum failure of decoder.c */
};
_Static_assert(sizeof(struct ws_dec) <= 64, "a million idle connections hold one each");

enum ws_ev_kind {
    WS_EV_MORE,    /* nothing more in these bytes */
    WS_EV_MESSAGE, /* data, op: a complete message, text (valid UTF-8) or binary */
    WS_EV_PING,    /* data: to be sent back in a pong */
    WS_EV_PONG,    /* data */
    WS_EV_CLOSE,   /* close_code: the peer's (1005 when it gave none), data: its reason, UTF-8 */
    WS_EV_FAIL /* close_code: what to close with, data: why, a static text of at most 123 bytes */
};

struct ws_ev {
    enum ws_ev_kind kind;
    enum ws_op op; /* WS_OP_TEXT or WS_OP_BINARY for a message, else the frame's */
    uint16_t close_code;
    struct span data;
};

static inline void ws_dec_init(struct ws_dec *d)
{
    *d = (struct ws_dec) { 0 };
}

/* Frees what is held; the decoder is as after init. */
void ws_dec_fini(struct ws_dec *d);

/* Decodes up to the next event and returns how many bytes of `in` were used; call again with the
 * rest until the event is WS_EV_MORE, which has used everything. That last call also frees: when it
 * leaves no message under way, the decoder holds no memory.
 *
 * Unmasks the used bytes of `in` in place. `ev->data` borrows from `in` or from `d` until the next
 * call; a whole unfragmented frame is never copied. Out of memory is WS_EV_FAIL with 1011.
 * `in` may be NULL when len is 0. */
size_t ws_decode(struct ws_dec *d, const struct ws_limits *limits, uint8_t *in, size_t len,
                 struct ws_ev *ev);

/* A message is begun and unfinished, or a frame is: for the reader's deadline and memory counts. */
bool ws_dec_is_busy(const struct ws_dec *d);
/* Heap bytes held now. */
size_t ws_dec_memory(const struct ws_dec *d);

#endif
