/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_hints.c: what is allowed and likely a mistake is said. */
#include "unit/server/config_fixture.h"

#define APP "apps:\n - id: a\n   key: key-a\n   secret: 0123456789abcdef\n"
#define APP_ENV "PUSHER_APP_ID=1\nPUSHER_APP_KEY=k\nPUSHER_APP_SECRET=0123456789abcdef\n"

#define WARNS(loaded, ...) warns(loaded, __LINE__, (const char *const[]) { __VA_ARGS__, NULL })
static void warns(struct loaded l, int line, const char *const *words)
{
    assert_loads(&l);
    for (; *words; words++)
        if (!says(l.cfg, *words)) fail_msg("line %d: no '%s'", line, *words);
    config_free(&l.cfg);
}

static void says_nothing(struct loaded l)
{
    assert_loads(&l);
    if (l.cfg->warnings.n) fail_msg("warned: %s", l.cfg->warnings.items[0].p);
    config_free(&l.cfg);
}

static void nothing_is_said_of_what_is_well(void **state)
{
    (void)state;
    says_nothing(load_yaml(APP));
    says_nothing(load_yaml("admin: { listen: \"[::1]:9601\" }\ndrain_ms: 10\ndrain_code: 4200\n"
                           "path_prefix: /ws\n" APP "   allowed_origins: [\"https://*.x.com\"]\n"));
    says_nothing(load(&(struct given) { .dev = true }));
    says_nothing(load_dotenv(APP_ENV "VITE_PUSHER_APP_KEY=${PUSHER_APP_KEY}\n"
                                     "BROADCAST_CONNECTION=reverb\nPUSHER_HOST=localhost\n"
                                     "PUSHER_PORT=6001\n"));
}

#define PASSWORD_HASH                                                                              \
    "scrypt$16384$8$1$U29kaXVtQ2hsb3JpZGU=$cCO9yzr9c0hGHAbNgf04678KjT+nkMTqjvvppUPbkaE="

static void of_the_server(void **state)
{
    (void)state;
    WARNS(load_yaml("admin: { listen: \"0.0.0.0:1\" }\n" APP), "admin.listen is 0.0.0.0:1");
    WARNS(load_yaml("drain_code: 4200\n" APP), "drain_code 4200", "drain_ms");
    WARNS(load_yaml("path_prefix: /apps\n" APP), "path_prefix is /apps", "/apps/app/KEY");
    WARNS(
        load_yaml("dashboard: { path: '', expose: true, password_hash: " PASSWORD_HASH " }\n" APP),
        "dashboard.path is empty");
    WARNS(load_yaml(APP "   enabled: false\n"), "no app is enabled");
    WARNS(load_dotenv(APP_ENV "PUSHER_HOST=127.0.0.1\nPUSHER_PORT=8080\n"), "port 8080",
          "0.0.0.0:6001");
    says_nothing(load_dotenv(APP_ENV "PUSHER_HOST=127.0.0.1\nPUSHER_SCHEME=https\n")); /* a proxy */
}

static void of_an_app(void **state)
{
    (void)state;
    WARNS(load_yaml("apps: [{id: a, key: same-as-that, secret: same-as-that}]\n"),
          "app 'a': the secret is the same as the key");
    WARNS(load_yaml("apps: [{id: a, key: k, secret: App-Secret}]\n"), "easy to guess");
    WARNS(load_yaml("apps: [{id: a, key: k, secret: 1234567}]\n"), "easy to guess");
    WARNS(load_dotenv("PUSHER_APP_ID=1\nPUSHER_APP_KEY=${X}\nPUSHER_APP_SECRET=${Y_0123456789}\n"),
          "app '1': the key begins with ${");
    WARNS(load_yaml(APP "   client_events: none\n   client_events_on_public_channels: true\n"),
          "no client event passes");
    WARNS(load_yaml(APP "   allowed_origins: [x.com, \"https://y.com/\"]\n"), "https://y.com/");
}

static void of_laravel(void **state)
{
    (void)state;
    WARNS(load_dotenv(APP_ENV "VITE_PUSHER_APP_KEY=other\n"), "VITE_PUSHER_APP_KEY");
    WARNS(load_dotenv(APP_ENV "BROADCAST_CONNECTION=log\n"), "BROADCAST_CONNECTION is log");
    WARNS(load_dotenv(APP_ENV "BROADCAST_DRIVER=null\n"), "BROADCAST_DRIVER is null");
    says_nothing(load_dotenv("BROADCAST_CONNECTION=log\n")); /* no app of ours there */
}

static void what_other_servers_did_and_this_does_not(void **state)
{
    (void)state;
    WARNS(load_dotenv(APP_ENV "SOKETI_SSL_CERT=/etc/ssl/x.pem\n"), "SOKETI_SSL_CERT has no effect");
    WARNS(load_dotenv(APP_ENV "SOKETI_DEFAULT_APP_WEBHOOKS='[{\"url\":\"https://x.com\"}]'\n"
                              "REVERB_SCALING_ENABLED=true\nWEBSOCKETS_REPLICATION_MODE=redis\n"),
          "no webhooks are sent", "REVERB_SCALING_ENABLED has no effect",
          "WEBSOCKETS_REPLICATION_MODE has no effect");
    says_nothing(load_dotenv(APP_ENV "SOKETI_DEFAULT_APP_WEBHOOKS=[]\nSOKETI_SSL_CERT=\n"
                                     "REVERB_SCALING_ENABLED=False\n"
                                     "LARAVEL_WEBSOCKETS_SSL_LOCAL_CERT=null\n"
                                     "WEBSOCKETS_REPLICATION_MODE=local\n"
                                     "SOKETI_ADAPTER_DRIVER=local\n"));
}

static void an_option_of_the_other_kind_is_named(void **state)
{
    (void)state;
    struct loaded l = load_yaml("client_events: none\n");
    assert_refused(l, "app_defaults.client_events");
    l = load_yaml("limits: { conections: 1 }\n");
    assert_refused(l, "did you mean 'app_defaults.limits.connections'");
    l = load_yaml(APP "   port: 1\n");
    assert_refused(l, "port belongs to the server");
    l = load_dotenv("PEAL_CLIENT_EVENTS=none\n");
    assert_refused(l, "PEAL_APP_DEFAULTS_CLIENT_EVENTS");
}

static void defaults_of_apps_are_named_in_full(void **state)
{
    (void)state;
    struct loaded l = load_yaml("app_defaults: { limits: { batch: 7 } }\n" APP);
    assert_loads(&l);
    bool found = false;
    for (size_t i = 0; i < N_APP_OPTIONS; i++)
        found |= strncmp(config_app_from(l.cfg, 0, i).p, "app_defaults.limits.batch (", 27) == 0;
    assert_true(found);
    config_free(&l.cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_what_is_well),
        cmocka_unit_test(of_the_server),
        cmocka_unit_test(of_an_app),
        cmocka_unit_test(of_laravel),
        cmocka_unit_test(what_other_servers_did_and_this_does_not),
        cmocka_unit_test(an_option_of_the_other_kind_is_named),
        cmocka_unit_test(defaults_of_apps_are_named_in_full),
    };
    return RUN_TESTS(tests);
}
