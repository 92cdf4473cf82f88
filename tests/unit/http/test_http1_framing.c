/* SPDX-License-Identifier: MIT
 *
 * tests/unit/http/test_http1_framing.c: the shapes that two readers of one stream could cut in
 * different places (request smuggling). Each is fed to the whole parser, whole, byte by byte and
 * cut at seeded places, and must be refused in the same words each time.
 */
#include "unit/http/record.h"
#include "unit/test.h"

#define HEAD "POST /x HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

struct shape {
    const char *name;
    struct span in;
    const char *want; /* how the last line of the record begins */
};

#define SHAPE(name, text, want)                                                                    \
    {                                                                                              \
        name, { text, sizeof(text) - 1 }, want                                                     \
    }

static const struct shape refused[] = {
    SHAPE("length and coding", HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
          "FAIL 400 both Content-Length and Transfer-Encoding"),
    SHAPE("coding and length", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
          "FAIL 400 both Content-Length and Transfer-Encoding"),
    SHAPE("coding and length 0", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
          "FAIL 400 both Content-Length and Transfer-Encoding"),
    SHAPE("two lengths", HEAD "Content-Length: 5\r\ncontent-length: 6\r\n\r\n",
          "FAIL 400 two Content-Length headers"),
    SHAPE("two equal lengths", HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
          "FAIL 400 two Content-Length headers"),
    SHAPE("list of lengths", HEAD "Content-Length: 5, 5\r\n\r\n",
          "FAIL 400 Content-Length is not one number"),
    SHAPE("empty length", HEAD "Content-Length:\r\n\r\n",
          "FAIL 400 Content-Length is not one number"),
    SHAPE("plus", HEAD "Content-Length: +5\r\n\r\n", "FAIL 400 Content-Length is not one number"),
    SHAPE("minus", HEAD "Content-Length: -5\r\n\r\n", "FAIL 400 Content-Length is not one number"),
    SHAPE("hex", HEAD "Content-Length: 0x5\r\n\r\n", "FAIL 400 Content-Length is not one number"),
    SHAPE("fraction", HEAD "Content-Length: 5.0\r\n\r\n",
          "FAIL 400 Content-Length is not one number"),
    SHAPE("length beyond 64 bits", HEAD "Content-Length: 18446744073709551617\r\n\r\n",
          "FAIL 400 Content-Length is not one number"),
    SHAPE("gzip, chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", "FAIL 501 "),
    SHAPE("chunked, identity", HEAD "Transfer-Encoding: chunked, identity\r\n\r\n", "FAIL 501 "),
    SHAPE("xchunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n", "FAIL 501 "),
    SHAPE("quoted chunked", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n", "FAIL 501 "),
    SHAPE("empty coding", HEAD "Transfer-Encoding:\r\n\r\n", "FAIL 501 "),
    SHAPE("two codings", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
          "FAIL 400 two Transfer-Encoding headers"),
    SHAPE("vertical tab",
          HEAD "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
          "FAIL 400 a control character in a header value"),
    SHAPE("coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
          "FAIL 400 Transfer-Encoding in HTTP/1.0"),
    SHAPE("folded", HEAD "X: a\r\n b\r\n\r\n", "FAIL 400 a folded header line"),
    SHAPE("folded by tab", HEAD "Transfer-Encoding:\r\n\tchunked\r\n\r\n", "FAIL "),
    SHAPE("space before the first header", "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
          "FAIL 400 a folded header line"),
    SHAPE("space before colon", HEAD "Content-Length : 5\r\n\r\n",
          "FAIL 400 white space before the colon of a header"),
    SHAPE("tab before colon", HEAD "Transfer-Encoding\t: chunked\r\n\r\n",
          "FAIL 400 white space before the colon of a header"),
    SHAPE("no colon", HEAD "Content-Length\r\n\r\n", "FAIL 400 a header line without a colon"),
    SHAPE("no name", HEAD ": 5\r\n\r\n", "FAIL 400 a header name is not a token"),
    SHAPE("bad name", HEAD "Content(Length: 5\r\n\r\n", "FAIL 400 a header name is not a token"),
    SHAPE("NUL in name", HEAD "X\0Y: 5\r\n\r\n", "FAIL 400 a header name is not a token"),
    SHAPE("NUL in value", HEAD "X: a\0b\r\n\r\n", "FAIL 400 a control character in a header value"),
    SHAPE("DEL in value", HEAD "X: a\x7f\r\n\r\n",
          "FAIL 400 a control character in a header value"),
    SHAPE("bare CR in value", HEAD "X: a\rContent-Length: 5\r\n\r\n",
          "FAIL 400 a bare CR in a line"),
    SHAPE("CR CR LF", HEAD "X: a\r\r\n\r\n", "FAIL 400 a bare CR in a line"),
    SHAPE("bare LF after header", HEAD "X: a\n\r\n", "FAIL 400 a line ends with a bare LF"),
    SHAPE("bare LF at the end of the head", HEAD "\n", "FAIL 400 a line ends with a bare LF"),
    SHAPE("bare LF after request line", "GET / HTTP/1.1\nHost: h\r\n\r\n",
          "FAIL 400 a line ends with a bare LF"),
    SHAPE("bare LF before the request", "\nGET / HTTP/1.1\r\n", "FAIL 400 a line ends with a bare"),
    SHAPE("bare CR before the request", "\rGET / HTTP/1.1\r\n",
          "FAIL 400 a bare CR before the request"),
    SHAPE("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n", "FAIL 400 "),
    SHAPE("no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", "FAIL 400 no Host header"),
    SHAPE("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "FAIL 400 two Host headers"),
    SHAPE("two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
          "FAIL 400 two Host headers"),
    SHAPE("joined Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
          "FAIL 400 a bad character in the Host header"),
    SHAPE("path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
          "FAIL 400 a bad character in the Host header"),
    SHAPE("user in Host", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n",
          "FAIL 400 a bad character in the Host header"),
    SHAPE("other expectation", HEAD "Expect: 200-ok\r\n\r\n", "FAIL 417 "),
    SHAPE("chunk size empty", CHUNKED "\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("second chunk size empty", CHUNKED "1\r\na\r\n\r\n\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size with extension only", CHUNKED ";x\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size signed", CHUNKED "-1\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size 0x", CHUNKED "0x1\r\na\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size with space", CHUNKED "1 \r\na\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size beyond 64 bits", CHUNKED "10000000000000001\r\na\r\n",
          "FAIL 400 a bad chunk size"),
    SHAPE("chunk size ends with bare LF", CHUNKED "1\na\r\n", "FAIL 400 a bad chunk size"),
    SHAPE("chunk size ends with bare CR", CHUNKED "1\ra\r\n",
          "FAIL 400 a bare CR after a chunk size"),
    SHAPE("extension with bare LF", CHUNKED "1;x\na\r\n",
          "FAIL 400 a control character in a chunk extension"),
    SHAPE("chunk too long", CHUNKED "1\r\nab\r\n", "FAIL 400 a chunk is longer than its size"),
    SHAPE("chunk ends with bare LF", CHUNKED "1\r\na\n",
          "FAIL 400 a chunk is longer than its size"),
    SHAPE("chunk ends with bare CR", CHUNKED "1\r\na\rb", "FAIL 400 a bare CR after a chunk"),
    SHAPE("folded trailer", CHUNKED "0\r\n X: y\r\n\r\n", "FAIL 400 a folded header line"),
    SHAPE("trailer without colon", CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n", "FAIL 400 "),
    SHAPE("trailer with bare LF", CHUNKED "0\r\nX: y\n\r\n", "FAIL 400 a line ends with a bare LF"),
    SHAPE("trailer that frames", CHUNKED "0\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
          "FAIL 400 a trailer that belongs into the head"),
    SHAPE("trailer that routes", CHUNKED "0\r\nhost: evil\r\n\r\n",
          "FAIL 400 a trailer that belongs into the head"),
};

static struct span last_line(struct span log)
{
    struct span line = { 0 }, rest = log;
    while (rest.n) span_cut(&rest, '\n', &line);
    return line;
}

static void every_smuggling_shape_is_refused_however_it_arrives(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct buf whole = { 0 }, cut = { 0 };
        record(refused[i].in, (struct chop) { .body_limit = 100 }, &whole);
        struct span last = last_line(buf_span(&whole));
        if (!span_starts(last, span_str(refused[i].want)))
            fail_msg("%s: %.*s", refused[i].name, SPAN_FMT(last));
        for (uint64_t seed = 1; seed < 20; seed++) {
            buf_clear(&cut);
            record(refused[i].in, (struct chop) { .seed = seed, .body_limit = 100 }, &cut);
            if (!span_eq(buf_span(&cut), buf_span(&whole)))
                fail_msg("%s, seed %d: %.*s", refused[i].name, (int)seed, SPAN_FMT(buf_span(&cut)));
        }
        buf_fini(&whole);
        buf_fini(&cut);
    }
}

/* The refusal may not depend on what comes behind, and what is behind may not become a request. */
static void nothing_behind_a_refused_request_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct buf in = { 0 }, log = { 0 };
        buf_add_span(&in, refused[i].in);
        BUF_ADD_LIT(&in, "\r\n\r\nDELETE /stolen HTTP/1.1\r\nHost: h\r\n\r\n");
        record(buf_span(&in), (struct chop) { .seed = 7, .body_limit = 100 }, &log);
        assert_true(span_starts(last_line(buf_span(&log)), SPAN("FAIL ")));
        buf_add_byte(&log, 0);
        assert_null(strstr(log.p, "stolen"));
        buf_fini(&in);
        buf_fini(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_smuggling_shape_is_refused_however_it_arrives),
        cmocka_unit_test(nothing_behind_a_refused_request_is_read),
    };
    return RUN_TESTS(tests);
}
