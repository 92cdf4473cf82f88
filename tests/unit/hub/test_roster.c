/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_roster.c: people on a presence channel, tabs, snapshots that stay. */
#include "base/mem.h"
#include "hub/roster.h"
#include "unit/test.h"

static struct member *person(unsigned number, const char *info)
{
    char id[16];
    struct event_member from = { .info_raw = span_str(info) };
    from.id = from.id_raw = span_of(id, (size_t)snprintf(id, sizeof id, "%u", number));
    struct member *m = member_new(&from);
    assert_non_null(m);
    return m;
}

static bool join(struct roster *r, unsigned number, const char *info)
{
    struct member *m = person(number, info);
    bool first = false;
    assert_int_equal(roster_join(r, m, 0, &first), ERR_OK);
    member_unref(m);
    return first;
}

static bool leave(struct roster *r, unsigned number)
{
    struct member *m = person(number, "");
    bool last = roster_leave(r, m);
    member_unref(m);
    return last;
}

/* The info of a person in a snapshot, NULL where he is not there; he must not be there twice. */
static const char *info_in(const struct roster_view *v, unsigned number)
{
    static char info[16];
    char id[16];
    bool found = false;
    snprintf(id, sizeof id, "%u", number);
    for (uint32_t i = 0; v && i < v->n_members; i++) {
        struct member *m = roster_view_at(v, i);
        if (!span_eq(member_id(m), span_str(id))) continue;
        assert_false(found);
        found = true;
        snprintf(info, sizeof info, "%.*s", SPAN_FMT(member_view(m).info_raw));
    }
    return found ? info : NULL;
}

static void a_person_counts_once_however_many_tabs(void **state)
{
    (void)state;
    struct roster r = { 0 };
    assert_null(roster_snapshot(&r));
    assert_true(join(&r, 1, "a"));
    assert_false(join(&r, 1, "a"));
    assert_int_equal(roster_count(&r), 1);
    assert_false(leave(&r, 1));
    assert_int_equal(roster_count(&r), 1);
    assert_true(leave(&r, 1));
    assert_int_equal(roster_count(&r), 0);
    assert_null(roster_snapshot(&r));
    assert_true(join(&r, 1, "a"));
    roster_fini(&r);
}

static void snapshots_do_not_change(void **state)
{
    (void)state;
    struct roster r = { 0 };
    join(&r, 1, "old");
    join(&r, 2, "two");
    struct roster_view *before = roster_snapshot(&r);
    join(&r, 1, "new");
    join(&r, 3, "three");
    leave(&r, 2);
    struct roster_view *after = roster_snapshot(&r);
    assert_int_equal(before->n_members, 2);
    assert_string_equal(info_in(before, 1), "old");
    assert_string_equal(info_in(before, 2), "two");
    assert_null(info_in(before, 3));
    assert_int_equal(after->n_members, 2);
    assert_string_equal(info_in(after, 1), "new");
    assert_null(info_in(after, 2));
    assert_string_equal(info_in(after, 3), "three");
    roster_fini(&r);
    assert_string_equal(info_in(before, 2), "two"); /* also when the roster is gone */
    roster_view_unref(before);
    roster_view_unref(after);
}

/* Fills to n, takes a snapshot, empties in some order; everybody is where he should be. */
static void fill_and_empty(unsigned n, bool forwards, bool with_snapshots)
{
    struct roster r = { 0 };
    for (unsigned i = 0; i < n; i++) assert_true(join(&r, i, "x"));
    struct roster_view *full = roster_snapshot(&r);
    for (unsigned i = 0; i < n; i++) {
        assert_true(leave(&r, forwards ? i : n - 1 - i));
        assert_int_equal(roster_count(&r), n - 1 - i);
        struct roster_view *v = with_snapshots ? roster_snapshot(&r) : NULL;
        for (unsigned k = 0; v && k < n; k++) {
            bool here = forwards ? k > i : k < n - 1 - i;
            assert_int_equal(info_in(v, k) != NULL, here);
        }
        roster_view_unref(v);
    }
    assert_int_equal(full->n_members, n);
    for (unsigned i = 0; i < n; i++) assert_non_null(info_in(full, i));
    roster_view_unref(full);
    roster_fini(&r);
}

static void chunk_borders_are_no_borders(void **state)
{
    (void)state;
    const unsigned sizes[] = { 1, 63, 64, 65, 127, 128, 129, 200 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int how = 0; how < 4; how++) fill_and_empty(sizes[i], how & 1, how & 2);
}

static void the_limit_is_for_new_people_only(void **state)
{
    (void)state;
    struct roster r = { 0 };
    bool first;
    join(&r, 1, "");
    join(&r, 2, "");
    struct member *known = person(2, ""), *stranger = person(3, "");
    assert_int_equal(roster_join(&r, stranger, 2, &first), ERR_LIMIT);
    assert_int_equal(roster_join(&r, known, 2, &first), ERR_OK);
    assert_false(first);
    assert_false(roster_is_last_socket(&r, known));
    assert_false(roster_is_last_socket(&r, stranger));
    leave(&r, 1);
    assert_int_equal(roster_join(&r, stranger, 2, &first), ERR_OK);
    assert_true(roster_is_last_socket(&r, stranger));
    assert_int_equal(roster_count(&r), 2);
    member_unref(known);
    member_unref(stranger);
    roster_fini(&r);
}

static void the_newest_form_of_the_id_counts(void **state)
{
    (void)state;
    struct roster r = { 0 };
    join(&r, 42, "same");
    struct event_member text = { SPAN("42"), SPAN("\"42\""), SPAN("same") };
    struct member *m = member_new(&text);
    bool first;
    assert_int_equal(roster_join(&r, m, 0, &first), ERR_OK);
    assert_false(first);
    struct roster_view *v = roster_snapshot(&r);
    assert_int_equal(v->n_members, 1);
    assert_span(member_view(roster_view_at(v, 0)).id_raw, "\"42\"");
    roster_view_unref(v);
    member_unref(m);
    roster_fini(&r);
}

/* Where the copy is refused, who left is a ghost: not counted, and gone as soon as possible. */
static void leaving_without_memory_leaves_no_ghost(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 130; n += 43) {
        struct roster r = { 0 };
        for (unsigned i = 0; i < n; i++) join(&r, i, "x");
        struct roster_view *full = roster_snapshot(&r);
        struct member *m = person(0, "x"), *again = person(0, "back");
        mem_fail_after(0, true);
        assert_true(roster_leave(&r, m));
        mem_fail_after(-1, false);
        assert_int_equal(roster_count(&r), n - 1);
        struct roster_view *v = roster_snapshot(&r);
        assert_null(info_in(v, 0));
        roster_view_unref(v);

        bool first = false;
        assert_int_equal(roster_join(&r, again, n, &first), ERR_OK);
        assert_true(first);
        roster_view_unref(full);
        full = roster_snapshot(&r);
        mem_fail_after(0, true);
        assert_true(roster_leave(&r, m)); /* a ghost again, and back before anybody looked */
        assert_int_equal(roster_join(&r, again, n, &first), ERR_OK);
        mem_fail_after(-1, false);
        assert_true(first);
        assert_int_equal(roster_count(&r), n);
        v = roster_snapshot(&r);
        assert_int_equal(v->n_members, n);
        assert_string_equal(info_in(v, 0), "back");
        roster_view_unref(v);
        roster_view_unref(full);
        member_unref(m);
        member_unref(again);
        roster_fini(&r);
    }
}

/* A join that fails at any allocation changes nothing, with and without a snapshot around. */
static void joining_survives_any_failed_allocation(void **state)
{
    (void)state;
    for (unsigned n = 0; n <= 128; n += 64) {
        struct roster r = { 0 };
        for (unsigned i = 0; i < n; i++) join(&r, i, "x");
        struct roster_view *held = roster_snapshot(&r);
        struct member *m = person(1000, "x"), *renewed = person(0, "new");
        bool first = false;
        enum err err = ERR_NOMEM;
        for (long at = 0; err; at++) {
            mem_fail_after(at, false);
            err = roster_join(&r, m, 0, &first);
            mem_fail_after(-1, false);
            assert_int_equal(roster_count(&r), err ? n : n + 1);
            struct roster_view *v = roster_snapshot(&r);
            assert_int_equal(v ? v->n_members : 0, err ? n : n + 1);
            roster_view_unref(v);
        }
        roster_view_unref(held);
        held = roster_snapshot(&r);
        err = n ? ERR_NOMEM : ERR_OK;
        for (long at = 0; err; at++) {
            mem_fail_after(at, false);
            err = roster_join(&r, renewed, 0, &first);
            mem_fail_after(-1, false);
            struct roster_view *v = roster_snapshot(&r);
            assert_string_equal(info_in(v, 0), err ? "x" : "new");
            roster_view_unref(v);
        }
        roster_view_unref(held);
        member_unref(m);
        member_unref(renewed);
        roster_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_counts_once_however_many_tabs),
        cmocka_unit_test(snapshots_do_not_change),
        cmocka_unit_test(chunk_borders_are_no_borders),
        cmocka_unit_test(the_limit_is_for_new_people_only),
        cmocka_unit_test(the_newest_form_of_the_id_counts),
        cmocka_unit_test(leaving_without_memory_leaves_no_ghost),
        cmocka_unit_test(joining_survives_any_failed_allocation),
    };
    return RUN_TESTS(tests);
}
