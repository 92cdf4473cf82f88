/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_endpoint.c: addresses as text, binding, and what is said when it fails. */
#include "net/endpoint.h"
#include "net/fds.h"
#include "unit/net/net_test.h"
#include <netdb.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static struct sock_addr parse(const char *text)
{
    struct sock_addr addr;
    struct diag d;
    enum err err = endpoint_parse(span_str(text), &addr, &d);
    if (err != ERR_OK) print_error("%s\n", d.text);
    assert_int_equal(err, ERR_OK);
    return addr;
}

static void addresses_are_understood(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        { "127.0.0.1:6001", "127.0.0.1:6001" },
        { "0.0.0.0:0", "0.0.0.0:0" },
        { ":6001", "0.0.0.0:6001" },
        { "*:6001", "0.0.0.0:6001" },
        { "[::1]:65535", "[::1]:65535" },
        { "[::]:80", "[::]:80" },
        { "unix:/run/peal.sock", "unix:/run/peal.sock" },
        { "unix:peal.sock", "unix:peal.sock" },
    };
    char text[SOCK_ADDR_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sock_addr addr = parse(cases[i][0]);
        assert_span(sock_addr_text(&addr, text), cases[i][1]);
    }
}

/* Which a machine without /etc/hosts and name service cannot do. */
static void names_are_resolved(void **state)
{
    (void)state;
    struct addrinfo hints = { .ai_family = AF_INET }, *known = NULL;
    if (getaddrinfo("localhost", NULL, &hints, &known)) {
        print_message("this machine does not know localhost\n");
        skip();
    }
    freeaddrinfo(known);
    char text[SOCK_ADDR_TEXT_MAX];
    struct sock_addr addr = parse("localhost:80");
    assert_span(sock_addr_text(&addr, text), "127.0.0.1:80");
}

static void wrong_addresses_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct {
        const char *text, *why;
        enum err err;
    } cases[] = {
        { "", "HOST:PORT", ERR_SYNTAX },
        { "6001", "HOST:PORT", ERR_SYNTAX },
        { "127.0.0.1:", "HOST:PORT", ERR_SYNTAX },
        { "127.0.0.1:http", "HOST:PORT", ERR_SYNTAX },
        { "127.0.0.1:-1", "HOST:PORT", ERR_SYNTAX },
        { "127.0.0.1:65536", "above 65535", ERR_RANGE },
        { "::1:6001", "brackets", ERR_SYNTAX },
        { "[::g]:6001", "not an IPv6 address", ERR_SYNTAX },
        { "[127.0.0.1]:6001", "not an IPv6 address", ERR_SYNTAX },
        { "unix:", "path", ERR_SYNTAX },
        { "unix:/"
          "a-path-that-is-longer-than-the-107-bytes-which-the-system-allows-for-the-name-of-a-"
          "socket/aaaaaaaaaaaaaaaaaaaaaaaaa",
          "too long", ERR_RANGE },
        { "no-such-host.invalid:80", "resolved", ERR_ABSENT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sock_addr addr;
        struct diag d = { "" };
        assert_int_equal(endpoint_parse(span_str(cases[i].text), &addr, &d), cases[i].err);
        if (!strstr(d.text, cases[i].why)) print_error("%s: %s\n", cases[i].text, d.text);
        assert_non_null(strstr(d.text, cases[i].why));
    }
}

static struct endpoint *open_at(const char *text, unsigned n_workers)
{
    struct sock_addr addr = parse(text);
    struct endpoint *ep = NULL;
    struct diag d = { "" };
    enum err err = endpoint_open(&addr, n_workers, &ep, &d);
    if (err != ERR_OK) print_error("%s\n", d.text);
    assert_int_equal(err, ERR_OK);
    return ep;
}

static void port_0_is_found_once_and_shared_by_all_workers(void **state)
{
    (void)state;
    const char *const any[] = { "127.0.0.1:0", "[::1]:0" };
    for (size_t i = 0; i < ARRAY_LEN(any); i++) {
        uint64_t before = fds_in_use();
        struct endpoint *ep = open_at(any[i], 4);
        size_t n;
        const int *fds = endpoint_fds(ep, &n);
        assert_int_equal(n, 4);
        assert_int_equal(fds_in_use(), before + 4);
        assert_null(endpoint_token(ep));
        assert_int_not_equal(sock_addr_port(endpoint_addr(ep)), 0);
        for (size_t k = 0; k < n; k++) {
            struct sock_addr addr;
            assert_true(sock_local(fds[k], &addr));
            assert_memory_equal(&addr.u, &endpoint_addr(ep)->u, addr.len);
        }
        close(dial(endpoint_addr(ep)));
        endpoint_close(&ep);
        assert_null(ep);
        assert_int_equal(fds_in_use(), before);
    }
}

/* Tries to open; the message must have all three parts. */
static void assert_refused(const struct sock_addr *addr, enum err want, const char *a,
                           const char *b)
{
    struct endpoint *ep = NULL;
    struct diag d = { "" };
    uint64_t before = fds_in_use();
    assert_int_equal(endpoint_open(addr, 2, &ep, &d), want);
    assert_null(ep);
    if (!strstr(d.text, a) || !strstr(d.text, b)) print_error("%s\n", d.text);
    assert_non_null(strstr(d.text, a));
    assert_non_null(strstr(d.text, b));
    assert_int_equal(fds_in_use(), before);
    assert_int_equal(endpoint_probe(addr, &d), want);
}

static void a_port_that_we_hold_ourselves_is_refused(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 2); /* SO_REUSEPORT would let us in */
    struct sock_addr addr = *endpoint_addr(ep);
    char at[SOCK_ADDR_TEXT_MAX];
    sock_addr_text(&addr, at);
    assert_refused(&addr, ERR_BUSY, "this very process", at);
    addr.u.v4.sin_addr.s_addr = 0; /* 0.0.0.0 is in the way, too */
    assert_refused(&addr, ERR_BUSY, "this very process", "0.0.0.0:");
    addr = *endpoint_addr(ep);
    endpoint_close(&ep);
    assert_int_equal(endpoint_probe(&addr, NULL), ERR_OK);
}

static void a_port_of_another_process_is_refused_with_its_pid(void **state)
{
    (void)state;
    const char *const any[] = { "127.0.0.1:0", "[::1]:0" };
    char name[16] = ""; /* our own, which the child has, too; valgrind gives us another one */
    assert_int_equal(prctl(PR_GET_NAME, name), 0);
    for (size_t i = 0; i < ARRAY_LEN(any); i++) {
        struct endpoint *ep = open_at(any[i], 1);
        struct sock_addr addr = *endpoint_addr(ep);
        int fds[2];
        make_pair(fds);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(fds[1]);
            fcntl(fds[0], F_SETFL, 0);
            read_byte(fds[0]); /* until the parent has closed its end */
            _exit(0);
        }
        close(fds[0]);
        endpoint_close(&ep); /* now only the child has it */
        char want[32];
        snprintf(want, sizeof want, "(pid %d)", (int)pid);
        assert_refused(&addr, ERR_BUSY, want, name);
        close(fds[1]);
        assert_int_equal(wait_child(pid), 0);
        assert_int_equal(endpoint_probe(&addr, NULL), ERR_OK);
    }
}

static void connections_in_time_wait_do_not_refuse_a_restart(void **state)
{
    (void)state;
    struct endpoint *ep = open_at("127.0.0.1:0", 1);
    struct sock_addr addr = *endpoint_addr(ep);
    size_t n;
    int client = dial(&addr);
    struct sock_addr peer = { .len = sizeof peer.u };
    int server = accept(endpoint_fds(ep, &n)[0], &peer.u.any, &peer.len);
    assert_true(server >= 0);
    close(server); /* we first: our side waits */
    assert_int_equal(read_byte(client), 0);
    close(client);
    endpoint_close(&ep);
    struct diag d;
    assert_int_equal(endpoint_open(&addr, 2, &ep, &d), ERR_OK);
    endpoint_close(&ep);
}

static void an_address_of_another_machine_is_refused(void **state)
{
    (void)state;
    struct sock_addr addr = parse("192.0.2.1:6001");
    assert_refused(&addr, ERR_IO, "192.0.2.1:6001", "no interface");
}

static void a_low_port_is_explained(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0) CHECK(setuid(65534) == 0);
        struct sock_addr addr = parse("127.0.0.1:79");
        struct endpoint *ep;
        struct diag d = { "" };
        enum err err = endpoint_open(&addr, 1, &ep, &d);
        if (err == ERR_OK) _exit(2); /* net.ipv4.ip_unprivileged_port_start is low here */
        _exit(err == ERR_DENIED && strstr(d.text, "setcap cap_net_bind_service=+ep /") ? 0 : 1);
    }
    int status = wait_child(pid);
    if (status == 2) skip();
    assert_int_equal(status, 0);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void a_unix_socket_is_shared_and_its_file_goes_at_close(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *ep = open_at(p.text, 3);
    size_t n;
    endpoint_fds(ep, &n);
    assert_int_equal(n, 1);
    assert_non_null(endpoint_token(ep));
    close(dial(endpoint_addr(ep)));
    endpoint_close(&ep);
    assert_false(exists(p.path));
    ep = open_at(p.text, 1);
    assert_null(endpoint_token(ep)); /* one worker needs none */
    endpoint_close(&ep);
    remove_place(&p);
}

static void a_stale_socket_file_is_replaced(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct sock_addr addr = parse(p.text);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, &addr.u.any, addr.len), 0);
    close(fd); /* as after a kill */
    assert_true(exists(p.path));
    assert_int_equal(endpoint_probe(&addr, NULL), ERR_OK);
    assert_true(exists(p.path)); /* a probe changes nothing */
    struct endpoint *ep = open_at(p.text, 2);
    close(dial(&addr));
    endpoint_close(&ep);
    remove_place(&p);
}

static void a_unix_socket_in_use_is_refused_with_the_holder(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *ep = open_at(p.text, 2);
    assert_refused(endpoint_addr(ep), ERR_BUSY, "this very process", p.path);
    close(dial(endpoint_addr(ep))); /* nothing was taken away */
    endpoint_close(&ep);
    remove_place(&p);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    int fd = open(p.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    struct sock_addr addr = parse(p.text);
    assert_refused(&addr, ERR_BUSY, "no socket", p.path);
    assert_true(exists(p.path));
    remove_place(&p);
    assert_refused(&addr, ERR_IO, p.path, "No such file"); /* the folder is gone */
}

static void a_socket_file_of_our_successor_stays(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *old = open_at(p.text, 1);
    assert_int_equal(unlink(p.path), 0);
    struct endpoint *new = open_at(p.text, 1);
    endpoint_close(&old);
    assert_true(exists(p.path));
    close(dial(endpoint_addr(new)));
    endpoint_close(&new);
    assert_false(exists(p.path));
    remove_place(&p);
}

/* Copies of the sockets of `ep`, as a new image would have them. */
static size_t inherit(struct endpoint *ep, int fds[8])
{
    size_t n;
    const int *own = endpoint_fds(ep, &n);
    for (size_t i = 0; i < n; i++) {
        fds[i] = fcntl(own[i], F_DUPFD, 0);
        assert_true(fds[i] >= 0);
        fds_opened(1);
    }
    return n;
}

static void inherited_sockets_are_added_to_where_workers_have_none(void **state)
{
    (void)state;
    struct endpoint *old = open_at("127.0.0.1:0", 2), *ep;
    struct diag d;
    int fds[8];
    size_t n = inherit(old, fds);
    assert_int_equal(endpoint_adopt(fds, n, 4, &ep, &d), ERR_OK);
    endpoint_fds(ep, &n);
    assert_int_equal(n, 4);
    assert_null(endpoint_token(ep));
    assert_int_equal(sock_addr_port(endpoint_addr(ep)), sock_addr_port(endpoint_addr(old)));
    assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    endpoint_close(&ep);
    n = inherit(old, fds);
    assert_int_equal(endpoint_adopt(fds, n, 1, &ep, &d), ERR_OK);
    endpoint_fds(ep, &n);
    assert_int_equal(n, 2); /* none is closed while it is configured */
    endpoint_close(&ep);
    endpoint_close(&old);
}

static void an_inherited_unix_socket_keeps_its_file_unless_it_is_ours(void **state)
{
    (void)state;
    struct place p;
    make_place(&p);
    struct endpoint *old = open_at(p.text, 2), *ep;
    struct diag d;
    int fds[8];
    assert_int_equal(inherit(old, fds), 1);
    assert_int_equal(endpoint_adopt(fds, 1, 3, &ep, &d), ERR_OK);
    assert_non_null(endpoint_token(ep));
    endpoint_close(&ep);
    assert_true(exists(p.path));
    assert_int_equal(inherit(old, fds), 1);
    assert_int_equal(endpoint_adopt(fds, 1, 3, &ep, &d), ERR_OK);
    endpoint_own_file(ep);
    endpoint_close(&ep);
    assert_false(exists(p.path));
    endpoint_close(&old);
    remove_place(&p);
}

static void what_does_not_listen_is_not_inherited(void **state)
{
    (void)state;
    struct endpoint *ep = NULL;
    struct diag d = { "" };
    int fds[2];
    make_pair(fds);
    assert_int_equal(endpoint_adopt(fds, 1, 1, &ep, &d), ERR_SYNTAX);
    assert_non_null(strstr(d.text, "not a listening socket"));
    close(fds[0]); /* still ours */
    assert_int_equal(endpoint_adopt(fds, 1, 1, &ep, &d), ERR_SYNTAX);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_understood),
        cmocka_unit_test(names_are_resolved),
        cmocka_unit_test(wrong_addresses_are_refused_with_a_reason),
        cmocka_unit_test(port_0_is_found_once_and_shared_by_all_workers),
        cmocka_unit_test(a_port_that_we_hold_ourselves_is_refused),
        cmocka_unit_test(a_port_of_another_process_is_refused_with_its_pid),
        cmocka_unit_test(connections_in_time_wait_do_not_refuse_a_restart),
        cmocka_unit_test(an_address_of_another_machine_is_refused),
        cmocka_unit_test(a_low_port_is_explained),
        cmocka_unit_test(a_unix_socket_is_shared_and_its_file_goes_at_close),
        cmocka_unit_test(a_stale_socket_file_is_replaced),
        cmocka_unit_test(a_unix_socket_in_use_is_refused_with_the_holder),
        cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(a_socket_file_of_our_successor_stays),
        cmocka_unit_test(inherited_sockets_are_added_to_where_workers_have_none),
        cmocka_unit_test(an_inherited_unix_socket_keeps_its_file_unless_it_is_ours),
        cmocka_unit_test(what_does_not_listen_is_not_inherited),
    };
    return RUN_TESTS(tests);
}
