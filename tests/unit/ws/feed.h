/* SPDX-License-Identifier: MIT
 *
 * tests/unit/ws/feed.h: builds streams of frames, feeds them to a decoder in any cut, and writes
 * down the events as text, so that a test compares two texts.
 *
 * Each chunk lies in a block of exactly its size, which is freed when its events are over: under
 * ASan, a read beyond the chunk or a borrowed span that lives too long is found. The log is static
 * memory, so that the sweep over failing allocations meets only the decoder's own.
 */
#ifndef TESTS_UNIT_WS_FEED_H
#define TESTS_UNIT_WS_FEED_H
#include "base/buf.h"
#include "base/mem.h"
#include "ws/decoder.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h> /* what cmocka.h needs before it */

#include <cmocka.h>

#define FEED_LOG_SIZE (64 * 1024)

struct feed_log {
    char text[FEED_LOG_SIZE];
    size_t n;
};

/* A small generator with a seed that failures can print (xorshift64*, Vigna 2016). */
static inline uint32_t feed_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545F4914F6CDD1DU) >> 32);
}

__attribute__((format(printf, 2, 3))) static inline void feed_note(struct feed_log *log,
                                                                   const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(log->text + log->n, sizeof log->text - log->n, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof log->text - log->n);
    log->n += (size_t)n;
}

/* Short payloads as they are, with the odd octets in hex; long ones as length and FNV-1a. */
static inline void feed_note_data(struct feed_log *log, struct span s)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < s.n; i++) hash = (hash ^ (uint8_t)s.p[i]) * 16777619U;
    if (s.n > 130) {
        feed_note(log, "%zu#%08x", s.n, hash);
        return;
    }
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c >= ' ' && c < 0x7F) {
            feed_note(log, "%c", c);
        } else {
            feed_note(log, "<%02X>", c);
        }
    }
}

static inline void feed_note_event(struct feed_log *log, const struct ws_ev *ev)
{
    switch (ev->kind) {
    case WS_EV_MORE:
        return;
    case WS_EV_MESSAGE:
        assert_true(ev->op == WS_OP_TEXT || ev->op == WS_OP_BINARY);
        feed_note(log, ev->op == WS_OP_TEXT ? "text(" : "binary(");
        break;
    case WS_EV_PING:
        feed_note(log, "ping(");
        break;
    case WS_EV_PONG:
        feed_note(log, "pong(");
        break;
    case WS_EV_CLOSE:
        feed_note(log, "close(%d,", ev->close_code);
        break;
    case WS_EV_FAIL:
        feed_note(log, "fail(%d,", ev->close_code);
        break;
    }
    feed_note_data(log, ev->data);
    feed_note(log, ") ");
}

/* Appends a frame with the given first octet, masked when `role` is the server's. */
static inline void feed_frame(struct buf *stream, enum ws_role role, uint8_t first,
                              struct span payload, uint64_t *seed)
{
    uint8_t head[WS_HEAD_MAX], mask[4];
    for (size_t i = 0; i < 4; i++) mask[i] = (uint8_t)feed_random(seed);
    size_t n =
        ws_head_write(head, WS_OP_TEXT, true, payload.n, role == WS_ROLE_SERVER ? mask : NULL);
    head[0] = first;
    buf_add(stream, head, n);
    size_t at = stream->n;
    buf_add_span(stream, payload);
    assert_false(buf_failed(stream));
    if (role == WS_ROLE_SERVER) ws_unmask((uint8_t *)stream->p + at, payload.n, mask, 0);
}

/* Feeds one chunk to its end; false when the decoder has failed. */
static inline bool feed_chunk(struct ws_dec *d, const struct ws_limits *limits, struct span chunk,
                              struct feed_log *log)
{
    uint8_t *exact = chunk.n ? mem_alloc(chunk.n) : NULL;
    assert_true(chunk.n == 0 || exact);
    if (exact) memcpy(exact, chunk.p, chunk.n);
    size_t at = 0;
    struct ws_ev ev;
    do {
        size_t used = ws_decode(d, limits, exact ? exact + at : NULL, chunk.n - at, &ev);
        assert_true(used <= chunk.n - at);
        at += used;
        feed_note_event(log, &ev);
    } while (ev.kind != WS_EV_MORE && ev.kind != WS_EV_FAIL);
    assert_int_equal(at, chunk.n);
    if (!ws_dec_is_busy(d)) assert_int_equal(ws_dec_memory(d), 0);
    mem_free(exact);
    return ev.kind != WS_EV_FAIL;
}

/* Decodes the stream in chunks of 1..max_chunk bytes, of exactly max_chunk when `seed` is NULL. */
static inline void feed_stream(const struct ws_limits *limits, struct span stream, size_t max_chunk,
                               uint64_t *seed, struct feed_log *log)
{
    struct ws_dec d;
    ws_dec_init(&d);
    log->n = 0;
    log->text[0] = 0;
    bool alive = true;
    while (alive && stream.n > 0) {
        size_t n = seed ? 1 + feed_random(seed) % max_chunk : max_chunk;
        alive = feed_chunk(&d, limits, span_head(stream, n), log);
        stream = span_skip(stream, n);
    }
    ws_dec_fini(&d);
    assert_int_equal(ws_dec_memory(&d), 0);
}

/* The chop test: whole, byte by byte, and in `n_random` seeded cuts, the events are `expected`. */
static inline void feed_expect(const char *name, const struct ws_limits *limits, struct span stream,
                               int n_random, const char *expected)
{
    static struct feed_log log;
    feed_stream(limits, stream, stream.n + 1, NULL, &log);
    if (strcmp(log.text, expected) != 0) fail_msg("%s: got %s, not %s", name, log.text, expected);
    feed_stream(limits, stream, 1, NULL, &log);
    if (strcmp(log.text, expected) != 0)
        fail_msg("%s, by bytes: %s, not %s", name, log.text, expected);
    for (int i = 1; i <= n_random; i++) {
        uint64_t seed = (uint64_t)i * 0x9E3779B97F4A7C15U;
        size_t max_chunk = i % 2 ? 7 : stream.n / 2 + 2;
        feed_stream(limits, stream, max_chunk, &seed, &log);
        if (strcmp(log.text, expected) != 0) {
            fail_msg("%s, cut %d: got %s, not %s", name, i, log.text, expected);
        }
    }
}

#endif
