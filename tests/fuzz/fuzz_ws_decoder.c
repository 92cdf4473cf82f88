/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_ws_decoder.c: the WebSocket decoder in both roles.
 *
 * The first two octets choose limits and cuts, the rest is the stream. Checked: the events do not
 * depend on the cuts; messages are within the limit and text is valid; nothing is held between
 * messages; and what was decoded survives being encoded and decoded again.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "ws/decoder.h"
#include "ws/encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Events as bytes: kind, op, code, length, payload. */
static void record(struct buf *log, const struct ws_ev *ev)
{
    buf_add_byte(log, (char)ev->kind);
    buf_add_byte(log, (char)ev->op);
    buf_add(log, &ev->close_code, sizeof ev->close_code);
    buf_add(log, &ev->data.n, sizeof ev->data.n);
    buf_add_span(log, ev->data);
}

static void encode(struct buf *out, const struct ws_ev *ev, const uint8_t *mask)
{
    switch (ev->kind) {
    case WS_EV_MESSAGE:
        (ev->op == WS_OP_TEXT ? ws_write_text : ws_write_binary)(out, ev->data, mask);
        break;
    case WS_EV_PING:
        ws_write_ping(out, ev->data, mask);
        break;
    case WS_EV_PONG:
        ws_write_pong(out, ev->data, mask);
        break;
    case WS_EV_CLOSE:
        ws_write_close(out, ev->close_code, ev->data, mask);
        break;
    case WS_EV_MORE:
    case WS_EV_FAIL:
        break;
    }
}

static void check_event(const struct ws_limits *limits, const struct ws_ev *ev)
{
    if (ev->kind == WS_EV_MESSAGE) {
        CHECK(limits->max_message == 0 || ev->data.n <= limits->max_message);
        CHECK(ev->op == WS_OP_BINARY || utf8_valid(ev->data));
    }
    if (ev->kind == WS_EV_PING || ev->kind == WS_EV_PONG) CHECK(ev->data.n <= WS_CONTROL_MAX);
    if (ev->kind == WS_EV_CLOSE || ev->kind == WS_EV_FAIL) {
        CHECK(ev->close_code == WS_CODE_NONE || ws_code_valid(ev->close_code));
        CHECK(ev->data.n <= WS_CLOSE_REASON_MAX && utf8_valid(ev->data));
    }
}

/* Decodes in chunks of varying size, at most `max_chunk` bytes (all of the stream at once if that
 * is its length); records the events in `log`, and encodes the good ones again into `out` (may be
 * NULL). */
static void decode(const struct ws_limits *limits, struct span stream, size_t max_chunk,
                   struct buf *log, struct buf *out)
{
    static const uint8_t key[4] = { 0x00, 0x81, 0xFF, 0x37 };
    struct ws_dec d = { 0 };
    struct ws_ev ev = { 0 };
    size_t total = 0;
    for (uint32_t turn = 1; stream.n > 0 && ev.kind != WS_EV_FAIL; turn++) {
        size_t want = max_chunk;
        if (total + stream.n > max_chunk) want = 1 + (turn * 2654435761U >> 8) % max_chunk;
        struct span chunk = span_head(stream, want);
        uint8_t *in = mem_alloc(chunk.n); /* exact, so that ASan sees the ends */
        memcpy(in, chunk.p, chunk.n);
        size_t at = 0;
        do {
            at += ws_decode(&d, limits, in + at, chunk.n - at, &ev);
            CHECK(at <= chunk.n);
            check_event(limits, &ev);
            if (ev.kind != WS_EV_MORE) record(log, &ev);
            if (out) encode(out, &ev, limits->role == WS_ROLE_SERVER ? key : NULL);
        } while (ev.kind != WS_EV_MORE && ev.kind != WS_EV_FAIL);
        CHECK(at == chunk.n);
        total += chunk.n;
        CHECK(ws_dec_memory(&d) <= (ws_dec_is_busy(&d) ? 2 * total + 256 : 0));
        mem_free(in);
        stream = span_skip(stream, chunk.n);
    }
    ws_dec_fini(&d);
}

static void check_role(const struct ws_limits *limits, struct span stream, size_t max_chunk)
{
    struct buf whole = { 0 }, cut = { 0 }, bytes = { 0 }, again = { 0 }, encoded = { 0 };
    decode(limits, stream, stream.n, &whole, &encoded);
    decode(limits, stream, max_chunk, &cut, NULL);
    decode(limits, stream, 1, &bytes, NULL);
    CHECK(span_eq(buf_span(&whole), buf_span(&cut)));
    CHECK(span_eq(buf_span(&whole), buf_span(&bytes)));
    /* Without what failed, the events of the encoded stream are the same. */
    decode(limits, buf_span(&encoded), max_chunk, &again, NULL);
    CHECK(span_starts(buf_span(&whole), buf_span(&again)));
    buf_fini(&whole);
    buf_fini(&cut);
    buf_fini(&bytes);
    buf_fini(&again);
    buf_fini(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t sizes[] = { 0, 8, 125, 300, 65536 };
    if (size < 2) return 0;
    struct ws_limits limits = { .max_message = sizes[data[0] % ARRAY_LEN(sizes)],
                                .max_fragments = data[0] & 0x80 ? 4 : 0 };
    size_t max_chunk = 1 + (size_t)data[1];
    struct span stream = span_of(data + 2, size - 2);
    limits.role = WS_ROLE_SERVER;
    check_role(&limits, stream, max_chunk);
    limits.role = WS_ROLE_CLIENT;
    check_role(&limits, stream, max_chunk);
    return 0;
}
