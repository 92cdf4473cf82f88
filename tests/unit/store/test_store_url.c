/* SPDX-License-Identifier: MIT
 * tests/unit/store/test_store_url.c: the option `store`. */
#include "base/mem.h"
#include "store/store_url.h"
#include "unit/test.h"

static struct store_url parse(const char *text)
{
    struct store_url url;
    struct diag d = { "" };
    enum err err = store_url_parse(span_str(text), &url, &d);
    if (err) fail_msg("%s: %s", text, d.text);
    return url;
}

static void files_and_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum store_kind kind;
        const char *path;
    } rows[] = {
        { "none", STORE_NONE, "" },
        { "sqlite:", STORE_SQLITE, "" },
        { "sqlite::memory:", STORE_SQLITE, ":memory:" },
        { "sqlite:/var/lib/peal/peal.db", STORE_SQLITE, "/var/lib/peal/peal.db" },
        { "sqlite:///var/lib/peal/peal.db", STORE_SQLITE, "/var/lib/peal/peal.db" },
        { "sqlite:data/50%25.db", STORE_SQLITE, "data/50%25.db" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct store_url url = parse(rows[i].text);
        assert_int_equal(url.kind, rows[i].kind);
        assert_string_equal(url.path, rows[i].path);
        store_url_fini(&url);
    }
}

static void servers(void **state)
{
    (void)state;
    struct store_url url = parse("postgres://peal:s%40crt%2F%3a@db.example.com:6432/app%20one?"
                                 "sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem");
    assert_int_equal(url.kind, STORE_POSTGRES);
    assert_string_equal(url.user, "peal");
    assert_string_equal(url.password, "s@crt/:");
    assert_string_equal(url.host, "db.example.com");
    assert_int_equal(url.port, 6432);
    assert_string_equal(url.database, "app one");
    assert_string_equal(url.ca, "/etc/ca.pem");
    assert_int_equal(url.tls, STORE_TLS_VERIFY);
    store_url_fini(&url);

    url = parse("mariadb://root@[::1]/shop?socket=/run/mysqld.sock");
    assert_int_equal(url.kind, STORE_MYSQL);
    assert_string_equal(url.password, "");
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 0);
    assert_string_equal(url.socket, "/run/mysqld.sock");
    store_url_fini(&url);

    url = parse("mysql://a:b:c@[::1]:3307/shop");
    assert_string_equal(url.password, "b:c");
    assert_int_equal(url.port, 3307);
    store_url_fini(&url);

    url = parse("postgresql:///shop?socket=/run/postgresql&sslmode=disable");
    assert_string_equal(url.host, "");
    assert_string_equal(url.user, "");
    assert_int_equal(url.tls, STORE_TLS_DISABLE);
    store_url_fini(&url);
}

/* What is wrong is said, and never with the password. */
static void malformed_ones_are_refused_without_repeating_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "NONE",
        "sqlite",
        "file.db",
        "oracle://u:hush@h/d",
        "postgres://u:hush@h",
        "postgres://u:hush@h/",
        "postgres://u:hush@/d",
        "postgres://u:hush@h:0/d",
        "postgres://u:hush@h:65536/d",
        "postgres://u:hush@h:x/d",
        "postgres://u:hush@[::1/d",
        "postgres://u:hush@[::1]5/d",
        "postgres://u:hu%sh@h/d",
        "postgres://u:hush%00@h/d",
        "postgres://u:hush@h/d%2",
        "postgres://u:hu/sh@h/d",
        "mysql://u:hu?sh@h/d",
        "mysql://u:hush@h/d/e",
        "mysql://u:hush@h/d?sslmode=maybe",
        "mysql://u:hush@h/d?sslmode",
        "mysql://u@h/d?password=hush",
        "mysql:u:hush@h/d",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct store_url url;
        struct diag d = { "" };
        enum err err = store_url_parse(span_str(texts[i]), &url, &d);
        if (err != ERR_SYNTAX) fail_msg("'%s': %s", texts[i], err_text(err));
        if (strstr(d.text, "hush") || strstr(d.text, "hu")) fail_msg("'%s': %s", texts[i], d.text);
        assert_true(strlen(d.text) > 20);
        store_url_fini(&url);
    }
}

static void what_is_shown_has_no_password(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } rows[] = {
        { "none", "none" },
        { "sqlite:/var/lib/a:b@c.db", "sqlite:/var/lib/a:b@c.db" },
        { "postgres://h:5432/d", "postgres://h:5432/d" },
        { "postgres://u@h:5432/d", "postgres://u@h:5432/d" },
        { "postgres://u:hush@h:5432/d?sslmode=require",
          "postgres://u:***@h:5432/d?sslmode=require" },
        { "mysql://u:@h/d", "mysql://u:***@h/d" },
        { "mysql://u:hu@sh@h/d", "mysql://u:***@h/d" },
        { "mysql://u:hu/sh?@h/d", "mysql://u:***@h/d" },
        { "mysql://u:hush@[::1]:1/d", "mysql://u:***@[::1]:1/d" },
        { "oracle://u:hush@h/d", "oracle://u:***@h/d" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = { 0 };
        store_url_mask(span_str(rows[i].text), &b);
        assert_buf(&b, rows[i].shown);
        buf_fini(&b);
    }
}

static void memory_may_be_short(void **state)
{
    (void)state;
    struct store_url url;
    struct diag d = { "" };
    mem_fail_after(0, true);
    assert_int_equal(store_url_parse(SPAN("mysql://u:p@h/d"), &url, &d), ERR_NOMEM);
    mem_fail_after(-1, false);
    store_url_fini(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_nothing),
        cmocka_unit_test(servers),
        cmocka_unit_test(malformed_ones_are_refused_without_repeating_them),
        cmocka_unit_test(what_is_shown_has_no_password),
        cmocka_unit_test(memory_may_be_short),
    };
    return RUN_TESTS(tests);
}
