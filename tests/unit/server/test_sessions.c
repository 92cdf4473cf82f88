/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_sessions.c: who is logged in, and what is signed; the time is virtual. */
#include "server/sessions.h"
#include "unit/test.h"

static struct sessions *made(void)
{
    struct sessions *s = NULL;
    assert_int_equal(sessions_new(&s), ERR_OK);
    return s;
}

static struct span id_of(const char *id)
{
    return span_of(id, SESSION_ID_LEN);
}

static void a_session_is_found_by_its_id_until_it_ends(void **state)
{
    (void)state;
    struct sessions *s = made();
    char one[SESSION_ID_LEN], two[SESSION_ID_LEN];
    session_ref a = sessions_open(s, 100, 200, one), b = sessions_open(s, 100, 300, two);
    assert_true(a && b && a != b);
    assert_memory_not_equal(one, two, SESSION_ID_LEN);
    assert_int_equal(sessions_find(s, id_of(one), 100), a);
    assert_int_equal(sessions_find(s, id_of(two), 199), b);
    assert_int_equal(sessions_ends_ms(s, a, 199), 200);
    assert_int_equal(sessions_find(s, id_of(one), 200), 0);
    assert_int_equal(sessions_ends_ms(s, a, 200), 0);
    assert_int_equal(sessions_find(s, id_of(two), 200), b);
    sessions_free(s);
}

static void nothing_but_the_whole_id_is_one(void **state)
{
    (void)state;
    struct sessions *s = made();
    char id[SESSION_ID_LEN];
    sessions_open(s, 1, 1000, id);
    assert_int_equal(sessions_find(s, SPAN(""), 2), 0);
    assert_int_equal(sessions_find(s, span_of(id, SESSION_ID_LEN - 1), 2), 0);
    id[SESSION_ID_LEN - 1] = id[SESSION_ID_LEN - 1] == '0' ? '1' : '0';
    assert_int_equal(sessions_find(s, id_of(id), 2), 0);
    memset(id, 0, sizeof id);
    assert_int_equal(sessions_find(s, id_of(id), 2), 0);
    sessions_free(s);
}

static void an_ended_session_stays_ended_when_its_row_is_used_again(void **state)
{
    (void)state;
    struct sessions *s = made();
    char id[SESSION_ID_LEN], other[SESSION_ID_LEN];
    session_ref ref = sessions_open(s, 1, 1000, id);
    sessions_end(s, ref);
    assert_int_equal(sessions_find(s, id_of(id), 2), 0);
    session_ref next = sessions_open(s, 2, 1000, other);
    assert_int_equal(sessions_ends_ms(s, ref, 3), 0);
    assert_int_equal(sessions_ends_ms(s, next, 3), 1000);
    sessions_end(s, ref); /* of nobody */
    assert_int_equal(sessions_find(s, id_of(other), 3), next);
    sessions_end_all(s);
    assert_int_equal(sessions_find(s, id_of(other), 3), 0);
    assert_int_equal(sessions_ends_ms(s, next, 3), 0);
    sessions_free(s);
}

static void where_all_rows_are_used_the_oldest_session_goes(void **state)
{
    (void)state;
    struct sessions *s = made();
    char ids[SESSIONS_MAX + 1][SESSION_ID_LEN];
    for (size_t i = 0; i <= SESSIONS_MAX; i++) sessions_open(s, 10 + i, 1000, ids[i]);
    assert_int_equal(sessions_find(s, id_of(ids[0]), 100), 0);
    for (size_t i = 1; i <= SESSIONS_MAX; i++)
        assert_int_not_equal(sessions_find(s, id_of(ids[i]), 100), 0);
    sessions_free(s);
}

static void what_is_signed_is_good_for_its_purpose_its_subject_and_its_time(void **state)
{
    (void)state;
    struct sessions *s = made(), *other = made();
    struct buf text = { 0 };
    struct span about = SPAN("abc");
    sessions_sign(s, "form", about, 500, &text);
    struct span good = buf_span(&text);
    assert_true(span_starts(good, SPAN("500.")));
    assert_true(sessions_signed(s, "form", about, good, 499));
    assert_false(sessions_signed(s, "form", about, good, 500));
    assert_false(sessions_signed(s, "write", about, good, 499));
    assert_false(sessions_signed(s, "form", SPAN("abd"), good, 499));
    assert_false(sessions_signed(other, "form", about, good, 499));
    static const char *const bad[] = { "", ".", "500", "500.", "600.", "x.y", "-1.0" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(sessions_signed(s, "form", about, span_str(bad[i]), 1));
    text.p[0] = '6'; /* later than what was signed */
    assert_false(sessions_signed(s, "form", about, good, 499));
    buf_fini(&text);
    sessions_free(s);
    sessions_free(other);
}

static void a_token_of_one_session_is_none_of_another(void **state)
{
    (void)state;
    struct sessions *s = made();
    char id[SESSION_ID_LEN];
    struct buf text = { 0 };
    session_ref a = sessions_open(s, 1, 1000, id), b = sessions_open(s, 1, 1000, id);
    sessions_sign_for(s, "write", a, 1000, &text);
    assert_true(sessions_signed_for(s, "write", a, buf_span(&text), 2));
    assert_false(sessions_signed_for(s, "write", b, buf_span(&text), 2));
    buf_fini(&text);
    sessions_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_found_by_its_id_until_it_ends),
        cmocka_unit_test(nothing_but_the_whole_id_is_one),
        cmocka_unit_test(an_ended_session_stays_ended_when_its_row_is_used_again),
        cmocka_unit_test(where_all_rows_are_used_the_oldest_session_goes),
        cmocka_unit_test(what_is_signed_is_good_for_its_purpose_its_subject_and_its_time),
        cmocka_unit_test(a_token_of_one_session_is_none_of_another),
    };
    return RUN_TESTS(tests);
}
