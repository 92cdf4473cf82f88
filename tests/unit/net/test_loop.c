/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_loop.c: the phases of a turn, waking, sleeping. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/mpsc.h"
#include "net/loop.h"
#include "net/poller.h"
#include "unit/net/net_test.h"
#include <pthread.h>

/* What happened, as letters: I/O, message, timer, flush, close. */
struct record {
    struct loop *loop;
    struct poller *poller;
    struct io io;
    struct mpsc mailbox;
    uint64_t due; /* LOOP_NEVER: no timer */
    char text[64];
    size_t n;
    uint64_t stop_after; /* turns */
    uint64_t times[3];
};

static void note(struct record *r, char c)
{
    if (r->n + 1 < sizeof r->text) r->text[r->n++] = c;
}

static void note_io(struct io *io, uint32_t events)
{
    struct record *r = CONTAINER_OF(io, struct record, io);
    CHECK(events & IO_READ);
    read_byte(io->fd);
    note(r, 'I');
}

static void note_mailbox(void *ctx)
{
    struct record *r = ctx;
    if (mpsc_take_all(&r->mailbox)) note(r, 'M');
}

static void note_timers(void *ctx)
{
    struct record *r = ctx;
    if (loop_now_ms(r->loop) < r->due) return;
    r->due = LOOP_NEVER;
    note(r, 'T');
}

static void note_flush(void *ctx)
{
    note(ctx, 'F');
}

static void note_close(void *ctx)
{
    struct record *r = ctx;
    note(r, 'C');
    if (loop_turns(r->loop) + 1 >= r->stop_after) loop_stop(r->loop);
}

static uint64_t tell_due(void *ctx)
{
    struct record *r = ctx;
    return r->due;
}

static void start_record(struct record *r, int fds[2])
{
    *r = (struct record) { .due = LOOP_NEVER, .stop_after = 1 };
    mpsc_init(&r->mailbox);
    const struct loop_hooks hooks = { r,          note_mailbox, note_timers, note_flush,
                                      note_close, NULL,         tell_due };
    assert_int_equal(loop_new(&hooks, &r->loop), ERR_OK);
    assert_int_equal(poller_open(r->loop, &r->poller), ERR_OK);
    make_pair(fds);
    r->io = (struct io) { .on_ready = note_io, .fd = fds[0] };
    assert_int_equal(poller_add(r->poller, &r->io, IO_READ), ERR_OK);
}

static void end_record(struct record *r, int fds[2])
{
    poller_del(r->poller, &r->io);
    poller_close(&r->poller);
    loop_free(&r->loop);
    assert_null(r->loop);
    close(fds[0]);
    close(fds[1]);
}

static void io_message_and_timer_of_one_turn_come_in_this_order(void **state)
{
    (void)state;
    struct record r;
    int fds[2];
    start_record(&r, fds);
    struct mpsc_node node;
    r.due = clock_mono_ms();
    write_byte(fds[1], 'x');
    assert_true(mpsc_push(&r.mailbox, &node));
    loop_wake(r.loop);
    loop_run(r.loop);
    assert_string_equal(r.text, "IMTFC");
    end_record(&r, fds);
}

struct poster {
    struct record *r;
    int fd;
    struct mpsc_node node;
};

static void *post(void *arg)
{
    struct poster *p = arg;
    write_byte(p->fd, 'x');
    CHECK(mpsc_push(&p->r->mailbox, &p->node));
    loop_wake(p->r->loop);
    return NULL;
}

static void flush_and_close_end_each_turn_whatever_woke_the_loop(void **state)
{
    (void)state;
    struct record r;
    int fds[2];
    start_record(&r, fds);
    r.due = clock_mono_ms() + 30;
    r.stop_after = UINT64_MAX;
    struct poster p = { .r = &r, .fd = fds[1] };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post, &p), 0);
    unsigned seen[128] = { 0 };
    while (!seen['I'] || !seen['M'] || !seen['T']) {
        loop_stop(r.loop); /* one turn at a time */
        r.n = 0;
        loop_run(r.loop);
        r.text[r.n] = '\0';
        for (const char *c = r.text; *c; c++) seen[(unsigned char)*c]++;
        const char *turn = r.text;
        turn += *turn == 'I';
        turn += *turn == 'M';
        turn += *turn == 'T';
        assert_string_equal(turn, "FC");
    }
    pthread_join(thread, NULL);
    end_record(&r, fds);
}

static void note_time(struct record *r, size_t i)
{
    r->times[i] = loop_now_ms(r->loop);
    uint64_t begin = clock_mono_ms();
    while (clock_mono_ms() < begin + 3) continue; /* the phase takes its time */
}

static void time_io(struct io *io, uint32_t events)
{
    (void)events;
    read_byte(io->fd);
    note_time(CONTAINER_OF(io, struct record, io), 0);
}

static void time_mailbox(void *ctx)
{
    note_time(ctx, 1);
}

static void time_close(void *ctx)
{
    struct record *r = ctx;
    note_time(r, 2);
    loop_stop(r->loop);
}

static void time_stands_still_within_a_turn_and_moves_between_turns(void **state)
{
    (void)state;
    struct record r = { 0 };
    const struct loop_hooks hooks = { .ctx = &r, .mailbox = time_mailbox, .close = time_close };
    assert_int_equal(loop_new(&hooks, &r.loop), ERR_OK);
    assert_int_equal(poller_open(r.loop, &r.poller), ERR_OK);
    int fds[2];
    make_pair(fds);
    r.io = (struct io) { .on_ready = time_io, .fd = fds[0] };
    assert_int_equal(poller_add(r.poller, &r.io, IO_READ), ERR_OK);
    write_byte(fds[1], 'x');
    loop_run(r.loop);
    uint64_t first = r.times[0];
    assert_int_equal(r.times[1], first);
    assert_int_equal(r.times[2], first);
    write_byte(fds[1], 'x');
    loop_run(r.loop);
    assert_true(r.times[0] >= first + 3);
    end_record(&r, fds);
}

#define SENDERS 4
#define EACH 5000

struct inbox {
    struct loop *loop;
    struct mpsc queue;
    size_t got;
};

struct letter {
    struct mpsc_node node;
};

static void empty_inbox(void *ctx)
{
    struct inbox *box = ctx;
    for (struct mpsc_node *n = mpsc_take_all(&box->queue); n;) {
        struct mpsc_node *next = n->next;
        mem_free(CONTAINER_OF(n, struct letter, node));
        n = next;
        box->got++;
    }
    if (box->got == SENDERS * EACH) loop_stop(box->loop);
}

static void *send_letters(void *arg)
{
    struct inbox *box = arg;
    for (size_t i = 0; i < EACH; i++) {
        struct letter *letter = mem_alloc(sizeof *letter);
        CHECK(letter);
        if (mpsc_push(&box->queue, &letter->node)) loop_wake(box->loop);
    }
    return NULL;
}

static void no_wake_up_of_other_threads_is_lost(void **state)
{
    (void)state;
    struct inbox box = { .got = 0 };
    mpsc_init(&box.queue);
    const struct loop_hooks hooks = { .ctx = &box, .mailbox = empty_inbox };
    assert_int_equal(loop_new(&hooks, &box.loop), ERR_OK);
    pthread_t threads[SENDERS];
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &box), 0);
    loop_run(box.loop); /* returns when all have come, or never */
    for (size_t i = 0; i < SENDERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(box.got, SENDERS * EACH);
    loop_free(&box.loop);
}

/* Deadlines one after the other; remembers the turn in which each was due. */
struct alarm {
    struct loop *loop;
    uint64_t due, next;
    uint64_t turns[2];
    size_t n;
};

static void ring(void *ctx)
{
    struct alarm *a = ctx;
    if (loop_now_ms(a->loop) < a->due) return;
    a->turns[a->n++] = loop_turns(a->loop);
    a->due = a->next ? loop_now_ms(a->loop) + a->next : LOOP_NEVER;
    a->next = 0;
    if (a->n == 2) loop_stop(a->loop);
}

static uint64_t tell_alarm(void *ctx)
{
    const struct alarm *a = ctx;
    return a->due;
}

static void the_loop_sleeps_until_the_deadline(void **state)
{
    (void)state;
    struct alarm a = { .due = clock_mono_ms() + 10, .next = 300 };
    const struct loop_hooks hooks = { .ctx = &a, .timers = ring, .deadline = tell_alarm };
    assert_int_equal(loop_new(&hooks, &a.loop), ERR_OK);
    loop_run(a.loop);
    /* One turn, or two where libuv rounds a millisecond the other way. */
    assert_in_range(a.turns[1] - a.turns[0], 1, 2);
    loop_free(&a.loop);
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void an_idle_loop_takes_no_turns(void **state)
{
    (void)state;
    struct loop *idle;
    assert_int_equal(loop_new(&(struct loop_hooks) { 0 }, &idle), ERR_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_loop, idle), 0);
    struct alarm a = { .due = clock_mono_ms() + 10, .next = 200 }; /* the interval */
    const struct loop_hooks hooks = { .ctx = &a, .timers = ring, .deadline = tell_alarm };
    assert_int_equal(loop_new(&hooks, &a.loop), ERR_OK);
    loop_run(a.loop);
    loop_free(&a.loop);
    loop_stop(idle);
    pthread_join(thread, NULL);
    assert_in_range(loop_turns(idle), 1, 2); /* the first and the one that noticed the stop */
    loop_free(&idle);
}

static void keep_going(void *ctx)
{
    struct record *r = ctx;
    if (loop_turns(r->loop) + 1 < r->stop_after)
        loop_again(r->loop);
    else
        loop_stop(r->loop);
}

static void left_over_work_keeps_the_loop_awake(void **state)
{
    (void)state;
    struct record r = { .stop_after = 100 };
    const struct loop_hooks hooks = { .ctx = &r, .flush = keep_going };
    assert_int_equal(loop_new(&hooks, &r.loop), ERR_OK);
    loop_run(r.loop); /* would sleep for ever */
    assert_int_equal(loop_turns(r.loop), 100);
    loop_free(&r.loop);
}

static void advance_due(void *ctx)
{
    struct record *r = ctx;
    if (loop_turns(r->loop) == 1) r->due = loop_now_ms(r->loop) + 20; /* was far away */
}

static void stop_when_due(void *ctx)
{
    struct record *r = ctx;
    if (loop_now_ms(r->loop) >= r->due) loop_stop(r->loop);
}

static void *wake_loop(void *arg)
{
    loop_wake(arg);
    return NULL;
}

static void a_deadline_that_moves_nearer_is_kept(void **state)
{
    (void)state;
    struct record r = { .due = clock_mono_ms() + 60000 };
    const struct loop_hooks hooks = {
        .ctx = &r, .mailbox = advance_due, .timers = stop_when_due, .deadline = tell_due
    };
    assert_int_equal(loop_new(&hooks, &r.loop), ERR_OK);
    loop_stop(r.loop);
    loop_run(r.loop); /* the first turn: the timer is armed for a minute */
    uint64_t begin = clock_mono_ms();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_loop, r.loop), 0);
    loop_run(r.loop);
    pthread_join(thread, NULL);
    assert_in_range(clock_mono_ms() - begin, 19, 30000);
    loop_free(&r.loop);
}

/* In turn `stop_after` - 1; the turns before follow each other without a wait. */
static void work_beyond_the_deadline(void *ctx)
{
    struct record *r = ctx;
    if (loop_turns(r->loop) + 1 < r->stop_after) loop_again(r->loop);
    if (loop_turns(r->loop) + 1 != r->stop_after) return;
    while (clock_mono_ms() <= r->due) continue;
}

static void a_deadline_that_comes_during_a_turn_is_not_slept_over(void **state)
{
    (void)state;
    for (uint64_t turn = 1; turn <= 2; turn++) { /* the timer is set after it, or was before */
        struct record r = { .due = clock_mono_ms() + 50, .stop_after = turn };
        const struct loop_hooks hooks = { .ctx = &r,
                                          .timers = stop_when_due,
                                          .flush = work_beyond_the_deadline,
                                          .deadline = tell_due };
        assert_int_equal(loop_new(&hooks, &r.loop), ERR_OK);
        loop_run(r.loop); /* would sleep for ever */
        assert_int_equal(loop_turns(r.loop), turn + 1);
        loop_free(&r.loop);
    }
}

static void a_stop_before_the_run_ends_it_after_one_turn(void **state)
{
    (void)state;
    struct loop *loop;
    assert_int_equal(loop_new(&(struct loop_hooks) { 0 }, &loop), ERR_OK);
    for (uint64_t i = 1; i <= 3; i++) {
        loop_stop(loop);
        loop_run(loop);
        assert_int_equal(loop_turns(loop), i);
    }
    loop_free(&loop);
}

static void without_memory_there_is_no_loop(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    mem_fail_after(0, true);
    enum err err = loop_new(&(struct loop_hooks) { 0 }, &loop);
    mem_fail_after(-1, false);
    assert_int_equal(err, ERR_NOMEM);
    assert_null(loop);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(io_message_and_timer_of_one_turn_come_in_this_order),
        cmocka_unit_test(flush_and_close_end_each_turn_whatever_woke_the_loop),
        cmocka_unit_test(time_stands_still_within_a_turn_and_moves_between_turns),
        cmocka_unit_test(no_wake_up_of_other_threads_is_lost),
        cmocka_unit_test(the_loop_sleeps_until_the_deadline),
        cmocka_unit_test(an_idle_loop_takes_no_turns),
        cmocka_unit_test(left_over_work_keeps_the_loop_awake),
        cmocka_unit_test(a_deadline_that_moves_nearer_is_kept),
        cmocka_unit_test(a_deadline_that_comes_during_a_turn_is_not_slept_over),
        cmocka_unit_test(a_stop_before_the_run_ends_it_after_one_turn),
        cmocka_unit_test(without_memory_there_is_no_loop),
    };
    return RUN_TESTS(tests);
}
