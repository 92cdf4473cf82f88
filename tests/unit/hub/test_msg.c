/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_msg.c: a text becomes one framed, shared message without a copy. */
#include "base/mem.h"
#include "hub/msg.h"
#include "unit/test.h"

/* Heads of every possible length: as many H as the text has octets, at most 10. */
static size_t some_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    size_t n = len < MSG_HEAD_MAX ? len : MSG_HEAD_MAX;
    memset(out, 'H', n);
    return n;
}

static void the_head_stands_right_before_the_text(void **state)
{
    (void)state;
    for (size_t n = 0; n < 30; n++) {
        struct buf b = { 0 };
        msg_begin(&b, 4);
        assert_int_equal(b.n, msg_text_offset());
        for (size_t i = 0; i < n; i++) buf_add_byte(&b, (char)('a' + i % 26));
        struct msg *m = msg_finish(&b, some_head);
        assert_non_null(m);
        assert_null(b.p);
        size_t head = n < MSG_HEAD_MAX ? n : MSG_HEAD_MAX;
        assert_int_equal(msg_frame(m).n, head + n);
        assert_int_equal(msg_text(m).n, n);
        assert_span(span_head(msg_frame(m), head), &"HHHHHHHHHH"[MSG_HEAD_MAX - head]);
        for (size_t i = 0; i < n; i++) assert_int_equal(msg_text(m).p[i], 'a' + i % 26);
        msg_unref(m);
    }
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    struct buf b = { 0 };
    msg_begin(&b, 0);
    buf_add_byte(&b, 'x');
    struct msg *m = msg_finish(&b, some_head);
    assert_ptr_equal(msg_ref(m), m);
    msg_unref(m);
    assert_span(msg_text(m), "x");
    msg_unref(m);
    msg_unref(NULL);
}

static void a_buf_is_used_again_after_a_message(void **state)
{
    (void)state;
    struct buf b = { 0 };
    for (int i = 0; i < 2; i++) {
        buf_add_byte(&b, 'z'); /* what was left in it does not matter */
        msg_begin(&b, 1);
        buf_add_byte(&b, 'y');
        struct msg *m = msg_finish(&b, some_head);
        assert_span(msg_frame(m), "Hy");
        msg_unref(m);
    }
    buf_fini(&b);
}

static void without_memory_there_is_no_message(void **state)
{
    (void)state;
    char long_text[4096] = "x";
    for (long n = 0; n < 2; n++) {
        struct buf b = { 0 };
        mem_fail_after(n, true);
        msg_begin(&b, 10);
        buf_add(&b, long_text, sizeof long_text);
        struct msg *m = msg_finish(&b, some_head);
        mem_fail_after(-1, false);
        assert_null(m);
        assert_null(b.p);
        assert_false(buf_failed(&b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_stands_right_before_the_text),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(a_buf_is_used_again_after_a_message),
        cmocka_unit_test(without_memory_there_is_no_message),
    };
    return RUN_TESTS(tests);
}
