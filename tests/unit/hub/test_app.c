/* SPDX-License-Identifier: MIT
 * tests/unit/hub/test_app.c: the set of apps: look-up, refusal of twins, places for connections. */
#include "base/mem.h"
#include "hub/app.h"
#include "unit/test.h"

static struct span secret = SPAN("s");

static struct app_settings settings_of(const char *id, const char *key)
{
    return (struct app_settings) {
        .id = span_str(id), .key = span_str(key), .secrets = { &secret, 1 }, .enabled = true
    };
}

static void apps_are_found_by_key_and_by_id(void **state)
{
    (void)state;
    struct app_settings all[] = { settings_of("7", "k"), settings_of("007", "K") };
    struct apps *apps;
    assert_int_equal(apps_new(&apps, all, 2, true, NULL), ERR_OK);
    assert_ptr_equal(apps_find_id(apps, SPAN("7")), &apps->all[0]);
    assert_ptr_equal(apps_find_id(apps, SPAN("007")), &apps->all[1]);
    assert_null(apps_find_id(apps, SPAN("07")));
    assert_ptr_equal(apps_find_key(apps, SPAN("K")), &apps->all[1]);
    assert_null(apps_find_key(apps, SPAN("7")));
    assert_null(apps_find_key(apps, SPAN("")));
    assert_int_equal(apps->all[1].index, 1);
    apps_free(apps);
}

static void no_apps_at_all_are_a_set(void **state)
{
    (void)state;
    struct apps *apps;
    assert_int_equal(apps_new(&apps, NULL, 0, true, NULL), ERR_OK);
    assert_null(apps_find_id(apps, SPAN("x")));
    apps_free(apps);
    apps_free(NULL);
}

static void twins_are_refused_by_name(void **state)
{
    (void)state;
    struct apps *apps = NULL;
    struct diag diag;
    struct app_settings ids[] = { settings_of("one", "k"), settings_of("one", "l") };
    assert_int_equal(apps_new(&apps, ids, 2, true, &diag), ERR_EXISTS);
    assert_non_null(strstr(diag.text, "'one'"));
    struct app_settings keys[] = { settings_of("one", "k"), settings_of("two", "k") };
    assert_int_equal(apps_new(&apps, keys, 2, true, &diag), ERR_EXISTS);
    assert_non_null(strstr(diag.text, "'one' and 'two'"));
    assert_null(apps);
}

static void apps_need_one_to_eight_secrets(void **state)
{
    (void)state;
    struct span many[APP_MAX_SECRETS + 2];
    for (size_t i = 0; i < ARRAY_LEN(many); i++) many[i] = secret;
    for (size_t n = 0; n <= ARRAY_LEN(many); n++) {
        struct app_settings one = settings_of("id", "k");
        one.secrets = (struct span_list) { many, n };
        struct apps *apps = NULL;
        bool fits = n >= 1 && n <= APP_MAX_SECRETS;
        assert_int_equal(apps_new(&apps, &one, 1, true, NULL), fits ? ERR_OK : ERR_RANGE);
        if (fits) assert_int_equal(apps->all[0].rules->keys.n_secrets, n);
        apps_free(apps);
    }
}

static void connections_are_taken_up_to_the_limit(void **state)
{
    (void)state;
    struct app_settings one = settings_of("id", "k");
    one.limits.connections = 2;
    struct apps *apps;
    assert_int_equal(apps_new(&apps, &one, 1, true, NULL), ERR_OK);
    struct app *app = &apps->all[0];
    assert_true(app_conn_take(app) && app_conn_take(app));
    assert_false(app_conn_take(app));
    assert_int_equal(atomic_load(&app->n_conns), 2);
    app_conn_drop(app);
    assert_true(app_conn_take(app));
    one.limits.connections = 0;
    assert_true(app_conn_take(app));
    apps_free(apps);
}

static void apps_survive_any_failed_allocation(void **state)
{
    (void)state;
    struct app_settings all[] = { settings_of("1", "a"), settings_of("2", "b") };
    struct apps *apps;
    for (long n = 0;; n++) {
        mem_fail_after(n, false);
        enum err err = apps_new(&apps, all, 2, true, NULL);
        bool failed = mem_fail_count() > 0;
        mem_fail_after(-1, false);
        assert_int_equal(err, failed ? ERR_NOMEM : ERR_OK);
        if (!failed) break;
    }
    apps_free(apps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apps_are_found_by_key_and_by_id),
        cmocka_unit_test(no_apps_at_all_are_a_set),
        cmocka_unit_test(twins_are_refused_by_name),
        cmocka_unit_test(apps_need_one_to_eight_secrets),
        cmocka_unit_test(connections_are_taken_up_to_the_limit),
        cmocka_unit_test(apps_survive_any_failed_allocation),
    };
    return RUN_TESTS(tests);
}
