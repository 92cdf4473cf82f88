/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/test_server_watch.c: facts, explanations and the live stream of a whole server:
 * several workers that are asked and told while they work.
 */
#include "unit/server/server_rig.h"

#define JSON_POST                                                                                  \
    " HTTP/1.1\r\nHost: localhost\r\nX-Peal: 1\r\nContent-Type: application/json\r\n"              \
    "Content-Length: "

static void admin_post(struct cl *c, const struct rig *rig, const char *path, const char *body)
{
    char head[300];
    snprintf(head, sizeof head, "POST %s" JSON_POST "%zu\r\n\r\n", path, strlen(body));
    cl_dial(c, rig->admin_port);
    cl_says(c, head);
    cl_says(c, body);
}

static void watch_opens(struct cl *c, const struct rig *rig, const char *channel)
{
    cl_dial(c, rig->admin_port);
    cl_upgrade(c, "peal-internal", "X-Peal: 1\r\n");
    cl_accepted(c);
    assert_true(cl_hears(c, "connection_established"));
    cl_subscribe(c, channel);
}

static void a_publish_is_explained_from_what_all_workers_know(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c, subs[8];
    START(&rig, "workers=4");
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
        cl_open(&subs[i], &rig);
        cl_subscribe(&subs[i], "news");
    }
    admin_post(&c, &rig, "/admin/publish",
               "{\"app\":\"app-id\",\"channel\":\"news\",\"name\":\"e\",\"data\":1}");
    assert_int_equal(cl_response(&c), 200);
    assert_true(cl_text_has(&c, "\"verdict\":\"delivered\""));
    assert_true(cl_text_has(&c, "\"summary\":\"Delivered to 8 of 8 subscriptions.\""));
    cl_close(&c);
    assert_int_equal(admin_get(&c, &rig, "/admin/facts?channel=news&limit=1"), 200);
    assert_true(cl_text_has(&c, "\"delivered\":8,"));
    cl_close(&c);
    assert_int_equal(rig_publish(&rig, "new", "e", 10), 200);
    assert_int_equal(admin_get(&c, &rig, "/admin/facts?channel=new"), 200);
    assert_true(cl_text_has(&c, "Nobody was subscribed to new."));
    cl_close(&c);
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) cl_close(&subs[i]);
    rig_stop(&rig);
}

static void watchers_come_and_go_while_all_workers_are_busy(void **state)
{
    (void)state;
    struct rig rig;
    struct cl sub, watchers[3];
    START(&rig, "workers=4");
    cl_open(&sub, &rig);
    cl_subscribe(&sub, "news");
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < ARRAY_LEN(watchers); i++)
            watch_opens(&watchers[i], &rig, i == 2 ? "stats" : "watch");
        for (int i = 0; i < 20; i++) assert_int_equal(rig_publish(&rig, "news", "e", 100), 200);
        for (size_t i = 0; i < ARRAY_LEN(watchers); i++) {
            if (i < 2) assert_true(cl_hears(&watchers[i], "api-message"));
            cl_close(&watchers[i]);
        }
    }
    cl_close(&sub);
    rig_stop(&rig);
}

static void each_worker_gives_samples(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "workers=2");
    watch_opens(&c, &rig, "stats");
    bool heard[2] = { false, false };
    while (!heard[0] || !heard[1]) {
        assert_true(cl_hears(&c, "\"cpu_ns\":"));
        heard[cl_text_has(&c, "{\"worker\":1,")] = true;
    }
    cl_close(&c);
    rig_stop(&rig);
}

static void an_asker_who_goes_away_harms_nobody(void **state)
{
    (void)state;
    struct rig rig;
    struct cl c;
    START(&rig, "workers=4");
    for (int i = 0; i < 50; i++) {
        cl_dial(&c, rig.admin_port);
        cl_says(&c, "GET /admin/facts HTTP/1.1\r\nHost: localhost\r\n\r\n");
        cl_reset(&c);
    }
    assert_int_equal(admin_get(&c, &rig, "/admin/facts"), 200);
    cl_close(&c);
    rig_stop(&rig);
}

static void questions_that_are_wrong_are_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned status;
    } rows[] = {
        { "/admin/channels", 400 },
        { "/admin/channels?app=nobody", 404 },
        { "/admin/channel?app=app-id", 400 },
        { "/admin/channel?app=app-id&name=none", 200 },
        { "/admin/connection", 400 },
        { "/admin/connection?socket_id=x", 400 },
        { "/admin/connection?socket_id=1.2", 404 },
        { "/admin/facts?limit=0", 400 },
        { "/admin/facts?limit=1001", 400 },
        { "/admin/facts?kind=nothing", 400 },
        { "/admin/facts?socket=x", 400 },
        { "/admin/facts?app=%zz&kind=publish", 200 },
        { "/admin/explain", 400 },
        { "/admin/explain?id=x", 400 },
        { "/admin/explain?id=7-1", 404 },
        { "/laravel-websockets/admin/apps", 200 },
    };
    struct rig rig;
    START(&rig);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cl c;
        unsigned status = admin_get(&c, &rig, rows[i].path);
        if (status != rows[i].status) fail_msg("%s: %u", rows[i].path, status);
        cl_close(&c);
    }
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_is_explained_from_what_all_workers_know),
        cmocka_unit_test(watchers_come_and_go_while_all_workers_are_busy),
        cmocka_unit_test(each_worker_gives_samples),
        cmocka_unit_test(an_asker_who_goes_away_harms_nobody),
        cmocka_unit_test(questions_that_are_wrong_are_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
