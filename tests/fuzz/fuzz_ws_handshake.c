/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_ws_handshake.c: the opening handshake, both sides.
 *
 * The first octet says what the rest is: header lines of a request, a server's reply, or the parts
 * of a request to be written. Checked: what we accept, our client accepts too; an answer is one
 * well-formed head; a verdict on a reply does not change when more bytes come.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "ws/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(struct span s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] == c;
    return n;
}

/* Lines of the request: "name: value". A line "key" alone is left out of the headers. */
static void judge_request(struct span text)
{
    struct ws_request r = { .method = SPAN("GET"), .http_minor = 1 };
    struct span line, name, key = { 0 };
    while (span_cut(&text, '\n', &line)) {
        if (!span_cut(&line, ':', &name) || !line.p) continue;
        ws_request_header(&r, name, line);
        if (span_eq_nocase(name, SPAN("Sec-WebSocket-Key"))) key = span_trim(line);
    }
    struct ws_verdict v;
    ws_request_judge(&r, &v);
    struct buf out = { 0 };
    ws_write_verdict(&out, &v);
    CHECK(!buf_failed(&out) && count(buf_span(&out), '\r') == count(buf_span(&out), '\n'));
    struct ws_reply reply;
    ws_reply_read(buf_span(&out), key, &reply);
    CHECK(reply.status == v.status);
    if (v.status != 101) {
        CHECK(reply.kind == WS_REPLY_REFUSED && v.text[0]);
    } else {
        CHECK(reply.kind == (v.protocol.n ? WS_REPLY_BAD : WS_REPLY_OPEN));
        CHECK(reply.kind == WS_REPLY_BAD || reply.used == out.n);
    }
    buf_fini(&out);
}

static void read_reply(struct span text)
{
    struct span key = SPAN("dGhlIHNhbXBsZSBub25jZQ==");
    struct ws_reply whole;
    ws_reply_read(text, key, &whole);
    size_t cuts[] = { 0, text.n / 4, text.n / 2, text.n ? text.n - 1 : 0 };
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *exact = mem_alloc(cuts[i] + 1);
        if (cuts[i]) memcpy(exact + 1, text.p, cuts[i]);
        struct ws_reply part;
        ws_reply_read(span_of(exact + 1, cuts[i]), key, &part);
        if (part.kind != WS_REPLY_MORE) {
            CHECK(part.kind == whole.kind && part.used == whole.used);
        }
        mem_free(exact);
    }
    CHECK(whole.used <= text.n);
}

/* host, target, origin in lines. */
static void write_request(struct span text)
{
    struct span part[3] = { SPAN(""), SPAN(""), SPAN("") };
    span_cut(&text, '\n', &part[0]);
    span_cut(&text, '\n', &part[1]);
    if (text.p) part[2] = text;
    struct ws_dial dial = { part[0], part[1], SPAN("dGhlIHNhbXBsZSBub25jZQ=="), part[2] };
    struct buf out = { 0 };
    enum err err = ws_write_request(&out, &dial);
    if (err == ERR_OK) {
        size_t lines = part[2].n ? 8 : 7;
        CHECK(count(buf_span(&out), '\n') == lines && count(buf_span(&out), '\r') == lines);
    } else {
        CHECK(err == ERR_SYNTAX && out.n == 0);
    }
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct span text = span_of(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        judge_request(text);
        break;
    case 1:
        read_reply(text);
        break;
    case 2:
        write_request(text);
        break;
    }
    return 0;
}
