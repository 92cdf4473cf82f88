/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_near.c: did you mean. */
#include "base/near.h"
#include "unit/test.h"

static struct span nearest(const char *word)
{
    static const char *const names[] = {
        "serve", "server", "trigger", "listen", "log.level", "log.format", "limits.pending_bytes"
    };
    struct near near = { .word = span_str(word) };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) near_try(&near, span_str(names[i]));
    return near.best;
}

static void slips_of_the_finger_find_their_word(void **state)
{
    (void)state;
    assert_span(nearest("serve"), "serve");
    assert_span(nearest("sevre"), "serve");
    assert_span(nearest("serv"), "serve");
    assert_span(nearest("TRIGER"), "trigger");
    assert_span(nearest("lisen"), "listen");
    assert_span(nearest("loglevel"), "log.level");
    assert_span(nearest("limit.pending_byte"), "limits.pending_bytes");
}

static void other_words_find_nothing(void **state)
{
    (void)state;
    assert_int_equal(nearest("").n, 0);
    assert_int_equal(nearest("x").n, 0);
    assert_int_equal(nearest("se").n, 0);
    assert_int_equal(nearest("publish").n, 0);
    char longest[NEAR_MAX + 2];
    memset(longest, 's', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(nearest(longest).n, 0);
    assert_int_equal(nearest(longest + 1).n, 0);
}

static void each_slip_counts_one(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        { "", "", 0 },           { "", "abc", 3 },           { "abc", "", 3 },
        { "abc", "ABC", 0 },     { "abc", "abd", 1 },        { "abc", "acb", 1 },
        { "abc", "bca", 2 },     { "events", "event", 1 },   { "events", "evnts", 1 },
        { "event", "vents", 2 }, { "kitten", "sitting", 3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span a = span_str(rows[i].a), b = span_str(rows[i].b);
        assert_int_equal(near_distance(a, b), rows[i].distance);
        assert_int_equal(near_distance(b, a), rows[i].distance);
    }
    char longest[NEAR_MAX + 20];
    memset(longest, 's', sizeof longest);
    assert_int_equal(near_distance(span_of(longest, sizeof longest), SPAN("")), NEAR_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_of_the_finger_find_their_word),
        cmocka_unit_test(other_words_find_nothing),
        cmocka_unit_test(each_slip_counts_one),
    };
    return RUN_TESTS(tests);
}
