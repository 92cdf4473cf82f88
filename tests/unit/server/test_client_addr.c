/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_client_addr.c: whom a request is said to come from. */
#include "server/client_addr.h"
#include "unit/net/net_test.h"
#include <arpa/inet.h>

struct fixture {
    int tcp[2], un[2]; /* the server's end first */
    struct config cfg;
    struct config_net nets[2];
    struct http1_req req;
    char text[SOCK_ADDR_TEXT_MAX];
};

static void connect_loopback(int ends[2])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ends[1], (struct sockaddr *)&at, len), 0);
    ends[0] = accept(listener, NULL, NULL);
    assert_true(ends[0] >= 0);
    close(listener);
}

/* Trusted are 127.0.0.0/8 and 10.0.0.0/8. */
static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture) { .text = "" };
    connect_loopback(f.tcp);
    make_pair(f.un);
    f.nets[0].bits = f.nets[1].bits = 104;
    f.nets[0].addr[10] = f.nets[0].addr[11] = f.nets[1].addr[10] = f.nets[1].addr[11] = 0xff;
    f.nets[0].addr[12] = 127;
    f.nets[1].addr[12] = 10;
    f.cfg.trusted_proxies = (struct config_nets) { f.nets, 2 };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        close(f->tcp[i]);
        close(f->un[i]);
    }
    return 0;
}

static const char *answer(struct fixture *f, int fd, const char *headers)
{
    static char out[200];
    struct buf b = { 0 };
    enum http1_ev ev;
    buf_add_fmt(&b, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    http1_req_init(&f->req, &http1_limits_default);
    assert_int_equal(http1_req_feed(&f->req, b.p, b.n, &ev), b.n);
    assert_int_equal(ev, HTTP1_EV_HEAD);
    struct span addr = client_addr(fd, &f->req, &f->cfg, f->text);
    snprintf(out, sizeof out, "%.*s", SPAN_FMT(addr));
    http1_req_fini(&f->req);
    buf_fini(&b);
    return out;
}

static void chains_are_followed_from_the_end_as_long_as_they_are_trusted(void **state)
{
    static const struct {
        const char *headers, *want;
    } rows[] = {
        { "", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1" },
        { "x-forwarded-for:   192.0.2.1  \r\n", "192.0.2.1" },
        { "X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1, 10.0.0.7\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1,10.0.0.7,10.1.2.3\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.7\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7" },
        { "X-Forwarded-For: 10.0.0.9, 10.0.0.7\r\n", "10.0.0.9" },
        { "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "::ffff:192.0.2.1" },
        /* some proxies write ports */
        { "X-Forwarded-For: 192.0.2.1:5678\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1:5678, 10.0.0.7:1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: [2001:db8::7]:123\r\n", "2001:db8::7" },
        { "X-Forwarded-For: [2001:db8::7], 10.0.0.7\r\n", "2001:db8::7" },
        { "X-Forwarded-For: 192.0.2.1:\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1:65536\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1:12x\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1:1:2\r\n", "127.0.0.1" },
        { "X-Forwarded-For: [2001:db8::7\r\n", "127.0.0.1" },
        { "X-Forwarded-For: [2001:db8::7]123\r\n", "127.0.0.1" },
        { "X-Forwarded-For: [192.0.2.1]x:1\r\n", "127.0.0.1" },
        { "X-Forwarded-For: :80\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 2001:80\r\n", "127.0.0.1" },
        /* several headers are one list */
        { "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1\r\nA: b\r\nX-Forwarded-For: 10.0.0.7\r\n", "192.0.2.1" },
        /* what is no address ends it: what stands before cannot be believed either */
        { "X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.7\r\n", "10.0.0.7" },
        { "X-Forwarded-For: ,\r\n", "127.0.0.1" },
        { "X-Forwarded-For:\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1;drop\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 999.0.2.1\r\n", "127.0.0.1" },
        { "X-Forwarded-For: 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc\r\n",
          "127.0.0.1" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(answer(*state, ((struct fixture *)*state)->tcp[0], rows[i].headers),
                            rows[i].want);
}

static void a_peer_that_is_not_trusted_says_nothing_about_others(void **state)
{
    struct fixture *f = *state;
    f->cfg.trusted_proxies.n = 0;
    assert_string_equal(answer(f, f->tcp[0], "X-Forwarded-For: 192.0.2.1\r\n"), "127.0.0.1");
}

static void a_proxy_on_a_unix_socket_is_trusted(void **state)
{
    struct fixture *f = *state;
    f->cfg.trusted_proxies.n = 0;
    assert_string_equal(answer(f, f->un[0], "X-Forwarded-For: 192.0.2.1\r\n"), "192.0.2.1");
    assert_string_equal(answer(f, f->un[0], ""), "unix");
}

static void a_peer_that_is_gone_has_no_address(void **state)
{
    struct fixture *f = *state;
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    char c;
    assert_int_equal(setsockopt(f->tcp[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(f->tcp[1]);
    assert_int_equal(recv(f->tcp[0], &c, 1, 0), -1); /* waits for the reset */
    f->tcp[1] = dup(f->tcp[0]);
    assert_string_equal(answer(f, f->tcp[0], "X-Forwarded-For: 192.0.2.1\r\n"), "gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            chains_are_followed_from_the_end_as_long_as_they_are_trusted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_is_not_trusted_says_nothing_about_others,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_proxy_on_a_unix_socket_is_trusted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone_has_no_address, set_up, tear_down),
    };
    return RUN_TESTS(tests);
}
