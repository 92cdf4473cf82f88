/* SPDX-License-Identifier: MIT
 * tests/unit/ws/test_handshake.c: the opening handshake, both sides. */
#include "base/buf.h"
#include "base/mem.h"
#include "ws/handshake.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h> /* what cmocka.h needs before it */

#include <cmocka.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 section 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Feeds "Name: value" lines, '\n' between them. */
static void feed_headers(struct ws_request *r, const char *lines)
{
    struct span rest = span_str(lines), line, name;
    while (span_cut(&rest, '\n', &line)) {
        span_cut(&line, ':', &name);
        if (line.p) ws_request_header(r, name, line);
    }
}

#define GOOD                                                                                       \
    "Host: example.com\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"      \
    "Sec-WebSocket-Key: " KEY
#define WITH(upgrade, connection, version, key)                                                    \
    "Upgrade: " upgrade "\nConnection: " connection "\nSec-WebSocket-Version: " version            \
    "\nSec-WebSocket-Key: " key

static const struct {
    const char *name;
    const char *method;
    int http_minor;
    const char *headers;
    int status;
    const char *protocol;
} requests[] = {
    { "plain", "GET", 1, GOOD, 101, "" },
    { "http/1.2", "GET", 2, GOOD, 101, "" },
    { "any case", "GET", 1,
      "UPGRADE: WebSocket\nconnection: UPGRADE\nsec-websocket-version: 13\n"
      "SEC-WEBSOCKET-KEY: " KEY,
      101, "" },
    { "lists", "GET", 1, WITH("h2c, websocket", "keep-alive, Upgrade", "13", KEY), 101, "" },
    { "odd white space", "GET", 1, WITH("\t websocket ", "keep-alive ,\tUpgrade", " 13 ", KEY " "),
      101, "" },
    { "connection in two lines", "GET", 1, GOOD "\nConnection: keep-alive", 101, "" },
    { "empty list elements", "GET", 1, WITH(",websocket,", ",,upgrade,", "13", KEY), 101, "" },
    { "extensions are declined", "GET", 1,
      GOOD "\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", 101, "" },
    { "protocol", "GET", 1, GOOD "\nSec-WebSocket-Protocol: pusher", 101, "pusher" },
    { "the first protocol of a list", "GET", 1, GOOD "\nSec-WebSocket-Protocol: v1.a-b , two", 101,
      "v1.a-b" },
    { "the first protocol of two lines", "GET", 1,
      GOOD "\nSec-WebSocket-Protocol: one\nSec-WebSocket-Protocol: two", 101, "one" },
    { "empty protocol", "GET", 1, GOOD "\nSec-WebSocket-Protocol: ", 101, "" },
    { "a protocol that is no token is passed over", "GET", 1,
      GOOD "\nSec-WebSocket-Protocol: a b, \xC3\xA9, c", 101, "c" },

    { "post", "POST", 1, GOOD, 405, "" },
    { "get in small letters", "get", 1, GOOD, 405, "" },
    { "http/1.0", "GET", 0, GOOD, 400, "" },
    { "no headers", "GET", 1, "Host: example.com", 400, "" },
    { "other upgrade", "GET", 1, WITH("h2c", "Upgrade", "13", KEY), 400, "" },
    { "upgrade that contains websocket", "GET", 1, WITH("websocket2", "Upgrade", "13", KEY), 400,
      "" },
    { "connection without upgrade", "GET", 1, WITH("websocket", "keep-alive", "13", KEY), 400, "" },
    { "no connection header", "GET", 1,
      "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: " KEY, 400, "" },
    { "no version", "GET", 1, "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Key: " KEY,
      400, "" },
    { "version 8", "GET", 1, WITH("websocket", "Upgrade", "8", KEY), 426, "" },
    { "version 13 and more", "GET", 1, WITH("websocket", "Upgrade", "13, 8", KEY), 426, "" },
    { "empty version", "GET", 1, WITH("websocket", "Upgrade", "", KEY), 426, "" },
    { "wrong version and no key", "GET", 1,
      "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Version: 7", 426, "" },
    { "no key", "GET", 1, "Upgrade: websocket\nConnection: upgrade\nSec-WebSocket-Version: 13", 400,
      "" },
    { "empty key", "GET", 1, WITH("websocket", "Upgrade", "13", ""), 400, "" },
    { "15 bytes", "GET", 1, WITH("websocket", "Upgrade", "13", "AAAAAAAAAAAAAAAAAAAA"), 400, "" },
    { "17 bytes", "GET", 1, WITH("websocket", "Upgrade", "13", "AAAAAAAAAAAAAAAAAAAAAAA="), 400,
      "" },
    { "18 bytes", "GET", 1, WITH("websocket", "Upgrade", "13", "AAAAAAAAAAAAAAAAAAAAAAAA"), 400,
      "" },
    { "three keys in one", "GET", 1, WITH("websocket", "Upgrade", "13", KEY KEY KEY), 400, "" },
    { "72 bytes", "GET", 1,
      WITH("websocket", "Upgrade", "13",
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      400, "" },
    { "not base64", "GET", 1, WITH("websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25j!Q=="), 400,
      "" },
    { "url alphabet", "GET", 1, WITH("websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25j-_=="), 400,
      "" },
    { "two keys", "GET", 1, GOOD "\nSec-WebSocket-Key: " KEY, 400, "" },
    { "two versions", "GET", 1, GOOD "\nSec-WebSocket-Version: 13", 400, "" },
};

static void requests_are_accepted_or_refused_with_the_right_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct ws_request r = { .method = span_str(requests[i].method),
                                .http_minor = requests[i].http_minor };
        feed_headers(&r, requests[i].headers);
        struct ws_verdict v;
        ws_request_judge(&r, &v);
        if (v.status != requests[i].status) {
            fail_msg("%s: %d, %s", requests[i].name, v.status, v.text);
        }
        if (!span_eq(v.protocol, span_str(requests[i].protocol))) {
            fail_msg("%s: protocol %.*s", requests[i].name, SPAN_FMT(v.protocol));
        }
        if (v.status == 101) assert_memory_equal(v.accept, ACCEPT, WS_ACCEPT_LEN);
        assert_true((v.text[0] == 0) == (v.status == 101));
    }
}

static void a_plain_get_is_told_from_a_broken_handshake(void **state)
{
    (void)state;
    struct ws_request plain = { .method = SPAN("GET"), .http_minor = 1 };
    feed_headers(&plain, "Host: x\nConnection: keep-alive");
    assert_false(ws_request_is_upgrade(&plain));
    struct ws_request broken = { .method = SPAN("GET"), .http_minor = 1 };
    feed_headers(&broken, "Host: x\nUpgrade: websocket");
    assert_true(ws_request_is_upgrade(&broken));
}

static const char *answer(struct buf *out, const char *headers)
{
    struct ws_request r = { .method = SPAN("GET"), .http_minor = 1 };
    feed_headers(&r, headers);
    struct ws_verdict v;
    ws_request_judge(&r, &v);
    buf_clear(out);
    ws_write_verdict(out, &v);
    buf_add_byte(out, 0);
    assert_false(buf_failed(out));
    return out->p;
}

static void the_responses_are_these(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_string_equal(answer(&out, GOOD), "HTTP/1.1 101 Switching Protocols\r\n"
                                            "Upgrade: websocket\r\n"
                                            "Connection: Upgrade\r\n"
                                            "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                                            "X-Powered-By: Peal\r\n\r\n");
    assert_non_null(strstr(answer(&out, GOOD "\nSec-WebSocket-Protocol: chat, b"),
                           "\r\nSec-WebSocket-Protocol: chat\r\n"));
    assert_null(strstr(answer(&out, GOOD "\nSec-WebSocket-Extensions: x"), "Extensions"));
    assert_string_equal(answer(&out, WITH("websocket", "Upgrade", "8", KEY)),
                        "HTTP/1.1 426 Upgrade Required\r\n"
                        "Upgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Connection: Upgrade, close\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 57\r\n"
                        "X-Powered-By: Peal\r\n\r\n"
                        "Only version 13 of the WebSocket protocol is spoken here.");
    assert_non_null(strstr(answer(&out, WITH("websocket", "Upgrade", "13", "x")),
                           "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));

    struct ws_request post = { .method = SPAN("POST"), .http_minor = 1 };
    struct ws_verdict v;
    ws_request_judge(&post, &v);
    buf_clear(&out);
    ws_write_verdict(&out, &v);
    assert_true(span_starts(buf_span(&out), SPAN("HTTP/1.1 405 Method Not Allowed\r\n"
                                                 "Allow: GET\r\nConnection: close\r\n")));
    buf_fini(&out);
}

static void a_long_key_is_hashed_without_harm(void **state)
{
    (void)state;
    char key[500], out[WS_ACCEPT_LEN];
    memset(key, 'k', sizeof key);
    ws_accept_key(span_of(key, sizeof key), out);
    ws_accept_key((struct span) { 0 }, out);
    ws_accept_key(SPAN(KEY), out);
    assert_memory_equal(out, ACCEPT, WS_ACCEPT_LEN);
}

static void the_client_writes_a_request_that_the_server_accepts(void **state)
{
    (void)state;
    char key[WS_KEY_LEN];
    ws_key_encode((const uint8_t *)"the sample nonce", key);
    assert_memory_equal(key, KEY, WS_KEY_LEN);
    struct ws_dial dial = { SPAN("127.0.0.1:6001"), SPAN("/app/key?protocol=7"),
                            span_of(key, sizeof key), SPAN("http://localhost") };
    struct buf out = { 0 };
    assert_int_equal(ws_write_request(&out, &dial), ERR_OK);
    buf_add_byte(&out, 0);
    assert_string_equal(out.p, "GET /app/key?protocol=7 HTTP/1.1\r\n"
                               "Host: 127.0.0.1:6001\r\n"
                               "Origin: http://localhost\r\n"
                               "Upgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: " KEY "\r\n\r\n");
    buf_fini(&out);
}

static void a_request_cannot_be_broken_apart(void **state)
{
    (void)state;
    static const struct ws_dial dials[] = {
        { { "", 0 }, { "/", 1 }, { KEY, 24 }, { "", 0 } },
        { { "h\r\nX: y", 7 }, { "/", 1 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "", 0 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "app", 3 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "/a b", 4 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "/\n", 2 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "/\xC3\xA9", 3 }, { KEY, 24 }, { "", 0 } },
        { { "h", 1 }, { "/", 1 }, { "short", 5 }, { "", 0 } },
        { { "h", 1 }, { "/", 1 }, { KEY, 24 }, { "o\r", 2 } },
    };
    struct buf out = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(dials); i++) {
        assert_int_equal(ws_write_request(&out, &dials[i]), ERR_SYNTAX);
        assert_int_equal(out.n, 0);
    }
    mem_fail_after(0, true);
    struct ws_dial good = { SPAN("h"), SPAN("/"), SPAN(KEY), SPAN("") };
    assert_int_equal(ws_write_request(&out, &good), ERR_NOMEM);
    mem_fail_after(-1, false);
    buf_fini(&out);
}

#define REPLY(headers) "HTTP/1.1 101 Switching Protocols\r\n" headers "\r\n"
#define R_UP "Upgrade: websocket\r\n"
#define R_CON "Connection: Upgrade\r\n"
#define R_ACC "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static const struct {
    const char *name;
    const char *reply;
    enum ws_reply_kind kind;
    int status;
} replies[] = {
    { "good", REPLY(R_UP R_CON R_ACC), WS_REPLY_OPEN, 101 },
    { "any case and order",
      REPLY("SERVER: x\r\nsec-websocket-accept:" ACCEPT
            "\r\nconnection: x, upgrade\r\nUPGRADE: WebSocket\r\n"),
      WS_REPLY_OPEN, 101 },
    { "no reason phrase", "HTTP/1.1 101\r\n" R_UP R_CON R_ACC "\r\n", WS_REPLY_OPEN, 101 },
    { "no upgrade", REPLY(R_CON R_ACC), WS_REPLY_BAD, 101 },
    { "no connection", REPLY(R_UP R_ACC), WS_REPLY_BAD, 101 },
    { "no accept", REPLY(R_UP R_CON), WS_REPLY_BAD, 101 },
    { "two accepts", REPLY(R_UP R_CON R_ACC R_ACC), WS_REPLY_BAD, 101 },
    { "another accept", REPLY(R_UP R_CON "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
      WS_REPLY_BAD, 101 },
    { "an extension", REPLY(R_UP R_CON R_ACC "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
      WS_REPLY_BAD, 101 },
    { "a protocol", REPLY(R_UP R_CON R_ACC "Sec-WebSocket-Protocol: x\r\n"), WS_REPLY_BAD, 101 },
    { "refused", "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n", WS_REPLY_REFUSED, 404 },
    { "redirect of an old server", "HTTP/1.0 301 Moved\r\nLocation: /\r\n\r\n", WS_REPLY_REFUSED,
      301 },
    { "other protocol", "SSH-2.0-OpenSSH\r\n", WS_REPLY_BAD, 0 },
    { "http/2", "HTTP/2 101\r\n\r\n", WS_REPLY_BAD, 0 },
    { "status of four digits", "HTTP/1.1 1010 x\r\n\r\n", WS_REPLY_BAD, 0 },
    { "status of letters", "HTTP/1.1 1x1 x\r\n\r\n", WS_REPLY_BAD, 0 },
    { "short status line", "HTTP/1.1 10\r\n\r\n", WS_REPLY_BAD, 0 },
    { "header without colon", REPLY(R_UP "broken\r\n" R_CON R_ACC), WS_REPLY_BAD, 101 },
    { "header with a space in its name", REPLY("Up grade: x\r\n" R_UP R_CON R_ACC), WS_REPLY_BAD,
      101 },
    { "line without CR", REPLY("Upgrade: websocket\n" R_CON R_ACC), WS_REPLY_BAD, 101 },
};

static void the_client_judges_replies_when_they_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct span whole = span_str(replies[i].reply);
        struct buf more = { 0 };
        buf_add_span(&more, whole);
        BUF_ADD_LIT(&more, "\x81\x02hi\r\n\r\n");
        struct ws_reply reply, with_more;
        ws_reply_read(whole, SPAN(KEY), &reply);
        ws_reply_read(buf_span(&more), SPAN(KEY), &with_more);
        if (reply.kind != replies[i].kind) fail_msg("%s: %s", replies[i].name, reply.text);
        assert_int_equal(reply.status, replies[i].status);
        bool counts = reply.kind == WS_REPLY_OPEN || reply.kind == WS_REPLY_REFUSED;
        assert_int_equal(reply.used, counts ? whole.n : 0);
        assert_int_equal(with_more.kind, reply.kind);
        assert_int_equal(with_more.used, reply.used);
        assert_true((reply.text[0] != 0) == (reply.kind == WS_REPLY_BAD));
        for (size_t n = 0; n < whole.n && counts; n++) {
            ws_reply_read(span_head(whole, n), SPAN(KEY), &reply);
            assert_int_equal(reply.kind, WS_REPLY_MORE);
        }
        buf_fini(&more);
    }
}

static void an_endless_reply_is_given_up(void **state)
{
    (void)state;
    struct buf in = { 0 };
    BUF_ADD_LIT(&in, "HTTP/1.1 200 OK\r\n");
    struct ws_reply reply;
    while (in.n < WS_REPLY_MAX) {
        ws_reply_read(buf_span(&in), SPAN(KEY), &reply);
        assert_int_equal(reply.kind, WS_REPLY_MORE);
        BUF_ADD_LIT(&in, "X-Filler: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n");
    }
    ws_reply_read(buf_span(&in), SPAN(KEY), &reply);
    assert_int_equal(reply.kind, WS_REPLY_BAD);
    buf_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_accepted_or_refused_with_the_right_status),
        cmocka_unit_test(a_plain_get_is_told_from_a_broken_handshake),
        cmocka_unit_test(the_responses_are_these),
        cmocka_unit_test(a_long_key_is_hashed_without_harm),
        cmocka_unit_test(the_client_writes_a_request_that_the_server_accepts),
        cmocka_unit_test(a_request_cannot_be_broken_apart),
        cmocka_unit_test(the_client_judges_replies_when_they_are_complete),
        cmocka_unit_test(an_endless_reply_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
