/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_token.c: one holder at a time, and never none while somebody waits. */
#include "net/loop.h"
#include "net/token.h"
#include "unit/test.h"

#define N 4

static struct loop *loop;
static uv_async_t seats[N];
static unsigned wakes[N];

static void on_seat(uv_async_t *handle)
{
    wakes[handle - seats]++;
}

static int open_seats(void **state)
{
    (void)state;
    if (loop_new(&(struct loop_hooks) { 0 }, &loop) != ERR_OK) return -1;
    for (size_t i = 0; i < N; i++)
        if (uv_async_init(loop_uv(loop), &seats[i], on_seat) != 0) return -1;
    return 0;
}

static int close_seats(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) uv_close((uv_handle_t *)&seats[i], NULL);
    loop_free(&loop);
    return 0;
}

/* Lets the wake-ups come in; the seats that were woken, as digits. */
static void assert_woken(const char *digits)
{
    memset(wakes, 0, sizeof wakes);
    loop_stop(loop);
    loop_run(loop);
    char got[N + 1] = "";
    size_t n = 0;
    for (size_t i = 0; i < N; i++)
        if (wakes[i]) got[n++] = (char)('0' + i);
    assert_string_equal(got, digits);
}

static void the_first_to_join_holds_it_and_passes_it_round(void **state)
{
    (void)state;
    struct token t;
    token_init(&t, N);
    assert_true(token_join(&t, 1, &seats[1]));
    assert_true(token_join(&t, 1, &seats[1])); /* twice is once */
    assert_true(token_pass(&t, 1));            /* alone: it stays */
    assert_false(token_join(&t, 3, &seats[3]));
    assert_false(token_join(&t, 0, &seats[0]));
    assert_woken("");
    assert_false(token_pass(&t, 1));
    assert_woken("3");
    assert_true(token_join(&t, 3, &seats[3]));
    assert_false(token_pass(&t, 3));
    assert_woken("0");
    assert_false(token_pass(&t, 0));
    assert_woken("1");
    token_leave(&t, 0);
    token_leave(&t, 3);
    token_leave(&t, 1);
    token_fini(&t);
}

static void who_leaves_with_it_hands_it_on(void **state)
{
    (void)state;
    struct token t;
    token_init(&t, N);
    assert_true(token_join(&t, 2, &seats[2]));
    assert_false(token_join(&t, 0, &seats[0]));
    assert_false(token_join(&t, 1, &seats[1]));
    token_leave(&t, 1); /* did not hold it */
    assert_woken("");
    token_leave(&t, 2);
    assert_woken("0");
    token_leave(&t, 2); /* twice is once */
    assert_woken("");
    token_leave(&t, 0);
    assert_woken("");
    assert_true(token_join(&t, 3, &seats[3])); /* nobody had it */
    token_leave(&t, 3);
    token_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_to_join_holds_it_and_passes_it_round, open_seats,
                                        close_seats),
        cmocka_unit_test_setup_teardown(who_leaves_with_it_hands_it_on, open_seats, close_seats),
    };
    return RUN_TESTS(tests);
}
