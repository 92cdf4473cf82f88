/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_value.c: the option table, and text -> value -> text. */
#include "server/config_value.h"
#include "unit/test.h"

#define PASSWORD_HASH                                                                              \
    "scrypt$16384$8$1$U29kaXVtQ2hsb3JpZGU=$cCO9yzr9c0hGHAbNgf04678KjT+nkMTqjvvppUPbkaE="

struct fixture {
    struct config_arena *arena;
    struct buf text;
};

/* The canonical text of a value, or "! " and what it must be. */
static const char *canonical(struct fixture *f, const char *option, const char *given)
{
    const struct option *opt = option_find_global(span_str(option));
    struct span text = span_str(given);
    union option_value value;
    if (!opt) opt = option_find_app(span_str(option));
    assert_non_null(opt);
    buf_clear(&f->text);
    BUF_ADD_LIT(&f->text, "! ");
    enum err err =
        option_parse(opt, (struct option_given) { &text, 1, false }, f->arena, &value, &f->text);
    if (!err) {
        buf_clear(&f->text);
        option_print(opt, &value, &f->text);
    }
    buf_add_byte(&f->text, '\0');
    assert_false(buf_failed(&f->text));
    return f->text.p;
}

static void values_have_one_canonical_text(void **state)
{
    static const struct {
        const char *option, *given, *text;
    } rows[] = {
        { "drain_ms", "0", "0" },
        { "drain_ms", " 007 ", "7" },
        { "limits.pending_bytes", "1024", "1024" },
        { "limits.pending_bytes", "1KiB", "1024" },
        { "limits.pending_bytes", "2 MiB", "2097152" },
        { "limits.pending_total_bytes", "16384GiB", "17592186044416" },
        { "watchlist", "Yes", "true" },
        { "watchlist", "off", "false" },
        { "watchlist", "(true)", "true" },
        { "watchlist", "0", "false" },
        { "client_events", "true", "members" },
        { "client_events", "NONE", "none" },
        { "log.level", "Warn", "warn" },
        { "path_prefix", "", "" },
        { "path_prefix", "/", "" },
        { "path_prefix", "ws", "/ws" },
        { "path_prefix", "//a//b/", "/a/b" },
        { "dashboard.password_hash", "", "" },
        { "dashboard.password_hash", PASSWORD_HASH, "(hidden)" },
        { "listen", "a:1,b:2", "a:1,b:2" },
        { "listen", " a:1 , , b:2 ", "a:1,b:2" },
        { "listen", "[::1]:80", "[::1]:80" },
        { "listen", ":80", ":80" },
        { "trusted_proxies", "loopback", "127.0.0.0/8,::1" },
        { "trusted_proxies", "none", "none" },
        { "trusted_proxies", "10.1.2.3/8,fd00::1/16", "10.0.0.0/8,fd00::/16" },
        { "trusted_proxies", "1.2.3.4", "1.2.3.4" },
        { "trusted_proxies", "0.0.0.0/0", "0.0.0.0/0" },
        { "allowed_origins", "*", "*" },
        { "allowed_origins", "A.example,*", "*" },
        { "allowed_origins", "https://A.Example:8443", "https://a.example:8443" },
        { "admin.hosts", "loopback,Ops.Example", "localhost,127.0.0.1,::1,ops.example" },
        { "admin.hosts", "[::1]", "::1" },
        { "admin.hosts", "a,*", "*" },
        { "secrets", "a,b", "(1 hidden)" }, /* one text is one secret */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text = canonical(*state, rows[i].option, rows[i].given);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s '%s': '%s', not '%s'", rows[i].option, rows[i].given, text, rows[i].text);
    }
}

static void what_is_no_value_is_refused(void **state)
{
    static const char *const rows[][2] = {
        { "drain_ms", "" },
        { "drain_ms", "+1" },
        { "drain_ms", "0x10" },
        { "drain_ms", "1e3" },
        { "drain_ms", "1KiB" },
        { "limits.pending_bytes", "KiB" },
        { "limits.pending_bytes", "1KB" },
        { "limits.pending_bytes", "17179869185" },
        { "limits.pending_bytes", "18446744073709551615GiB" },
        { "watchlist", "2" },
        { "workers", "0" },
        { "port", "65536" },
        { "host", "a b" },
        { "host", "http://a" },
        { "host", "unix:/x" },
        { "listen", "a" },
        { "listen", "a:" },
        { "listen", "a:+1" },
        { "listen", "a:65536" },
        { "listen", "::1:80" },
        { "listen", "[1.2.3.4]:80" },
        { "listen", "[::1]80" },
        { "listen", "[::1" },
        { "listen", "unix:" },
        { "trusted_proxies", "10.0.0.0/" },
        { "trusted_proxies", "10.0.0.0/33" },
        { "trusted_proxies", "::/129" },
        { "trusted_proxies", "10.0.0" },
        { "trusted_proxies", "example.com" },
        { "admin.hosts", "a:80" },
        { "admin.hosts", "10.0.0.0/8" },
        { "dashboard.password_hash", "my-password-xyz" },
        { "dashboard.password_hash", PASSWORD_HASH "x" },
        { "key", "" },
        { "key", "a:b" },
        { "key", "a b" },
        { "key", "a/b" },
        { "secrets", "" },
        { "allowed_origins", "a b" },
        { "path_prefix", "/a?b" },
        { "path_prefix", "/a b" },
        { "path_prefix", "/%2e" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text = canonical(*state, rows[i][0], rows[i][1]);
        if (text[0] != '!') fail_msg("%s '%s' gives '%s'", rows[i][0], rows[i][1], text);
        bool shown = rows[i][1][0] && strstr(text, rows[i][1]);
        if (shown && strstr(rows[i][0], "password")) fail_msg("%s is shown", rows[i][0]);
    }
}

static void a_shown_value_is_cut_and_free_of_controls(void **state)
{
    char given[500];
    memset(given, 'x', sizeof given - 1);
    given[sizeof given - 1] = '\0';
    memcpy(given, "\x1b[2J\n", 5);
    const char *text = canonical(*state, "drain_ms", given);
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\n'));
    assert_true(strlen(text) < 200);
}

static void every_default_is_in_its_own_range(void **state)
{
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++)
        assert_true(canonical(*state, option_globals[i].name, option_globals[i].dflt)[0] != '!');
    for (size_t i = 0; i < N_APP_OPTIONS; i++)
        if (option_apps[i].dflt)
            assert_true(canonical(*state, option_apps[i].name, option_apps[i].dflt)[0] != '!');
}

static void every_name_leads_back_to_its_row(void **state)
{
    (void)state;
    struct option_ref ref;
    struct buf env = { 0 };
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        assert_true(option_find(span_str(option_globals[i].name), &ref));
        assert_ptr_equal(ref.option, &option_globals[i]);
        buf_clear(&env);
        option_env_name(ref.option, &env);
        assert_true(option_find_env(buf_span(&env), &ref));
        assert_ptr_equal(ref.option, &option_globals[i]);
    }
    for (size_t i = 0; i < N_APP_OPTIONS; i++) {
        char name[100];
        snprintf(name, sizeof name, "apps.a.b.limits.%s", option_apps[i].name);
        assert_true(option_find(span_str(name), &ref));
        assert_ptr_equal(ref.option, &option_apps[i]);
        assert_span(ref.app_id, "a.b.limits");
    }
    buf_fini(&env);
    for (size_t i = 0; i < option_n_aliases; i++) {
        struct span name = span_str(option_aliases[i].option);
        bool global = option_aliases[i].scope == ALIAS_GLOBAL_OPTION;
        assert_non_null(global ? option_find_global(name) : option_find_app(name));
    }
}

static void an_address_lies_in_its_networks_only(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *address;
        bool inside;
    } rows[] = {
        { "10.1.2.3", true },       { "11.1.2.3", false }, { "192.168.7.127", true },
        { "192.168.7.128", false }, { "fd00::1", true },   { "fe00::1", false },
        { "::a01:203", false }, /* the same bits, but not an IPv4 address */
    };
    struct span text = SPAN("10.0.0.0/8,192.168.7.0/25,fd00::/8");
    union option_value value;
    struct buf why = { 0 };
    assert_int_equal(option_parse(option_find_global(SPAN("trusted_proxies")),
                                  (struct option_given) { &text, 1, false }, f->arena, &value,
                                  &why),
                     ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_net one;
        assert_true(config_net_parse(span_str(rows[i].address), &one));
        assert_int_equal(config_nets_have(&value.nets, one.addr), rows[i].inside);
    }
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture) { .arena = config_arena_new() };
    *state = &f;
    return f.arena ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    config_arena_free(f->arena);
    buf_fini(&f->text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_one_canonical_text),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(a_shown_value_is_cut_and_free_of_controls),
        cmocka_unit_test(every_default_is_in_its_own_range),
        cmocka_unit_test(every_name_leads_back_to_its_row),
        cmocka_unit_test(an_address_lies_in_its_networks_only),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
