/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_map.c: the hash table, against a plain array as the model. */
#include "base/map.h"
#include "base/mem.h"
#include "unit/test.h"

struct item {
    uint32_t key;
    bool in; /* the model: is it in the map? */
};

#define N_ITEMS 2000
static struct item items[N_ITEMS];

static bool same_key(const void *entry, const void *key)
{
    const struct item *item = entry;
    const uint32_t *want = key;
    return item->key == *want;
}

static int fresh(void **state)
{
    (void)state;
    mem_fail_after(-1, false);
    for (uint32_t i = 0; i < N_ITEMS; i++) items[i] = (struct item) { .key = i };
    return 0;
}

/* A few hundred home slots only, many at the very end of the table: runs are long and wrap. */
static uint64_t crowded(uint32_t key)
{
    return UINT64_C(0xffffffffffffff00) + key % 251 + ((uint64_t)(key % 3) << 32);
}

static uint64_t all_equal(uint32_t key)
{
    (void)key;
    return 7;
}

static uint64_t spread(uint32_t key)
{
    return (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
}

static void agrees_with_model(const struct map *m, uint64_t (*hash)(uint32_t))
{
    uint32_t n = 0, visited = 0, pos = 0;
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        void *found = map_find(m, hash(i), same_key, &i);
        assert_ptr_equal(found, items[i].in ? &items[i] : NULL);
        n += items[i].in;
    }
    assert_int_equal(m->n, n);
    for (struct item *item; (item = map_next(m, &pos));) {
        assert_true(item->in);
        visited++;
    }
    assert_int_equal(visited, n);
}

/* Adds and removes at random (fixed seed), first growing, then draining. */
static void exercise(uint64_t (*hash)(uint32_t), int rounds)
{
    struct map m = { 0 };
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < rounds; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t i = (uint32_t)(random % N_ITEMS);
        bool add = random >> 40 & (round < rounds / 2 ? 3 : 1) ? true : false;
        if (round > rounds * 3 / 4) add = false;
        if (add && !items[i].in) {
            assert_int_equal(map_add(&m, hash(i), &items[i]), ERR_OK);
            items[i].in = true;
        } else if (!add) {
            map_remove(&m, hash(i), &items[i]); /* also when it is not there */
            items[i].in = false;
        }
        if (round % (rounds / 20) == 0) agrees_with_model(&m, hash);
    }
    agrees_with_model(&m, hash);
    for (uint32_t i = 0; i < N_ITEMS; i++) map_remove(&m, hash(i), &items[i]);
    assert_int_equal(m.n, 0);
    assert_int_equal(map_bytes(&m), 0); /* an empty map owns no memory */
    map_fini(&m);
}

static void agrees_with_a_model_when_hashes_spread(void **state)
{
    (void)state;
    exercise(spread, 40000);
}

static void agrees_with_a_model_when_runs_are_long_and_wrap(void **state)
{
    (void)state;
    exercise(crowded, 20000);
}

static void agrees_with_a_model_when_all_hashes_are_equal(void **state)
{
    (void)state;
    exercise(all_equal, 2000);
}

static void an_empty_map_finds_and_removes_nothing(void **state)
{
    (void)state;
    struct map m = { 0 };
    uint32_t key = 1, pos = 0;
    assert_null(map_find(&m, 1, same_key, &key));
    map_remove(&m, 1, &items[1]);
    assert_null(map_next(&m, &pos));
    map_fini(&m);
}

static void without_memory_a_map_stays_as_it_was(void **state)
{
    (void)state;
    struct map m = { 0 };
    mem_fail_after(0, true);
    assert_int_equal(map_add(&m, spread(0), &items[0]), ERR_NOMEM);
    assert_int_equal(m.n, 0);
    mem_fail_after(1, true); /* the first table, then no more */
    uint32_t n = 0;
    while (n < N_ITEMS && map_add(&m, spread(n), &items[n]) == ERR_OK) items[n++].in = true;
    assert_int_equal(n, 6); /* three quarters of eight */
    agrees_with_model(&m, spread);
    mem_fail_after(-1, false);
    assert_int_equal(map_add(&m, spread(n), &items[n]), ERR_OK);
    items[n].in = true;
    agrees_with_model(&m, spread);
    map_fini(&m);
}

static void a_map_that_cannot_shrink_still_works(void **state)
{
    (void)state;
    struct map m = { 0 };
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        assert_int_equal(map_add(&m, spread(i), &items[i]), ERR_OK);
        items[i].in = true;
    }
    size_t bytes = map_bytes(&m);
    mem_fail_after(0, true);
    for (uint32_t i = 10; i < N_ITEMS; i++) {
        map_remove(&m, spread(i), &items[i]);
        items[i].in = false;
    }
    assert_true(mem_fail_count() > 0);
    assert_int_equal(map_bytes(&m), bytes);
    agrees_with_model(&m, spread);
    mem_fail_after(-1, false);
    for (uint32_t i = 1; i < 10; i++) {
        map_remove(&m, spread(i), &items[i]);
        items[i].in = false;
    }
    assert_true(map_bytes(&m) < bytes);
    agrees_with_model(&m, spread);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(agrees_with_a_model_when_hashes_spread, fresh),
        cmocka_unit_test_setup(agrees_with_a_model_when_runs_are_long_and_wrap, fresh),
        cmocka_unit_test_setup(agrees_with_a_model_when_all_hashes_are_equal, fresh),
        cmocka_unit_test_setup(an_empty_map_finds_and_removes_nothing, fresh),
        cmocka_unit_test_setup_teardown(without_memory_a_map_stays_as_it_was, fresh, fresh),
        cmocka_unit_test_setup_teardown(a_map_that_cannot_shrink_still_works, fresh, fresh),
    };
    return RUN_TESTS(tests);
}
