/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_channel.c: a worker's subscribers of one channel: places, holes, memory. */
#include "base/mem.h"
#include "hub/hub.h"
#include "unit/test.h"

#define MANY 300

struct room {
    struct dir_chan *rec;
    struct chan *chan;
    struct hub_conn conns[MANY];
    uint32_t at[MANY]; /* where each connection believes its entry to be */
    bool here[MANY];
};

static struct room room;

/* In place of the hub's: the channel tells a connection that its entry has moved. */
void hub_conn_sub_moved(struct hub_conn *conn, uint32_t sub, uint32_t at)
{
    size_t i = (size_t)(conn - room.conns);
    assert_true(room.here[i] && sub == i);
    room.at[i] = at;
}

static int open_room(void **state)
{
    (void)state;
    room = (struct room) { .rec = mem_zalloc(sizeof *room.rec + 2 * sizeof room.rec->slots[0]) };
    room.chan = chan_get(room.rec, 1);
    assert_non_null(room.chan);
    return 0;
}

static int close_room(void **state)
{
    (void)state;
    assert_null(room.rec->slots[1].chan);
    mem_free(room.rec);
    return 0;
}

/* A connection's entry always knows its place, and the place the connection. */
static void enter(size_t i)
{
    assert_int_equal(chan_reserve(room.chan), ERR_OK);
    struct chan_entry e = { .conn = &room.conns[i], .joined = i, .back = (uint32_t)i };
    room.here[i] = true;
    room.at[i] = chan_append(room.chan, e);
}

static void go(size_t i)
{
    room.here[i] = false;
    chan_remove(room.chan, room.at[i]);
}

static void check_room(size_t n_present)
{
    assert_int_equal(room.chan->n - room.chan->n_holes, n_present);
    assert_true(room.chan->n <= room.chan->cap);
    for (size_t i = 0; i < MANY; i++) {
        if (!room.here[i]) continue;
        const struct chan_entry *e = &room.chan->subs[room.at[i]];
        assert_true(room.at[i] < room.chan->n);
        assert_ptr_equal(e->conn, &room.conns[i]);
        assert_int_equal(e->joined, i);
    }
}

static void leaving_keeps_everybody_in_his_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) enter(i);
    check_room(10);
    go(9); /* the last */
    go(0);
    go(4);
    check_room(7);
    for (size_t i = 0; i < 9; i++)
        if (i != 0 && i != 4) go(i);
    check_room(0);
    chan_drop_if_empty(room.chan, 1);
}

static void memory_is_given_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) enter(i);
    uint32_t most = room.chan->cap;
    for (size_t i = 0; i < MANY - 2; i++) go(i);
    check_room(2);
    assert_true(room.chan->cap < most / 3);
    go(MANY - 1);
    go(MANY - 2);
    chan_drop_if_empty(room.chan, 1);
}

static void nobody_moves_while_it_is_busy(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) enter(i);
    room.chan->busy = true;
    const size_t gone[] = { 0, 3, 6, 7 };
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) go(gone[i]);
    assert_int_equal(room.chan->n, 8);
    assert_int_equal(room.at[5], 5);
    enter(8);
    assert_int_equal(room.at[8], 8);
    check_room(5);
    chan_compact(room.chan);
    assert_int_equal(room.chan->n, 5);
    assert_false(room.chan->busy);
    check_room(5);
    const size_t left[] = { 1, 2, 4, 5, 8 };
    for (size_t i = 0; i < ARRAY_LEN(left); i++) go(left[i]);
    chan_drop_if_empty(room.chan, 1);
}

static void every_pattern_of_holes_is_compacted(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        size_t left = 0;
        for (size_t i = 0; i < 8; i++) enter(i);
        room.chan->busy = true;
        for (size_t i = 0; i < 8; i++)
            if (pattern >> i & 1)
                go(i);
            else
                left++;
        chan_compact(room.chan);
        assert_int_equal(room.chan->n, left);
        check_room(left);
        for (size_t i = 0; i < 8; i++)
            if (!(pattern >> i & 1)) go(i);
    }
    chan_drop_if_empty(room.chan, 1);
}

static void a_busy_channel_stays_when_it_is_emptied(void **state)
{
    (void)state;
    enter(0);
    room.chan->busy = true;
    go(0);
    chan_drop_if_empty(room.chan, 1);
    assert_ptr_equal(room.rec->slots[1].chan, room.chan);
    assert_ptr_equal(chan_get(room.rec, 1), room.chan);
    chan_compact(room.chan);
    assert_int_equal(room.chan->n, 0);
    chan_drop_if_empty(room.chan, 1);
}

static void without_memory_nobody_enters(void **state)
{
    (void)state;
    mem_fail_after(0, false);
    assert_int_equal(chan_reserve(room.chan), ERR_NOMEM);
    mem_fail_after(0, false);
    assert_null(chan_get(room.rec, 0));
    mem_fail_after(-1, false);
    check_room(0);
    chan_drop_if_empty(room.chan, 1);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, open_room, close_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(leaving_keeps_everybody_in_his_place),
        IN_ROOM(memory_is_given_back),
        IN_ROOM(nobody_moves_while_it_is_busy),
        IN_ROOM(every_pattern_of_holes_is_compacted),
        IN_ROOM(a_busy_channel_stays_when_it_is_emptied),
        IN_ROOM(without_memory_nobody_enters),
    };
    return RUN_TESTS(tests);
}
