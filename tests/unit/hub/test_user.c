/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_user.c: a worker's index of connections by user. */
#include "base/mem.h"
#include "hub/user.h"
#include "unit/test.h"

static struct member *person(const char *id)
{
    struct event_member from = { .id = span_str(id) };
    return member_new(&from);
}

static void a_user_exists_while_somebody_links_to_him(void **state)
{
    (void)state;
    struct app a = { .index = 0 }, b = { .index = 1 };
    struct users users = { 0 };
    struct user_link one = { 0 }, two = { 0 };
    struct member *m = person("42"), *same = person("42"), *other = person("43");
    assert_null(users_find(&users, &a, m));
    assert_int_equal(user_link_add(&users, &a, m, USER_SIGNED_IN, &one), ERR_OK);
    assert_int_equal(user_link_add(&users, &a, same, USER_WATCHER, &two), ERR_OK);
    struct user *u = users_find(&users, &a, same);
    assert_ptr_equal(u, one.user);
    assert_ptr_equal(u, two.user);
    assert_null(users_find(&users, &b, m));
    assert_null(users_find(&users, &a, other));
    assert_ptr_equal(list_first(&u->links[USER_WATCHER]), &two.node);
    assert_true(list_empty(&u->links[USER_PRESENT]));
    user_link_drop(&users, &one);
    user_link_drop(&users, &one); /* nothing more */
    assert_ptr_equal(users_find(&users, &a, m), u);
    user_link_drop(&users, &two);
    assert_null(users_find(&users, &a, m));
    member_unref(m);
    member_unref(same);
    member_unref(other);
    users_fini(&users);
}

static void without_memory_nobody_is_linked(void **state)
{
    (void)state;
    struct app a = { .index = 0 };
    struct member *m = person("42");
    for (long n = 0; n < 2; n++) {
        struct users users = { 0 };
        struct user_link link = { 0 };
        mem_fail_after(n, false);
        assert_int_equal(user_link_add(&users, &a, m, USER_PRESENT, &link), ERR_NOMEM);
        mem_fail_after(-1, false);
        assert_null(users_find(&users, &a, m));
        user_link_drop(&users, &link);
        users_fini(&users);
    }
    member_unref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_exists_while_somebody_links_to_him),
        cmocka_unit_test(without_memory_nobody_is_linked),
    };
    return RUN_TESTS(tests);
}
