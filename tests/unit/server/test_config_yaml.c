/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_yaml.c: peal.yaml, friendly and hostile. */
#include "unit/server/config_fixture.h"

static void the_example_of_the_manual_is_read(void **state)
{
    (void)state;
    struct loaded l = load_yaml("# only what differs\n"
                                "log: { level: debug, format: json }\n"
                                "limits.pending_bytes: 2 MiB\n"
                                "workers: 2\n"
                                "apps:\n"
                                "  - id: shop\n"
                                "    key: shop-key\n"
                                "    secret: shop-secret\n"
                                "    allowed_origins: [\"https://*.Example.com\"]\n"
                                "    limits: { connections: 50000 }\n"
                                "  - secrets: [new, old]\n"
                                "    key: other-key\n"
                                "    id: 007\n");
    assert_loads(&l);
    assert_int_equal(l.cfg->log.level, LOG_DEBUG);
    assert_int_equal(l.cfg->log.format, LOG_JSON);
    assert_int_equal(l.cfg->limits.pending_bytes, 2 << 20);
    assert_int_equal(l.cfg->workers, 2);
    const struct app_settings *shop = config_find_app(l.cfg, SPAN("shop"));
    assert_span(shop->allowed_origins.items[0], "https://*.example.com");
    assert_int_equal(shop->limits.connections, 50000);
    const struct app_settings *bond = config_find_app(l.cfg, SPAN("007"));
    assert_int_equal(bond->secrets.n, 2);
    assert_span(bond->secrets.items[0], "new");
    config_free(&l.cfg);
}

static void nothing_at_all_is_fine(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "# comment\n",        "---\n",
        "~\n",       "apps:\nlimits: ~\n", "drain_ms:\nlog: {level: null}\n",
        "apps: []\n"
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct loaded l = load_yaml(texts[i]);
        assert_loads(&l);
        config_free(&l.cfg);
    }
}

/* Each text is refused with words that help. */
/* A text, and what the refusal must say: the line, the word it is about, another word. */
static const struct {
    const char *text, *line, *word, *other;
} wrong[] = {
    { "drain_ms: 5\nlog.lvel: info\n", ":2:", "log.lvel", "did you mean 'log.level'" },
    { "lgo: {level: info}\n", ":1:", "lgo", "no such option" },
    { "aps: []\n", ":1:", "aps", "did you mean 'apps'" },
    { "cache_ttl_s: 5\n", ":1:", "cache_ttl_s", "app_defaults.cache_ttl_s" },
    { "apps: [{id: a, kye: k}]\n", ":1:", "kye", "key" },
    { "app_defaults: {watchlst: true}\n", ":1:", "watchlst", "watchlist" },
    { "app_defaults: {secret: s}\n", ":1:", "secret", "for each app" },
    { "app_defaults: {id: s}\n", ":1:", "id", "no such option" },
    { "drain_ms: 5\n\ndrain_ms: 6\n", ":3:", "drain_ms", "twice" },
    { "log: {level: info}\nlog: {format: json}\n", ":2:", "log", "twice" },
    { "log.level: info\nlog: {level: debug}\n", ":2)", "log.level", "different" },
    { "apps:\n- {id: a, key: k, secret: s}\n- {id: a, key: l, secret: t}\n", ":3:", "'a'",
      "twice" },
    { "apps: [{id: a, key: k, secret: s, secrets: [t]}]\n", ":1)", "secrets", "different" },
    { "apps: [{key: k}]\n", ":1:", "id", "no id" },
    { "apps: {id: a}\n", ":1:", "apps", "list" },
    { "apps: [a]\n", ":1:", "apps", "mapping" },
    { "apps: [{id: 'a/b', key: k, secret: s}]\n", ":1:", "id", "a/b" },
    { "drain_ms: -1\n", ":1:", "drain_ms", "from 0 to 3600000 (unit: ms)" },
    { "drain_ms: 1.5\n", ":1:", "drain_ms", "'1.5'" },
    { "drain_ms: 99999999999999999999\n", ":1:", "drain_ms", "whole number" },
    { "drain_ms: {a: b}\n", ":1:", "drain_ms", "not a mapping" },
    { "drain_ms: [1, 2]\n", ":1:", "drain_ms", "not a list" },
    { "drain_code: 4000\n", ":1:", "drain_code", "4100" },
    { "log: {level: inof}\n", ":1:", "log.level", "did you mean 'info'" },
    { "log: info\n", ":1:", "log", "mapping" },
    { "strict_channel_names: maybe\n", ":1:", "strict_channel_names", "true or false" },
    { "listen: 6001\n", ":1:", "listen", "host:port" },
    { "listen: []\n", ":1:", "listen", "1 to 64" },
    { "listen: ['::1:80']\n", ":1:", "listen", "[v6]:port" },
    { "admin: {listen: [a:1, b:2]}\n", ":1:", "admin.listen", "exactly 1" },
    { "trusted_proxies: 10.0.0.0/33\n", ":1:", "trusted_proxies", "10.0.0.0/8" },
    { "path_prefix: /a/../b\n", ":1:", "path_prefix", "path" },
    { "workers: 257\n", ":1:", "workers", "256" },
    { "app_defaults: {connection_limit_code: 4050}\n", ":1:", "connection_limit_code",
      "4004 or 4100" },
    { "app_defaults: {client_events: all}\n", ":1:", "client_events", "members or none" },
    { "app_defaults: {activity_timeout_s: 0}\n", ":1:", "activity_timeout_s", "from 1" },
    { "a: &x 1\nb: *x\n", ":1:", "a", "no such option" },
    { "drain_ms: &x 1\n", ":1:", "anchors", "aliases" },
    { "log: *x\n", ":1:", "anchors", "aliases" },
    { "drain_ms: !!int 1\n", ":1:", "tags", "!" },
    { "apps:\n  - id: \"a\\0b\"\n", ":2:", "NUL", "octet" },
    { "drain_ms: 1\n---\ndrain_ms: 2\n", ":2:", "second", "document" },
    { "[1, 2]\n", ":1:", "mapping", "workers: 4" },
    { "just text\n", ":1:", "mapping", "workers: 4" },
    { "? [a]\n: b\n", ":1:", "name of an option", "" },
    { "log: {level: info\n", ":2:", "", "" },
    { "\tlog: x\n", ":1:", "", "" },
};

static void what_is_wrong_is_refused_with_line_and_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct loaded l = load_yaml(wrong[i].text);
        if (!l.err) fail_msg("accepted: %s", wrong[i].text);
        assert_refused(l, wrong[i].line, wrong[i].word, wrong[i].other);
    }
}

static void a_deep_text_ends_at_its_first_level(void **state)
{
    (void)state;
    static char deep[100001];
    memset(deep, '[', sizeof deep - 1);
    struct loaded l = load_yaml(deep);
    assert_refused(l, "mapping");
    memcpy(deep, "apps: ", 6);
    l = load_yaml(deep);
    assert_refused(l, "apps");
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    static char huge[1024 * 1024 + 2];
    memset(huge, '#', sizeof huge - 1);
    struct loaded l = load_yaml(huge);
    assert_refused(l, "larger than 1024 KiB");
}

static void a_secret_is_never_in_a_message(void **state)
{
    (void)state;
    static char yaml[3000];
    snprintf(yaml, sizeof yaml, "apps: [{id: a, key: k, secret: hush%01100d}]\n", 7);
    struct loaded l = load_yaml(yaml);
    assert_refused(l, "secrets", "1024");
    assert_null(strstr(l.diag.text, "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_manual_is_read),
        cmocka_unit_test(nothing_at_all_is_fine),
        cmocka_unit_test(what_is_wrong_is_refused_with_line_and_words),
        cmocka_unit_test(a_deep_text_ends_at_its_first_level),
        cmocka_unit_test(a_huge_file_is_refused),
        cmocka_unit_test(a_secret_is_never_in_a_message),
    };
    return RUN_TESTS(tests);
}
