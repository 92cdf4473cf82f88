/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_member.c: a member is its own copy of what was signed. */
#include "base/mem.h"
#include "hub/member.h"
#include "unit/test.h"

static void a_member_outlives_what_it_was_made_from(void **state)
{
    (void)state;
    char text[] = "42\"42\"{\"n\":1}";
    struct event_member from = { .id = span_of(text, 2),
                                 .id_raw = span_of(text + 2, 4),
                                 .info_raw = span_of(text + 6, 7) };
    struct member *m = member_new(&from);
    memset(text, 'x', sizeof text);
    assert_ptr_equal(member_ref(m), m);
    member_unref(m);
    struct event_member view = member_view(m);
    assert_span(member_id(m), "42");
    assert_span(view.id_raw, "\"42\"");
    assert_span(view.info_raw, "{\"n\":1}");
    member_unref(m);
    member_unref(NULL);
}

static void number_and_text_are_one_identity(void **state)
{
    (void)state;
    struct event_member number = { .id = SPAN("42"), .id_raw = SPAN("42") };
    struct event_member text = { .id = SPAN("42"),
                                 .id_raw = SPAN("\"42\""),
                                 .info_raw = SPAN("1") };
    struct member *a = member_new(&number), *b = member_new(&text);
    assert_true(a->hash == b->hash);
    assert_int_equal(member_view(a).info_raw.n, 0);
    member_unref(a);
    member_unref(b);
}

static void without_memory_there_is_no_member(void **state)
{
    (void)state;
    struct event_member from = { .id = SPAN("1") };
    mem_fail_after(0, false);
    struct member *m = member_new(&from);
    mem_fail_after(-1, false);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_outlives_what_it_was_made_from),
        cmocka_unit_test(number_and_text_are_one_identity),
        cmocka_unit_test(without_memory_there_is_no_member),
    };
    return RUN_TESTS(tests);
}
