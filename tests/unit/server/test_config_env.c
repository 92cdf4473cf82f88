/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_env.c: names of our own, of other servers, and of Kubernetes. */
#include "unit/server/config_fixture.h"

static void a_laravel_env_is_full_of_other_names(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("APP_NAME=Laravel\nAPP_KEY=base64:abc=\nDB_HOST=127.0.0.1\n"
                                  "BROADCAST_CONNECTION=pusher\nREDIS_PASSWORD=null\n"
                                  "PUSHER_APP_ID=123\nPUSHER_APP_KEY=\"abc\"\n"
                                  "PUSHER_APP_SECRET='s e c'\nPUSHER_HOST=\nPUSHER_PORT=443\n"
                                  "PUSHER_SCHEME=https\nPUSHER_APP_CLUSTER=mt1\n"
                                  "VITE_PUSHER_APP_KEY=\"${PUSHER_APP_KEY}\"\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 1);
    assert_span(l.cfg->apps[0].id, "123");
    assert_span(l.cfg->apps[0].key, "abc");
    assert_span(l.cfg->apps[0].secrets.items[0], "s e c");
    assert_span(l.cfg->listen.items[0].text, "0.0.0.0:6001"); /* PUSHER_PORT is no bind port */
    assert_span(l.cfg->dial.host, "");
    config_free(&l.cfg);
}

static void where_clients_dial_is_only_a_hint(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("REVERB_HOST=ws.example.com\nREVERB_SCHEME=https\n");
    assert_loads(&l);
    assert_span(l.cfg->dial.host, "ws.example.com");
    assert_int_equal(l.cfg->dial.port, 443);
    assert_true(l.cfg->dial.tls);
    assert_span(l.cfg->listen.items[0].text, "0.0.0.0:6001");
    config_free(&l.cfg);
}

static void unknown_names_of_ours_are_refused_with_the_nearest(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("A=b\nPEAL_LOG_LEVL=info\n");
    assert_refused(l, "PEAL_LOG_LEVL", ":2", "did you mean 'PEAL_LOG_LEVEL'");
    l = load(&(struct given) { .environment = { "PEAL_APP_ID=1" } });
    assert_refused(l, "PEAL_APP_ID", "PUSHER_APP_ID");
}

static void what_kubernetes_adds_is_ignored_with_a_warning(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) {
        .environment = { "PEAL_PORT=tcp://10.0.0.1:6001", "PEAL_SERVICE_HOST=10.0.0.1",
                         "PEAL_SERVICE_PORT=6001", "PEAL_SERVICE_PORT_WS=6001",
                         "PEAL_PORT_6001_TCP=tcp://10.0.0.1:6001", "PEAL_PORT_6001_TCP_PROTO=tcp",
                         "PEAL_PORT_6001_TCP_ADDR=10.0.0.1", "PEAL_ADMIN_PORT_9601_TCP_PORT=9601",
                         "SOKETI_PORT=tcp://10.0.0.2:6001" } });
    assert_loads(&l);
    assert_int_equal(l.cfg->listen.items[0].port, 6001);
    assert_true(says(l.cfg, "PEAL_PORT"));
    assert_true(says(l.cfg, "PEAL_ADMIN_PORT_9601_TCP_PORT"));
    assert_true(says(l.cfg, "SOKETI_PORT"));
    assert_true(says(l.cfg, "Kubernetes"));
    config_free(&l.cfg);
}

static void a_port_of_ours_still_counts(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .environment = { "PEAL_PORT=7002" } });
    assert_loads(&l);
    assert_int_equal(l.cfg->listen.items[0].port, 7002);
    assert_int_equal(l.cfg->warnings.n, 0);
    config_free(&l.cfg);
}

static void soketi_values_are_converted(void **state)
{
    (void)state;
    struct loaded l =
        load_dotenv("SOKETI_DEFAULT_APP_ID=x\nSOKETI_DEFAULT_APP_KEY=k\n"
                    "SOKETI_DEFAULT_APP_SECRET=s\nSOKETI_DEFAULT_APP_MAX_CONNS=-1\n"
                    "SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES=false\n"
                    "SOKETI_DEFAULT_APP_ENABLED=true\nSOKETI_EVENT_MAX_BATCH_SIZE=20\n"
                    "SOKETI_EVENT_MAX_SIZE_IN_KB=1.5\nSOKETI_PATH_PREFIX=ws/\n"
                    "SOKETI_PRESENCE_MAX_MEMBERS=-1\n");
    assert_loads(&l);
    const struct app_settings *app = &l.cfg->apps[0];
    assert_int_equal(app->limits.connections, 0);
    assert_false(app->client_events);
    assert_true(app->enabled);
    assert_int_equal(app->limits.batch, 20);
    assert_int_equal(app->limits.message_bytes, 1536);
    assert_int_equal(app->limits.presence_members, 0);
    assert_span(l.cfg->path_prefix, "/ws");
    config_free(&l.cfg);
}

static void reverb_values_belong_to_reverbs_app(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\n"
                                  "REVERB_APP_ACTIVITY_TIMEOUT=20\nREVERB_APP_PING_INTERVAL=50\n"
                                  "REVERB_APP_MAX_MESSAGE_SIZE=10000\nREVERB_SERVER_HOST=::\n"
                                  "REVERB_SERVER_PORT=8080\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->apps[0].activity_timeout_s, 20);
    assert_int_equal(l.cfg->apps[0].ping_interval_s, 50);
    assert_int_equal(l.cfg->apps[0].limits.message_bytes, 10000);
    assert_span(l.cfg->listen.items[0].text, "[::]:8080");
    config_free(&l.cfg);
}

static void a_value_out_of_range_names_the_variable(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("SOKETI_PORT=70000\n");
    assert_refused(l, ":1: SOKETI_PORT", "port", "65535", "'70000'");
    l = load_dotenv("REVERB_APP_ID=1\nREVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=all\n");
    assert_refused(l, "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM", "client_events", "members");
}

static void a_key_without_an_id_makes_no_app(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("PUSHER_APP_KEY=k\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 0);
    assert_true(says(l.cfg, "PUSHER_APP_ID"));
    config_free(&l.cfg);
}

static void a_broken_file_is_refused_with_its_line_and_no_value(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("A=b\nPUSHER_APP_SECRET=top secret\n");
    assert_refused(l, ":2:", "quotes");
    assert_null(strstr(l.diag.text, "top"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_laravel_env_is_full_of_other_names),
        cmocka_unit_test(where_clients_dial_is_only_a_hint),
        cmocka_unit_test(unknown_names_of_ours_are_refused_with_the_nearest),
        cmocka_unit_test(what_kubernetes_adds_is_ignored_with_a_warning),
        cmocka_unit_test(a_port_of_ours_still_counts),
        cmocka_unit_test(soketi_values_are_converted),
        cmocka_unit_test(reverb_values_belong_to_reverbs_app),
        cmocka_unit_test(a_value_out_of_range_names_the_variable),
        cmocka_unit_test(a_key_without_an_id_makes_no_app),
        cmocka_unit_test(a_broken_file_is_refused_with_its_line_and_no_value),
    };
    return RUN_TESTS(tests);
}
