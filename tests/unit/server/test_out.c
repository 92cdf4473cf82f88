/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_out.c: the queue of one connection, over a socket pair. */
#include "base/mem.h"
#include "server/out.h"
#include "unit/net/net_test.h"
#include <poll.h>

static size_t no_head(uint8_t out[MSG_HEAD_MAX], size_t len)
{
    (void)out;
    (void)len;
    return 0;
}

/* `n` times the letter. */
static struct msg *message(char letter, size_t n)
{
    struct buf b = { 0 };
    msg_begin(&b, n);
    for (size_t i = 0; i < n; i++) buf_add_byte(&b, letter);
    struct msg *m = msg_finish(&b, no_head);
    assert_non_null(m);
    return m;
}

static void take(struct out *o, char letter, size_t n)
{
    assert_int_equal(out_take(o, message(letter, n)), ERR_OK);
}

struct pipe {
    int fds[2];
    struct buf got;
};

static void open_pipe(struct pipe *p)
{
    *p = (struct pipe) { .got = { 0 } };
    make_pair(p->fds);
    int size = 4096;
    assert_int_equal(setsockopt(p->fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

/* What has come so far. */
static void read_pipe(struct pipe *p)
{
    char bytes[4096];
    for (ssize_t n; (n = recv(p->fds[1], bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        buf_add(&p->got, bytes, (size_t)n);
}

static void close_pipe(struct pipe *p)
{
    close(p->fds[0]);
    close(p->fds[1]);
    buf_fini(&p->got);
}

static struct out_batch batch;

/* Flushes and reads until all is through. */
static void pump(struct out *o, struct pipe *p)
{
    enum sock_status status;
    do {
        size_t sent;
        status = out_flush(o, p->fds[0], &batch, &sent);
        assert_true(status == SOCK_OK || status == SOCK_AGAIN);
        out_own(o);
        read_pipe(p);
    } while (status != SOCK_OK);
}

/* Runs of letters in the order of the alphabet, each as long as said. */
static void assert_runs(struct span got, const size_t *lengths, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lengths[i]; k++, at++) {
            assert_true(at < got.n);
            assert_int_equal(got.p[at], 'a' + (int)(i % 26));
        }
    assert_int_equal(at, got.n);
}

static void messages_leave_in_order_whatever_the_kernel_takes(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 70000, 3, 9000, 1, 1, 200000, 5 };
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) take(&o, (char)('a' + (char)i), lengths[i]);
    assert_int_equal(o.bytes, 279011);
    pump(&o, &p);
    assert_runs(buf_span(&p.got), lengths, ARRAY_LEN(lengths));
    assert_true(out_empty(&o));
    assert_int_equal(o.bytes, 0);
    close_pipe(&p);
}

static void a_flush_says_what_it_sent_and_what_is_left(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    take(&o, 'a', 100000);
    size_t sent = 0;
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_AGAIN);
    assert_true(sent > 0 && sent < 100000);
    assert_int_equal(o.bytes, 100000 - sent);
    assert_int_equal(out_count(&o), 1);
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_AGAIN);
    assert_int_equal(sent, 0);
    out_fini(&o);
    close_pipe(&p);
}

static void a_peer_that_is_gone_is_an_error(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    close(p.fds[1]);
    take(&o, 'a', 10);
    take(&o, 'b', 10);
    size_t sent;
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_ERROR);
    out_fini(&o);
    close(p.fds[0]);
}

/* References that are missing or too many are found by the sanitizers. */
static void what_is_borrowed_and_sent_at_once_stays_the_lender_s(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    struct msg *m = message('a', 10);
    for (int i = 0; i < 3; i++) assert_int_equal(out_borrow(&o, m), ERR_OK);
    pump(&o, &p);
    assert_int_equal(p.got.n, 30);
    assert_span(msg_frame(m), "aaaaaaaaaa");
    msg_unref(m);
    close_pipe(&p);
}

static void what_is_left_of_borrowed_ones_outlives_the_lender(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    struct msg *large = message('a', 100000), *later = message('b', 10);
    size_t sent;
    assert_int_equal(out_borrow(&o, large), ERR_OK);
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_AGAIN);
    out_own(&o);
    out_own(&o);
    msg_unref(large);
    assert_int_equal(out_borrow(&o, later), ERR_OK);
    take(&o, 'c', 1); /* owned behind a borrowed one */
    out_own(&o);
    msg_unref(later);
    pump(&o, &p);
    assert_runs(buf_span(&p.got), (const size_t[]) { 100000, 10, 1 }, 3);
    close_pipe(&p);
}

static void the_end_releases_all_that_was_taken(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct msg *m = message('a', 10);
    for (int i = 0; i < 20; i++) assert_int_equal(out_take(&o, msg_ref(m)), ERR_OK);
    out_fini(&o);
    assert_true(out_empty(&o));
    assert_span(msg_frame(m), "aaaaaaaaaa");
    msg_unref(m);
}

static void dropping_keeps_the_message_that_has_begun(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    size_t sent;
    take(&o, 'a', 100000);
    for (int i = 0; i < 10; i++) take(&o, 'x', 5000);
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_AGAIN);
    assert_true(sent > 0);
    out_own(&o);
    out_drop_unsent(&o);
    assert_int_equal(out_count(&o), 1);
    assert_int_equal(o.bytes, 100000 - sent);
    take(&o, 'b', 7); /* the last words */
    read_pipe(&p);
    pump(&o, &p);
    assert_runs(buf_span(&p.got), (const size_t[]) { 100000, 7 }, 2);
    close_pipe(&p);
}

static void dropping_what_has_not_begun_leaves_nothing(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct msg *borrowed = message('a', 10);
    assert_int_equal(out_borrow(&o, borrowed), ERR_OK);
    for (int i = 0; i < 10; i++) take(&o, 'b', 10);
    out_drop_unsent(&o);
    assert_true(out_empty(&o));
    assert_int_equal(o.bytes, 0);
    out_own(&o);
    out_fini(&o);
    msg_unref(borrowed);
}

/* Taking out in front while adding behind, so that the queue moves, is compacted and grows. */
static void a_moving_queue_keeps_its_order(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    struct buf want = { 0 };
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        seed = seed * 1103515245 + 12345;
        for (unsigned i = 0; i < (seed >> 16) % 5; i++) {
            size_t n = 1 + (seed >> 20) % 700;
            char letter = (char)('a' + round % 26);
            take(&o, letter, n);
            for (size_t k = 0; k < n; k++) buf_add_byte(&want, letter);
        }
        size_t sent;
        if (!out_empty(&o)) assert_true(out_flush(&o, p.fds[0], &batch, &sent) <= SOCK_AGAIN);
        out_own(&o);
        if (round % 7 == 0) read_pipe(&p);
    }
    pump(&o, &p);
    assert_int_equal(p.got.n, want.n);
    assert_memory_equal(p.got.p, want.p, want.n);
    buf_fini(&want);
    close_pipe(&p);
}

static void one_message_alone_is_no_excess_and_others_are(void **state)
{
    (void)state;
    struct out o = { 0 };
    struct pipe p;
    open_pipe(&p);
    take(&o, 'a', 100000);
    assert_int_equal(out_excess(&o), 0);
    size_t sent;
    assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_AGAIN);
    assert_int_equal(out_excess(&o), 0);
    take(&o, 'b', 60000);
    take(&o, 'c', 100);
    assert_int_equal(out_excess(&o), 60100 - sent);
    pump(&o, &p);
    take(&o, 'd', 10);
    take(&o, 'e', 10);
    assert_int_equal(out_excess(&o), 10); /* the large one is forgotten */
    out_fini(&o);
    close_pipe(&p);
}

static void without_memory_nothing_is_added_and_nothing_lost(void **state)
{
    (void)state;
    struct out o = { 0 };
    take(&o, 'a', 10);
    struct msg *borrowed = message('b', 10), *taken = msg_ref(borrowed);
    mem_fail_after(0, true);
    assert_int_equal(out_borrow(&o, borrowed), ERR_NOMEM);
    assert_int_equal(out_take(&o, taken), ERR_NOMEM);
    mem_fail_after(-1, false);
    assert_int_equal(out_count(&o), 1);
    assert_int_equal(o.bytes, 10);
    out_fini(&o);
    msg_unref(borrowed);
}

/* Three connections with the same two borrowed messages: parts, then joined, then joined again. */
static void equal_queues_are_sent_as_one_piece_with_the_same_octets(void **state)
{
    (void)state;
    struct msg *a = message('a', 300), *b = message('b', 500);
    for (int i = 0; i < 3; i++) {
        struct pipe p = { 0 };
        struct out o = { 0 };
        open_pipe(&p);
        assert_int_equal(out_borrow(&o, a), ERR_OK);
        assert_int_equal(out_borrow(&o, b), ERR_OK);
        size_t sent;
        assert_int_equal(out_flush(&o, p.fds[0], &batch, &sent), SOCK_OK);
        assert_int_equal(sent, 800);
        assert_true(out_empty(&o));
        read_pipe(&p);
        assert_runs(buf_span(&p.got), (size_t[]) { 300, 500 }, 2);
        close_pipe(&p);
    }
    out_batch_forget(&batch);
    msg_unref(a);
    msg_unref(b);
}

/* A queue that differs in its last message only must not be taken for the one before. */
static void a_queue_that_differs_is_not_taken_for_the_last_one(void **state)
{
    (void)state;
    struct msg *a = message('a', 300), *b = message('b', 500), *c = message('b', 200);
    struct msg *second[] = { b, b, c, b };
    for (size_t i = 0; i < ARRAY_LEN(second); i++) {
        struct pipe p = { 0 };
        struct out o = { 0 };
        open_pipe(&p);
        assert_int_equal(out_borrow(&o, a), ERR_OK);
        assert_int_equal(out_borrow(&o, second[i]), ERR_OK);
        pump(&o, &p);
        assert_runs(buf_span(&p.got), (size_t[]) { 300, second[i]->n }, 2);
        out_fini(&o);
        close_pipe(&p);
    }
    out_batch_fini(&batch);
    msg_unref(a);
    msg_unref(b);
    msg_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_queues_are_sent_as_one_piece_with_the_same_octets),
        cmocka_unit_test(a_queue_that_differs_is_not_taken_for_the_last_one),
        cmocka_unit_test(messages_leave_in_order_whatever_the_kernel_takes),
        cmocka_unit_test(a_flush_says_what_it_sent_and_what_is_left),
        cmocka_unit_test(a_peer_that_is_gone_is_an_error),
        cmocka_unit_test(what_is_borrowed_and_sent_at_once_stays_the_lender_s),
        cmocka_unit_test(what_is_left_of_borrowed_ones_outlives_the_lender),
        cmocka_unit_test(the_end_releases_all_that_was_taken),
        cmocka_unit_test(dropping_keeps_the_message_that_has_begun),
        cmocka_unit_test(dropping_what_has_not_begun_leaves_nothing),
        cmocka_unit_test(a_moving_queue_keeps_its_order),
        cmocka_unit_test(one_message_alone_is_no_excess_and_others_are),
        cmocka_unit_test(without_memory_nothing_is_added_and_nothing_lost),
    };
    return RUN_TESTS(tests);
}
