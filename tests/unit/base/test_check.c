/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_check.c: invariants abort with their expression; checked arithmetic. */
#include "base/check.h"
#include "base/list.h"
#include "unit/test.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `f` in a child; returns its wait status and what it wrote to standard error. */
static int run_child(void (*f)(void), char *text, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        f();
        _exit(0);
    }
    close(fds[1]);
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(fds[0], text + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void break_an_invariant(void)
{
    int two = 2;
    CHECK(two + two == 5);
}

static void keep_an_invariant(void)
{
    int two = 2;
    CHECK(two + two == 4);
}

static void link_twice(void)
{
    struct list head, node = { 0 };
    list_init(&head);
    list_push(&head, &node);
    list_push(&head, &node);
}

static void a_broken_invariant_prints_its_expression_and_aborts(void **state)
{
    (void)state;
    char text[1024];
    int status = run_child(break_an_invariant, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "two + two == 5"));
    assert_non_null(strstr(text, "test_check.c:"));
}

static void a_kept_invariant_says_nothing(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(run_child(keep_an_invariant, text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void linking_a_linked_node_aborts(void **state)
{
    (void)state;
    char text[1024];
    assert_true(WIFSIGNALED(run_child(link_twice, text, sizeof text)));
}

static void sums_and_products_that_overflow_are_noticed(void **state)
{
    (void)state;
    size_t v;
    assert_true(size_add(SIZE_MAX - 1, 1, &v));
    assert_true(v == SIZE_MAX);
    assert_false(size_add(SIZE_MAX, 1, &v));
    assert_true(size_mul(SIZE_MAX / 2, 2, &v));
    assert_false(size_mul(SIZE_MAX / 2 + 1, 2, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_invariant_prints_its_expression_and_aborts),
        cmocka_unit_test(a_kept_invariant_says_nothing),
        cmocka_unit_test(linking_a_linked_node_aborts),
        cmocka_unit_test(sums_and_products_that_overflow_are_noticed),
    };
    return RUN_TESTS(tests);
}
