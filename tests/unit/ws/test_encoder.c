/* SPDX-License-Identifier: MIT
 * tests/unit/ws/test_encoder.c: frames written, byte for byte and read back by the decoder. */
#include "unit/ws/feed.h"
#include "ws/encoder.h"

static const uint8_t key[4] = { 0x37, 0xFA, 0x21, 0x3D };

static void expect_bytes(struct buf *out, const void *bytes, size_t n)
{
    assert_false(buf_failed(out));
    assert_int_equal(out->n, n);
    assert_memory_equal(out->p, bytes, n);
    buf_clear(out);
}

static void frames_are_those_of_rfc_6455_section_5_7(void **state)
{
    (void)state;
    struct buf out = { 0 };
    ws_write_text(&out, SPAN("Hello"), NULL);
    expect_bytes(&out, "\x81\x05Hello", 7);
    ws_write_text(&out, SPAN("Hello"), key);
    expect_bytes(&out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    ws_write_ping(&out, SPAN("Hello"), NULL);
    expect_bytes(&out, "\x89\x05Hello", 7);
    ws_write_pong(&out, SPAN("Hello"), key);
    expect_bytes(&out, "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    ws_write_binary(&out, SPAN(""), NULL);
    expect_bytes(&out, "\x82\x00", 2);
    buf_fini(&out);
}

static void a_close_frame_has_code_and_reason(void **state)
{
    (void)state;
    struct buf out = { 0 };
    ws_write_close(&out, 4001, SPAN("bye"), NULL);
    expect_bytes(&out,
                 "\x88\x05\x0f\xa1"
                 "bye",
                 7);
    ws_write_close(&out, 1000, SPAN(""), NULL);
    expect_bytes(&out, "\x88\x02\x03\xe8", 4);
    ws_write_close(&out, WS_CODE_NONE, SPAN("ignored"), NULL);
    expect_bytes(&out, "\x88\x00", 2);
    buf_fini(&out);
}

static void a_long_reason_is_cut_before_a_character(void **state)
{
    (void)state;
    static const struct {
        size_t before; /* ASCII octets before the character */
        const char *character;
        size_t kept;
    } cases[] = {
        { 122, "x", 123 },
        { 123, "x", 123 },
        { 121, "\xC3\xAB", 123 },
        { 122, "\xC3\xAB", 122 },
        { 120, "\xE2\x82\xAC", 123 },
        { 121, "\xE2\x82\xAC", 121 },
        { 119, "\xF0\x9F\x98\x80", 123 },
        { 120, "\xF0\x9F\x98\x80", 120 },
        { 122, "\xF0\x9F\x98\x80", 122 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char reason[200];
        memset(reason, 'a', sizeof reason);
        memcpy(reason + cases[i].before, cases[i].character, strlen(cases[i].character));
        struct buf out = { 0 };
        ws_write_close(&out, 1000, span_of(reason, sizeof reason), NULL);
        assert_int_equal(out.n, 2 + 2 + cases[i].kept);
        assert_int_equal(out.p[1], 2 + cases[i].kept);
        assert_memory_equal(out.p + 4, reason, cases[i].kept);
        buf_fini(&out);
    }
}

static void the_other_side_reads_what_is_written(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, 100000 };
    for (int role = 0; role < 2; role++) {
        const uint8_t *mask = role == WS_ROLE_SERVER ? key : NULL;
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct ws_limits limits = { .role = (enum ws_role)role };
            char *text = mem_alloc(sizes[i] + 1);
            memset(text, 'm', sizes[i]);
            struct span payload = span_of(text, sizes[i]);
            struct buf out = { 0 };
            static struct feed_log expected;
            expected.n = 0;
            ws_write_text(&out, payload, mask);
            feed_note_event(&expected, &(struct ws_ev) { WS_EV_MESSAGE, WS_OP_TEXT, 0, payload });
            ws_write_pong(&out, SPAN("between"), mask);
            feed_note(&expected, "pong(between) ");
            ws_write_close(&out, 4100, SPAN("over"), mask);
            feed_note(&expected, "close(4100,over) ");
            feed_expect("round trip", &limits, buf_span(&out), 2, expected.text);
            buf_fini(&out);
            mem_free(text);
        }
    }
}

static void no_memory_leaves_no_half_a_frame(void **state)
{
    (void)state;
    struct buf out = { 0 };
    mem_fail_after(0, true);
    ws_write_text(&out, SPAN("Hello"), NULL);
    mem_fail_after(-1, false);
    assert_true(buf_failed(&out));
    assert_int_equal(out.n, 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_rfc_6455_section_5_7),
        cmocka_unit_test(a_close_frame_has_code_and_reason),
        cmocka_unit_test(a_long_reason_is_cut_before_a_character),
        cmocka_unit_test(the_other_side_reads_what_is_written),
        cmocka_unit_test(no_memory_leaves_no_half_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
