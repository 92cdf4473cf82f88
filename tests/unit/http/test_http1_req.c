/* SPDX-License-Identifier: MIT
 *
 * tests/unit/http/test_http1_req.c: requests as they arrive: events, limits, pipelining, memory.
 * Each vector runs whole, byte by byte, and cut at seeded places. */
#include "base/mem.h"
#include "http/http1_req.h"
#include "unit/http/record.h"
#include "unit/test.h"

static const struct http1_limits small = {
    .line_bytes = 20,
    .headers_bytes = 30,
    .n_headers = 2,
    .body_bytes = 5,
    .body_option = "limits.small",
};

static void check_chops(struct span in, struct chop c, const char *want, int line)
{
    struct buf log = { 0 };
    for (uint64_t seed = 0; seed < 50; seed++) {
        buf_clear(&log);
        c.seed = seed;
        record(in, c, &log);
        if (!span_eq(buf_span(&log), span_str(want))) print_error("seed %d\n", (int)seed);
        check_span(buf_span(&log), span_str(want), __FILE__, line);
    }
    buf_fini(&log);
}

#define assert_events(in, want)                                                                    \
    check_chops(SPAN(in), (struct chop) { .body_limit = 100 }, want, __LINE__)
#define assert_events_small(in, want)                                                              \
    check_chops(SPAN(in), (struct chop) { .body_limit = 5, .limits = &small }, want, __LINE__)

static void a_request_without_body_is_head_and_done(void **state)
{
    (void)state;
    assert_events(
        "GET /apps/1/channels?a=b HTTP/1.1\r\nHost: h:6001\r\nX-Empty:\r\nX:\t a b \r\n\r\n",
        "HEAD GET /apps/1/channels?a=b 1.1 keep Host=[h:6001] X-Empty=[] X=[a b]\n"
        "DONE \n");
}

static void a_body_of_known_length_is_collected(void **state)
{
    (void)state;
    assert_events("POST / HTTP/1.1\r\nHost:\r\nContent-Length: 11\r\n\r\nhello world",
                  "HEAD POST / 1.1 keep length=11 Host=[] Content-Length=[11]\n"
                  "DONE hello world\n");
    assert_events("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                  "HEAD PUT / 1.1 keep Host=[h] Content-Length=[0]\nDONE \n");
    assert_events("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell",
                  "HEAD POST / 1.1 keep length=5 Host=[h] Content-Length=[5]\nMORE\n");
}

static void a_chunked_body_is_joined_without_extensions_and_trailers(void **state)
{
    (void)state;
    assert_events(
        "POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding: Chunked\r\n\r\n"
        "5\r\nhello\r\n006;x=\"y\";z\r\n world\r\n0;last\r\nX-Sum: 1\r\nX-Auth: evil\r\n\r\n",
        "HEAD POST / 1.1 keep chunked Host=[h] transfer-encoding=[Chunked]\n"
        "DONE hello world\n");
    assert_events("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  "HEAD POST / 1.1 keep chunked Host=[h] Transfer-Encoding=[chunked]\nDONE \n");
}

static void pipelined_requests_come_out_in_order(void **state)
{
    (void)state;
    assert_events(
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab\r\n"
        "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
        "GET /4 HTTP/1.1\r\nHost: h\r\n",
        "HEAD POST /1 1.1 keep length=2 Host=[h] Content-Length=[2]\nDONE ab\n"
        "HEAD GET /2 1.1 keep Host=[h]\nDONE \n"
        "HEAD POST /3 1.1 keep chunked Host=[h] Transfer-Encoding=[chunked]\nDONE c\n"
        "MORE\n");
}

static void what_follows_a_request_stays_with_the_caller(void **state)
{
    (void)state;
    static const char in[] = "GET /app/k HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n\x81\x80";
    size_t head = sizeof in - 1 - 2;
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    assert_int_equal(http1_req_feed(&r, in, sizeof in - 1, &ev), head);
    assert_int_equal(ev, HTTP1_EV_HEAD);
    assert_int_equal(http1_req_feed(&r, in + head, 2, &ev), 0);
    assert_int_equal(ev, HTTP1_EV_DONE);
    assert_int_equal(http1_req_feed(&r, in + head, 2, &ev), 0); /* sticky */
    assert_int_equal(ev, HTTP1_EV_DONE);
    http1_req_fini(&r);
}

static void the_version_and_the_connection_header_decide_about_keep_alive(void **state)
{
    (void)state;
    assert_events("GET / HTTP/1.0\r\n\r\n", "HEAD GET / 1.0\nDONE \n");
    assert_events("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
                  "HEAD GET / 1.0 keep Connection=[Keep-Alive]\nDONE \n");
    assert_events("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
                  "HEAD GET / 1.0 Connection=[keep-alive, close]\nDONE \n");
    assert_events("GET / HTTP/1.1\r\nHost: h\r\nConnection: x , CLOSE\r\n\r\n",
                  "HEAD GET / 1.1 Host=[h] Connection=[x , CLOSE]\nDONE \n");
    assert_events("GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n",
                  "HEAD GET / 1.1 keep Host=[h] Connection=[closed]\nDONE \n");
    assert_events("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
                  "HEAD POST / 1.0 length=2 Content-Length=[2]\nDONE ab\n");
}

static void a_client_that_waits_for_100_is_seen(void **state)
{
    (void)state;
    assert_events(
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\na",
        "HEAD POST / 1.1 keep continue length=1 Host=[h] Expect=[100-Continue] "
        "Content-Length=[1]\nDONE a\n");
    assert_events("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
                  "HEAD GET / 1.1 keep Host=[h] Expect=[100-continue]\nDONE \n");
    assert_events("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
                  "HEAD POST / 1.0 length=1 Expect=[100-continue] Content-Length=[1]\nDONE a\n");
}

static void other_protocols_are_recognised(void **state)
{
    (void)state;
    assert_events("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                  "FAIL 505 this is HTTP/2 without negotiation; this port speaks HTTP/1.1\n");
    assert_events("\x16\x03\x01\x02\x00\x01", "FAIL 400 this is TLS on a port without TLS\n");
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    assert_int_equal(http1_req_feed(&r, "\x16", 1, &ev), 0);
    assert_int_equal(ev, HTTP1_EV_FAIL);
    assert_int_equal(http1_req_fail(&r)->kind, HTTP1_FAIL_TLS);
    assert_int_equal(http1_req_phase(&r), HTTP1_FAILED);
    assert_int_equal(http1_req_feed(&r, "GET", 3, &ev), 0); /* sticky */
    assert_int_equal(ev, HTTP1_EV_FAIL);
    http1_req_fini(&r);
}

static void other_versions_and_bad_request_lines_are_refused(void **state)
{
    (void)state;
    static const char version[] =
        "FAIL 505 this HTTP version is not supported, only 1.1 and 1.0 are\n";
    assert_events("GET / HTTP/1.2\r\n", version);
    assert_events("GET / HTTP/2.0\r\n", version);
    assert_events("GET / HTTP/0.9\r\n", version);
    assert_events("GET /\r\n", "FAIL 400 the request line has no HTTP version\n");
    assert_events("GET\r\n", "FAIL 400 the request line has no target\n");
    static const char form[] = "FAIL 400 the request line does not end with an HTTP version\n";
    assert_events("GET / http/1.1\r\n", form);
    assert_events("GET / HTTP/1.1 \r\n", form);
    assert_events("GET / x HTTP/1.1\r\n", form);
    assert_events("GET / HTTP/11.1\r\n", form);
    assert_events("GET / HTTP/1.\r\n", form);
    assert_events(" GET / HTTP/1.1\r\n", "FAIL 400 the request method is not a token\n");
    assert_events("G\"T / HTTP/1.1\r\n", "FAIL 400 the request method is not a token\n");
    static const char target[] = "FAIL 400 the request target is empty or has a bad character\n";
    assert_events("GET  / HTTP/1.1\r\n", target);
    assert_events("GET /\t HTTP/1.1\r\n", target);
    assert_events("GET /\0 HTTP/1.1\r\n", target);
}

static void limits_hold_exactly_and_the_refusal_names_them(void **state)
{
    (void)state;
    assert_events_small("GET /1234567 HTTP/1.0\r\n",
                        "FAIL 414 the request line is too long: more than the limit of 20 "
                        "(built-in limit)\n");
    assert_events_small("GET /123456 HTTP/1.0\r\n\r\n", "HEAD GET /123456 1.0\nDONE \n");
    static const char headers[] =
        "FAIL 431 the headers are too long: more than the limit of 30 (built-in limit)\n";
    assert_events_small("GET / HTTP/1.0\r\na: 4567890123\r\nb: 4567890123\r\n\r\n",
                        "HEAD GET / 1.0 a=[4567890123] b=[4567890123]\nDONE \n");
    assert_events_small("GET / HTTP/1.0\r\na: 4567890123\r\nb: 45678901234\r\n\r\n", headers);
    assert_events_small("GET / HTTP/1.0\r\na: 45678901234567890123456789012", headers);
    assert_events_small("GET / HTTP/1.0\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n",
                        "FAIL 431 too many headers: more than the limit of 2 (built-in limit)\n");
    assert_events_small("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n12345",
                        "HEAD POST / 1.0 length=5 Content-Length=[5]\nDONE 12345\n");
    assert_events_small("POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\n",
                        "HEAD POST / 1.0 length=6 Content-Length=[6]\n"
                        "FAIL 413 the request body is too large: 6, the limit is 5 (test)\n");
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD "HEAD POST / 1.1 keep chunked Host=[h] Transfer-Encoding=[chunked]\n"

static void a_chunked_body_is_limited_before_it_is_read(void **state)
{
    (void)state;
    struct chop c = { .body_limit = 5 };
    check_chops(SPAN(CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), c, CHUNKED_HEAD "DONE abcde\n",
                __LINE__);
    check_chops(SPAN(CHUNKED "3\r\nabc\r\n3\r\n"), c,
                CHUNKED_HEAD "FAIL 413 the request body is too large: 6, the limit is 5 (test)\n",
                __LINE__);
    check_chops(SPAN(CHUNKED "fffffffffffffff\r\n"), c,
                CHUNKED_HEAD "FAIL 413 the request body is too large: 1152921504606846975, the "
                             "limit is 5 (test)\n",
                __LINE__);
}

static void many_small_chunks_are_one_body(void **state)
{
    (void)state;
    struct buf in = { 0 }, want = { 0 };
    buf_add_span(&in, SPAN(CHUNKED));
    buf_add_span(&want, SPAN(CHUNKED_HEAD "DONE "));
    for (size_t i = 0; i < 100; i++) {
        BUF_ADD_LIT(&in, "1\r\nx\r\n");
        buf_add_byte(&want, 'x');
    }
    BUF_ADD_LIT(&in, "0\r\n\r\n");
    buf_add(&want, "\n", 2);
    check_chops(buf_span(&in), (struct chop) { .body_limit = 100 }, want.p, __LINE__);
    buf_fini(&in);
    buf_fini(&want);
}

static void fill(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) buf_add_byte(b, 'x');
}

static void extensions_of_all_chunks_together_are_limited(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct buf in = { 0 };
        buf_add_span(&in, SPAN(CHUNKED "1;"));
        fill(&in, 4000);
        BUF_ADD_LIT(&in, "\r\na\r\n0;");
        fill(&in, 96 + over);
        BUF_ADD_LIT(&in, "\r\n\r\n");
        check_chops(buf_span(&in), (struct chop) { .body_limit = 5 },
                    over ? CHUNKED_HEAD "FAIL 431 the chunk extensions are too long: more than "
                                        "the limit of 4096 (built-in limit)\n"
                         : CHUNKED_HEAD "DONE a\n",
                    __LINE__);
        buf_fini(&in);
    }
}

static void trailers_are_limited_as_headers_are(void **state)
{
    (void)state;
    struct http1_limits limits = small;
    limits.headers_bytes = 40;
    limits.n_headers = 3;
    struct chop c = { .body_limit = 5, .limits = &limits };
    static const char head[] = "HEAD POST / 1.1 keep chunked Host=[] Transfer-Encoding=[chunked]\n";
    struct buf want = { 0 };
#define SMALL_CHUNKED "POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    buf_add_fmt(&want, "%sDONE \n%c", head, 0);
    check_chops(SPAN(SMALL_CHUNKED "a: 1\r\n\r\n"), c, want.p, __LINE__);
    buf_clear(&want);
    buf_add_fmt(&want, "%sFAIL 431 too many headers: more than the limit of 3 (built-in limit)\n%c",
                head, 0);
    check_chops(SPAN(SMALL_CHUNKED "a: 1\r\nb: 2\r\n\r\n"), c, want.p, __LINE__);
    buf_clear(&want);
    buf_add_fmt(
        &want,
        "%sFAIL 431 the headers are too long: more than the limit of 40 (built-in limit)\n%c", head,
        0);
    check_chops(SPAN(SMALL_CHUNKED "a: 4567890123456789012345678901234567890\r\n"), c, want.p,
                __LINE__);
    buf_fini(&want);
}

/* The limit that is set at HEAD counts, for this message only. */
static void the_caller_moves_the_body_limit_after_the_head(void **state)
{
    (void)state;
    static const char in[] = "POST / HTTP/1.1\r\nHost:\r\nContent-Length: 6\r\n\r\n";
    struct http1_req r;
    enum http1_ev ev;
    struct buf text = { 0 };
    http1_req_init(&r, &small);
    assert_int_equal(http1_req_feed(&r, in, sizeof in - 1, &ev), sizeof in - 1);
    assert_int_equal(ev, HTTP1_EV_HEAD);
    http1_req_limit_body(&r, 6, "limits.message_bytes of app 1");
    assert_int_equal(http1_req_feed(&r, "abcdef", 6, &ev), 6);
    assert_int_equal(ev, HTTP1_EV_DONE);
    http1_req_next(&r);
    assert_int_equal(http1_req_feed(&r, in, sizeof in - 1, &ev), sizeof in - 1);
    assert_true(http1_req_keep_alive(&r));
    assert_int_equal(http1_req_method(&r), HTTP1_POST);
    assert_int_equal(http1_req_feed(&r, NULL, 0, &ev), 0);
    assert_int_equal(ev, HTTP1_EV_FAIL);
    http1_fail_text(http1_req_fail(&r), &text);
    assert_buf(&text, "the request body is too large: 6, the limit is 5 (limits.small)");
    assert_false(http1_req_keep_alive(&r));
    buf_fini(&text);
    http1_req_fini(&r);
}

static void headers_are_found_without_regard_to_case(void **state)
{
    (void)state;
    static const char in[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"
                             "X-A: 1\r\nx-a:2\r\nconnection: foo\r\nEmpty: \t \r\n\r\n";
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    assert_null(http1_header(&r, SPAN("Host")).p);
    assert_int_equal(http1_req_feed(&r, in, sizeof in - 1, &ev), sizeof in - 1);
    assert_span(http1_header(&r, SPAN("x-A")), "1");
    assert_int_equal(http1_header_count(&r, SPAN("X-A")), 2);
    assert_int_equal(http1_header_count(&r, SPAN("X")), 0);
    assert_null(http1_header(&r, SPAN("X")).p);
    assert_non_null(http1_header(&r, SPAN("empty")).p);
    assert_int_equal(http1_header(&r, SPAN("empty")).n, 0);
    assert_true(http1_header_has_token(&r, SPAN("Connection"), SPAN("upgrade")));
    assert_true(http1_header_has_token(&r, SPAN("Connection"), SPAN("Foo")));
    assert_false(http1_header_has_token(&r, SPAN("Connection"), SPAN("keep")));
    assert_false(http1_header_has_token(&r, SPAN("Upgrade"), SPAN("websocket")));
    http1_req_fini(&r);
}

static void the_phase_tells_which_deadline_applies(void **state)
{
    (void)state;
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    assert_int_equal(http1_req_phase(&r), HTTP1_IDLE);
    assert_int_equal(http1_req_feed(&r, "\r\n", 2, &ev), 2);
    assert_int_equal(http1_req_phase(&r), HTTP1_IDLE);
    assert_int_equal(http1_req_feed(&r, "G", 1, &ev), 1);
    assert_int_equal(http1_req_phase(&r), HTTP1_IN_HEAD);
    assert_true(http1_req_held(&r) > 0);
    static const char rest[] = "ET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n";
    assert_int_equal(http1_req_feed(&r, rest, sizeof rest - 1, &ev), sizeof rest - 1);
    assert_int_equal(http1_req_phase(&r), HTTP1_IN_BODY);
    assert_int_equal(http1_req_feed(&r, "x", 1, &ev), 1);
    assert_int_equal(http1_req_phase(&r), HTTP1_COMPLETE);
    http1_req_next(&r);
    assert_int_equal(http1_req_phase(&r), HTTP1_IDLE);
    assert_int_equal(http1_req_feed(&r, NULL, 0, &ev), 0);
    assert_int_equal(ev, HTTP1_EV_MORE);
    assert_int_equal(http1_req_held(&r), 0);
    http1_req_fini(&r);
}

/* A large message leaves nothing, whatever follows. */
static void memory_of_a_usual_size_serves_the_next_message(void **state)
{
    (void)state;
    static const char one[] = "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx";
    static const char large[] = "POST / HTTP/1.0\r\nContent-Length: 9000\r\n\r\n";
    char body[9000] = { 0 };
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    size_t used = http1_req_feed(&r, one, sizeof one - 1, &ev);
    used += http1_req_feed(&r, one + used, sizeof one - 1 - used, &ev);
    assert_int_equal(used, sizeof one - 1);
    assert_int_equal(ev, HTTP1_EV_DONE);
    size_t held = http1_req_held(&r);
    http1_req_next(&r);
    assert_int_equal(http1_req_held(&r), held);
    assert_int_equal(http1_req_feed(&r, "\r", 1, &ev), 1); /* an empty line is no message */
    assert_int_equal(http1_req_held(&r), 0);
    assert_int_equal(http1_req_feed(&r, "\n", 1, &ev), 1);
    assert_int_equal(http1_req_feed(&r, large, sizeof large - 1, &ev), sizeof large - 1);
    assert_int_equal(http1_req_feed(&r, body, sizeof body, &ev), sizeof body);
    assert_int_equal(ev, HTTP1_EV_DONE);
    http1_req_next(&r);
    assert_int_equal(http1_req_held(&r), 0);
    http1_req_fini(&r);
}

/* Memory grows with what came, not with what was announced. */
static void an_announced_body_costs_nothing_before_it_comes(void **state)
{
    (void)state;
    static const char in[] = "POST / HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\nx";
    struct http1_req r;
    enum http1_ev ev;
    http1_req_init(&r, &http1_limits_default);
    size_t used = http1_req_feed(&r, in, sizeof in - 1, &ev);
    http1_req_limit_body(&r, SIZE_MAX, "test");
    assert_int_equal(http1_req_feed(&r, in + used, sizeof in - 1 - used, &ev), 1);
    assert_int_equal(ev, HTTP1_EV_MORE);
    assert_true(http1_req_held(&r) < 4096);
    http1_req_fini(&r);
}

/* Each allocation fails in turn: the request fails with 503 and nothing leaks (ASan watches). */
static void no_memory_is_answered_with_503(void **state)
{
    (void)state;
    static const char in[] = CHUNKED "5\r\nhello\r\n64\r\n"
                                     "0123456789012345678901234567890123456789012345678901234567890"
                                     "123456789012345678901234567890123456789"
                                     "\r\n0\r\nTrailer: 1234567890\r\n\r\n";
    bool done = false;
    for (long n = 0; !done; n++) {
        struct http1_req r;
        enum http1_ev ev = HTTP1_EV_MORE;
        http1_req_init(&r, &http1_limits_default);
        mem_fail_after(n, false);
        for (size_t at = 0; at < sizeof in - 1 && ev != HTTP1_EV_FAIL;)
            at += http1_req_feed(&r, in + at, 1, &ev);
        bool hit = mem_fail_count() > 0;
        mem_fail_after(-1, false);
        done = ev == HTTP1_EV_DONE;
        assert_int_equal(done, !hit);
        if (hit) assert_int_equal(http1_req_fail(&r)->status, 503);
        if (hit) assert_int_equal(http1_req_fail(&r)->kind, HTTP1_FAIL_NOMEM);
        http1_req_fini(&r);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_body_is_head_and_done),
        cmocka_unit_test(a_body_of_known_length_is_collected),
        cmocka_unit_test(a_chunked_body_is_joined_without_extensions_and_trailers),
        cmocka_unit_test(pipelined_requests_come_out_in_order),
        cmocka_unit_test(what_follows_a_request_stays_with_the_caller),
        cmocka_unit_test(the_version_and_the_connection_header_decide_about_keep_alive),
        cmocka_unit_test(a_client_that_waits_for_100_is_seen),
        cmocka_unit_test(other_protocols_are_recognised),
        cmocka_unit_test(other_versions_and_bad_request_lines_are_refused),
        cmocka_unit_test(limits_hold_exactly_and_the_refusal_names_them),
        cmocka_unit_test(a_chunked_body_is_limited_before_it_is_read),
        cmocka_unit_test(many_small_chunks_are_one_body),
        cmocka_unit_test(extensions_of_all_chunks_together_are_limited),
        cmocka_unit_test(trailers_are_limited_as_headers_are),
        cmocka_unit_test(the_caller_moves_the_body_limit_after_the_head),
        cmocka_unit_test(headers_are_found_without_regard_to_case),
        cmocka_unit_test(the_phase_tells_which_deadline_applies),
        cmocka_unit_test(memory_of_a_usual_size_serves_the_next_message),
        cmocka_unit_test(an_announced_body_costs_nothing_before_it_comes),
        cmocka_unit_test(no_memory_is_answered_with_503),
    };
    return RUN_TESTS(tests);
}
