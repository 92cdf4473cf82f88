/* SPDX-License-Identifier: MIT
 * tests/unit/ws/test_decoder.c: messages, fragments, control frames, limits and memory. The cases
 * follow the sections of the Autobahn test suite, whose numbers stand in their names; UTF-8 and
 * close frames have tables of their own in test_decoder_text.c. */
#include "unit/ws/feed.h"

#define FRAMES_MAX 10
#define F(first, payload)                                                                          \
    {                                                                                              \
        first,                                                                                     \
        {                                                                                          \
            payload, sizeof payload - 1                                                            \
        }                                                                                          \
    }

struct frame {
    uint8_t first;
    struct span payload;
};

struct vector {
    const char *name;
    const char *events;
    struct frame frames[FRAMES_MAX]; /* ends at the first without payload.p */
};

#define ASCII_125                                                                                  \
    "*************************"                                                                    \
    "*************************"                                                                    \
    "*************************"                                                                    \
    "*************************"                                                                    \
    "*************************"

static const struct vector vectors[] = {
    { "1.1.1 empty text", "text() ", { F(0x81, "") } },
    { "1.1.2 text of 125", "text(" ASCII_125 ") ", { F(0x81, ASCII_125) } },
    { "1.1.3 text of 126", "text(" ASCII_125 "*) ", { F(0x81, ASCII_125 "*") } },
    { "1.1.5 text of 128", "text(" ASCII_125 "***) ", { F(0x81, ASCII_125 "***") } },
    { "1.2.1 empty binary", "binary() ", { F(0x82, "") } },
    { "1.2.2 binary", "binary(<FE><00><C3>z) ", { F(0x82, "\xFE\0\xC3z") } },
    { "two messages", "text(a) binary(b) ", { F(0x81, "a"), F(0x82, "b") } },

    { "2.1 empty ping", "ping() ", { F(0x89, "") } },
    { "2.2 ping", "ping(Hello, world!) ", { F(0x89, "Hello, world!") } },
    { "2.3 binary ping",
      "ping(<00><FF><FE><FD><FC><FB><00><FF>) ",
      { F(0x89, "\0\xFF\xFE\xFD\xFC\xFB\0\xFF") } },
    { "2.4 ping of 125", "ping(" ASCII_125 ") ", { F(0x89, ASCII_125) } },
    { "2.5 ping of 126", "fail(1002,Control frame too long) ", { F(0x89, ASCII_125 "*") } },
    { "2.7 unasked pong", "pong() ", { F(0x8A, "") } },
    { "2.8 unasked pong, text",
      "pong(unsolicited) text(x) ",
      { F(0x8A, "unsolicited"), F(0x81, "x") } },
    { "2.9 pong, then ping", "pong(a) ping(b) ", { F(0x8A, "a"), F(0x89, "b") } },
    { "2.10 pings in a row",
      "ping(1) ping(2) ping(3) ping(4) ping(5) ",
      { F(0x89, "1"), F(0x89, "2"), F(0x89, "3"), F(0x89, "4"), F(0x89, "5") } },

    { "3.1 rsv 1", "fail(1002,Reserved bits set) ", { F(0x91, "Hello") } },
    { "3.2 rsv 2 after a text",
      "text(a) fail(1002,Reserved bits set) ",
      { F(0x81, "a"), F(0xA1, "Hello"), F(0x89, "") } },
    { "3.3 rsv 3", "text(a) fail(1002,Reserved bits set) ", { F(0x81, "a"), F(0xB1, "Hello") } },
    { "3.4 rsv 4", "text(a) fail(1002,Reserved bits set) ", { F(0x81, "a"), F(0xC1, "Hello") } },
    { "3.5 rsv 5, binary", "fail(1002,Reserved bits set) ", { F(0xD2, "Hello") } },
    { "3.6 rsv 6, ping", "fail(1002,Reserved bits set) ", { F(0xE9, "Hello") } },
    { "3.7 rsv 7, close", "fail(1002,Reserved bits set) ", { F(0xF8, "\x03\xE8") } },

    { "4.1.1 opcode 3", "fail(1002,Reserved opcode) ", { F(0x83, "") } },
    { "4.1.2 opcode 4", "fail(1002,Reserved opcode) ", { F(0x84, "reserved payload") } },
    { "4.1.3 opcode 5",
      "text(a) fail(1002,Reserved opcode) ",
      { F(0x81, "a"), F(0x85, ""), F(0x89, "") } },
    { "4.1.4 opcode 6", "fail(1002,Reserved opcode) ", { F(0x86, "reserved payload") } },
    { "4.1.5 opcode 7", "fail(1002,Reserved opcode) ", { F(0x87, "") } },
    { "4.2.1 opcode 11", "fail(1002,Reserved opcode) ", { F(0x8B, "") } },
    { "4.2.2 opcode 12", "fail(1002,Reserved opcode) ", { F(0x8C, "reserved payload") } },
    { "4.2.3 opcode 13", "text(a) fail(1002,Reserved opcode) ", { F(0x81, "a"), F(0x8D, "") } },
    { "4.2.4 opcode 14", "fail(1002,Reserved opcode) ", { F(0x8E, "reserved payload") } },
    { "4.2.5 opcode 15", "fail(1002,Reserved opcode) ", { F(0x8F, "") } },

    { "5.1 fragmented ping",
      "fail(1002,Fragmented control frame) ",
      { F(0x09, "frag"), F(0x80, "ment") } },
    { "5.2 fragmented pong",
      "fail(1002,Fragmented control frame) ",
      { F(0x0A, "frag"), F(0x80, "ment") } },
    { "fragmented close", "fail(1002,Fragmented control frame) ", { F(0x08, "\x03\xE8") } },
    { "5.3 text in two fragments",
      "text(fragment1fragment2) ",
      { F(0x01, "fragment1"), F(0x80, "fragment2") } },
    { "5.6 ping between fragments",
      "ping(between) text(fragment1fragment2) ",
      { F(0x01, "fragment1"), F(0x89, "between"), F(0x80, "fragment2") } },
    { "pong and ping between, binary",
      "pong(" ASCII_125 ") ping() binary(12) ",
      { F(0x02, "1"), F(0x8A, ASCII_125), F(0x89, ""), F(0x80, "2") } },
    { "ping before anything of the message came",
      "ping(p) text(x) ",
      { F(0x01, ""), F(0x89, "p"), F(0x80, "x") } },
    { "5.9 continuation without a start",
      "fail(1002,Continuation without a start) ",
      { F(0x80, "non-continuation payload"), F(0x81, "Hello") } },
    { "5.12 unfinished continuation without a start",
      "fail(1002,Continuation without a start) ",
      { F(0x00, "non-continuation payload"), F(0x81, "Hello") } },
    { "5.15 continuation after the end",
      "text(12) fail(1002,Continuation without a start) ",
      { F(0x01, "1"), F(0x80, "2"), F(0x00, "3"), F(0x81, "4") } },
    { "5.18 text inside a fragmented text",
      "fail(1002,New message inside a fragmented one) ",
      { F(0x01, "fragment1"), F(0x81, "fragment2") } },
    { "binary inside a fragmented text",
      "fail(1002,New message inside a fragmented one) ",
      { F(0x01, "fragment1"), F(0x02, "fragment2") } },
    { "5.19 pings among five fragments",
      "ping(a) ping(b) text(12345) ping(c) ",
      { F(0x01, "1"), F(0x00, "2"), F(0x89, "a"), F(0x00, "3"), F(0x00, "4"), F(0x89, "b"),
        F(0x80, "5"), F(0x89, "c") } },
    { "6.1.2 three empty fragments", "text() ", { F(0x01, ""), F(0x00, ""), F(0x80, "") } },
    { "6.1.3 a full fragment between two empty ones",
      "text(middle) ",
      { F(0x01, ""), F(0x00, "middle"), F(0x80, "") } },
    { "an empty last fragment", "binary(x) ", { F(0x02, "x"), F(0x80, "") } },
};

static void build(struct buf *stream, const struct vector *v, enum ws_role role)
{
    uint64_t seed = 0x5EED;
    buf_clear(stream);
    for (size_t i = 0; i < FRAMES_MAX && v->frames[i].payload.p; i++) {
        feed_frame(stream, role, v->frames[i].first, v->frames[i].payload, &seed);
    }
}

static void each_vector_gives_its_events_in_both_roles_and_any_cut(void **state)
{
    (void)state;
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        for (int role = 0; role < 2; role++) {
            struct ws_limits limits = { 1000, 100, (enum ws_role)role };
            build(&stream, &vectors[i], limits.role);
            feed_expect(vectors[i].name, &limits, buf_span(&stream), 20, vectors[i].events);
        }
    }
    buf_fini(&stream);
}

static void messages_of_all_lengths_pass_whole_and_fragmented(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, 70001 };
    static const size_t pieces[] = { 0, 997, 1300, 65536 }; /* 10.1.1 and 9.3: fragment sizes */
    static struct feed_log expected;
    char *text = mem_alloc(70001);
    for (size_t i = 0; i < 70001; i++) text[i] = (char)('a' + i % 26);
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(pieces); i++) {
        struct span rest = span_of(text, sizes[i / ARRAY_LEN(pieces)]);
        size_t piece = pieces[i % ARRAY_LEN(pieces)];
        struct ws_limits limits = { .role = i % 2 ? WS_ROLE_CLIENT : WS_ROLE_SERVER };
        struct ws_ev ev = { WS_EV_MESSAGE, WS_OP_TEXT, 0, rest };
        expected.n = 0;
        feed_note_event(&expected, &ev);
        uint64_t seed = i + 1;
        buf_clear(&stream);
        uint8_t op = WS_OP_TEXT;
        while (piece && rest.n > piece) {
            feed_frame(&stream, limits.role, op, span_head(rest, piece), &seed);
            rest = span_skip(rest, piece);
            op = WS_OP_CONTINUATION;
        }
        feed_frame(&stream, limits.role, op | WS_BIT_FIN, rest, &seed);
        feed_expect("length", &limits, buf_span(&stream), 3, expected.text);
    }
    buf_fini(&stream);
    mem_free(text);
}

/* Headers that no writer of ours makes: raw octets. */
static const struct {
    const char *name;
    enum ws_role role;
    struct span raw;
    const char *events;
} raws[] = {
    { "unmasked to a server",
      WS_ROLE_SERVER,
      { "\x81\x05Hello", 7 },
      "fail(1002,Frame is not masked) " },
    { "unmasked and empty to a server",
      WS_ROLE_SERVER,
      { "\x81\x00", 2 },
      "fail(1002,Frame is not masked) " },
    { "masked to a client",
      WS_ROLE_CLIENT,
      { "\x81\x80\1\2\3\4", 6 },
      "fail(1002,Frame is masked) " },
    { "125 in 16 bits",
      WS_ROLE_CLIENT,
      { "\x81\x7E\x00\x7D", 4 },
      "fail(1002,Length not in its shortest form) " },
    { "0 in 16 bits",
      WS_ROLE_SERVER,
      { "\x82\xFE\x00\x00", 4 },
      "fail(1002,Length not in its shortest form) " },
    { "65535 in 64 bits",
      WS_ROLE_CLIENT,
      { "\x81\x7F\0\0\0\0\0\0\xFF\xFF", 10 },
      "fail(1002,Length not in its shortest form) " },
    { "top bit of the length",
      WS_ROLE_CLIENT,
      { "\x81\x7F\x80\0\0\0\0\1\0\0", 10 },
      "fail(1002,Length out of range) " },
    { "all bits of the length",
      WS_ROLE_SERVER,
      { "\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10 },
      "fail(1002,Length out of range) " },
    { "2^63 - 1, over the limit",
      WS_ROLE_SERVER,
      { "\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10 },
      "fail(1009,Maximum message size exceeded) " },
    { "control frame with a 16 bit length",
      WS_ROLE_CLIENT,
      { "\x89\x7E\x00\x7E", 4 },
      "fail(1002,Control frame too long) " },
    { "control frame with a 64 bit length",
      WS_ROLE_SERVER,
      { "\x88\xFF\0", 3 },
      "fail(1002,Control frame too long) " },
    { "only half a header", WS_ROLE_SERVER, { "\x81\xFE\x01", 3 }, "" },
    { "no mask yet", WS_ROLE_SERVER, { "\x81\x80\1\2\3", 5 }, "" },
};

static void wrong_headers_fail_at_the_octet_that_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
        struct ws_limits limits = { 100000, 0, raws[i].role };
        feed_expect(raws[i].name, &limits, raws[i].raw, 3, raws[i].events);
    }
}

static void after_a_failure_every_call_fails_alike(void **state)
{
    (void)state;
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    struct ws_dec d = { 0 };
    static struct feed_log log;
    log.n = 0;
    assert_false(feed_chunk(&d, &limits, SPAN("\x91"), &log));
    assert_false(feed_chunk(&d, &limits, SPAN("\x81\x01x"), &log));
    assert_false(feed_chunk(&d, &limits, SPAN(""), &log));
    assert_string_equal(log.text, "fail(1002,Reserved bits set) fail(1002,Reserved bits set) "
                                  "fail(1002,Reserved bits set) ");
    ws_dec_fini(&d);
    log.n = 0;
    assert_true(feed_chunk(&d, &limits, SPAN("\x81\x01x"), &log));
    assert_string_equal(log.text, "text(x) ");
}

static void the_size_limit_counts_all_fragments_and_no_control_frames(void **state)
{
    (void)state;
    static const struct vector cases[] = {
        { "at the limit", "text(12345678) ", { F(0x81, "12345678") } },
        { "over the limit", "fail(1009,Maximum message size exceeded) ", { F(0x81, "123456789") } },
        { "fragments at the limit",
          "binary(12345678) ",
          { F(0x02, "1234"), F(0x00, "567"), F(0x80, "8") } },
        { "fragments over the limit",
          "ping(x) fail(1009,Maximum message size exceeded) ",
          { F(0x02, "1234"), F(0x00, "567"), F(0x89, "x"), F(0x80, "89") } },
        { "an empty fragment at the limit",
          "binary(12345678) ",
          { F(0x02, "12345678"), F(0x80, "") } },
        { "pings do not count",
          "ping(1234567890) text(12345678) ",
          { F(0x01, "1234567"), F(0x89, "1234567890"), F(0x80, "8") } },
        { "each message counts anew",
          "text(12345678) text(12345678) ",
          { F(0x81, "12345678"), F(0x01, "123456"), F(0x80, "78") } },
    };
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ws_limits limits = { 8, 0, i % 2 ? WS_ROLE_CLIENT : WS_ROLE_SERVER };
        build(&stream, &cases[i], limits.role);
        feed_expect(cases[i].name, &limits, buf_span(&stream), 20, cases[i].events);
    }
    buf_fini(&stream);
}

static void a_flood_of_fragments_is_stopped(void **state)
{
    (void)state;
    static const struct vector cases[] = {
        { "three",
          "text(ab) text(abc) ",
          { F(0x01, "a"), F(0x00, ""), F(0x80, "b"), F(0x01, "a"), F(0x00, "b"), F(0x80, "c") } },
        { "four",
          "fail(1008,Too many fragments) ",
          { F(0x01, ""), F(0x00, ""), F(0x00, ""), F(0x00, ""), F(0x80, "") } },
    };
    struct ws_limits limits = { 100, 3, WS_ROLE_SERVER };
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        build(&stream, &cases[i], limits.role);
        feed_expect(cases[i].name, &limits, buf_span(&stream), 20, cases[i].events);
    }
    buf_clear(&stream);
    for (int i = 0; i < 70000; i++) buf_add(&stream, i ? "\x00\x00" : "\x01\x00", 2);
    BUF_ADD_LIT(&stream, "\x80\x01x");
    struct ws_limits open = { 100, 0, WS_ROLE_CLIENT };
    feed_expect("no limit", &open, buf_span(&stream), 1, "text(x) ");
    buf_fini(&stream);
}

/* The counter must hold more than 16 bits: 64 bytes each make 4 MiB of a message. */
static void the_fragment_limit_may_be_65536(void **state)
{
    (void)state;
    const struct ws_limits limits = { 100, 65536, WS_ROLE_SERVER };
    struct ws_dec dec;
    struct ws_ev ev;
    for (int frames = 65536; frames <= 65537; frames++) {
        ws_dec_init(&dec);
        for (int i = 1; i <= frames; i++) {
            uint8_t first = (uint8_t)((i == 1 ? 0x02 : 0x00) | (i == frames ? 0x80 : 0x00));
            uint8_t frame[] = { first, 0x80, 0, 0, 0, 0 };
            assert_int_equal(ws_decode(&dec, &limits, frame, sizeof frame, &ev), sizeof frame);
            if (i < frames && i <= 65536) assert_int_equal(ev.kind, WS_EV_MORE);
        }
        assert_int_equal(ev.kind, frames == 65536 ? WS_EV_MESSAGE : WS_EV_FAIL);
        ws_dec_fini(&dec);
    }
}

static void an_announced_length_reserves_nothing(void **state)
{
    (void)state;
    static const uint8_t head[10] = { 0x82, 127, 0, 0, 0, 0x0F, 0, 0, 0, 0 }; /* 60 GiB */
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    struct ws_dec d = { 0 };
    static struct feed_log log;
    log.n = 0;
    assert_true(feed_chunk(&d, &limits, span_of(head, sizeof head), &log));
    assert_true(ws_dec_is_busy(&d));
    assert_int_equal(ws_dec_memory(&d), 0);
    char bytes[1000] = { 0 };
    for (int i = 0; i < 100; i++) {
        assert_true(feed_chunk(&d, &limits, span_of(bytes, sizeof bytes), &log));
    }
    assert_in_range(ws_dec_memory(&d), 100000, 200000);
    assert_int_equal(log.n, 0);
    ws_dec_fini(&d);
    assert_int_equal(ws_dec_memory(&d), 0);
}

static void a_whole_frame_is_handed_out_where_it_lies(void **state)
{
    (void)state;
    struct ws_limits limits = { .role = WS_ROLE_SERVER };
    struct ws_dec d = { 0 };
    uint8_t in[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x8a\x81\1\2\3\4\x79";
    struct ws_ev ev;
    mem_fail_after(0, true);
    size_t used = ws_decode(&d, &limits, in, sizeof in - 1, &ev);
    assert_int_equal(used, 11);
    assert_int_equal(ev.kind, WS_EV_MESSAGE);
    assert_ptr_equal(ev.data.p, in + 6);
    assert_memory_equal(in + 6, "Hello", 5);
    assert_false(ws_dec_is_busy(&d));
    used = ws_decode(&d, &limits, in + 11, 7, &ev);
    assert_int_equal(used, 7);
    assert_int_equal(ev.kind, WS_EV_PONG);
    assert_ptr_equal(ev.data.p, in + 17);
    assert_int_equal(mem_fail_count(), 0);
    mem_fail_after(-1, false);
}

/* All kinds of accumulation: a cut message, fragments, cut control frames before and within. */
static const struct vector hungry = { "hungry",
                                      "ping(first) ping(within) text(onetwo) binary(" ASCII_125
                                      ") close(1000,bye) ",
                                      { F(0x89, "first"), F(0x01, "one"), F(0x89, "within"),
                                        F(0x80, "two"), F(0x82, ASCII_125),
                                        F(0x88, "\x03\xE8"
                                                "bye") } };

/* Decodes byte by byte with the hook set once for all; the input lies in static memory. */
static void feed_starving(struct span stream, long n, bool sticky, struct feed_log *log)
{
    static uint8_t in[1024];
    assert_true(stream.n <= sizeof in);
    if (stream.n) memcpy(in, stream.p, stream.n);
    struct ws_limits limits = { .role = WS_ROLE_SERVER };
    struct ws_dec d = { 0 };
    struct ws_ev ev = { 0 };
    log->n = 0;
    mem_fail_after(n, sticky);
    for (size_t at = 0; at < stream.n && ev.kind != WS_EV_FAIL; at++) {
        size_t used = ws_decode(&d, &limits, in + at, 1, &ev);
        assert_int_equal(used, 1);
        feed_note_event(log, &ev);
    }
    if (ev.kind == WS_EV_FAIL) assert_int_equal(ws_dec_memory(&d), 0);
    ws_dec_fini(&d);
}

static void any_failing_allocation_ends_in_1011(void **state)
{
    (void)state;
    static const char out[] = "fail(1011,Out of memory) ";
    static struct feed_log log;
    struct buf stream = { 0 };
    build(&stream, &hungry, WS_ROLE_SERVER);
    long n = 0;
    for (;; n++) {
        feed_starving(buf_span(&stream), n, n % 2, &log);
        long failures = mem_fail_count();
        mem_fail_after(-1, false);
        if (failures == 0) break;
        assert_true(log.n >= sizeof out - 1);
        size_t before = log.n - (sizeof out - 1);
        assert_string_equal(log.text + before, out);
        assert_memory_equal(log.text, hungry.events, before);
    }
    assert_true(n >= 5);
    assert_string_equal(log.text, hungry.events);
    buf_fini(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vector_gives_its_events_in_both_roles_and_any_cut),
        cmocka_unit_test(messages_of_all_lengths_pass_whole_and_fragmented),
        cmocka_unit_test(wrong_headers_fail_at_the_octet_that_is_wrong),
        cmocka_unit_test(after_a_failure_every_call_fails_alike),
        cmocka_unit_test(the_size_limit_counts_all_fragments_and_no_control_frames),
        cmocka_unit_test(a_flood_of_fragments_is_stopped),
        cmocka_unit_test(the_fragment_limit_may_be_65536),
        cmocka_unit_test(an_announced_length_reserves_nothing),
        cmocka_unit_test(a_whole_frame_is_handed_out_where_it_lies),
        cmocka_unit_test(any_failing_allocation_ends_in_1011),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
