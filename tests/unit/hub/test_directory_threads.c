/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_directory_threads.c: several workers, each a thread, share channels.
 *
 * On each worker a witness hears everything on every channel from the beginning: all witnesses of a
 * channel must have heard the same, in one order, and each publish once. Visitors come and go: what
 * one hears between joining and leaving must be a piece of that order without a gap. */
#include "unit/hub/room.h"
#include <pthread.h>

#define WORKERS 4
#define ROUNDS 10000
#define VISITORS 4
#define CHANNELS 4
#define LOG_MAX (WORKERS * ROUNDS * 2)
#define JOINED (UINT32_C(1) << 31) /* in a log: joined here, with so many own publishes before */
#define ID(worker, n) ((uint32_t)(worker) << 20 | (n))

static const char *const channels[CHANNELS] = { "one", "two", "cache-three", "private-four" };

/* One client that listens on one channel. */
struct ear {
    struct client c;
    unsigned channel;
    bool in;
    uint32_t n;
    uint32_t log[LOG_MAX];
};

struct worker {
    unsigned number;
    uint64_t random;
    uint32_t n_published[CHANNELS];
    struct ear witnesses[CHANNELS];
    struct ear visitors[VISITORS];
    struct client tabs[3]; /* presence, and signed in */
    bool tab_in[3];
};

static struct world w;
static struct worker *workers;

static void note(struct client *c, struct msg *msg)
{
    struct ear *ear = CONTAINER_OF(c, struct ear, c);
    struct span text = msg_text(msg);
    const char *at = memmem(text.p, text.n, "\"data\":", 7);
    if (!at || at[7] == '"') return;
    uint32_t id = 0;
    for (at += 7; *at >= '0' && *at <= '9'; at++) id = id * 10 + (uint32_t)(*at - '0');
    CHECK(ear->n < LOG_MAX);
    ear->log[ear->n++] = id;
}

static void ignore(struct client *c, struct msg *msg)
{
    CHECK(!c->conn.closed && msg_text(msg).n > 0);
}

static void open_ear(struct worker *me, struct ear *ear, unsigned channel, uint32_t number)
{
    ear->channel = channel;
    ear->c.hears = note;
    client_open(&ear->c, &w, me->number, number);
}

static int open_workers(void **state)
{
    (void)state;
    world_init(&w, WORKERS);
    w.settings[0].watchlist = true;
    w.settings[0].subscription_count = true;
    world_open(&w);
    workers = mem_zalloc(WORKERS * sizeof *workers);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *me = &workers[i];
        *me = (struct worker) { .number = i, .random = i + 1 };
        uint32_t number = (i + 1) * 100;
        for (unsigned k = 0; k < CHANNELS; k++) {
            open_ear(me, &me->witnesses[k], k, number++);
            client_subscribes(&me->witnesses[k].c, channels[k], NULL);
        }
        for (unsigned k = 0; k < VISITORS; k++) open_ear(me, &me->visitors[k], k, number++);
        for (unsigned k = 0; k < 3; k++) {
            me->tabs[k].hears = ignore;
            client_open(&me->tabs[k], &w, i, number++);
        }
        client_signs_in(&me->tabs[0], "{\"id\":\"1\",\"watchlist\":[\"1\",\"2\"]}");
    }
    return 0;
}

static int close_workers(void **state)
{
    (void)state;
    world_end(&w);
    mem_free(workers);
    return 0;
}

static uint32_t draw(struct worker *me, uint32_t n)
{
    me->random = me->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(me->random >> 33) % n;
}

static void publish(struct worker *me)
{
    unsigned channel = draw(me, CHANNELS);
    char data[16];
    snprintf(data, sizeof data, "%u", ID(me->number, me->n_published[channel]++));
    world_publish_as(&w, me->number, channels[channel], data, 0);
}

static void come_or_go(struct worker *me)
{
    struct ear *ear = &me->visitors[draw(me, VISITORS)];
    ear->in = !ear->in;
    if (!ear->in) {
        client_unsubscribes(&ear->c, channels[ear->channel]);
        return;
    }
    CHECK(ear->n < LOG_MAX);
    ear->log[ear->n++] = JOINED | me->n_published[ear->channel];
    client_subscribes(&ear->c, channels[ear->channel], NULL);
}

static void be_present(struct worker *me)
{
    unsigned k = draw(me, 3);
    char data[32];
    snprintf(data, sizeof data, "{\"user_id\":%u}", draw(me, 5));
    if (me->tab_in[k] && draw(me, 3)) {
        client_unsubscribes(&me->tabs[k], "presence-r");
        me->tab_in[k] = false;
    } else { /* perhaps again, as the same or somebody else */
        client_subscribes(&me->tabs[k], "presence-r", data);
        me->tab_in[k] = true;
    }
}

static void ask(void)
{
    struct dir_list list;
    CHECK(dir_list(w.dir, &w.apps->all[0], SPAN("p"), &list) == ERR_OK);
    dir_list_fini(&list);
    struct dir_facts facts;
    dir_facts(w.dir, &w.apps->all[0], SPAN("cache-three"), w.now_ms, &facts);
    msg_unref(facts.cached);
    struct roster_view *people = dir_roster(w.dir, &w.apps->all[0], SPAN("presence-r"));
    for (uint32_t i = 0; people && i < people->n_members; i++)
        CHECK(member_id(roster_view_at(people, i)).n > 0);
    roster_view_unref(people);
}

static void *work(void *arg)
{
    struct worker *me = arg;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t what = draw(me, 16);
        if (what < 6)
            publish(me);
        else if (what < 9)
            come_or_go(me);
        else if (what < 11)
            be_present(me);
        else if (what == 11)
            world_publish_as(&w, me->number, "#server-to-user-1", "\"x\"", 0);
        else if (what == 12)
            ask();
        else
            world_turn(&w, me->number);
    }
    return NULL;
}

/* Where an id stands in the order. */
static uint32_t place_of(const struct ear *witness, uint32_t id)
{
    for (uint32_t i = 0; i < witness->n; i++)
        if (witness->log[i] == id) return i;
    return UINT32_MAX;
}

static void check_visitor(const struct worker *me, const struct ear *ear)
{
    const struct ear *witness = &me->witnesses[ear->channel];
    uint32_t next = UINT32_MAX, latest_first = UINT32_MAX;
    for (uint32_t i = 0; i < ear->n; i++) {
        if (ear->log[i] & JOINED) {
            /* What this worker published next must not have come before the first that he heard. */
            latest_first = place_of(witness, ID(me->number, ear->log[i] & ~JOINED));
            next = UINT32_MAX;
            continue;
        }
        if (next == UINT32_MAX) {
            next = place_of(witness, ear->log[i]);
            assert_true(next != UINT32_MAX && next <= latest_first);
        }
        assert_true(next < witness->n);
        assert_int_equal(witness->log[next++], ear->log[i]);
    }
}

static void everybody_hears_one_order(void **state)
{
    (void)state;
    pthread_t threads[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (unsigned i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
    world_settle(&w);
    for (unsigned k = 0; k < CHANNELS; k++) {
        uint32_t n = 0;
        for (unsigned i = 0; i < WORKERS; i++) n += workers[i].n_published[k];
        const struct ear *first = &workers[0].witnesses[k];
        for (unsigned i = 0; i < WORKERS; i++) {
            const struct ear *ear = &workers[i].witnesses[k];
            assert_int_equal(ear->n, n);
            assert_memory_equal(ear->log, first->log, n * sizeof ear->log[0]);
        }
        for (unsigned i = 0; i < WORKERS; i++)
            for (uint32_t m = 0; m < workers[i].n_published[k]; m++)
                assert_true(place_of(first, ID(i, m)) != UINT32_MAX);
    }
    uint32_t tabs = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        for (unsigned k = 0; k < VISITORS; k++) check_visitor(&workers[i], &workers[i].visitors[k]);
        for (unsigned k = 0; k < 3; k++) tabs += workers[i].tab_in[k];
    }
    struct dir_facts facts;
    dir_facts(w.dir, &w.apps->all[0], SPAN("presence-r"), w.now_ms, &facts);
    assert_int_equal(facts.n_subs, tabs);
    assert_int_equal(dir_user_count(w.dir, &w.apps->all[0], SPAN("1")), WORKERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_hears_one_order, open_workers, close_workers),
    };
    return RUN_TESTS(tests);
}
