/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_admin.c: the admin listener of a whole server. */
#include "unit/server/server_rig.h"

#define CONNECTIONS "/admin/connections?app=app-id"

static void it_says_what_lives_and_who_works(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c, ws;
    char pid[40];
    START(&rig, "workers=3");
    snprintf(pid, sizeof pid, "\"pid\":%ld,", (long)getpid());
    assert_int_equal(admin_get(&c, &rig, "/live"), 200);
    assert_true(cl_text_has(&c, pid));
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/ready"), 200);
    assert_true(cl_text_has(&c, "{\"ready\":true,\"reasons\":[],\"self_test\":{\"ok\":true,"));
    cl_close(&c);
    cl_open(&ws, &rig);
    assert_int_equal(admin_get(&c, &rig, "/admin/workers"), 200);
    assert_true(cl_text_has(&c, "{\"worker\":0,"));
    assert_true(cl_text_has(&c, "{\"worker\":2,"));
    assert_true(cl_text_has(&c, "\"websockets\":1,"));
    assert_true(cl_text_has(&c, "\"mailbox_messages\":"));
    assert_true(cl_text_has(&c, "\"lock_wait_ns\":"));
    cl_close(&ws);
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/nothing"), 404);
    cl_close(&c);
    rig_stop(&rig);
}

static void only_the_hosts_of_the_option_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status;
    } rows[] = {
        { "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n", 200 },
        { "GET /live HTTP/1.1\r\nHost: LocalHost:9601\r\n\r\n", 200 },
        { "GET /live HTTP/1.1\r\nHost: 127.0.0.1:9601\r\n\r\n", 200 },
        { "GET /live HTTP/1.1\r\nHost: [::1]:9601\r\n\r\n", 200 },
        { "GET http://localhost/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 200 },
        { "GET /live HTTP/1.1\r\nHost: attacker.net\r\n\r\n", 403 },
        { "GET /live HTTP/1.1\r\nHost: localhost.attacker.net\r\n\r\n", 403 },
        { "GET http://attacker.net/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 403 },
        { "GET /admin/workers HTTP/1.1\r\nHost: 127.0.0.1.attacker.net:80\r\n\r\n", 403 },
        { "GET /live HTTP/1.1\r\nHost:\r\n\r\n", 403 },
        { "GET /live HTTP/1.0\r\n\r\n", 403 },
        { "POST /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 405 },
        { "GET /admin/connections HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "GET /admin/connections?app=a&app=b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "GET /admin/connections?app=nobody HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
        { "GET /app/app-key HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          404 },
    };
    struct rig rig;
    START(&rig);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cl c;
        cl_dial(&c, rig.admin_port);
        cl_says(&c, rows[i].request);
        unsigned status = cl_response(&c);
        if (status != rows[i].status) fail_msg("%s: %u", rows[i].request, status);
        cl_close(&c);
    }
    rig_stop(&rig);
}

static unsigned count_of(const struct cl *c, const char *word)
{
    unsigned n = 0;
    for (struct span rest = buf_span(&c->text); rest.n; n++) {
        const char *at = memmem(rest.p, rest.n, word, strlen(word));
        if (!at) break;
        rest = span_skip(rest, (size_t)(at + 1 - rest.p));
    }
    return n;
}

static void the_connections_of_all_workers_are_listed(void **state)
{
    (void)state;
    struct rig rig;
    struct cl ws[24], c;
    START(&rig, "workers=4");
    for (int i = 0; i < 24; i++) {
        cl_open(&ws[i], &rig);
        cl_subscribe(&ws[i], "room");
    }
    assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
    assert_int_equal(count_of(&c, "\"socket_id\":\""), 24);
    assert_int_equal(count_of(&c, "\"subscriptions\":1"), 24);
    assert_int_equal(count_of(&c, "\"peer\":\"127.0.0.1:"), 24);
    cl_close(&c);
    for (int i = 0; i < 24; i++) cl_close(&ws[i]);
    UNTIL(COUNT(&rig, n_ws) == 0);
    assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
    assert_buf(&c.text, "[]");
    cl_close(&c);
    rig_stop(&rig);
}

/* Who comes through a proxy that we trust (loopback, by default) is shown as himself. */
static void the_address_is_what_a_trusted_proxy_says(void **state)
{
    (void)state;
    static const char forwarded[] = "X-Forwarded-For: 203.0.113.7\r\n";
    struct rig rig;
    struct cl ws, c;
    START(&rig);
    cl_dial(&ws, rig.port);
    cl_upgrade(&ws, "app-key", forwarded);
    cl_accepted(&ws);
    assert_true(cl_hears(&ws, "pusher:connection_established"));
    cl_subscribe(&ws, "room");
    assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
    assert_true(cl_text_has(&c, "\"peer\":\"127.0.0.1:"));
    assert_true(cl_text_has(&c, "\"address\":\"203.0.113.7\""));
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/admin/channel?app=app-id&name=room"), 200);
    assert_true(cl_text_has(&c, "\"address\":\"203.0.113.7\""));
    cl_close(&c);
    cl_close(&ws);
    rig_stop(&rig);

    START(&rig, "trusted_proxies=none");
    cl_dial(&ws, rig.port);
    cl_upgrade(&ws, "app-key", forwarded);
    cl_accepted(&ws);
    assert_true(cl_hears(&ws, "pusher:connection_established"));
    assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
    assert_true(cl_text_has(&c, "\"address\":\"127.0.0.1:"));
    assert_false(cl_text_has(&c, "203.0.113.7"));
    cl_close(&c);
    cl_close(&ws);
    rig_stop(&rig);
}

static void the_figures_of_an_app_are_its_own(void **state)
{
    (void)state;
    struct rig rig;
    struct cl a, b, c;
    START(&rig, "workers=3");
    cl_open(&a, &rig);
    cl_open(&b, &rig);
    cl_subscribe(&a, "room");
    cl_subscribe(&b, "room");
    assert_int_equal(rig_publish(&rig, "room", "hello", 10), 200);
    assert_true(cl_hears(&a, "hello"));
    assert_true(cl_hears(&b, "hello"));
    assert_int_equal(admin_get(&c, &rig, "/admin/figures?app=app-id"), 200);
    assert_true(cl_text_has(&c, "{\"app\":\"app-id\",\"time\":"));
    assert_true(cl_text_has(&c, "\"connections\":2,\"messages_in\":2,"));
    assert_true(cl_text_has(&c, "\"messages_out\":2,"));
    assert_true(cl_text_has(&c, "\"api_messages\":1,\"requests\":1,\"opened\":2,\"closed\":0}"));
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/admin/figures?app=nobody"), 404);
    cl_close(&a);
    cl_close(&b);
    cl_close(&c);
    rig_stop(&rig);
}

/* Nothing but the question itself wakes the worker. */
static void a_single_worker_answers_at_once(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "workers=1", "handshake_timeout_ms=0", "body_timeout_ms=0");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
        cl_close(&c);
    }
    rig_stop(&rig);
}

static void an_answer_before_it_and_a_half_close_do_not_lose_it(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "workers=3");
    for (int i = 0; i < 50; i++) {
        cl_dial(&c, rig.admin_port);
        cl_says(&c, "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET " CONNECTIONS " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        shutdown(c.fd, SHUT_WR);
        assert_int_equal(cl_response(&c), 200);
        assert_true(cl_text_has(&c, "{\"ready\":true,\"reasons\":[],\"self_test\":{\"ok\":true,"));
        assert_int_equal(cl_response(&c), 200);
        assert_buf(&c.text, "[]");
        cl_drain(&c);
        assert_int_equal(c.end, ENDED);
        cl_close(&c);
    }
    rig_settles(&rig);
    rig_stop(&rig);
}

static void who_asks_and_sends_no_more_gets_the_answer(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "workers=3");
    for (int i = 0; i < 50; i++) {
        cl_dial(&c, rig.admin_port);
        cl_says(&c, "GET " CONNECTIONS " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        shutdown(c.fd, SHUT_WR);
        assert_int_equal(cl_response(&c), 200);
        cl_close(&c);
    }
    rig_settles(&rig);
    rig_stop(&rig);
}

struct churn {
    const struct rig *rig;
    atomic_bool stop;
};

static void *come_and_go(void *arg)
{
    struct churn *churn = arg;
    while (!atomic_load(&churn->stop)) {
        struct cl c[8];
        for (int i = 0; i < 8; i++) cl_open(&c[i], churn->rig);
        for (int i = 0; i < 8; i++)
            if (i % 2)
                cl_reset(&c[i]);
            else
                cl_close(&c[i]);
    }
    return NULL;
}

static void askers_may_leave_while_others_come_and_go(void **state)
{
    (void)state;
    struct rig rig;
    pthread_t thread;
    struct churn churn = { .rig = &rig };
    START(&rig, "workers=3");
    assert_int_equal(pthread_create(&thread, NULL, come_and_go, &churn), 0);
    for (int i = 0; i < 200; i++) {
        struct cl c;
        if (i % 4 == 0) {
            assert_int_equal(admin_get(&c, &rig, CONNECTIONS), 200);
            assert_int_equal(c.text.p[0], '[');
            cl_close(&c);
            continue;
        }
        cl_dial(&c, rig.admin_port);
        cl_says(&c, "GET " CONNECTIONS " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if (i % 4 == 1)
            cl_reset(&c);
        else
            cl_close(&c);
    }
    atomic_store(&churn.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    rig_settles(&rig);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_lives_and_who_works),
        cmocka_unit_test(only_the_hosts_of_the_option_are_answered),
        cmocka_unit_test(the_connections_of_all_workers_are_listed),
        cmocka_unit_test(the_address_is_what_a_trusted_proxy_says),
        cmocka_unit_test(the_figures_of_an_app_are_its_own),
        cmocka_unit_test(a_single_worker_answers_at_once),
        cmocka_unit_test(an_answer_before_it_and_a_half_close_do_not_lose_it),
        cmocka_unit_test(who_asks_and_sends_no_more_gets_the_answer),
        cmocka_unit_test(askers_may_leave_while_others_come_and_go),
    };
    return RUN_TESTS(tests);
}
