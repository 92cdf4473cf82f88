/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_http.c: a whole server and raw HTTP clients: order, deadlines,
 * half-closed and broken connections, limits. */
#include "unit/server/server_rig.h"

static void requests_in_one_packet_are_answered_in_order(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "keepalive_timeout_ms=0");
    cl_dial(&c, rig.port);
    cl_says(&c, "GET /up HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(cl_response(&c), 200);
    assert_true(cl_text_has(&c, "health"));
    assert_int_equal(cl_response(&c), 200);
    assert_true(cl_text_has(&c, "Peal"));
    assert_int_equal(cl_response(&c), 404);
    assert_int_equal(cl_response(&c), 200);
    assert_int_equal(cl_publish(&c, "none", "e", 10), 200);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void a_request_that_comes_octet_by_octet_is_a_request(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_dial(&c, rig.port);
    for (const char *p = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"; *p; p++) cl_send(&c, span_of(p, 1));
    assert_int_equal(cl_response(&c), 200);
    cl_close(&c);
    rig_stop(&rig);
}

static void a_client_that_sends_no_more_still_gets_its_answers(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_dial(&c, rig.port);
    cl_says(&c, "GET /up HTTP/1.1\r\nHost: x\r\n\r\nGET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(c.fd, SHUT_WR);
    assert_int_equal(cl_response(&c), 200);
    assert_int_equal(cl_response(&c), 200);
    cl_drain(&c);
    assert_int_equal(c.end, ENDED);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* Far more than the kernel takes for a client that does not read yet. */
static void answers_that_do_not_fit_outlive_the_half_close(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct rig rig;
    struct cl c;
    struct buf all = { 0 };
    START(&rig, "workers=16", "limits.pending_bytes=100000000");
    for (int i = 0; i < N; i++)
        BUF_ADD_LIT(&all, "GET /admin/workers HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cl_dial_with(&c, rig.admin_port, 4096);
    cl_send(&c, buf_span(&all));
    shutdown(c.fd, SHUT_WR);
    UNTIL(atomic_load(&rig.server->pending_bytes) > 1000000);
    unsigned answers = 0;
    while (cl_response(&c) == 200) answers++;
    assert_int_equal(answers, N);
    assert_int_equal(c.end, ENDED);
    buf_fini(&all);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void clients_that_are_killed_leave_nothing(void **state)
{
    (void)state;
    static const char *const said[] = {
        "",
        "G",
        "GET /up HTTP/1.1\r\nHost: x\r\n",
        "POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{\"name\":",
        "GET /up HTTP/1.1\r\nHost: x\r\n\r\nGET /up HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    struct rig rig;
    START(&rig);
    for (int round = 0; round < 20; round++) {
        struct cl c[ARRAY_LEN(said)];
        for (size_t i = 0; i < ARRAY_LEN(said); i++) {
            cl_dial(&c[i], rig.port);
            cl_says(&c[i], said[i]);
        }
        for (size_t i = 0; i < ARRAY_LEN(said); i++)
            if (round % 2)
                cl_reset(&c[i]);
            else
                cl_close(&c[i]);
    }
    UNTIL(COUNT(&rig, accepted) > 0);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void bad_requests_get_their_status_and_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        unsigned status;
    } rows[] = {
        { "\0\1\2\3\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n\r\n", 400 }, /* no Host */
        { "GET / HTTP/1.1\r\nHost: x\r\nA b\r\n\r\n", 400 },
        { "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505 },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          400 },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    };
    struct rig rig;
    START(&rig);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cl c;
        cl_dial(&c, rig.port);
        cl_send(&c, i == 0 ? span_of(rows[i].said, 8) : span_str(rows[i].said));
        unsigned status = cl_response(&c);
        if (status != rows[i].status)
            fail_msg("row %zu: %u instead of %u", i, status, rows[i].status);
        cl_drain(&c);
        assert_int_equal(c.end, ENDED);
        cl_close(&c);
    }
    assert_int_equal(rig_publish(&rig, "none", "e", 10), 200);
    rig_stop(&rig);
}

static void a_tls_client_gets_an_alert(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_dial(&c, rig.port);
    cl_send(&c, span_of("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on", 22));
    cl_drain(&c);
    assert_int_equal(c.in.n, 7);
    assert_memory_equal(c.in.p, "\x15\x03\x01\x00\x02\x02\x50", 7);
    assert_int_equal(c.end, ENDED);
    cl_close(&c);
    rig_stop(&rig);
}

static void a_refused_body_that_is_still_coming_does_not_cost_the_answer(void **state)
{
    (void)state;
    static char rest[1 << 20];
    struct rig rig;
    struct cl c;
    START(&rig);
    cl_dial(&c, rig.port);
    cl_says(&c, "POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
    memset(rest, 'x', sizeof rest);
    for (int i = 0; i < 4; i++) cl_send(&c, span_of(rest, 1000000));
    assert_int_equal(cl_response(&c), 401);
    shutdown(c.fd, SHUT_WR);
    cl_drain(&c);
    assert_int_equal(c.end, ENDED);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

/* How long until the server closes; what it said is in c->in. */
static uint64_t time_to_end(struct cl *c)
{
    uint64_t began_ms = clock_mono_ms();
    cl_drain(c);
    assert_int_equal(c->end, ENDED);
    return clock_mono_ms() - began_ms;
}

static void a_silent_client_is_let_go_and_a_slow_head_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct cl silent, slow;
    START(&rig, "handshake_timeout_ms=300");
    cl_dial(&silent, rig.port);
    cl_dial(&slow, rig.port);
    cl_says(&slow, "GET /up HTTP/1.1\r\nHost: x\r\nA: ");
    uint64_t ms = time_to_end(&silent);
    assert_true(ms >= 250 && ms < 5000);
    assert_int_equal(silent.in.n, 0);
    time_to_end(&slow);
    assert_true(cl_has(&slow, "HTTP/1.1 408 "));
    assert_true(cl_has(&slow, "handshake_timeout_ms"));
    cl_close(&silent);
    cl_close(&slow);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void octets_do_not_put_the_deadline_of_a_head_off(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "handshake_timeout_ms=400");
    cl_dial(&c, rig.port);
    cl_says(&c, "GET /up HTTP/1.1\r\nHost: x\r\nA: ");
    uint64_t began_ms = clock_mono_ms();
    struct pollfd p = { .fd = c.fd, .events = POLLIN };
    while (poll(&p, 1, 20) == 0) {
        assert_true(clock_mono_ms() - began_ms < 10000);
        if (send(c.fd, "a", 1, MSG_NOSIGNAL) < 0) break;
    }
    assert_true(cl_response(&c) == 408);
    cl_close(&c);
    rig_stop(&rig);
}

static void between_two_requests_the_keepalive_timeout_counts(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "keepalive_timeout_ms=300", "handshake_timeout_ms=20000");
    cl_dial(&c, rig.port);
    cl_says(&c, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(cl_response(&c), 200);
    uint64_t ms = time_to_end(&c);
    assert_true(ms >= 250 && ms < 5000);
    assert_int_equal(c.in.n, 0);
    cl_close(&c);
    rig_stop(&rig);
}

/* Far more than the kernel keeps, read for longer than the time-out and the end together last. */
static void who_reads_answers_slowly_is_not_idle(void **state)
{
    (void)state;
    enum { N = 8000 };
    struct rig rig;
    struct cl c;
    struct buf all = { 0 };
    START(&rig, "workers=16", "limits.pending_bytes=100000000", "keepalive_timeout_ms=2000");
    for (int i = 0; i < N; i++)
        BUF_ADD_LIT(&all, "GET /admin/workers HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cl_dial_with(&c, rig.admin_port, 4096);
    cl_send(&c, buf_span(&all));
    UNTIL(atomic_load(&rig.server->pending_bytes) > 20000000);
    uint64_t began_ms = clock_mono_ms();
    while (c.in.n < 20000000) {
        size_t goal = c.in.n + 400000;
        while (c.in.n < goal) assert_true(cl_fill(&c));
        poll(NULL, 0, 100); /* his pace */
    }
    assert_true(clock_mono_ms() - began_ms > 4500);
    cl_drain(&c); /* up to the end that follows when nothing more is asked for */
    assert_int_equal(c.end, ENDED);
    unsigned answers = 0;
    const char *at = c.in.p, *end = c.in.p + c.in.n;
    while ((at = memmem(at, (size_t)(end - at), "HTTP/1.1 200 OK", 15))) answers++, at++;
    assert_int_equal(answers, N);
    buf_fini(&all);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static uint64_t count_status(const struct rig *rig, unsigned status)
{
    size_t i = 0;
    while (counts_statuses[i] != status) CHECK(counts_statuses[i++]);
    return rig_count(rig, offsetof(struct worker_counts, statuses.n) + i * sizeof(uint64_t));
}

/* But who has begun a request owes us the rest of it, however busy he is with reading. */
static void reading_slowly_does_not_put_the_deadline_of_a_head_off(void **state)
{
    (void)state;
    enum { N = 8000 };
    struct rig rig;
    struct cl c;
    struct buf all = { 0 };
    START(&rig, "workers=16", "limits.pending_bytes=100000000", "handshake_timeout_ms=600");
    for (int i = 0; i < N; i++)
        BUF_ADD_LIT(&all, "GET /admin/workers HTTP/1.1\r\nHost: localhost\r\n\r\n");
    BUF_ADD_LIT(&all, "GET /admin/workers HTTP/1.1\r\n");
    cl_dial_with(&c, rig.admin_port, 4096);
    cl_send(&c, buf_span(&all));
    UNTIL(atomic_load(&rig.server->pending_bytes) > 20000000);
    while (count_status(&rig, 408) == 0) {
        assert_true(atomic_load(&rig.server->pending_bytes) > 0); /* there is more to read */
        size_t goal = c.in.n + 200000;
        while (c.in.n < goal) assert_true(cl_fill(&c));
        poll(NULL, 0, 60); /* his pace */
    }
    cl_drain(&c);
    assert_true(cl_has(&c, "HTTP/1.1 408 "));
    buf_fini(&all);
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void a_body_that_does_not_arrive_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "body_timeout_ms=300", "handshake_timeout_ms=20000");
    cl_dial(&c, rig.port);
    cl_says(&c, "POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
    time_to_end(&c);
    assert_true(cl_has(&c, "HTTP/1.1 408 "));
    assert_true(cl_has(&c, "body_timeout_ms"));
    cl_close(&c);
    rig_settles(&rig);
    rig_stop(&rig);
}

static void two_servers_live_in_one_process(void **state)
{
    (void)state;
    struct rig a, b;
    struct cl ca, cb;
    START(&a);
    START(&b);
    assert_int_not_equal(a.port, b.port);
    cl_open(&ca, &a);
    cl_open(&cb, &b);
    cl_subscribe(&ca, "room");
    cl_subscribe(&cb, "room");
    assert_int_equal(rig_publish(&a, "room", "of-a", 5), 200);
    assert_int_equal(rig_publish(&b, "room", "of-b", 5), 200);
    assert_true(cl_hears(&ca, "of-a"));
    assert_true(cl_hears(&cb, "of-b"));
    cl_close(&ca);
    rig_stop(&a);
    assert_int_equal(rig_publish(&b, "room", "again", 5), 200);
    assert_true(cl_hears(&cb, "again"));
    cl_close(&cb);
    rig_stop(&b);
}

static void an_address_in_use_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct rig rig;
    START(&rig);
    char listen[40];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", rig.port);
    struct config_flag flags[] = { { "listen", listen, "--set" },
                                   { "admin.listen", "127.0.0.1:0", "--set" } };
    struct config_sources src = {
        .yaml_path = "", .env_path = "", .flags = flags, .n_flags = 2, .dev = true
    };
    struct config *cfg = NULL;
    struct server *server = NULL;
    struct diag d = { "" };
    assert_int_equal(config_load(&cfg, &src, &d), ERR_OK);
    assert_int_equal(server_start(&server, cfg, NULL, &d), ERR_BUSY);
    assert_null(server);
    assert_non_null(strstr(d.text, listen));
    config_free(&cfg);
    assert_int_equal(rig_publish(&rig, "none", "e", 1), 200);
    rig_stop(&rig);
}

static void a_unix_socket_serves_all_workers(void **state)
{
    (void)state;
    char dir[] = "/tmp/peal-test-XXXXXX", listen[64];
    assert_non_null(mkdtemp(dir));
    snprintf(listen, sizeof listen, "listen=unix:%s/s", dir);
    struct rig rig;
    struct cl c[12];
    START(&rig, listen, "workers=3");
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", dir);
    for (int i = 0; i < 12; i++) {
        c[i] = (struct cl) { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
        assert_int_equal(connect(c[i].fd, (struct sockaddr *)&at, sizeof at), 0);
        cl_upgrade(&c[i], "app-key", "X-Forwarded-For: 192.0.2.1\r\n");
        cl_accepted(&c[i]);
        assert_true(cl_hears(&c[i], "connection_established"));
        cl_subscribe(&c[i], "room");
    }
    shutdown(c[0].fd, SHUT_WR);
    cl_drain(&c[0]);
    assert_int_equal(c[0].end, ENDED);
    for (int i = 0; i < 12; i++) cl_close(&c[i]);
    rig_settles(&rig);
    rig_stop(&rig);
    assert_int_equal(rmdir(dir), 0); /* the socket's file is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_in_one_packet_are_answered_in_order),
        cmocka_unit_test(a_request_that_comes_octet_by_octet_is_a_request),
        cmocka_unit_test(a_client_that_sends_no_more_still_gets_its_answers),
        cmocka_unit_test(answers_that_do_not_fit_outlive_the_half_close),
        cmocka_unit_test(clients_that_are_killed_leave_nothing),
        cmocka_unit_test(bad_requests_get_their_status_and_an_end),
        cmocka_unit_test(a_tls_client_gets_an_alert),
        cmocka_unit_test(a_refused_body_that_is_still_coming_does_not_cost_the_answer),
        cmocka_unit_test(a_silent_client_is_let_go_and_a_slow_head_is_told),
        cmocka_unit_test(octets_do_not_put_the_deadline_of_a_head_off),
        cmocka_unit_test(between_two_requests_the_keepalive_timeout_counts),
        cmocka_unit_test(who_reads_answers_slowly_is_not_idle),
        cmocka_unit_test(reading_slowly_does_not_put_the_deadline_of_a_head_off),
        cmocka_unit_test(a_body_that_does_not_arrive_is_told),
        cmocka_unit_test(two_servers_live_in_one_process),
        cmocka_unit_test(a_unix_socket_serves_all_workers),
        cmocka_unit_test(an_address_in_use_is_refused_with_a_sentence),
    };
    return RUN_TESTS(tests);
}
