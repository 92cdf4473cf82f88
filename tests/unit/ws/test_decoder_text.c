/* SPDX-License-Identifier: MIT
 * tests/unit/ws/test_decoder_text.c: UTF-8 in messages (Autobahn section 6) and close frames
 * (section 7). */
#include "unit/ws/feed.h"

struct text_case {
    const char *name;
    struct span text;
    size_t wrong_at; /* offset of the first octet that cannot be; n: the text is unfinished */
};

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

/* Autobahn 6.2, 6.5, 6.7, 6.9, 6.11, 6.13, 6.22: valid. */
static const struct span valid[] = {
    T("Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!"),
    T(KOSME),
    T("\x00"),
    T("\xC2\x80"),
    T("\xE0\xA0\x80"),
    T("\xF0\x90\x80\x80"),
    T("\x7F"),
    T("\xDF\xBF"),
    T("\xEF\xBF\xBF"),
    T("\xF4\x8F\xBF\xBF"),
    T("\xED\x9F\xBF"),
    T("\xEE\x80\x80"),
    T("\xEF\xBF\xBD"),
    T("\xEF\xBF\xBE"),
    T("\xF0\x9F\xBF\xBE"),
    T("\xF3\xAF\xBF\xBF"),
};

/* 6.3, 6.4, 6.6, 6.8, 6.10, 6.12, 6.14-6.21: invalid, and where that shows. */
static const struct text_case invalid[] = {
    { "6.3.1 surrogate in a text",
      T(KOSME "\xed\xa0\x80"
              "edited"),
      12 },
    { "6.4.1 above the range",
      T(KOSME "\xf4\x90\x80\x80"
              "edited"),
      12 },
    { "6.6 two of three octets", T("\xe1\xbd"), 2 },
    { "6.6 one of two octets", T("x\xce"), 2 },
    { "6.8.1 five octets", T("\xf8\x88\x80\x80\x80"), 0 },
    { "6.8.2 six octets", T("\xfc\x84\x80\x80\x80\x80"), 0 },
    { "6.10.1 f7", T("\xf7\xbf\xbf\xbf"), 0 },
    { "6.12.2 f4 90", T("\xf4\x90\x80\x80"), 1 },
    { "6.14.1 continuation alone", T("\x80"), 0 },
    { "6.14.2 bf alone", T("\xbf"), 0 },
    { "6.14.9 continuations", T("ab\x80\xbf\x80"), 2 },
    { "6.15 start followed by a space", T("\xc3 \xc3 "), 1 },
    { "6.16.2 e0 80", T("\xe0\x80"), 1 },
    { "6.16.3 f0 80 80", T("\xf0\x80\x80"), 1 },
    { "6.17.1 fe", T("\xfe"), 0 },
    { "6.17.2 ff", T("\xff"), 0 },
    { "6.18.1 overlong slash, 2", T("\xc0\xaf"), 0 },
    { "6.18.2 overlong slash, 3", T("\xe0\x80\xaf"), 1 },
    { "6.18.3 overlong slash, 4", T("\xf0\x80\x80\xaf"), 1 },
    { "6.19.1 overlong 7f", T("\xc1\xbf"), 0 },
    { "6.19.2 overlong 7ff", T("\xe0\x9f\xbf"), 1 },
    { "6.19.3 overlong ffff", T("\xf0\x8f\xbf\xbf"), 1 },
    { "6.20.1 overlong zero", T("\xc0\x80"), 0 },
    { "6.21.1 surrogate d800", T("\xed\xa0\x80"), 1 },
    { "6.21.7 surrogate dfff", T("\xed\xbf\xbf"), 1 },
    { "6.21.8 surrogate pair", T("\xed\xa0\x80\xed\xb0\x80"), 1 },
};

#define FAIL_TEXT "fail(1007,Text is not valid UTF-8) "

/* The text in frames of `piece` octets, 0: in one. */
static void build(struct buf *stream, struct span text, size_t piece, enum ws_role role)
{
    uint64_t seed = 77;
    uint8_t op = WS_OP_TEXT;
    buf_clear(stream);
    while (piece && text.n > piece) {
        feed_frame(stream, role, op, span_head(text, piece), &seed);
        text = span_skip(text, piece);
        op = WS_OP_CONTINUATION;
    }
    feed_frame(stream, role, op | WS_BIT_FIN, text, &seed);
}

static void valid_text_passes_however_it_is_fragmented(void **state)
{
    (void)state;
    static struct feed_log expected;
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        struct ws_ev ev = { WS_EV_MESSAGE, WS_OP_TEXT, 0, valid[i] };
        expected.n = 0;
        feed_note_event(&expected, &ev);
        for (size_t piece = 0; piece < 4; piece++) {
            struct ws_limits limits = { .role = piece % 2 ? WS_ROLE_CLIENT : WS_ROLE_SERVER };
            build(&stream, valid[i], piece, limits.role);
            feed_expect("valid", &limits, buf_span(&stream), 5, expected.text);
        }
    }
    buf_fini(&stream);
}

static void invalid_text_fails_however_it_is_fragmented(void **state)
{
    (void)state;
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
        for (size_t piece = 0; piece < 4; piece++) {
            struct ws_limits limits = { .role = piece % 2 ? WS_ROLE_SERVER : WS_ROLE_CLIENT };
            build(&stream, invalid[i].text, piece, limits.role);
            feed_expect(invalid[i].name, &limits, buf_span(&stream), 5, FAIL_TEXT);
        }
    }
    buf_fini(&stream);
}

static void invalid_text_fails_at_the_first_wrong_octet_of_an_unfinished_frame(void **state)
{
    (void)state;
    static struct feed_log log;
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
        struct span text = invalid[i].text;
        struct ws_dec d = { 0 };
        log.n = 0;
        log.text[0] = 0;
        assert_true(feed_chunk(&d, &limits, SPAN("\x01\x7E\x03\xE8"), &log)); /* 1000 to come */
        for (size_t at = 0; at < text.n; at++) {
            bool alive = feed_chunk(&d, &limits, span_of(text.p + at, 1), &log);
            if (alive != (at < invalid[i].wrong_at)) fail_msg("%s at %zu", invalid[i].name, at);
            if (!alive) break;
        }
        assert_string_equal(log.text, invalid[i].wrong_at < text.n ? FAIL_TEXT : "");
        ws_dec_fini(&d);
    }
}

static void binary_and_control_payloads_need_not_be_text(void **state)
{
    (void)state;
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    feed_expect("binary", &limits, SPAN("\x82\x02\xC0\xAF\x89\x01\xFF\x8A\x01\xFE"), 5,
                "binary(<C0><AF>) ping(<FF>) pong(<FE>) ");
}

static void a_ping_within_a_character_does_not_disturb_it(void **state)
{
    (void)state;
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    feed_expect("ping", &limits, SPAN("\x01\x02\xE2\x82\x89\x01\xC3\x80\x01\xAC"), 5,
                "ping(<C3>) text(<E2><82><AC>) ");
    feed_expect("next text", &limits, SPAN("\x81\x01x\x81\x02\xC3\xA9"), 5,
                "text(x) text(<C3><A9>) ");
}

/* 6.2.3 and the like at length: 64 KiB of three-octet characters, cut at odd places. */
static void long_text_passes_and_its_last_octet_counts(void **state)
{
    (void)state;
    static struct feed_log expected;
    struct buf text = { 0 }, stream = { 0 };
    while (text.n < 65536) BUF_ADD_LIT(&text, "\xE2\x82\xAC");
    struct ws_limits limits = { .role = WS_ROLE_SERVER };
    for (size_t piece = 0; piece < 3; piece++) {
        struct span whole = buf_span(&text);
        struct ws_ev ev = { WS_EV_MESSAGE, WS_OP_TEXT, 0, whole };
        expected.n = 0;
        feed_note_event(&expected, &ev);
        build(&stream, whole, piece * 1301, limits.role);
        feed_expect("long", &limits, buf_span(&stream), 4, expected.text);
        build(&stream, span_head(whole, whole.n - 1), piece * 1301, limits.role);
        feed_expect("long, cut", &limits, buf_span(&stream), 4, FAIL_TEXT);
    }
    buf_fini(&text);
    buf_fini(&stream);
}

/* Autobahn 7. */
static const struct {
    const char *name;
    struct span body;
    const char *events;
} closes[] = {
    { "7.3.1 empty", T(""), "close(1005,) " },
    { "7.3.2 one octet", T("a"), "fail(1002,Close frame with half a code) " },
    { "7.3.3 code", T("\x03\xE8"), "close(1000,) " },
    { "7.3.4 reason", T("\x03\xE8Hello World!"), "close(1000,Hello World!) " },
    { "7.5.1 reason not UTF-8", T("\x03\xE8" KOSME "\xed\xa0\x80"),
      "fail(1007,Close reason is not valid UTF-8) " },
    { "reason unfinished", T("\x03\xE8\xC3"), "fail(1007,Close reason is not valid UTF-8) " },
    { "reason in UTF-8", T("\x0F\xA0\xC3\xA9"), "close(4000,<C3><A9>) " },
    { "wrong code before wrong reason", T("\x00\x00\xFF"), "fail(1002,Invalid close code) " },
};

static void close_frames_are_checked(void **state)
{
    (void)state;
    struct buf stream = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(closes) * 2; i++) {
        struct ws_limits limits = { .role = i % 2 ? WS_ROLE_CLIENT : WS_ROLE_SERVER };
        uint64_t seed = i + 1;
        buf_clear(&stream);
        feed_frame(&stream, limits.role, 0x88, closes[i / 2].body, &seed);
        feed_expect(closes[i / 2].name, &limits, buf_span(&stream), 10, closes[i / 2].events);
    }
    buf_fini(&stream);
}

static void close_codes_pass_or_fail_with_1002(void **state)
{
    (void)state;
    static const uint16_t good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                     1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
    static const uint16_t bad[] = { 0,    999,  1004, 1005, 1006, 1015,
                                    1016, 1100, 2000, 2999, 5000, 65535 };
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
        bool is_good = i < ARRAY_LEN(good);
        uint16_t code = is_good ? good[i] : bad[i - ARRAY_LEN(good)];
        uint8_t frame[4] = { 0x88, 2, (uint8_t)(code >> 8), (uint8_t)(code & 0xFF) };
        char expected[64] = "fail(1002,Invalid close code) ";
        if (is_good) snprintf(expected, sizeof expected, "close(%d,) ", code);
        feed_expect("code", &limits, span_of(frame, sizeof frame), 3, expected);
    }
}

static void a_reason_has_up_to_123_octets(void **state)
{
    (void)state;
    static struct feed_log expected;
    struct buf body = { 0 }, stream = { 0 };
    BUF_ADD_LIT(&body, "\x03\xE8");
    while (body.n < 125) buf_add_byte(&body, 'r');
    struct ws_limits limits = { .role = WS_ROLE_SERVER };
    uint64_t seed = 3;
    feed_frame(&stream, limits.role, 0x88, buf_span(&body), &seed);
    struct ws_ev ev = { WS_EV_CLOSE, WS_OP_CLOSE, 1000, span_skip(buf_span(&body), 2) };
    expected.n = 0;
    feed_note_event(&expected, &ev);
    feed_expect("123", &limits, buf_span(&stream), 5, expected.text);

    buf_add_byte(&body, 'r');
    buf_clear(&stream);
    feed_frame(&stream, limits.role, 0x88, buf_span(&body), &seed);
    feed_expect("124", &limits, buf_span(&stream), 5, "fail(1002,Control frame too long) ");
    buf_fini(&body);
    buf_fini(&stream);
}

static void nothing_counts_after_a_close_frame(void **state)
{
    (void)state;
    struct ws_limits limits = { .role = WS_ROLE_CLIENT };
    /* 7.1.3 to 7.1.6: ping, text, a second close, and nonsense after the close. */
    feed_expect("after close", &limits,
                SPAN("\x88\x02\x03\xE8\x89\x01p\x81\x01t\x88\x00\xFF\xFF\xFF"), 10,
                "close(1000,) ");
    /* 7.1.5: a close between fragments ends the message unreported. */
    feed_expect("close within", &limits, SPAN("\x01\x03one\x88\x00\x80\x03two"), 10,
                "close(1005,) ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text_passes_however_it_is_fragmented),
        cmocka_unit_test(invalid_text_fails_however_it_is_fragmented),
        cmocka_unit_test(invalid_text_fails_at_the_first_wrong_octet_of_an_unfinished_frame),
        cmocka_unit_test(binary_and_control_payloads_need_not_be_text),
        cmocka_unit_test(a_ping_within_a_character_does_not_disturb_it),
        cmocka_unit_test(long_text_passes_and_its_last_octet_counts),
        cmocka_unit_test(close_frames_are_checked),
        cmocka_unit_test(close_codes_pass_or_fail_with_1002),
        cmocka_unit_test(a_reason_has_up_to_123_octets),
        cmocka_unit_test(nothing_counts_after_a_close_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
