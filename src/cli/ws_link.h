/* SPDX-License-Identifier: MIT
 *
 * cli/ws_link.h: a WebSocket connection as a client, one message at a time, blocking with a
 * deadline. libcurl connects (names, TLS, proxies), src/ws does the rest.
 */
#ifndef CLI_WS_LINK_H
#define CLI_WS_LINK_H
#include "cli/curl_setup.h"
#include "ws/decoder.h"

#define WS_LINK_MESSAGE_MAX ((size_t)256 * 1024 * 1024)
#define WS_LINK_CHUNK 16384

struct ws_link {
    CURL *_curl; /* NULL: not open */
    int _fd;
    struct ws_dec _dec;
    size_t _at, _n; /* what of _in has not been decoded */
    uint8_t _in[WS_LINK_CHUNK];
};

/* Connects and shakes hands. `target` is path and query. Times are of clock_mono_ms(). ERR_ABSENT,
 * ERR_IO, ERR_CLOSED as curl_result(); ERR_DENIED: it answered, but with no WebSocket; ERR_AGAIN:
 * deadline. `d` says more. On failure the link is closed. */
enum err ws_link_open(struct ws_link *l, const struct target *t, struct span target,
                      uint64_t deadline_ms, struct diag *d) MUST_USE;

/* Closes at once; closing a closed (or zeroed) link does nothing. */
void ws_link_close(struct ws_link *l);
/* Says goodbye with the close code and does not wait for the answer. */
void ws_link_bye(struct ws_link *l);

enum err ws_link_send(struct ws_link *l, struct span text) MUST_USE;

/* The next message or close; pings are answered on the way and reported, since they are a sign of
 * life. `ev->data` borrows from the link until the next call. ERR_AGAIN: the deadline is over.
 * ERR_CLOSED: the connection is gone without a close frame, or spoke no WebSocket. */
enum err ws_link_next(struct ws_link *l, uint64_t deadline_ms, struct ws_ev *ev) MUST_USE;
#endif
