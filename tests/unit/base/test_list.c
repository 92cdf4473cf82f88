/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_list.c: the intrusive list. */
#include "base/list.h"
#include "unit/test.h"

struct item {
    int value;
    struct list node;
};

static void nodes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    struct item items[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
    for (size_t i = 0; i < 3; i++) list_push(&head, &items[i].node);
    for (int want = 1; want <= 3; want++) {
        struct list *node = list_pop(&head);
        assert_non_null(node);
        assert_int_equal(CONTAINER_OF(node, struct item, node)->value, want);
        assert_false(list_linked(node));
    }
    assert_true(list_empty(&head));
    assert_null(list_pop(&head));
    assert_null(list_first(&head));
}

static void a_node_in_the_middle_can_leave(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    struct item items[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
    for (size_t i = 0; i < 3; i++) list_push(&head, &items[i].node);
    list_remove(&items[1].node);
    assert_ptr_equal(list_pop(&head), &items[0].node);
    assert_ptr_equal(list_pop(&head), &items[2].node);
    assert_true(list_empty(&head));
}

static void removing_an_unlinked_node_does_nothing(void **state)
{
    (void)state;
    struct list zeroed = { 0 }, alone;
    list_init(&alone);
    list_remove(&zeroed);
    list_remove(&alone);
    assert_false(list_linked(&zeroed));
    assert_false(list_linked(&alone));
    assert_true(list_empty(&zeroed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_node_in_the_middle_can_leave),
        cmocka_unit_test(removing_an_unlinked_node_does_nothing),
    };
    return RUN_TESTS(tests);
}
