/* SPDX-License-Identifier: MIT
 *
 * cli/ws_link.c: libcurl's connect-only mode gives a stream (with TLS where asked for); frames are
 * ours.
 */
#include "cli/ws_link.h"
#include "base/clock.h"
#include "base/rand.h"
#include "ws/encoder.h"
#include "ws/handshake.h"
#include <poll.h>

#define SEND_TIMEOUT_MS 30000

void ws_link_close(struct ws_link *l)
{
    curl_easy_cleanup(l->_curl);
    l->_curl = NULL;
    ws_dec_fini(&l->_dec);
    l->_at = l->_n = 0;
}

/* Waits for the socket; false at the deadline. */
static bool wait_for(const struct ws_link *l, short events, uint64_t deadline_ms)
{
    struct pollfd p = { .fd = l->_fd, .events = events };
    uint64_t now = clock_mono_ms();
    if (now >= deadline_ms) return false;
    uint64_t left = deadline_ms - now;
    /* A signal or a rounded-down time only makes the caller's loop go round once more. */
    poll(&p, 1, left > 60000 ? 60000 : (int)left);
    return true;
}

static enum err send_all(struct ws_link *l, struct span bytes)
{
    uint64_t deadline = clock_mono_ms() + SEND_TIMEOUT_MS;
    while (bytes.n) {
        size_t n = 0;
        CURLcode code = curl_easy_send(l->_curl, bytes.p, bytes.n, &n);
        if (code == CURLE_OK)
            bytes = span_skip(bytes, n);
        else if (code != CURLE_AGAIN || !wait_for(l, POLLOUT, deadline))
            return ERR_CLOSED;
    }
    return ERR_OK;
}

/* Fills _in, which is empty from _n on. */
static enum err receive(struct ws_link *l, uint64_t deadline_ms)
{
    for (;;) {
        size_t n = 0;
        CURLcode code = curl_easy_recv(l->_curl, l->_in + l->_n, sizeof l->_in - l->_n, &n);
        if (code == CURLE_OK && n > 0) {
            l->_n += n;
            return ERR_OK;
        }
        if (code != CURLE_AGAIN) return ERR_CLOSED;
        if (!wait_for(l, POLLIN, deadline_ms)) return ERR_AGAIN;
    }
}

static enum err connect_to(struct ws_link *l, const struct target *t, uint64_t deadline_ms,
                           struct diag *d)
{
    struct buf url = { 0 };
    uint64_t now = clock_mono_ms();
    long left = deadline_ms > now ? (long)(deadline_ms - now) : 1;
    curl_socket_t fd = CURL_SOCKET_BAD;
    buf_add_fmt(&url, "%s://", t->tls ? "https" : "http");
    target_authority(t, &url);
    BUF_ADD_LIT(&url, "/");
    buf_add_byte(&url, '\0');
    l->_curl = buf_failed(&url) ? NULL : curl_setup(t, url.p);
    buf_fini(&url);
    if (!l->_curl) return ERR_NOMEM;
    CURLcode code = curl_easy_setopt(l->_curl, CURLOPT_CONNECT_ONLY, 1L);
    /* Without this a server could choose HTTP/2, which we do not speak. */
    if (!code) code = curl_easy_setopt(l->_curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (!code) code = curl_easy_setopt(l->_curl, CURLOPT_TIMEOUT_MS, left);
    if (!code) code = curl_easy_perform(l->_curl);
    if (!code) code = curl_easy_getinfo(l->_curl, CURLINFO_ACTIVESOCKET, &fd);
    l->_fd = fd;
    return curl_result(t, code, d);
}

static enum err send_request(struct ws_link *l, const struct target *t, struct span target,
                             struct span key)
{
    struct buf host = { 0 }, out = { 0 };
    target_authority(t, &host);
    struct ws_dial dial = { .host = buf_span(&host), .target = target, .key = key };
    enum err err = buf_failed(&host) ? ERR_NOMEM : ws_write_request(&out, &dial);
    if (!err) err = buf_failed(&out) ? ERR_NOMEM : send_all(l, buf_span(&out));
    buf_fini(&out);
    buf_fini(&host);
    return err;
}

/* The head fits into _in, since WS_REPLY_MAX does. */
_Static_assert(WS_LINK_CHUNK >= WS_REPLY_MAX, "the whole response head must fit");

static enum err read_reply(struct ws_link *l, struct span key, uint64_t deadline_ms, struct diag *d)
{
    struct ws_reply reply;
    for (;;) {
        ws_reply_read(span_of(l->_in, l->_n), key, &reply);
        if (reply.kind != WS_REPLY_MORE || l->_n == sizeof l->_in) break;
        enum err err = receive(l, deadline_ms);
        if (err == ERR_AGAIN) diag_set(d, err, "no answer to the WebSocket handshake");
        if (err == ERR_CLOSED) diag_set(d, err, "closed during the WebSocket handshake");
        if (err) return err;
    }
    if (reply.kind == WS_REPLY_OPEN) {
        l->_at = reply.used;
        return ERR_OK;
    }
    if (reply.kind == WS_REPLY_REFUSED)
        return diag_set(d, ERR_DENIED, "the server refused the WebSocket with HTTP status %u",
                        reply.status);
    return diag_set(d, ERR_DENIED, "this is no WebSocket server: %s", reply.text);
}

enum err ws_link_open(struct ws_link *l, const struct target *t, struct span target,
                      uint64_t deadline_ms, struct diag *d)
{
    uint8_t nonce[16];
    char key[WS_KEY_LEN];
    memset(l, 0, sizeof *l);
    rand_bytes(nonce, sizeof nonce);
    ws_key_encode(nonce, key);
    enum err err = connect_to(l, t, deadline_ms, d);
    bool connected = !err;
    if (!err) err = send_request(l, t, target, span_of(key, sizeof key));
    if (!err) err = read_reply(l, span_of(key, sizeof key), deadline_ms, d);
    if (connected && err == ERR_CLOSED && !t->tls)
        diag_set(d, err,
                 "closed during the WebSocket handshake; if this port wants TLS, use --tls");
    if (err) ws_link_close(l);
    return err;
}

static enum err send_frame(struct ws_link *l, struct buf *frame)
{
    enum err err = buf_failed(frame) ? ERR_NOMEM : send_all(l, buf_span(frame));
    buf_fini(frame);
    return err;
}

enum err ws_link_send(struct ws_link *l, struct span text)
{
    struct buf frame = { 0 };
    uint8_t mask[4];
    rand_bytes(mask, sizeof mask);
    ws_write_text(&frame, text, mask);
    return send_frame(l, &frame);
}

void ws_link_bye(struct ws_link *l)
{
    struct buf frame = { 0 };
    uint8_t mask[4];
    if (!l->_curl) return;
    rand_bytes(mask, sizeof mask);
    ws_write_close(&frame, WS_CODE_NORMAL, span_of("", 0), mask);
    enum err err = send_frame(l, &frame);
    (void)err; /* it is closed either way */
    ws_link_close(l);
}

static enum err answer_ping(struct ws_link *l, struct span payload)
{
    struct buf frame = { 0 };
    uint8_t mask[4];
    rand_bytes(mask, sizeof mask);
    ws_write_pong(&frame, payload, mask);
    return send_frame(l, &frame);
}

enum err ws_link_next(struct ws_link *l, uint64_t deadline_ms, struct ws_ev *ev)
{
    static const struct ws_limits limits = { .max_message = WS_LINK_MESSAGE_MAX,
                                             .role = WS_ROLE_CLIENT };
    for (;;) {
        l->_at += ws_decode(&l->_dec, &limits, l->_in + l->_at, l->_n - l->_at, ev);
        switch (ev->kind) {
        case WS_EV_MESSAGE:
        case WS_EV_PONG:
        case WS_EV_CLOSE:
            return ERR_OK;
        case WS_EV_PING:
            return answer_ping(l, ev->data);
        case WS_EV_FAIL:
            return ERR_CLOSED;
        case WS_EV_MORE:
            break;
        }
        l->_at = l->_n = 0;
        enum err err = receive(l, deadline_ms);
        if (err) return err;
    }
}
