/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_inherit.c: what a process was started with. */
#include "server/inherit.h"
#include "unit/test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listening(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static void set_listeners(int a, const char *name_a, int b, const char *name_b)
{
    char text[200];
    snprintf(text, sizeof text, "%d:%s,%d:%s", a, name_a, b, name_b);
    setenv(INHERIT_LISTENERS, text, 1);
}

static void nothing_in_the_environment_is_a_first_generation(void **state)
{
    (void)state;
    struct inherited in;
    struct diag d = { "" };
    unsetenv(INHERIT_LISTENERS);
    assert_int_equal(inherit_read(&in, &d), ERR_OK);
    assert_int_equal(in.n, 0);
    assert_int_equal(in.generation, 1);
    inherit_fini(&in);
}

static void listeners_are_taken_by_name_and_the_environment_is_clean(void **state)
{
    (void)state;
    struct inherited in;
    struct diag d = { "" };
    struct sock_addr addr = { .len = 0 };
    int a = listening(), b = listening(), fds[2];
    bool given = true;
    set_listeners(a, "listen@127.0.0.1:0", b, "listen@127.0.0.1:0");
    setenv(INHERIT_GENERATION, "7", 1);
    assert_int_equal(inherit_read(&in, &d), ERR_OK);
    assert_int_equal(in.generation, 7);
    assert_null(getenv(INHERIT_LISTENERS));
    assert_null(getenv(INHERIT_GENERATION));
    assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
    assert_true(inherit_has(&in, SPAN("listen@127.0.0.1:0"), &addr));
    assert_int_equal(inherit_take(&in, SPAN("admin@127.0.0.1:0"), &addr, fds, &given), 0);
    assert_int_equal(inherit_take(&in, SPAN("listen@127.0.0.1:0"), &addr, fds, &given), 2);
    assert_false(given);
    assert_true(fds[0] == a && fds[1] == b);
    assert_int_equal(inherit_take(&in, SPAN("listen@127.0.0.1:0"), &addr, fds, &given), 0);
    inherit_close_rest(&in);
    assert_true(fcntl(a, F_GETFD) >= 0);
    inherit_fini(&in);
    close(a);
    close(b);
}

static void what_nobody_takes_is_closed(void **state)
{
    (void)state;
    struct inherited in;
    struct diag d = { "" };
    int a = listening(), b = listening(), fds[2];
    bool given;
    set_listeners(a, "listen@x", b, "!listen@y");
    assert_int_equal(inherit_read(&in, &d), ERR_OK);
    struct sock_addr addr = { .len = 0 };
    assert_int_equal(inherit_take(&in, SPAN("listen@y"), &addr, fds, &given), 1);
    assert_true(given);
    inherit_close_rest(&in);
    assert_true(fcntl(a, F_GETFD) < 0);
    assert_true(fcntl(b, F_GETFD) >= 0);
    inherit_fini(&in);
    close(b);
}

static void names_tell_listeners_apart_and_hold_no_separator(void **state)
{
    (void)state;
    struct buf b = { 0 };
    inherit_name(&b, false, SPAN("127.0.0.1:0"), 0);
    BUF_ADD_LIT(&b, " ");
    inherit_name(&b, false, SPAN("127.0.0.1:0"), 2);
    BUF_ADD_LIT(&b, " ");
    inherit_name(&b, true, SPAN("unix:/a,b% c"), 0);
    assert_true(span_eq(buf_span(&b), SPAN("listen@127.0.0.1:0 listen@127.0.0.1:0#2 "
                                           "admin@unix:/a%2Cb%25%20c")));
    buf_fini(&b);
}

static void what_is_not_ours_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "x", "3", "3:", ":a", "-1:a", "3:a,", "99999999999:a" };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct inherited in;
        struct diag d = { "" };
        setenv(INHERIT_LISTENERS, wrong[i], 1);
        assert_int_equal(inherit_read(&in, &d), ERR_CONFIG);
        assert_non_null(strstr(d.text, INHERIT_LISTENERS));
        inherit_fini(&in);
    }
}

static void systemd_s_sockets_count_for_the_process_that_is_named_only(void **state)
{
    (void)state;
    struct inherited in;
    struct diag d = { "" };
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", "1", 1);
    assert_int_equal(inherit_read(&in, &d), ERR_OK);
    assert_int_equal(in.n, 0);
    assert_null(getenv("LISTEN_FDS"));
    inherit_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_in_the_environment_is_a_first_generation),
        cmocka_unit_test(listeners_are_taken_by_name_and_the_environment_is_clean),
        cmocka_unit_test(what_nobody_takes_is_closed),
        cmocka_unit_test(names_tell_listeners_apart_and_hold_no_separator),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(systemd_s_sockets_count_for_the_process_that_is_named_only),
    };
    return RUN_TESTS(tests);
}
