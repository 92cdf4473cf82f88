/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_sock.c: outcomes of reading and writing, addresses as text. */
#include "net/fds.h"
#include "unit/net/net_test.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>

static void reading_says_again_then_the_bytes_then_closed(void **state)
{
    (void)state;
    int fds[2];
    char bytes[8];
    size_t n = 99;
    make_pair(fds);
    assert_int_equal(sock_recv(fds[0], bytes, sizeof bytes, &n), SOCK_AGAIN);
    assert_int_equal(n, 99); /* written on success only */
    assert_int_equal(write(fds[1], "hello", 5), 5);
    assert_int_equal(sock_recv(fds[0], bytes, sizeof bytes, &n), SOCK_OK);
    assert_span(span_of(bytes, n), "hello");
    sock_shutdown_write(fds[1]);
    assert_int_equal(sock_recv(fds[0], bytes, sizeof bytes, &n), SOCK_CLOSED);
    write_byte(fds[0], 'x'); /* the other direction lives on */
    assert_int_equal(read_byte(fds[1]), 'x');
    close(fds[0]);
    close(fds[1]);
}

static void writing_says_how_much_fits_and_then_again(void **state)
{
    (void)state;
    int fds[2];
    make_pair(fds);
    static char block[65536];
    size_t total = 0, n = 0;
    enum sock_status status;
    while ((status = sock_send(fds[0], block, sizeof block, &n)) == SOCK_OK) total += n;
    assert_int_equal(status, SOCK_AGAIN);
    assert_true(total > 0);
    close(fds[0]);
    size_t got = 0;
    for (ssize_t r; (r = read(fds[1], block, sizeof block)) > 0;) got += (size_t)r;
    assert_int_equal(got, total);
    close(fds[1]);
}

static void parts_are_written_one_after_the_other(void **state)
{
    (void)state;
    int fds[2];
    make_pair(fds);
    char a[] = "one ", b[] = "two ", c[] = "three";
    const struct iovec iov[] = { { a, 4 }, { b, 4 }, { c, 5 } };
    size_t n = 0;
    assert_int_equal(sock_sendv(fds[0], iov, 3, &n), SOCK_OK);
    assert_int_equal(n, 13);
    char bytes[32];
    assert_int_equal(sock_recv(fds[1], bytes, sizeof bytes, &n), SOCK_OK);
    assert_span(span_of(bytes, n), "one two three");
    close(fds[0]);
    close(fds[1]);
}

static void writing_to_nobody_is_an_error_and_no_signal(void **state)
{
    (void)state;
    int fds[2];
    make_pair(fds);
    close(fds[1]);
    size_t n;
    char c = 'x';
    const struct iovec iov = { &c, 1 };
    assert_int_equal(sock_send(fds[0], "x", 1, &n), SOCK_ERROR);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(sock_sendv(fds[0], &iov, 1, &n), SOCK_ERROR);
    close(fds[0]);
}

/* A TCP connection over loopback: near end, far end. */
static void make_tcp(int fds[2])
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof sin;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&sin, len), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&sin, &len), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&sin, len), 0);
    fds[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fds[0] >= 0);
    close(listening);
}

static void a_reset_reaches_the_peer_as_an_error(void **state)
{
    (void)state;
    int fds[2];
    make_tcp(fds);
    fds_opened(1);
    uint64_t before = fds_in_use();
    sock_close_reset(fds[0]);
    assert_int_equal(fds_in_use(), before - 1);
    char c;
    size_t n;
    assert_int_equal(sock_recv(fds[1], &c, 1, &n), SOCK_ERROR);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(sock_error(fds[1]), 0);
    struct sock_addr addr;
    assert_false(sock_peer(fds[1], &addr)); /* not connected any more */
    close(fds[1]);
}

static void no_delay_is_set_on_tcp_and_does_no_harm_elsewhere(void **state)
{
    (void)state;
    int fds[2], pair[2], on = 0;
    socklen_t len = sizeof on;
    make_tcp(fds);
    make_pair(pair);
    sock_set_nodelay(fds[0]);
    assert_int_equal(getsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on);
    sock_set_nodelay(pair[0]);
    close(fds[0]);
    close(fds[1]);
    close(pair[0]);
    close(pair[1]);
}

static struct sock_addr v4(const char *host, uint16_t port)
{
    struct sock_addr a = { .u.v4.sin_family = AF_INET, .len = sizeof a.u.v4 };
    assert_int_equal(inet_pton(AF_INET, host, &a.u.v4.sin_addr), 1);
    a.u.v4.sin_port = htons(port);
    return a;
}

static struct sock_addr v6(const char *host, uint16_t port)
{
    struct sock_addr a = { .u.v6.sin6_family = AF_INET6, .len = sizeof a.u.v6 };
    assert_int_equal(inet_pton(AF_INET6, host, &a.u.v6.sin6_addr), 1);
    a.u.v6.sin6_port = htons(port);
    return a;
}

static void addresses_read_as_people_write_them(void **state)
{
    (void)state;
    struct {
        struct sock_addr addr;
        const char *text, *host;
        uint16_t port;
        bool loopback, is_unix;
    } cases[] = {
        { v4("192.0.2.1", 80), "192.0.2.1:80", "192.0.2.1", 80, false, false },
        { v4("127.9.9.9", 65535), "127.9.9.9:65535", "127.9.9.9", 65535, true, false },
        { v4("0.0.0.0", 0), "0.0.0.0:0", "0.0.0.0", 0, false, false },
        { v6("::1", 6001), "[::1]:6001", "::1", 6001, true, false },
        { v6("2001:db8::2", 1), "[2001:db8::2]:1", "2001:db8::2", 1, false, false },
        { v6("::ffff:10.0.0.7", 5), "10.0.0.7:5", "10.0.0.7", 5, false, false },
        { v6("::ffff:127.0.0.1", 5), "127.0.0.1:5", "127.0.0.1", 5, true, false },
        { { .u.un = { AF_UNIX, "/run/x.sock" }, .len = sizeof(struct sockaddr_un) },
          "unix:/run/x.sock",
          "unix",
          0,
          true,
          true },
        { { .u.un = { AF_UNIX, "" }, .len = sizeof(sa_family_t) }, "unix:", "unix", 0, true, true },
    };
    char text[SOCK_ADDR_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_span(sock_addr_text(&cases[i].addr, text), cases[i].text);
        assert_string_equal(text, cases[i].text); /* terminated */
        assert_span(sock_addr_host(&cases[i].addr, text), cases[i].host);
        assert_string_equal(text, cases[i].host);
        assert_int_equal(sock_addr_port(&cases[i].addr), cases[i].port);
        assert_int_equal(sock_addr_is_loopback(&cases[i].addr), cases[i].loopback);
        assert_int_equal(sock_addr_is_unix(&cases[i].addr), cases[i].is_unix);
    }
}

static void both_ends_know_each_other(void **state)
{
    (void)state;
    int fds[2];
    make_tcp(fds);
    struct sock_addr peer, local;
    assert_true(sock_peer(fds[0], &peer));
    assert_true(sock_local(fds[1], &local));
    char a[SOCK_ADDR_TEXT_MAX], b[SOCK_ADDR_TEXT_MAX];
    sock_addr_text(&peer, a);
    sock_addr_text(&local, b);
    assert_string_equal(a, b);
    assert_true(sock_addr_is_loopback(&peer));
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_says_again_then_the_bytes_then_closed),
        cmocka_unit_test(writing_says_how_much_fits_and_then_again),
        cmocka_unit_test(parts_are_written_one_after_the_other),
        cmocka_unit_test(writing_to_nobody_is_an_error_and_no_signal),
        cmocka_unit_test(a_reset_reaches_the_peer_as_an_error),
        cmocka_unit_test(no_delay_is_set_on_tcp_and_does_no_harm_elsewhere),
        cmocka_unit_test(addresses_read_as_people_write_them),
        cmocka_unit_test(both_ends_know_each_other),
    };
    return RUN_TESTS(tests);
}
