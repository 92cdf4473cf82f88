/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_poller.c: readiness, and above all what a removal within a batch does. */
#include "base/mem.h"
#include "net/poller.h"
#include "unit/net/net_test.h"
#include <sys/eventfd.h>

/* A socket pair whose near end is in the poller. */
struct line {
    struct io io;
    int far;
    uint32_t events; /* of the last call */
    unsigned calls;
    struct fixture *fixture;
};

struct fixture {
    struct loop *loop;
    struct poller *poller;
    struct line a, b;
    void (*on_first)(struct fixture *f, struct line *self, struct line *other);
};

static void on_line(struct io *io, uint32_t events)
{
    struct line *line = CONTAINER_OF(io, struct line, io);
    struct fixture *f = line->fixture;
    line->events = events;
    line->calls++;
    if (!f->on_first) return;
    void (*act)(struct fixture *, struct line *, struct line *) = f->on_first;
    f->on_first = NULL;
    act(f, line, line == &f->a ? &f->b : &f->a);
}

static void open_line(struct fixture *f, struct line *line, uint32_t events)
{
    int fds[2];
    make_pair(fds);
    *line =
        (struct line) { .io = { .on_ready = on_line, .fd = fds[0] }, .far = fds[1], .fixture = f };
    assert_int_equal(poller_add(f->poller, &line->io, events), ERR_OK);
}

static void close_line(struct fixture *f, struct line *line)
{
    poller_del(f->poller, &line->io);
    close(line->io.fd);
    close(line->far);
}

static void one_turn(struct fixture *f)
{
    loop_stop(f->loop);
    loop_run(f->loop);
}

static void start(struct fixture *f, uint32_t events)
{
    *f = (struct fixture) { 0 };
    assert_int_equal(loop_new(&(struct loop_hooks) { 0 }, &f->loop), ERR_OK);
    assert_int_equal(poller_open(f->loop, &f->poller), ERR_OK);
    assert_ptr_equal(poller_loop(f->poller), f->loop);
    open_line(f, &f->a, events);
    open_line(f, &f->b, events);
}

static void end(struct fixture *f)
{
    close_line(f, &f->a);
    close_line(f, &f->b);
    poller_close(&f->poller);
    loop_free(&f->loop);
}

static void both_readable(struct fixture *f)
{
    write_byte(f->a.far, 'x');
    write_byte(f->b.far, 'x');
}

static void a_ready_socket_is_reported_in_each_turn_until_it_is_read(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_READ);
    one_turn(&f);
    assert_int_equal(f.a.calls, 0);
    write_byte(f.a.far, 'x');
    one_turn(&f);
    one_turn(&f);
    assert_int_equal(f.a.calls, 2);
    assert_int_equal(f.a.events, IO_READ);
    assert_int_equal(f.b.calls, 0);
    read_byte(f.a.io.fd);
    one_turn(&f);
    assert_int_equal(f.a.calls, 2);
    end(&f);
}

static void what_is_wanted_can_change(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 0);
    write_byte(f.a.far, 'x');
    one_turn(&f);
    assert_int_equal(f.a.calls, 0);
    poller_set(f.poller, &f.a.io, IO_READ | IO_WRITE);
    one_turn(&f);
    assert_int_equal(f.a.events, IO_READ | IO_WRITE);
    poller_set(f.poller, &f.a.io, IO_WRITE);
    one_turn(&f);
    assert_int_equal(f.a.events, IO_WRITE);
    poller_set(f.poller, &f.a.io, IO_WRITE); /* nothing changes */
    poller_set(f.poller, &f.a.io, 0);
    one_turn(&f);
    assert_int_equal(f.a.calls, 2);
    end(&f);
}

static void a_dead_connection_is_reported_even_when_nothing_is_wanted(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 0);
    shutdown(f.a.far, SHUT_RDWR);
    one_turn(&f);
    assert_int_equal(f.a.calls, 1);
    assert_true(f.a.events & IO_GONE);
    end(&f);
}

static void a_half_closed_one_is_reported_to_who_wants_it(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_HALF);
    shutdown(f.a.far, SHUT_WR);
    write_byte(f.b.far, 'x');
    one_turn(&f);
    assert_int_equal(f.a.events, IO_HALF);
    assert_int_equal(f.b.calls, 0);
    end(&f);
}

static void remove_other(struct fixture *f, struct line *self, struct line *other)
{
    (void)self;
    poller_del(f->poller, &other->io);
    poller_del(f->poller, &other->io); /* twice does nothing */
    assert_false(io_is_added(&other->io));
}

static void who_is_removed_by_another_in_the_same_batch_is_not_called(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_READ);
    both_readable(&f);
    shutdown(f.a.far, SHUT_RDWR); /* with the events that cannot be declined */
    shutdown(f.b.far, SHUT_RDWR);
    f.on_first = remove_other;
    one_turn(&f);
    assert_int_equal(f.a.calls + f.b.calls, 1);
    one_turn(&f);
    assert_int_equal(f.a.calls + f.b.calls, 2); /* the one that stayed */
    end(&f);
}

/* The owner closes and uses its io for a new, quiet socket: the old event must not reach it. */
static void replace_other(struct fixture *f, struct line *self, struct line *other)
{
    (void)self;
    close_line(f, other);
    open_line(f, other, IO_READ);
}

static void an_event_from_before_it_was_added_again_does_not_count(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_READ);
    both_readable(&f);
    f.on_first = replace_other;
    one_turn(&f);
    assert_int_equal(f.a.calls + f.b.calls, 1);
    struct line *quiet = f.a.calls ? &f.b : &f.a;
    one_turn(&f);
    assert_int_equal(quiet->calls, 0);
    write_byte(quiet->far, 'x');
    one_turn(&f);
    assert_int_equal(quiet->calls, 1);
    end(&f);
}

static void mute_other(struct fixture *f, struct line *self, struct line *other)
{
    (void)self;
    poller_set(f->poller, &other->io, 0);
}

static void what_is_no_longer_wanted_is_left_out_of_the_batch(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_READ);
    both_readable(&f);
    f.on_first = mute_other;
    one_turn(&f);
    assert_int_equal(f.a.calls + f.b.calls, 1);
    end(&f);
}

static void close_all(struct fixture *f, struct line *self, struct line *other)
{
    poller_del(f->poller, &self->io);
    poller_del(f->poller, &other->io);
    poller_close(&f->poller);
}

static void a_poller_may_be_closed_from_a_callback(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, IO_READ);
    both_readable(&f);
    f.on_first = close_all;
    one_turn(&f);
    assert_int_equal(f.a.calls + f.b.calls, 1);
    assert_null(f.poller);
    close(f.a.io.fd);
    close(f.a.far);
    close(f.b.io.fd);
    close(f.b.far);
    loop_free(&f.loop);
}

#define MANY (POLLER_BATCH + POLLER_BATCH / 2)

static unsigned called_now;

struct tick {
    struct io io;
    unsigned calls;
};

static void on_tick(struct io *io, uint32_t events)
{
    (void)events;
    CONTAINER_OF(io, struct tick, io)->calls++;
    called_now++;
}

static void a_turn_is_bounded_and_nobody_starves(void **state)
{
    (void)state;
    struct fixture f = { 0 };
    assert_int_equal(loop_new(&(struct loop_hooks) { 0 }, &f.loop), ERR_OK);
    assert_int_equal(poller_open(f.loop, &f.poller), ERR_OK);
    struct tick *ticks = mem_zalloc(MANY * sizeof *ticks);
    assert_non_null(ticks);
    for (size_t i = 0; i < MANY; i++) {
        ticks[i].io = (struct io) { .on_ready = on_tick, .fd = eventfd(1, EFD_NONBLOCK) };
        assert_true(ticks[i].io.fd >= 0);
        assert_int_equal(poller_add(f.poller, &ticks[i].io, IO_READ), ERR_OK);
    }
    for (unsigned turn = 0; turn < 2; turn++) {
        called_now = 0;
        one_turn(&f);
        assert_int_equal(called_now, POLLER_BATCH);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_in_range(ticks[i].calls, 1, 2);
        poller_del(f.poller, &ticks[i].io);
        close(ticks[i].io.fd);
    }
    mem_free(ticks);
    poller_close(&f.poller);
    loop_free(&f.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_socket_is_reported_in_each_turn_until_it_is_read),
        cmocka_unit_test(what_is_wanted_can_change),
        cmocka_unit_test(a_dead_connection_is_reported_even_when_nothing_is_wanted),
        cmocka_unit_test(a_half_closed_one_is_reported_to_who_wants_it),
        cmocka_unit_test(who_is_removed_by_another_in_the_same_batch_is_not_called),
        cmocka_unit_test(an_event_from_before_it_was_added_again_does_not_count),
        cmocka_unit_test(what_is_no_longer_wanted_is_left_out_of_the_batch),
        cmocka_unit_test(a_poller_may_be_closed_from_a_callback),
        cmocka_unit_test(a_turn_is_bounded_and_nobody_starves),
    };
    return RUN_TESTS(tests);
}
