/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config.c: where values come from, and which of them wins. */
#include "base/mem.h"
#include "unit/server/config_fixture.h"

static void nothing_said_gives_the_defaults(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .yaml = NULL });
    assert_loads(&l);
    assert_int_equal(l.cfg->listen.n, 1);
    assert_span(l.cfg->listen.items[0].text, "0.0.0.0:6001");
    assert_span(l.cfg->listen.items[0].host, "0.0.0.0");
    assert_int_equal(l.cfg->listen.items[0].port, 6001);
    assert_span(l.cfg->admin.listen.items[0].text, "127.0.0.1:9601");
    assert_int_equal(l.cfg->admin.hosts.n, 3);
    assert_in_range(l.cfg->workers, 1, 256);
    assert_span(l.cfg->path_prefix, "");
    assert_int_equal(l.cfg->trusted_proxies.n, 2);
    assert_int_equal(l.cfg->limits.pending_bytes, 1 << 20);
    assert_int_equal(l.cfg->limits.pending_total_bytes, 1 << 30);
    assert_int_equal(l.cfg->limits.mailbox_bytes, 64 << 20);
    assert_int_equal(l.cfg->drain_code, 4100);
    assert_int_equal(l.cfg->log.level, LOG_INFO);
    assert_int_equal(l.cfg->log.format, LOG_TEXT);
    assert_true(l.cfg->strict_channel_names);
    assert_int_equal(l.cfg->n_apps, 0);
    config_free(&l.cfg);
    assert_null(l.cfg);
}

static void an_app_has_the_defaults_of_an_app(void **state)
{
    (void)state;
    struct loaded l = load_yaml("apps:\n  - {id: a, key: k, secret: s}\n");
    assert_loads(&l);
    const struct app_settings *app = config_find_app(l.cfg, SPAN("a"));
    assert_non_null(app);
    assert_true(app->enabled);
    assert_true(app->client_events);
    assert_false(app->client_events_on_public_channels);
    assert_int_equal(app->secrets.n, 1);
    assert_span(app->secrets.items[0], "s");
    assert_int_equal(app->allowed_origins.n, 0);
    assert_int_equal(app->activity_timeout_s, 30);
    assert_int_equal(app->ping_interval_s, 60);
    assert_int_equal(app->connection_limit_code, 4100);
    assert_int_equal(app->limits.connections, 0);
    assert_int_equal(app->limits.message_bytes, 262144);
    assert_int_equal(app->limits.client_events_per_second, 10);
    assert_null(config_find_app(l.cfg, SPAN("b")));
    config_free(&l.cfg);
}

static void later_sources_win(void **state)
{
    (void)state;
    struct given g = { .yaml = "drain_ms: 1\n" };
    static const unsigned expected[] = { 1, 2, 3, 4 };
    for (unsigned i = 0; i < 4; i++) {
        if (i == 1) g.dotenv = "PEAL_DRAIN_MS=2\n";
        if (i == 2) g.environment[0] = "PEAL_DRAIN_MS=3";
        if (i == 3) g.flags[0] = (struct config_flag) { "drain_ms", "4", "--set drain_ms" };
        struct loaded l = load(&g);
        assert_loads(&l);
        assert_int_equal(l.cfg->drain_ms, expected[i]);
        config_free(&l.cfg);
    }
}

static void a_value_remembers_where_it_comes_from(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .yaml = "apps: [{id: a, key: k, secret: s}]\n",
                                             .dotenv = "\nSOKETI_PORT=7001\n",
                                             .environment = { "PEAL_DRAIN_MS=3" } });
    assert_loads(&l);
    struct buf seen = { 0 };
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        if (!config_from(l.cfg, i).n) continue;
        buf_add_span(&seen, config_from(l.cfg, i));
        buf_add_byte(&seen, '\n');
    }
    buf_add_byte(&seen, '\0');
    assert_non_null(strstr(seen.p, "SOKETI_PORT ("));
    assert_non_null(strstr(seen.p, ":2)\n")); /* the line */
    assert_non_null(strstr(seen.p, "PEAL_DRAIN_MS (environment)\n"));
    buf_fini(&seen);
    config_free(&l.cfg);
}

static void empty_variables_count_as_absent(void **state)
{
    (void)state;
    struct loaded l =
        load(&(struct given) { .dotenv = "PEAL_DRAIN_MS=7\nPUSHER_APP_ID=\nPUSHER_APP_KEY=null\n",
                               .environment = { "PEAL_DRAIN_MS=", "PEAL_LOG_LEVEL=  " } });
    assert_loads(&l);
    assert_int_equal(l.cfg->drain_ms, 7);
    assert_int_equal(l.cfg->log.level, LOG_INFO);
    assert_int_equal(l.cfg->n_apps, 0);
    config_free(&l.cfg);
}

static void port_moves_the_main_listener(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .yaml = "listen: '[::1]:7000'\n",
                                             .flags = { { "port", "0", "--port" } } });
    assert_loads(&l);
    assert_span(l.cfg->listen.items[0].text, "[::1]:0");
    assert_span(l.cfg->listen.items[0].host, "::1");
    config_free(&l.cfg);
}

static void listen_of_a_later_source_wins_over_port(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) {
        .dotenv = "SOKETI_PORT=7001\n",
        .flags = { { "listen", "unix:/tmp/x.sock, 127.0.0.1:80", "--set listen" } } });
    assert_loads(&l);
    assert_int_equal(l.cfg->listen.n, 2);
    assert_int_equal(l.cfg->listen.items[0].kind, CONFIG_ADDR_UNIX);
    assert_span(l.cfg->listen.items[0].path, "/tmp/x.sock");
    assert_int_equal(l.cfg->listen.items[1].port, 80);
    config_free(&l.cfg);
}

static void listen_and_port_of_one_source_must_agree(void **state)
{
    (void)state;
    struct loaded l = load_yaml("listen: 0.0.0.0:7000\nport: 7000\n");
    assert_loads(&l);
    config_free(&l.cfg);
    l = load_yaml("listen: 0.0.0.0:7000\nport: 7001\n");
    assert_refused(l, "port", "listen", "different");
}

static void port_does_not_choose_among_listeners(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .yaml = "listen: [0.0.0.0:7000, unix:/tmp/x]\n",
                                             .flags = { { "port", "1", "--port" } } });
    assert_refused(l, "--port", "listen");
}

static void aliases_that_disagree_are_both_named(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("SOKETI_PORT=6001\nREVERB_SERVER_PORT=8080\n");
    assert_refused(l, "SOKETI_PORT", "REVERB_SERVER_PORT", "6001", "8080");
    l = load_dotenv("SOKETI_PORT=8080\nREVERB_SERVER_PORT=8080\nPEAL_PORT=8080\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->listen.items[0].port, 8080);
    config_free(&l.cfg);
}

static void two_prefixes_with_two_ids_are_two_apps(void **state)
{
    (void)state;
    struct loaded l = load_dotenv("PUSHER_APP_ID=1\nPUSHER_APP_KEY=a\nPUSHER_APP_SECRET=x\n"
                                  "REVERB_APP_ID=2\nREVERB_APP_KEY=b\nREVERB_APP_SECRET=y\n"
                                  "REVERB_APP_MAX_CONNECTIONS=5\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 2);
    assert_int_equal(config_find_app(l.cfg, SPAN("1"))->limits.connections, 0);
    assert_int_equal(config_find_app(l.cfg, SPAN("2"))->limits.connections, 5);
    config_free(&l.cfg);
}

static void two_prefixes_with_one_id_must_agree(void **state)
{
    (void)state;
    struct given g = { .dotenv = "PUSHER_APP_ID=1\nPUSHER_APP_KEY=a\nPUSHER_APP_SECRET=x\n"
                                 "REVERB_APP_ID=1\nREVERB_APP_KEY=a\nREVERB_APP_SECRET=hidden\n" };
    struct loaded l = load(&g);
    assert_refused(l, "PUSHER_APP_SECRET", "REVERB_APP_SECRET");
    assert_null(strstr(l.diag.text, "hidden"));
    g.environment[0] = "REVERB_APP_SECRET=other"; /* also across sources */
    l = load(&g);
    assert_refused(l, "PUSHER_APP_SECRET", "REVERB_APP_SECRET (environment)");
    g.environment[0] = "REVERB_APP_SECRET=x";
    l = load(&g);
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 1);
    config_free(&l.cfg);
}

static void apps_merge_by_id_and_field(void **state)
{
    (void)state;
    struct loaded l =
        load(&(struct given) { .yaml = "apps:\n  - {id: 7, key: old, secret: s, cache_ttl_s: 5}\n",
                               .dotenv = "PUSHER_APP_ID=7\nPUSHER_APP_KEY=new\n",
                               .flags = { { "apps.7.limits.connections", "3", "--set" } } });
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 1);
    assert_span(l.cfg->apps[0].key, "new");
    assert_span(l.cfg->apps[0].secrets.items[0], "s");
    assert_int_equal(l.cfg->apps[0].cache_ttl_s, 5);
    assert_int_equal(l.cfg->apps[0].limits.connections, 3);
    config_free(&l.cfg);
}

static void what_is_said_of_one_app_wins_over_all_apps(void **state)
{
    (void)state;
    struct loaded l =
        load(&(struct given) { .yaml = "apps:\n"
                                       "  - {id: a, key: ka, secret: s, limits: {batch: 3}}\n"
                                       "  - {id: b.c, key: kb, secret: s}\n"
                                       "app_defaults: {limits: {batch: 4}}\n",
                               .environment = { "PEAL_APP_DEFAULTS_LIMITS_BATCH=5" },
                               .flags = { { "apps.b.c.enabled", "no", "--set" } } });
    assert_loads(&l);
    assert_int_equal(config_find_app(l.cfg, SPAN("a"))->limits.batch, 3);
    assert_int_equal(config_find_app(l.cfg, SPAN("b.c"))->limits.batch, 5);
    assert_false(config_find_app(l.cfg, SPAN("b.c"))->enabled);
    config_free(&l.cfg);
}

static void an_incomplete_app_is_refused_by_name(void **state)
{
    (void)state;
    struct loaded l = load_yaml("apps: [{id: shop, key: k}]\n");
    assert_refused(l, "'shop'", "secret", ":1");
    l = load_dotenv("PUSHER_APP_ID=9\nPUSHER_APP_SECRET=s\n");
    assert_refused(l, "'9'", "PUSHER_APP_ID", "key");
    l = load_yaml("apps: [{id: a, key: k, secret: s}, {id: b, key: k, secret: s}]\n");
    assert_refused(l, "'a'", "'b'", "same key 'k'");
}

static void dev_fills_in_what_nobody_said(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .dev = true, .apps_needed = true });
    assert_loads(&l);
    assert_span(l.cfg->listen.items[0].text, "127.0.0.1:6001");
    assert_span(l.cfg->apps[0].id, "app-id");
    assert_span(l.cfg->apps[0].key, "app-key");
    assert_span(l.cfg->apps[0].secrets.items[0], "app-secret");
    config_free(&l.cfg);
    l = load(&(struct given) { .yaml = "apps: [{id: a, key: k, secret: s}]\nhost: 0.0.0.0\n",
                               .dev = true });
    assert_loads(&l);
    assert_int_equal(l.cfg->n_apps, 1);
    assert_span(l.cfg->listen.items[0].text, "0.0.0.0:6001");
    config_free(&l.cfg);
}

static void no_app_is_refused_with_the_ways_to_give_one(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .apps_needed = true });
    assert_refused(l, "--app", "PUSHER_APP_ID", "peal.yaml", "--dev");
}

static void rules_between_options_are_kept(void **state)
{
    (void)state;
    struct loaded l = load_yaml("apps: [{id: a, key: k, secret: s, activity_timeout_s: 100}]\n");
    assert_refused(l, "'a'", "ping_interval_s", "pong_timeout_s", "activity_timeout_s", "100");
    l = load_yaml("listen: 127.0.0.1:9601\n");
    assert_refused(l, "admin.listen", "127.0.0.1:9601");
    l = load_yaml("listen: [127.0.0.1:1, 127.0.0.1:1]\n");
    assert_refused(l, "127.0.0.1:1", "twice");
    l = load_yaml("apps: [{id: a, key: k, secret: s}]\nlimits: {request_total_bytes: 1000}\n");
    assert_refused(l, "limits.message_bytes", "limits.request_total_bytes");
    l = load_yaml("dashboard: {expose: true}\n");
    assert_refused(l, "dashboard.expose", "dashboard.password_hash", "peal password",
                   "127.0.0.1:9601");
}

static void missing_files_matter_only_when_named(void **state)
{
    (void)state;
    struct config *cfg = NULL;
    struct diag d;
    struct config_sources src = { .yaml_path = "/nonexistent/peal.yaml", .env_path = "" };
    assert_int_equal(config_load(&cfg, &src, &d), ERR_CONFIG);
    assert_non_null(strstr(d.text, "/nonexistent/peal.yaml"));
    src = (struct config_sources) { .yaml_path = "", .env_path = "/nonexistent/.env" };
    assert_int_equal(config_load(&cfg, &src, &d), ERR_CONFIG);
    assert_non_null(strstr(d.text, "/nonexistent/.env"));
}

static void count_sentence(void *ctx, struct span sentence)
{
    struct buf *all = ctx;
    buf_add_span(all, sentence);
    buf_add_byte(all, '\n');
}

/* Options that are not there, with whatever value, in all sources; the rest is read all the same.
 */
static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    static const char text[] = "wokers: 2\n"
                               "foo:\n"
                               "  - {a: [b, {c: d}]}\n"
                               "log: {depth: {x: 1}, level: loud}\n"
                               "apps:\n"
                               "  - {id: a, keyy: 1, limits: {connections: many}}\n"
                               "drain_ms: soon\n";
    static const char *const said[] = {
        "1: wokers: there is no such option; did you mean 'workers'?",
        "2: foo: there is no such option",
        "4: log.depth: there is no such option",
        "4: log.level must be",
        "6: keyy: there is no such option",
        "6: apps.a.limits.connections",
        "7: drain_ms must be",
        "environment: PEAL_WORKERS (option workers) must be",
        "--set bar: there is no such option",
    };
    const struct config_flag flag = { "bar", "1", "--set bar" };
    const char *const environment[] = { "PEAL_WORKERS=x", NULL };
    char path[40];
    struct buf all = { 0 };
    struct config *cfg = NULL;
    struct diag d;
    write_temporary(path, text);
    struct config_sources src = { .yaml_path = path,
                                  .env_path = "",
                                  .environment = environment,
                                  .flags = &flag,
                                  .n_flags = 1,
                                  .apps_needed = true,
                                  .on_refused = count_sentence,
                                  .ctx = &all };
    assert_int_equal(config_load(&cfg, &src, &d), ERR_CONFIG);
    struct span rest = buf_span(&all), line;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        assert_true(span_cut(&rest, '\n', &line));
        if (!line.p || !memmem(line.p, line.n, said[i], strlen(said[i])))
            fail_msg("%.*s does not say: %s", SPAN_FMT(line), said[i]);
    }
    assert_int_equal(rest.n, 0);
    assert_non_null(strstr(d.text, "wokers"));
    assert_non_null(strstr(d.text, "(and 8 more: see peal config check)"));
    unlink(path);
    buf_fini(&all);
}

static void no_allocation_may_fail_unnoticed(void **state)
{
    (void)state;
    const struct given g = {
        .yaml = "listen: [127.0.0.1:1, 127.0.0.1:2]\ntrusted_proxies: [10.0.0.0/8]\n"
                "apps: [{id: a, key: k, secrets: [s, t], allowed_origins: [x.example]}]\n",
        .dotenv = "PUSHER_APP_ID=1\nPUSHER_APP_KEY=\"b\"\nPUSHER_APP_SECRET=${PUSHER_APP_KEY}\n"
                  "REVERB_APP_KEY=no-id\n",
        .flags = { { "drain_ms", "4", "--set drain_ms" } },
    };
    long n = 0;
    for (bool failed = true; failed; n++) {
        mem_fail_after(n, true);
        struct loaded l = load(&g);
        failed = mem_fail_count() > 0;
        mem_fail_after(-1, false);
        assert_int_equal(l.err, failed ? ERR_NOMEM : ERR_OK);
        config_free(&l.cfg);
        assert_true(n < 10000);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_gives_the_defaults),
        cmocka_unit_test(an_app_has_the_defaults_of_an_app),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(a_value_remembers_where_it_comes_from),
        cmocka_unit_test(empty_variables_count_as_absent),
        cmocka_unit_test(port_moves_the_main_listener),
        cmocka_unit_test(listen_of_a_later_source_wins_over_port),
        cmocka_unit_test(listen_and_port_of_one_source_must_agree),
        cmocka_unit_test(port_does_not_choose_among_listeners),
        cmocka_unit_test(aliases_that_disagree_are_both_named),
        cmocka_unit_test(two_prefixes_with_two_ids_are_two_apps),
        cmocka_unit_test(two_prefixes_with_one_id_must_agree),
        cmocka_unit_test(apps_merge_by_id_and_field),
        cmocka_unit_test(what_is_said_of_one_app_wins_over_all_apps),
        cmocka_unit_test(an_incomplete_app_is_refused_by_name),
        cmocka_unit_test(dev_fills_in_what_nobody_said),
        cmocka_unit_test(no_app_is_refused_with_the_ways_to_give_one),
        cmocka_unit_test(rules_between_options_are_kept),
        cmocka_unit_test(missing_files_matter_only_when_named),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(no_allocation_may_fail_unnoticed),
    };
    return RUN_TESTS(tests);
}
