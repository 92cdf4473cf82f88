/* SPDX-License-Identifier: MIT
 * tests/unit/api/test_api_oom.c: each allocation of a request fails in turn: the answer is whole or
 * none, says 503, and a request that was refused has not been carried out by half where that can be
 * known before. */
#include "base/mem.h"
#include "unit/api/ask.h"

/* The bytes of a signed request. */
static void write_request(struct rig *rig, struct buf *b, const char *method, const char *path,
                          const char *query, const char *body)
{
    struct buf whole = { 0 };
    buf_add_span(&whole, span_str(query));
    rig_sign(rig, method, path, &whole, body);
    buf_add_fmt(b, "%s %s?%.*s HTTP/1.1\r\nHost: x\r\n", method, path, SPAN_FMT(buf_span(&whole)));
    if (body) buf_add_fmt(b, "Content-Length: %zu\r\n", strlen(body));
    BUF_ADD_LIT(b, "\r\n");
    if (body) buf_add_span(b, span_str(body));
    buf_fini(&whole);
}

/* A fresh worker: one whose scratch has grown would need no memory. */
static void renew_api(struct rig *rig)
{
    api_free(rig->api);
    assert_int_equal(api_new(&rig->api, &rig->set), ERR_OK);
    buf_fini(&rig->out);
}

/* Sends with the n-th allocation failing. True when none failed. */
static bool send_failing(struct rig *rig, struct span bytes, long n, bool sticky)
{
    renew_api(rig);
    mem_fail_after(n, sticky);
    enum err err = rig_send(rig, bytes);
    bool failed = mem_fail_count() > 0;
    mem_fail_after(-1, false);
    if (err) {
        assert_int_equal(err, ERR_NOMEM);
        assert_true(failed);
        rig->status = 0;
        return false;
    }
    rig_read_answer(rig);
    assert_true(json_check(rig->body, 8, NULL, NULL));
    return !failed;
}

/* `want`: the client's messages after a success. After a failure he has got nothing, or with
 * `prefix` the beginning of it. */
static void sweep(struct rig *rig, struct span bytes, struct client *c, const char *want,
                  bool prefix)
{
    for (unsigned sticky = 0; sticky <= 1; sticky++) {
        bool done = false;
        for (long n = 0; !done; n++) {
            assert_true(n < 1000);
            done = send_failing(rig, bytes, n, sticky);
            rig_turn(rig);
            if (done || rig->status == 200) {
                assert_int_equal(rig->status, 200);
                assert_buf(&c->got, want);
            } else {
                assert_true(rig->status == 503 || rig->status == 0);
                assert_true(prefix ? span_starts(span_str(want), buf_span(&c->got)) : !c->got.n);
            }
            buf_clear(&c->got);
        }
    }
}

static void a_publish_is_all_or_nothing(void **state)
{
    struct rig *rig = *state;
    struct buf bytes = { 0 };
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    write_request(rig, &bytes, "POST", "/apps/app-id/events", NULL,
                  "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"\\n\",\"info\":"
                  "\"subscription_count\"}");
    sweep(rig, buf_span(&bytes), c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"\\n\"}\n",
          false);
    buf_fini(&bytes);
}

static void several_channels_get_a_beginning(void **state)
{
    struct rig *rig = *state;
    struct buf bytes = { 0 };
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "c1", NULL);
    rig_subscribe(rig, c, "presence-c", "{\"user_id\":1}");
    write_request(rig, &bytes, "POST", "/apps/app-id/events", NULL,
                  "{\"name\":\"e\",\"channels\":[\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\","
                  "\"c8\",\"c9\",\"c1\",\"presence-c\"],\"data\":\"x\",\"info\":\"user_count\"}");
    sweep(rig, buf_span(&bytes), c,
          "{\"event\":\"e\",\"channel\":\"c1\",\"data\":\"x\"}\n"
          "{\"event\":\"e\",\"channel\":\"presence-c\",\"data\":\"x\"}\n",
          true);
    buf_fini(&bytes);
}

static void a_batch_to_users_and_channels(void **state)
{
    struct rig *rig = *state;
    struct buf bytes = { 0 };
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_signin(rig, c, "7");
    write_request(rig, &bytes, "POST", "/apps/app-id/batch_events", NULL,
                  "{\"batch\":[{\"name\":\"e\",\"channel\":\"a\",\"data\":1},{\"name\":\"e\","
                  "\"channel\":\"#server-to-user-7\",\"data\":2,\"info\":\"user_count\"}]}");
    sweep(rig, buf_span(&bytes), c,
          "{\"event\":\"e\",\"channel\":\"a\",\"data\":1}\n"
          "{\"event\":\"e\",\"channel\":\"#server-to-user-7\",\"data\":2}\n",
          true);
    buf_fini(&bytes);
}

static void a_publish_by_query(void **state)
{
    struct rig *rig = *state;
    struct buf bytes = { 0 };
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    write_request(rig, &bytes, "POST", "/apps/app-id/events",
                  "name=%65&channels[]=a&channels[]=b&data=x", NULL);
    sweep(rig, buf_span(&bytes), c, "{\"event\":\"e\",\"channel\":\"a\",\"data\":\"x\"}\n", true);
    buf_fini(&bytes);
}

static void questions_and_refusals(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *method, *path, *query, *body;
        unsigned status;
    } cases[] = {
        { "GET", "/apps/app-id/channels", "info=user_count", NULL, 200 },
        { "GET", "/apps/app-id/channels/cache-x", "info=cache,subscription_count", NULL, 200 },
        { "GET", "/apps/app-id/channels/presence-c/users", "with_user_info=1", NULL, 200 },
        { "GET", "/apps/app-id/connections", NULL, NULL, 200 },
        { "POST", "/apps/app-id/users/9/terminate_connections", NULL, "{}", 200 },
        { "POST", "/apps/app-id/users/7/events", NULL, "{\"name\":\"e\",\"data\":\"x\"}", 200 },
        { "GET", "/apps/app-id/channels/%ff/users", NULL, NULL, 400 },
        { "GET", "/apps/app-id/nothing", NULL, NULL, 404 },
        { "POST", "/apps/app-id/events", NULL, "{\"name\":\"pusher:x\",\"channel\":\"a\"}", 400 },
    };
    struct client *c = rig_connect(rig, 1, 2);
    rig_subscribe(rig, c, "a", NULL);
    rig_subscribe(rig, c, "presence-c", "{\"user_id\":1}");
    rig_post(rig, "/events", "{\"name\":\"e\",\"channel\":\"cache-x\",\"data\":\"x\"}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf bytes = { 0 };
        write_request(rig, &bytes, cases[i].method, cases[i].path, cases[i].query, cases[i].body);
        for (unsigned sticky = 0; sticky <= 1; sticky++) {
            bool done = false;
            for (long n = 0; !done; n++) {
                assert_true(n < 1000);
                done = send_failing(rig, buf_span(&bytes), n, sticky);
                rig_turn(rig);
                if (done) assert_int_equal(rig->status, cases[i].status);
                assert_true(rig->status == cases[i].status || rig->status == 503 ||
                            rig->status == 0);
            }
        }
        buf_fini(&bytes);
    }
}

static void a_refusal_is_whole_or_none(void **state)
{
    struct rig *rig = *state;
    const struct http1_reply to = { .minor = 1 };
    enum err err = ERR_NOMEM;
    for (long n = 0; err; n++) {
        assert_true(n < 20);
        buf_fini(&rig->out);
        mem_fail_after(n, true);
        err = api_write_refusal(&rig->out, to, 426, SPAN("why"));
        mem_fail_after(-1, false);
        assert_int_equal(err, n < 2 ? ERR_NOMEM : ERR_OK); /* the JSON, and the response */
        if (err) assert_int_equal(buf_span(&rig->out).n, 0);
    }
    rig->call.status = 426;
    rig_read_answer(rig);
    assert_span(rig->body, "{\"error\":\"why\",\"code\":426}");
}

static void api_new_without_memory(void **state)
{
    struct rig *rig = *state;
    struct api *api = NULL;
    mem_fail_after(0, true);
    assert_int_equal(api_new(&api, &rig->set), ERR_NOMEM);
    mem_fail_after(-1, false);
    assert_null(api);
    api_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_publish_is_all_or_nothing),   RIG_TEST(several_channels_get_a_beginning),
        RIG_TEST(a_batch_to_users_and_channels), RIG_TEST(a_publish_by_query),
        RIG_TEST(questions_and_refusals),        RIG_TEST(api_new_without_memory),
        RIG_TEST(a_refusal_is_whole_or_none),
    };
    return RUN_TESTS(tests);
}
