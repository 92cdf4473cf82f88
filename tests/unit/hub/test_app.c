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

static void secrets_are_known_as_such(void **state)
{
    (void)state;
    struct span words[] = { SPAN("one"), SPAN("two"), SPAN("three") };
    struct app_settings some[] = { settings_of("a", "k"), settings_of("b", "l") };
    some[0].secrets = (struct span_list) { words, 2 };
    some[1].secrets = (struct span_list) { words + 1, 1 };
    struct app_settings after = settings_of("a", "k");
    after.secrets = (struct span_list) { words + 2, 1 };
    struct apps *now = NULL, *next = NULL, *both = NULL;
    assert_int_equal(apps_new(&now, some, 2, true, NULL), ERR_OK);
    assert_int_equal(apps_next(&next, now, &after, 1, NULL), ERR_OK);
    assert_int_equal(apps_union(&both, now, next), ERR_OK);
    assert_true(apps_have_secret(now, SPAN("one")) && apps_have_secret(now, SPAN("two")));
    assert_false(apps_have_secret(now, SPAN("three")));
    assert_false(apps_have_secret(now, SPAN("")) || apps_have_secret(now, SPAN("a")) ||
                 apps_have_secret(now, SPAN("k")) || apps_have_secret(now, SPAN("on")));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) assert_true(apps_have_secret(both, words[i]));
    assert_true(apps_have_secret(next, SPAN("three")) && !apps_have_secret(next, SPAN("one")));
    apps_free(both);
    apps_free(next);
    apps_free(now);
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

/* --- replacing --- */

static bool knows(const struct app *app, const char *word)
{
    char auth[128];
    struct hmac_key *key = hmac_key_new(span_str(word));
    struct span parts[] = { SPAN("1.2:private-a") };
    assert_non_null(key);
    size_t n = (size_t)snprintf(auth, sizeof auth, "%.*s:", SPAN_FMT(app->s->key));
    hmac_sha256_hex(key, parts, 1, auth + n);
    hmac_key_free(key);
    struct span none = { NULL, 0 };
    return auth_check_channel(&app->rules->keys, span_of(auth, n + SHA256_HEX_LEN), SPAN("1.2"),
                              SPAN("private-a"), none) == AUTH_OK;
}

static struct app_settings entry(const char *id, const char *key, struct span *word)
{
    return (struct app_settings) {
        .id = span_str(id), .key = span_str(key), .secrets = { word, 1 }, .enabled = true
    };
}

static void sets_follow_each_other_on_the_same_slots(void **state)
{
    (void)state;
    struct span old = SPAN("old"), new = SPAN("new");
    struct app_settings was[] = { entry("stays", "k1", &old), entry("goes", "k2", &old) };
    struct app_settings is[] = { entry("comes", "k3", &new), entry("stays", "k1", &new) };
    struct apps *now, *next, *both, *third;
    struct app *app;
    assert_int_equal(apps_new(&now, was, 2, true, NULL), ERR_OK);
    struct app *stays = apps_find_id(now, SPAN("stays")), *goes = apps_find_id(now, SPAN("goes"));
    assert_int_equal(apps_next(&next, now, is, 2, NULL), ERR_OK);
    assert_int_equal(apps_union(&both, now, next), ERR_OK);
    struct app *comes = apps_find_key(next, SPAN("k3"));
    assert_ptr_equal(apps_find_id(next, SPAN("stays")), stays);
    assert_null(apps_find_id(next, SPAN("goes")));
    assert_false(knows(stays, "new")); /* nothing is published yet */
    assert_false(comes->s->enabled);

    apps_publish(both);
    assert_true(knows(stays, "old") && knows(stays, "new") && knows(goes, "old"));
    assert_true(knows(comes, "new"));
    assert_ptr_equal(apps_find_key(both, SPAN("k2")), goes);
    assert_ptr_equal(apps_find_key(both, SPAN("k3")), comes);

    apps_publish(next);
    apps_retire(now, next);
    assert_true(knows(stays, "new") && !knows(stays, "old"));
    assert_true(!goes->s->enabled && !knows(goes, "old"));
    assert_true(span_eq(goes->s->id, SPAN("goes")));
    assert_int_equal(apps_change(now, next, stays->index, &app), APP_NEW_SECRETS);
    assert_int_equal(apps_change(now, next, goes->index, &app), APP_REMOVED);
    assert_int_equal(apps_change(now, next, comes->index, &app), APP_ADDED);
    apps_free(both);
    apps_free(now);

    assert_int_equal(apps_next(&third, next, was, 2, NULL), ERR_OK);
    apps_publish(third);
    assert_ptr_equal(apps_find_id(third, SPAN("goes")), goes); /* it has its old place again */
    assert_int_equal(apps_n_slots(third), 3);
    assert_true(knows(goes, "old"));
    apps_free(next);
    apps_free(third);
}

static void changes_of_keys_and_of_enabled_are_told(void **state)
{
    (void)state;
    struct span one = SPAN("s");
    struct app_settings was[] = { entry("a", "k1", &one), entry("b", "k2", &one),
                                  entry("c", "k3", &one) };
    /* a and b exchange their keys */
    struct app_settings is[] = { entry("a", "k2", &one), entry("b", "k1", &one),
                                 entry("c", "k3", &one) };
    struct apps *now, *next, *both;
    struct app *app;
    is[2].enabled = false;
    assert_int_equal(apps_new(&now, was, 3, true, NULL), ERR_OK);
    assert_int_equal(apps_next(&next, now, is, 3, NULL), ERR_OK);
    assert_int_equal(apps_union(&both, now, next), ERR_OK);
    assert_int_equal(apps_change(now, next, 0, &app), APP_REKEYED);
    assert_ptr_equal(app, apps_find_key(next, SPAN("k2")));
    assert_int_equal(apps_change(now, next, 1, &app), APP_REKEYED);
    assert_int_equal(apps_change(now, next, 2, &app), APP_DISABLED);
    assert_ptr_equal(apps_find_key(both, SPAN("k1")), apps_find_key(now, SPAN("k1")));
    apps_free(both);
    apps_free(next);
    apps_free(now);
}

static void a_set_that_is_refused_leaves_the_present_one(void **state)
{
    (void)state;
    struct span one = SPAN("s");
    struct app_settings was = entry("a", "k", &one);
    struct app_settings wrong[] = { entry("new", "k1", &one), entry("other", "k1", &one) };
    struct apps *now, *next;
    struct diag diag;
    assert_int_equal(apps_new(&now, &was, 1, true, NULL), ERR_OK);
    assert_int_equal(apps_next(&next, now, wrong, 2, &diag), ERR_EXISTS);
    wrong[1] = entry("new", "k2", &one);
    assert_int_equal(apps_next(&next, now, wrong, 2, &diag), ERR_EXISTS);
    assert_true(knows(apps_find_id(now, SPAN("a")), "s"));
    apps_free(now);
}

static void what_workers_count_stays_through_replacing(void **state)
{
    (void)state;
    struct app_settings some[] = { settings_of("a", "k"), settings_of("b", "l") };
    struct apps *now = NULL, *next = NULL;
    assert_int_equal(apps_new(&now, some, 1, true, NULL), ERR_OK);
    struct app *app = apps_find_id(now, SPAN("a"));
    assert_null(app_tally(app, 0)); /* not counted yet */
    app_count_peak(app, 0, 5);
    assert_int_equal(apps_count(now, 3), ERR_OK);
    for (unsigned i = 0; i < 3; i++) {
        struct app_tally *t = app_tally(app, i);
        assert_int_equal((uintptr_t)t % 64, 0);
        assert_int_equal(atomic_load(&t->websocket_messages) + atomic_load(&t->peak), 0);
        atomic_store(&t->api_messages, i + 1);
    }
    app_count_peak(app, 1, 5);
    app_count_peak(app, 1, 4);
    assert_int_equal(atomic_load(&app_tally(app, 1)->peak), 5);
    assert_int_equal(apps_next(&next, now, some, 2, NULL), ERR_OK);
    mem_fail_after(0, false);
    assert_int_equal(apps_count(next, 3), ERR_NOMEM);
    mem_fail_after(-1, false);
    assert_int_equal(apps_count(next, 3), ERR_OK);
    assert_int_equal(atomic_load(&app_tally(app, 2)->api_messages), 3);
    assert_non_null(app_tally(apps_find_id(next, SPAN("b")), 2));
    apps_free(now);
    apps_free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apps_are_found_by_key_and_by_id),
        cmocka_unit_test(no_apps_at_all_are_a_set),
        cmocka_unit_test(twins_are_refused_by_name),
        cmocka_unit_test(apps_need_one_to_eight_secrets),
        cmocka_unit_test(secrets_are_known_as_such),
        cmocka_unit_test(connections_are_taken_up_to_the_limit),
        cmocka_unit_test(apps_survive_any_failed_allocation),
        cmocka_unit_test(sets_follow_each_other_on_the_same_slots),
        cmocka_unit_test(changes_of_keys_and_of_enabled_are_told),
        cmocka_unit_test(a_set_that_is_refused_leaves_the_present_one),
        cmocka_unit_test(what_workers_count_stays_through_replacing),
    };
    return RUN_TESTS(tests);
}
