/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api.c: routes, methods, CORS, the path prefix, bodies in pieces. */
#include "unit/api/ask.h"

static void root_and_up_answer_without_a_signature(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/", NULL);
    assert_answer(rig, 200, "OK");
    assert_header(rig, "Content-Type: text/plain");
    rig_raw(rig, "GET", "/up", NULL);
    assert_answer(rig, 200, "{\"health\":\"OK\"}");
    assert_header(rig, "Content-Type: application/json");
}

static void head_answers_as_get_without_the_body(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "HEAD", "/up", NULL);
    assert_answer(rig, 200, "");
    assert_header(rig, "Content-Length: 15");
    rig_ask(rig, "HEAD", "/channels", NULL, NULL);
    assert_answer(rig, 200, "");
    assert_header(rig, "Content-Length: 15");
}

static void every_answer_has_cors_headers(void **state)
{
    struct rig *rig = *state;
    const char *targets[] = { "/", "/nowhere", "/apps/app-id/channels" };
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        rig_raw(rig, "GET", targets[i], NULL);
        assert_header(rig, "Access-Control-Allow-Origin: *");
        assert_header(rig, "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS");
        assert_true(rig_has(rig->head, "Access-Control-Allow-Headers: Origin, Content-Type, "));
    }
}

static void preflights_get_204(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "OPTIONS", "/apps/app-id/events", NULL);
    assert_answer(rig, 204, "");
    assert_header(rig, "Access-Control-Allow-Origin: *");
    assert_header(rig, "Allow: POST, OPTIONS");
    assert_false(rig->call.refused);
    rig_raw(rig, "OPTIONS", "*", NULL);
    assert_answer(rig, 204, "");
}

static void other_methods_get_405_with_allow(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/apps/app-id/events", NULL);
    assert_refused(rig, 405,
                   "The method GET is not allowed for '/apps/app-id/events'; allowed are POST, "
                   "OPTIONS.");
    assert_header(rig, "Allow: POST, OPTIONS");
    rig_raw(rig, "POST", "/apps/app-id/channels", "");
    assert_int_equal(rig->status, 405);
    assert_header(rig, "Allow: GET, HEAD, OPTIONS");
    rig_raw(rig, "DELETE", "/apps/app-id/channels/x", NULL);
    assert_int_equal(rig->status, 405);
}

static void an_unknown_route_names_the_nearest_one(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *asked, *nearest;
    } cases[] = {
        { "/apps/app-id/event", "POST /apps/{app_id}/events" },
        { "/app/app-id/events", "POST /apps/{app_id}/events" },
        { "/apps/app-id/batch-events", "POST /apps/{app_id}/batch_events" },
        { "/apps/app-id/channel/x/users", "GET /apps/{app_id}/channels/{name}/users" },
        { "/apps/app-id/users/7/terminate-connections",
          "POST /apps/{app_id}/users/{name}/terminate_connections" },
        { "/app", "GET /app/{app_key}" },
        { "/apps", "POST /apps/{app_id}/events" },
        { "/apps/app-id", "POST /apps/{app_id}/events" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf want = { 0 };
        rig_raw(rig, "POST", cases[i].asked, "{}");
        buf_add_fmt(&want,
                    "{\"error\":\"There is no route '%s'. The nearest one is %s.\",\"code\":404}",
                    cases[i].asked, cases[i].nearest);
        buf_add_byte(&want, '\0');
        assert_answer(rig, 404, want.p);
        buf_fini(&want);
    }
}

static void a_path_of_something_else_is_told_what_it_is(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *asked, *hint;
    } cases[] = {
        { "/broadcasting/auth", "authEndpoint of the client" },
        { "/pusher/auth", "authEndpoint of the client" },
        { "/pusher/user-auth", "userAuthentication.endpoint" },
        { "/socket.io/?EIO=4", "not Socket.IO" },
        { "/metrics", "admin.listen" },
        { "/laravel-websockets", "dashboard.path" },
        { "/laravel-websockets/api/app-id/statistics", "dashboard.path" },
        { "/health", "told by /up here" },
        { "/accept-traffic", "/live and /ready on the admin" },
        { "/usage", "admin.listen" },
        { "/ws/app/app-key", "path_prefix" },
        { "/api/apps/app-id/events", "path_prefix" },
        { "/wp-login.php", "Clients connect to /app/{app_key}" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rig_raw(rig, "GET", cases[i].asked, NULL);
        assert_int_equal(rig->status, 404);
        if (!rig_has(rig->body, cases[i].hint))
            fail_msg("%s: %.*s", cases[i].asked, SPAN_FMT(rig->body));
        assert_true(rig_has(api_why(rig->api), cases[i].hint));
    }
    rig_raw(rig, "GET", "/up", NULL);
    assert_int_equal(api_why(rig->api).n, 0);
}

static void an_app_id_that_is_none_is_explained_without_naming_others(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/apps/app-key/channels", NULL);
    assert_answer(
        rig, 404,
        "{\"error\":\"There is no app with the id 'app-key'. It is the key of an app; the "
        "path takes the app's id.\",\"code\":404}");
    rig_raw(rig, "GET", "/apps/app-ie/channels", NULL);
    assert_answer(rig, 404, "{\"error\":\"There is no app with the id 'app-ie'.\",\"code\":404}");
    rig->set.explain = true;
    api_change(rig->api, &rig->set);
    rig_raw(rig, "GET", "/apps/app-ie/channels", NULL);
    assert_true(rig_has(rig->body, "Did you mean 'app-id'?"));
    rig_raw(rig, "GET", "/apps/something/channels", NULL);
    assert_false(rig_has(rig->body, "Did you mean"));
}

static void write_home(const void *ctx, const struct api_home *want, struct buf *out)
{
    buf_add_fmt(out, "%s %s %s", (const char *)ctx, want->html ? "html" : "text",
                want->local ? "local" : "far");
}

static void the_home_page_is_not_for_other_origins(void **state)
{
    struct rig *rig = *state;
    rig->set.home = write_home;
    rig->set.home_ctx = "home";
    rig->set.home_policy = SPAN("default-src 'none'");
    api_change(rig->api, &rig->set);
    rig_raw(rig, "GET", "/", NULL);
    assert_answer(rig, 200, "home text far");
    assert_header(rig, "Content-Security-Policy: default-src 'none'");
    assert_header(rig, "Content-Type: text/plain; charset=utf-8");
    assert_false(rig_has(buf_span(&rig->out), "Access-Control"));
}

static void a_websocket_path_without_upgrade_gets_426(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/app/app-key?protocol=7", NULL);
    assert_int_equal(rig->status, 426);
    assert_true(rig_has(rig->body, "This is the path of WebSocket connections"));
    assert_true(rig_has(rig->body, "\"code\":426"));
    assert_header(rig, "Upgrade: websocket");
}

static void a_target_that_is_no_path_gets_400(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "nonsense", NULL);
    assert_refused(rig, 400, "The request target is not a path like /apps/{app_id}/events.");
}

static void octets_that_are_no_utf8_are_not_echoed(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/caf\xe9", NULL);
    assert_int_equal(rig->status, 404);
    assert_true(json_check(rig->body, 4, NULL, NULL));
    assert_true(rig_has(rig->body, "'/caf\xef\xbf\xbd'"));
}

static void a_long_path_is_cut_in_the_answer(void **state)
{
    struct rig *rig = *state;
    char path[4000];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    rig_raw(rig, "GET", path, NULL);
    assert_int_equal(rig->status, 404);
    assert_true(rig->body.n < 400);
}

static void unknown_and_disabled_apps_are_told_apart(void **state)
{
    struct rig *rig = *state;
    rig_raw(rig, "GET", "/apps/nobody/channels", NULL);
    assert_refused(rig, 404, "There is no app with the id 'nobody'.");
    assert_null(rig->call.app);
    rig_raw(rig, "GET", "/apps/off/channels", NULL);
    assert_refused(rig, 403, "The app 'off' is disabled (its option `enabled` is false).");
    rig_raw(rig, "GET", "/apps/%61pp-id/channels", NULL);
    assert_int_equal(rig->status, 401); /* found, by its decoded id */
}

static void with_a_prefix_only_health_is_found_without_it(void **state)
{
    struct rig *rig = *state;
    api_free(rig->api);
    rig->set.path_prefix = SPAN("/ws");
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    rig_raw(rig, "GET", "/ws/up", NULL);
    assert_int_equal(rig->status, 200);
    rig_raw(rig, "GET", "/up", NULL);
    assert_int_equal(rig->status, 200);
    rig_get(rig, "/channels", NULL);
    assert_int_equal(rig->status, 404);
    assert_true(rig_has(rig->body, "GET /ws/apps/{app_id}/channels."));
    rig_raw(rig, "GET", "/app/app-key", NULL);
    assert_int_equal(rig->status, 404);
    rig_raw(rig, "GET", "/ws/apps/app-id/chanels", NULL);
    assert_true(rig_has(rig->body, "GET /ws/apps/{app_id}/channels."));
}

static void requests_in_pieces_are_the_same(void **state)
{
    struct rig *rig = *state;
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "orders", NULL);
    for (rig->chop = 1; rig->chop < 90; rig->chop += 11) {
        rig_post(rig, "/events", "{\"name\":\"e\",\"channel\":\"orders\",\"data\":\"x\"}");
        assert_answer(rig, 200, "{}");
        assert_got(c, "{\"event\":\"e\",\"channel\":\"orders\",\"data\":\"x\"}\n");
    }
}

/* Only what is signed may be large. */
static void the_body_limit_depends_on_the_signature(void **state)
{
    struct rig *rig = *state;
    char body[20000];
    memset(body, ' ', sizeof body);
    body[sizeof body - 1] = '\0';
    rig_raw(rig, "POST", "/apps/app-id/events?auth_key=x", body);
    assert_int_equal(rig->status, 413);
    assert_true(rig->call.refused);
    assert_int_equal(rig->call.body_limit, API_SMALL_BODY);
    rig_post(rig, "/events", body);
    assert_int_equal(rig->status, 400); /* read, and found to be no JSON */
    assert_false(rig->call.refused);
    /* message_bytes * 6 + event_name * 12 + 20 channels of 200 * 6 + 4, and the rest */
    assert_int_equal(rig->call.body_limit, 6000 + 2400 + 20 * 1204 + API_SMALL_BODY);
    rig_post(rig, "/batch_events", "{\"batch\":[]}");
    assert_int_equal(rig->call.body_limit, 10 * (6000 + 2400 + 20 * 1204 + API_SMALL_BODY));
    rig_get(rig, "/channels", NULL);
    assert_int_equal(rig->call.body_limit, API_SMALL_BODY);
}

static void without_a_limit_a_body_may_be_64_mib(void **state)
{
    struct rig *rig = *state;
    rig->settings[0].limits.message_bytes = 0;
    rig_post(rig, "/events", "{}");
    assert_int_equal(rig->call.body_limit, API_LARGE_BODY);
    rig->settings[0].limits.message_bytes = UINT64_MAX;
    rig_post(rig, "/events", "{}");
    assert_int_equal(rig->call.body_limit, UINT32_MAX);
}

static void a_secret_in_the_path_is_not_repeated(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *method, *target, *words;
    } rows[] = {
        { "GET", "/app/app-secret",
          "no app with the key that is an app's secret; it has travelled" },
        { "GET", "/apps/app-secret/channels", "no app with the id that is an app's secret" },
        { "GET", "/apps/app%2dsecret/channels", "no app with the id that is an app's secret" },
        { "GET", "/apps/app-secret/event", "There is no route '(not shown," },
        { "GET", "/apps/app-secret/events", "not allowed for '(not shown," },
        { "GET", "/x/ap%70-secret", "There is no route '(not shown," },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rig_raw(rig, rows[i].method, rows[i].target, NULL);
        if (!rig_has(rig->body, rows[i].words))
            fail_msg("%s: %.*s", rows[i].words, SPAN_FMT(rig->body));
        assert_false(rig_has(rig->body, "app-secret") || rig_has(rig->body, "ap%70"));
        struct span path = api_loggable_path(rig->api, span_str(rows[i].target));
        assert_span(path, "(not shown, since a part of it is an app's secret)");
    }
    assert_span(api_loggable_path(rig->api, SPAN("/apps/app-id/events?auth_key=x")),
                "/apps/app-id/events");
    assert_span(api_loggable_path(rig->api, SPAN("/a%zz/")), "/a%zz/");
    assert_span(api_loggable_path(rig->api, SPAN("")), "");
}

static void refusals_of_others_are_of_the_same_form(void **state)
{
    struct rig *rig = *state;
    static const struct {
        unsigned status;
        const char *header;
    } rows[] = {
        { 405, "Allow: GET" },
        { 426, "Upgrade: websocket" },
        { 426, "Sec-WebSocket-Version: 13" },
        { 503, "Retry-After: 1" },
    };
    const struct http1_reply to = { .minor = 1 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&rig->out);
        rig->call.status = (uint16_t)rows[i].status;
        assert_int_equal(api_write_refusal(&rig->out, to, rows[i].status, SPAN("no \"x\"")),
                         ERR_OK);
        rig_read_answer(rig);
        assert_true(rig_has(rig->body, "{\"error\":\"no \\\"x\\\"\",\"code\":"));
        assert_header(rig, "Content-Type: application/json");
        assert_header(rig, "Access-Control-Allow-Origin: *");
        assert_header(rig, "Connection: close");
        if (!rig_has(rig->head, rows[i].header)) fail_msg("%s", rows[i].header);
    }
    buf_clear(&rig->out);
    assert_int_equal(api_write_refusal(&rig->out, to, 400, SPAN("x")), ERR_OK);
    rig->call.status = 400;
    rig_read_answer(rig);
    assert_false(rig_has(rig->head, "Allow: GET") || rig_has(rig->head, "Retry-After"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(root_and_up_answer_without_a_signature),
        RIG_TEST(head_answers_as_get_without_the_body),
        RIG_TEST(every_answer_has_cors_headers),
        RIG_TEST(preflights_get_204),
        RIG_TEST(other_methods_get_405_with_allow),
        RIG_TEST(an_unknown_route_names_the_nearest_one),
        RIG_TEST(a_path_of_something_else_is_told_what_it_is),
        RIG_TEST(an_app_id_that_is_none_is_explained_without_naming_others),
        RIG_TEST(the_home_page_is_not_for_other_origins),
        RIG_TEST(a_websocket_path_without_upgrade_gets_426),
        RIG_TEST(a_target_that_is_no_path_gets_400),
        RIG_TEST(octets_that_are_no_utf8_are_not_echoed),
        RIG_TEST(a_long_path_is_cut_in_the_answer),
        RIG_TEST(unknown_and_disabled_apps_are_told_apart),
        RIG_TEST(with_a_prefix_only_health_is_found_without_it),
        RIG_TEST(requests_in_pieces_are_the_same),
        RIG_TEST(the_body_limit_depends_on_the_signature),
        RIG_TEST(without_a_limit_a_body_may_be_64_mib),
        RIG_TEST(a_secret_in_the_path_is_not_repeated),
        RIG_TEST(refusals_of_others_are_of_the_same_form),
    };
    return RUN_TESTS(tests);
}
