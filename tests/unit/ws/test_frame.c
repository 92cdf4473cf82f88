/* SPDX-License-Identifier: MIT
 * tests/unit/ws/test_frame.c: header codec and masking. */
#include "base/mem.h"
#include "ws/frame.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    uint64_t len;
    size_t n;
    uint8_t head[10];
} lengths[] = {
    { 0, 2, { 0x81, 0 } },
    { 1, 2, { 0x81, 1 } },
    { 125, 2, { 0x81, 125 } },
    { 126, 4, { 0x81, 126, 0, 126 } },
    { 127, 4, { 0x81, 126, 0, 127 } },
    { 128, 4, { 0x81, 126, 0, 128 } },
    { 65535, 4, { 0x81, 126, 0xFF, 0xFF } },
    { 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
    { 0x0102030405060708, 10, { 0x81, 127, 1, 2, 3, 4, 5, 6, 7, 8 } },
    { INT64_MAX, 10, { 0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF } },
};

static void a_length_is_written_in_its_shortest_form_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t out[WS_HEAD_MAX];
        size_t n = ws_head_write(out, WS_OP_TEXT, true, lengths[i].len, NULL);
        assert_int_equal(n, lengths[i].n);
        assert_memory_equal(out, lengths[i].head, n);
        assert_int_equal(ws_head_size(out[1]), n);
        assert_int_equal(ws_head_payload(out), lengths[i].len);
    }
}

static void a_mask_follows_the_length(void **state)
{
    (void)state;
    static const uint8_t mask[4] = { 0xA1, 0xB2, 0xC3, 0xD4 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t out[WS_HEAD_MAX];
        size_t n = ws_head_write(out, WS_OP_BINARY, false, lengths[i].len, mask);
        assert_int_equal(n, lengths[i].n + 4);
        assert_int_equal(out[0], 0x02);
        assert_int_equal(out[1], lengths[i].head[1] | 0x80);
        assert_memory_equal(out + n - 4, mask, 4);
        assert_int_equal(ws_head_size(out[1]), n);
        assert_int_equal(ws_head_payload(out), lengths[i].len);
    }
}

static void the_text_head_writes_ten_bytes_at_most(void **state)
{
    (void)state;
    size_t (*head_of)(uint8_t out[10], size_t payload_len) = ws_text_head;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t *exact = mem_alloc(lengths[i].n); /* so that ASan sees a byte too many */
        assert_int_equal(head_of(exact, lengths[i].len), lengths[i].n);
        assert_memory_equal(exact, lengths[i].head, lengths[i].n);
        mem_free(exact);
    }
}

static void unmasking_agrees_with_the_rule_at_every_length_offset_and_phase(void **state)
{
    (void)state;
    static const uint8_t mask[4] = { 0x37, 0xFA, 0x21, 0x3D };
    for (size_t n = 0; n <= 40; n++) {
        for (size_t at = 0; at < 8; at++) {
            for (size_t phase = 0; phase < 9; phase++) {
                uint8_t got[64];
                for (size_t i = 0; i < sizeof got; i++) got[i] = (uint8_t)(i * 7);
                ws_unmask(got + at, n, mask, phase);
                for (size_t i = 0; i < sizeof got; i++) {
                    bool inside = i >= at && i < at + n;
                    uint8_t key = inside ? mask[(phase + i - at) % 4] : 0;
                    assert_int_equal(got[i], (uint8_t)(i * 7) ^ key);
                }
            }
        }
    }
    ws_unmask(NULL, 0, mask, 0);
}

static void close_codes_are_valid_where_the_registry_says(void **state)
{
    (void)state;
    static const struct {
        unsigned from, to;
        bool valid;
    } ranges[] = {
        { 0, 999, false },     { 1000, 1003, true }, { 1004, 1006, false },  { 1007, 1014, true },
        { 1015, 2999, false }, { 3000, 4999, true }, { 5000, 65535, false },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        for (unsigned code = ranges[i].from; code <= ranges[i].to; code++) {
            assert_int_equal(ws_code_valid((uint16_t)code), ranges[i].valid);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_written_in_its_shortest_form_and_read_back),
        cmocka_unit_test(a_mask_follows_the_length),
        cmocka_unit_test(the_text_head_writes_ten_bytes_at_most),
        cmocka_unit_test(unmasking_agrees_with_the_rule_at_every_length_offset_and_phase),
        cmocka_unit_test(close_codes_are_valid_where_the_registry_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
