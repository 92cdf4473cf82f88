/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_post.c: a post has a node for each worker and goes with its last reference.
 */
#include "base/mem.h"
#include "hub/post.h"
#include "unit/test.h"

static size_t no_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    (void)out;
    (void)len;
    return 0;
}

static struct msg *some_msg(void)
{
    struct buf b = { 0 };
    msg_begin(&b, 0);
    BUF_ADD_LIT(&b, "text");
    return msg_finish(&b, no_head);
}

static void every_node_knows_its_post(void **state)
{
    (void)state;
    struct post *p = post_new(POST_EVENT, NULL, some_msg(), 3);
    for (unsigned i = 0; i < 3; i++) assert_ptr_equal(post_of(&p->nodes[i].link), p);
    assert_true(p->cost >= sizeof *p + 4);
    assert_true(post_unref(p));
    post_free(p);
    post_free(NULL);
}

static void the_last_reference_says_so(void **state)
{
    (void)state;
    struct post *p = post_new(POST_TERMINATE, NULL, NULL, 1);
    struct event_member who = { .id = SPAN("1") };
    p->user = member_new(&who);
    post_ref(p, 2);
    assert_false(post_unref(p));
    assert_false(post_unref(p));
    assert_true(post_unref(p));
    post_free(p);
}

static void without_memory_the_message_goes(void **state)
{
    (void)state;
    struct msg *m = some_msg();
    mem_fail_after(0, false);
    struct post *p = post_new(POST_EVENT, NULL, m, 2); /* LeakSanitizer looks for m */
    mem_fail_after(-1, false);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_post),
        cmocka_unit_test(the_last_reference_says_so),
        cmocka_unit_test(without_memory_the_message_goes),
    };
    return RUN_TESTS(tests);
}
