/* SPDX-License-Identifier: MIT
 * tests/unit/load/test_text.c: numbered texts are found again, and nothing else is. */
#include "load/text.h"
#include "unit/test.h"

static struct buf frame(uint64_t seq, uint64_t due_ns, size_t bytes)
{
    const struct text_head head = { 0xc0ffee, seq, due_ns };
    struct buf b = { 0 };
    BUF_ADD_LIT(&b, "{\"event\":\"e\",\"channel\":\"bench-1\",\"data\":\"");
    text_write(&b, &head, bytes);
    BUF_ADD_LIT(&b, "\"}");
    assert_false(buf_failed(&b));
    return b;
}

static void a_text_says_its_number_and_time_at_any_length(void **state)
{
    (void)state;
    static const size_t lengths[] = { TEXT_MIN, TEXT_MIN + 1, 101, 200, 2048, TEXT_MAX };
    size_t hint = 0;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct text_head head;
        struct buf b = frame(0xabcdef0123456789 + i, UINT64_MAX - i, lengths[i]);
        assert_true(text_find(buf_span(&b), lengths[i], &hint, &head));
        assert_int_equal(head.run, 0xc0ffee);
        assert_true(head.seq == 0xabcdef0123456789 + i);
        assert_true(head.due_ns == UINT64_MAX - i);
        buf_fini(&b);
    }
}

static void a_hint_that_is_wrong_is_corrected(void **state)
{
    (void)state;
    struct text_head head;
    struct buf b = frame(7, 8, 200);
    static const size_t hints[] = { 0, 1, 41, 1000000 };
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        size_t hint = hints[i];
        assert_true(text_find(buf_span(&b), 200, &hint, &head));
        assert_int_equal(head.seq, 7);
        assert_int_equal(hint, 41);
    }
    buf_fini(&b);
}

static void a_text_within_json_within_json_is_found(void **state)
{
    (void)state;
    const struct text_head in = { 3, 1, 2 };
    struct text_head head;
    struct buf b = { 0 };
    size_t hint = 0;
    BUF_ADD_LIT(&b, "{\"data\":\"\\\"");
    text_write(&b, &in, 100);
    BUF_ADD_LIT(&b, "\\\"\"}");
    assert_true(text_find(buf_span(&b), 100, &hint, &head));
    buf_fini(&b);
}

/* Each octet of the text, changed. */
static void a_wrong_octet_is_noticed(void **state)
{
    (void)state;
    size_t hint = 0;
    struct text_head head;
    struct buf b = frame(5, 6, 200);
    assert_true(text_find(buf_span(&b), 200, &hint, &head));
    for (size_t i = hint; i <= hint + 200; i++) {
        size_t at = hint;
        char was = b.p[i];
        b.p[i] = '!';
        assert_false(text_find(buf_span(&b), 200, &at, &head));
        b.p[i] = was;
    }
    buf_fini(&b);
}

/* Digits that are digits still: the pattern tells. */
static void a_wrong_digit_is_noticed(void **state)
{
    (void)state;
    size_t hint = 0;
    struct text_head head;
    struct buf b = frame(0x1234, 0xabcdef, TEXT_MIN);
    assert_true(text_find(buf_span(&b), TEXT_MIN, &hint, &head));
    for (size_t i = hint; i < hint + TEXT_MIN; i++) {
        size_t at = hint;
        char was = b.p[i];
        for (const char *digit = "0123456789abcdef"; *digit; digit++) {
            b.p[i] = *digit;
            assert_int_equal(text_find(buf_span(&b), TEXT_MIN, &at, &head), *digit == was);
        }
        b.p[i] = was;
    }
    buf_fini(&b);
}

static void a_text_of_another_length_is_none(void **state)
{
    (void)state;
    struct buf b = frame(5, 6, 200);
    struct text_head head;
    static const size_t lengths[] = { TEXT_MIN, 199, 201, 2048 };
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t hint = 0;
        assert_false(text_find(buf_span(&b), lengths[i], &hint, &head));
        assert_true(text_find_head(buf_span(&b), &hint, &head));
        assert_int_equal(head.run, 0xc0ffee);
    }
    for (size_t n = 0; n < b.n - 2; n++) {
        size_t hint = 0;
        assert_false(text_find(span_of(b.p, n), 200, &hint, &head));
    }
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_says_its_number_and_time_at_any_length),
        cmocka_unit_test(a_hint_that_is_wrong_is_corrected),
        cmocka_unit_test(a_text_within_json_within_json_is_found),
        cmocka_unit_test(a_wrong_octet_is_noticed),
        cmocka_unit_test(a_wrong_digit_is_noticed),
        cmocka_unit_test(a_text_of_another_length_is_none),
    };
    return RUN_TESTS(tests);
}
