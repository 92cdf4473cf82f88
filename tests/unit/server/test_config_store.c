/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_config_store.c: the option store: its folder, and its password. */
#include "server/config_value.h"
#include "unit/server/config_fixture.h"

static void the_default_is_a_file_in_the_state_folder(void **state)
{
    (void)state;
    static const struct {
        const char *environment[4], *store;
    } rows[] = {
        { { "STATE_DIRECTORY=/var/lib/peal", "XDG_STATE_HOME=/x", "HOME=/home/u" },
          "sqlite:/var/lib/peal/peal.db" },
        { { "STATE_DIRECTORY=/var/lib/a:/var/lib/b" }, "sqlite:/var/lib/a/peal.db" },
        { { "XDG_STATE_HOME=/x", "HOME=/home/u" }, "sqlite:/x/peal/peal.db" },
        { { "XDG_STATE_HOME=relative", "STATE_DIRECTORY=", "HOME=/home/u" },
          "sqlite:/home/u/.local/state/peal/peal.db" },
        { { "HOME=" }, "sqlite::memory:" },
        { { "HOMER=/home/u" }, "sqlite::memory:" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct given g = { .dev = true };
        memcpy(g.environment, rows[i].environment, sizeof rows[i].environment);
        struct loaded l = load(&g);
        assert_loads(&l);
        assert_span(l.cfg->store, rows[i].store);
        config_free(&l.cfg);
    }
}

static void what_is_said_is_taken_as_it_is(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) { .yaml = "store: 'sqlite::memory:'\n",
                                             .environment = { "HOME=/home/u" } });
    assert_loads(&l);
    assert_span(l.cfg->store, "sqlite::memory:");
    assert_int_equal(l.cfg->statistics.interval_seconds, 60);
    assert_int_equal(l.cfg->statistics.retention_days, 0);
    config_free(&l.cfg);
    l = load(&(struct given) { .environment = { "PEAL_STORE=none", "HOME=/home/u" } });
    assert_loads(&l);
    assert_span(l.cfg->store, "none");
    config_free(&l.cfg);
}

static struct buf shown(const struct config *cfg)
{
    const struct option *opt = option_find_global(SPAN("store"));
    union option_value value;
    struct buf b = { 0 };
    option_load(opt, cfg, &value);
    option_print(opt, &value, &b);
    return b;
}

static void a_password_is_never_shown(void **state)
{
    (void)state;
    struct loaded l = load(&(struct given) {
        .environment = { "PEAL_STORE=postgres://peal:hush@db/app?sslmode=disable" } });
    assert_loads(&l);
    struct buf b = shown(l.cfg);
    assert_buf(&b, "postgres://peal:***@db/app?sslmode=disable");
    buf_fini(&b);
    config_free(&l.cfg);

    l = load(&(struct given) { .environment = { "PEAL_STORE=postgres://peal:hush@db" } });
    assert_int_equal(l.err, ERR_CONFIG);
    assert_null(strstr(l.diag.text, "hush"));
    assert_non_null(strstr(l.diag.text, "PEAL_STORE"));

    /* Only the passwords differ: a contradiction all the same, and told without them. */
    l = load(&(struct given) { .yaml = "store: mysql://u:hush@h/d\nstore: mysql://u:quiet@h/d\n" });
    assert_int_equal(l.err, ERR_CONFIG);
    assert_true(!strstr(l.diag.text, "hush") && !strstr(l.diag.text, "quiet"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_a_file_in_the_state_folder),
        cmocka_unit_test(what_is_said_is_taken_as_it_is),
        cmocka_unit_test(a_password_is_never_shown),
    };
    return RUN_TESTS(tests);
}
