/* SPDX-License-Identifier: MIT
 *
 * ws/handshake.c: the opening handshake, both sides.
 *
 * The server side is a fold over header lines and a verdict at the end, so that it needs neither a
 * header list nor a parser. The client side reads the response itself: a status line and a few
 * headers, from a server that the operator named. What goes out is checked for bytes that could
 * end a header line early.
 */
#include "ws/handshake.h"
#include "base/field.h"
#include "base/hash.h"
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */

void ws_accept_key(struct span key, char out[WS_ACCEPT_LEN])
{
    /* A key is 24 bytes; SHA-1 of a longer one is never compared to anything, so it may be cut. */
    char text[64 + sizeof GUID - 1];
    struct span head = span_head(key, 64);
    if (head.n) memcpy(text, head.p, head.n);
    memcpy(text + head.n, GUID, sizeof GUID - 1);
    uint8_t digest[20];
    sha1(span_of(text, head.n + sizeof GUID - 1), digest);
    size_t n = base64_encode(span_of(digest, sizeof digest), out);
    CHECK(n == WS_ACCEPT_LEN);
}

/* --- server --- */

/* The first element of the list that is a token; empty if none is. */
static struct span first_token(struct span list)
{
    struct span part;
    while (span_cut(&list, ',', &part)) {
        part = span_trim(part);
        if (field_is_token(part)) return part;
    }
    return SPAN("");
}

static void set_once(struct ws_request *r, struct span *field, struct span value)
{
    if (field->p) r->_repeated = true;
    *field = span_trim(value);
    if (!field->p) *field = SPAN("");
}

void ws_request_header(struct ws_request *r, struct span name, struct span value)
{
    if (span_eq_nocase(name, SPAN("Upgrade"))) {
        r->_upgrade |= field_list_has(value, SPAN("websocket"));
    } else if (span_eq_nocase(name, SPAN("Connection"))) {
        r->_connection |= field_list_has(value, SPAN("upgrade"));
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Key"))) {
        set_once(r, &r->_key, value);
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Version"))) {
        set_once(r, &r->_version, value);
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Protocol"))) {
        if (r->_protocol.n == 0) r->_protocol = first_token(value);
    }
}

/* Base64 of 16 octets (section 4.2.1 item 5). */
static bool is_key(struct span key)
{
    uint8_t nonce[3 * (WS_KEY_LEN / 4)];
    size_t n;
    return key.n == WS_KEY_LEN && base64_decode(key, nonce, &n) && n == 16;
}

static void refuse(struct ws_verdict *v, uint16_t status, const char *text)
{
    *v = (struct ws_verdict) { .status = status, .text = text, .protocol = SPAN("") };
}

void ws_request_judge(const struct ws_request *r, struct ws_verdict *v)
{
    if (!span_eq(r->method, SPAN("GET"))) {
        refuse(v, 405, "A WebSocket handshake is a GET request.");
    } else if (r->http_minor < 1) {
        refuse(v, 400, "A WebSocket handshake needs HTTP/1.1.");
    } else if (!r->_upgrade) {
        refuse(v, 400, "The Upgrade header does not name websocket.");
    } else if (!r->_connection) {
        refuse(v, 400, "The Connection header does not name Upgrade.");
    } else if (r->_repeated) {
        refuse(v, 400, "A Sec-WebSocket header is repeated.");
    } else if (!r->_version.p) {
        refuse(v, 400, "The Sec-WebSocket-Version header is missing.");
    } else if (!span_eq(r->_version, SPAN("13"))) {
        refuse(v, 426, "Only version 13 of the WebSocket protocol is spoken here.");
    } else if (!r->_key.p) {
        refuse(v, 400, "The Sec-WebSocket-Key header is missing.");
    } else if (!is_key(r->_key)) {
        refuse(v, 400, "The Sec-WebSocket-Key header is not base64 of 16 bytes.");
    } else {
        *v = (struct ws_verdict) { .status = 101, .text = "", .protocol = r->_protocol };
        ws_accept_key(r->_key, v->accept);
    }
}

bool ws_request_is_upgrade(const struct ws_request *r)
{
    return r->_upgrade;
}

static void write_accept(struct buf *out, const struct ws_verdict *v)
{
    BUF_ADD_LIT(out, "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: ");
    buf_add(out, v->accept, sizeof v->accept);
    if (v->protocol.n) {
        BUF_ADD_LIT(out, "\r\nSec-WebSocket-Protocol: ");
        buf_add_span(out, v->protocol);
    }
    BUF_ADD_LIT(out, "\r\nX-Powered-By: Peal\r\n\r\n");
}

void ws_write_verdict(struct buf *out, const struct ws_verdict *v)
{
    if (v->status == 101) {
        write_accept(out, v);
        return;
    }
    struct span text = span_str(v->text);
    BUF_ADD_LIT(out, "HTTP/1.1 ");
    if (v->status == 426) {
        BUF_ADD_LIT(out, "426 Upgrade Required\r\nUpgrade: websocket\r\n"
                         "Sec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\n");
    } else if (v->status == 405) {
        BUF_ADD_LIT(out, "405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n");
    } else {
        BUF_ADD_LIT(out, "400 Bad Request\r\nConnection: close\r\n");
    }
    BUF_ADD_LIT(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    buf_add_u64(out, text.n);
    BUF_ADD_LIT(out, "\r\nX-Powered-By: Peal\r\n\r\n");
    buf_add_span(out, text);
}

/* --- client --- */

void ws_key_encode(const uint8_t nonce[16], char key[WS_KEY_LEN])
{
    size_t n = base64_encode(span_of(nonce, 16), key);
    CHECK(n == WS_KEY_LEN);
}

/* Printable ASCII without the space. */
static bool is_visible(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F) return false;
    }
    return true;
}

enum err ws_write_request(struct buf *out, const struct ws_dial *dial)
{
    if (dial->host.n == 0 || !is_visible(dial->host)) return ERR_SYNTAX;
    if (!span_starts(dial->target, SPAN("/")) || !is_visible(dial->target)) return ERR_SYNTAX;
    if (!is_visible(dial->origin) || !is_key(dial->key)) return ERR_SYNTAX;
    BUF_ADD_LIT(out, "GET ");
    buf_add_span(out, dial->target);
    BUF_ADD_LIT(out, " HTTP/1.1\r\nHost: ");
    buf_add_span(out, dial->host);
    if (dial->origin.n) {
        BUF_ADD_LIT(out, "\r\nOrigin: ");
        buf_add_span(out, dial->origin);
    }
    BUF_ADD_LIT(out, "\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: ");
    buf_add_span(out, dial->key);
    BUF_ADD_LIT(out, "\r\n\r\n");
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}

/* What the headers of a response say. */
struct answer {
    bool upgrade, connection, extension, protocol;
    unsigned n_accept;
    struct span accept;
};

static void note_header(struct answer *a, struct span name, struct span value)
{
    if (span_eq_nocase(name, SPAN("Upgrade"))) {
        a->upgrade |= field_list_has(value, SPAN("websocket"));
    } else if (span_eq_nocase(name, SPAN("Connection"))) {
        a->connection |= field_list_has(value, SPAN("upgrade"));
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Accept"))) {
        a->accept = span_trim(value);
        a->n_accept++;
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Extensions"))) {
        a->extension |= span_trim(value).n > 0;
    } else if (span_eq_nocase(name, SPAN("Sec-WebSocket-Protocol"))) {
        a->protocol = true;
    }
}

/* Cuts the next line, ended by CR LF, from the head. False when a line is not ended so. */
static bool next_line(struct span *head, struct span *line)
{
    const char *end = memchr(head->p, '\n', head->n);
    if (!end || end == head->p || end[-1] != '\r') return false;
    size_t n = (size_t)(end - head->p);
    *line = span_of(head->p, n - 1);
    *head = span_skip(*head, n + 1);
    return true;
}

/* "HTTP/1.1 101 text": the status, or 0. The text may be empty, its space missing too. */
static uint16_t read_status(struct span line)
{
    uint64_t status;
    if (!span_starts(line, SPAN("HTTP/1.")) || line.n < 12) return 0;
    char minor = line.p[7];
    if (minor < '0' || minor > '9' || line.p[8] != ' ') return 0;
    if (line.n > 12 && line.p[12] != ' ') return 0;
    if (!span_to_u64(span_of(line.p + 9, 3), &status) || status < 100) return 0;
    return (uint16_t)status;
}

/* Reads the header lines up to the empty one; false when one is malformed. */
static bool read_headers(struct span head, struct answer *a)
{
    struct span line;
    while (next_line(&head, &line)) {
        if (line.n == 0) return true;
        const char *colon = memchr(line.p, ':', line.n);
        if (!colon) return false;
        size_t n = (size_t)(colon - line.p);
        if (!field_is_token(span_head(line, n))) return false;
        note_header(a, span_head(line, n), span_skip(line, n + 1));
    }
    return false;
}

/* Section 4.1, the numbered list of what the client must check. NULL when all is well. */
static const char *find_fault(const struct answer *a, struct span key)
{
    char expected[WS_ACCEPT_LEN];
    ws_accept_key(key, expected);
    if (!a->upgrade) return "The server's Upgrade header does not name websocket.";
    if (!a->connection) return "The server's Connection header does not name Upgrade.";
    if (a->n_accept != 1 || !span_eq(a->accept, span_of(expected, sizeof expected))) {
        return "The server's Sec-WebSocket-Accept does not match the key.";
    }
    if (a->extension) return "The server chose an extension that was not offered.";
    if (a->protocol) return "The server chose a sub-protocol that was not offered.";
    return NULL;
}

static void reject(struct ws_reply *reply, const char *text)
{
    reply->kind = WS_REPLY_BAD;
    reply->text = text;
}

/* `head` is complete, up to and with the empty line. */
static void read_head(struct span head, struct span key, struct ws_reply *reply)
{
    struct span line;
    struct answer a = { 0 };
    if (!next_line(&head, &line) || (reply->status = read_status(line)) == 0) {
        reject(reply, "The server's answer is not HTTP/1.1.");
        return;
    }
    if (!read_headers(head, &a)) {
        reject(reply, "The server's answer has a malformed header.");
        return;
    }
    if (reply->status != 101) {
        reply->kind = WS_REPLY_REFUSED;
        return;
    }
    const char *fault = find_fault(&a, key);
    if (fault) {
        reject(reply, fault);
        return;
    }
    reply->kind = WS_REPLY_OPEN;
}

/* The length of the head with its empty line; 0 when that has not come. */
static size_t find_end(struct span in)
{
    const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - in.p) + 4 : 0;
}

void ws_reply_read(struct span in, struct span key, struct ws_reply *reply)
{
    static const struct span start = { "HTTP/1.", 7 };
    *reply = (struct ws_reply) { .kind = WS_REPLY_MORE, .text = "" };
    size_t n = find_end(span_head(in, WS_REPLY_MAX));
    if (n > 0) {
        read_head(span_head(in, n), key, reply);
        if (reply->kind != WS_REPLY_BAD) reply->used = n;
    } else if (in.n >= WS_REPLY_MAX) {
        reject(reply, "The server's answer has too long a head.");
    } else if (in.n > 0 && !span_starts(start, span_head(in, start.n))) {
        reject(reply, "The server's answer is not HTTP/1.1.");
    }
}
