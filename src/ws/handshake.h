/* SPDX-License-Identifier: MIT
 *
 * ws/handshake.h: the opening handshake, both sides (RFC 6455 section 4).
 *
 * Pure, and knows no HTTP parser: the server side is fed header lines as spans by whoever parsed
 * the request, the client side reads the reply itself. No extension is ever accepted or offered.
 */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H
#include "base/buf.h"
#include "base/span.h"

#define WS_KEY_LEN 24
#define WS_ACCEPT_LEN 28

/* Sec-WebSocket-Accept for a key (section 4.2.2 item 5.4); any key, its form is not checked. */
void ws_accept_key(struct span key, char out[WS_ACCEPT_LEN]);

/* --- server --- */

/* A request to be judged. Zero it, set the first two, feed all headers, ask for the verdict. The
 * spans must outlive the verdict's use. */
struct ws_request {
    struct span method;
    int http_minor; /* of HTTP/1.x */
    struct span _key, _version, _protocol;
    bool _upgrade, _connection; /* Upgrade names websocket, Connection names Upgrade */
    bool _repeated;             /* a header that must stand once came twice */
};

/* Takes in one header line, the name in any case; lines that do not matter are ignored. Repeated
 * list headers add up, as RFC 9110 section 5.3 has it. Borrows until the verdict is used. */
void ws_request_header(struct ws_request *r, struct span name, struct span value);

struct ws_verdict {
    uint16_t status;  /* 101: accepted; else the HTTP status to refuse with: 400, 405, 426 */
    const char *text; /* static: why refused, one sentence; "" when accepted */
    char accept[WS_ACCEPT_LEN];
    struct span protocol; /* the sub-protocol to echo, a token of the request; empty: none */
};

void ws_request_judge(const struct ws_request *r, struct ws_verdict *v);

/* Whether the headers ask for an upgrade to WebSocket at all: tells a plain GET of the same path
 * from a broken handshake. */
bool ws_request_is_upgrade(const struct ws_request *r);

/* Appends the whole response: 101, or the refusal with a text body, `Connection: close` and what
 * its status calls for (426: Sec-WebSocket-Version, 405: Allow). */
void ws_write_verdict(struct buf *out, const struct ws_verdict *v);

/* --- client --- */

/* A Sec-WebSocket-Key from 16 random octets. */
void ws_key_encode(const uint8_t nonce[16], char key[WS_KEY_LEN]);

struct ws_dial {
    struct span host;   /* with ":port" if it is not the default; for the Host header */
    struct span target; /* path and query, begins with '/' */
    struct span key;    /* from ws_key_encode */
    struct span origin; /* empty: no Origin header */
};

/* Appends the request. ERR_SYNTAX, and nothing appended, when a part has bytes that would break the
 * header apart (controls, spaces, non-ASCII). */
enum err ws_write_request(struct buf *out, const struct ws_dial *dial) MUST_USE;

#define WS_REPLY_MAX (16 * 1024) /* bytes of the longest response head that we read */

enum ws_reply_kind {
    WS_REPLY_MORE,    /* the head is not complete yet */
    WS_REPLY_OPEN,    /* the connection is open; frames follow after `used` bytes */
    WS_REPLY_REFUSED, /* a well-formed response with another status */
    WS_REPLY_BAD      /* not a valid answer to our request */
};

struct ws_reply {
    enum ws_reply_kind kind;
    uint16_t status;  /* when the status line was read, else 0 */
    size_t used;      /* bytes of the head, for OPEN and REFUSED */
    const char *text; /* static: why BAD; "" otherwise */
};

/* Reads the response from all bytes received so far (give the same bytes and more after
 * WS_REPLY_MORE) and checks it against the key that was sent (section 4.1). */
void ws_reply_read(struct span in, struct span key, struct ws_reply *reply);

#endif
