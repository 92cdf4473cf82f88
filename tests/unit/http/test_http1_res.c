/* SPDX-License-Identifier: MIT
 * tests/unit/http/test_http1_res.c: responses, byte for byte. */
#include "base/mem.h"
#include "http/http1_res.h"
#include "unit/test.h"

static const struct http1_reply open_11 = { .keep_alive = true, .minor = 1 };

static void parse(struct http1_req *r, const char *in)
{
    enum http1_ev ev;
    size_t n = strlen(in), at = 0;
    http1_req_init(r, &http1_limits_default);
    do {
        at += http1_req_feed(r, in + at, n - at, &ev);
    } while (ev == HTTP1_EV_HEAD);
    assert_int_equal(at, ev == HTTP1_EV_FAIL ? at : n);
}

static void a_response_has_length_and_type(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct http1_field fields[] = { { SPAN("Retry-After"), SPAN("1") }, { SPAN("X"), SPAN("") } };
    struct http1_res res = {
        .status = 503,
        .type = SPAN("text/plain"),
        .fields = fields,
        .n_fields = 2,
        .body = SPAN("later"),
    };
    assert_int_equal(http1_res_write(&out, open_11, &res), ERR_OK);
    assert_buf(&out, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 5\r\nRetry-After: 1\r\nX: \r\n\r\nlater");
    buf_fini(&out);
}

static void pipelined_responses_follow_each_other(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_int_equal(http1_res_json(&out, open_11, 200, SPAN("{}")), ERR_OK);
    assert_int_equal(http1_res_json(&out, open_11, 404, SPAN("[]")), ERR_OK);
    assert_buf(&out,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
               "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\n\r\n[]");
    buf_fini(&out);
}

static void the_connection_header_depends_on_the_request(void **state)
{
    (void)state;
    static const struct {
        const char *req, *want;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "" },
        { "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "Connection: close\r\n" },
        { "GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n" },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n" },
        /* answered before the body was read: what follows would be taken for a request */
        { "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "Connection: close\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http1_req r;
        struct buf out = { 0 }, want = { 0 };
        parse(&r, cases[i].req);
        struct http1_res res = { .status = 200, .body = SPAN("x") };
        assert_int_equal(http1_res_write(&out, http1_reply_to(&r), &res), ERR_OK);
        buf_add_fmt(&want, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n%s\r\nx", cases[i].want);
        check_span(buf_span(&out), buf_span(&want), __FILE__, __LINE__);
        buf_fini(&out);
        buf_fini(&want);
        http1_req_fini(&r);
    }
}

static void head_gets_the_length_without_the_body(void **state)
{
    (void)state;
    struct http1_req r;
    struct buf out = { 0 };
    parse(&r, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(http1_res_json(&out, http1_reply_to(&r), 200, SPAN("{\"a\":1}")), ERR_OK);
    assert_buf(&out,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n");
    buf_fini(&out);
    http1_req_fini(&r);
}

static void statuses_without_body_have_no_length(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct http1_res res = { .status = 204, .type = SPAN("a/b"), .body = SPAN("ignored") };
    assert_int_equal(http1_res_write(&out, open_11, &res), ERR_OK);
    assert_buf(&out, "HTTP/1.1 204 No Content\r\n\r\n");
    buf_clear(&out);
    res.status = 304;
    assert_int_equal(http1_res_write(&out, (struct http1_reply) { 0 }, &res), ERR_OK);
    assert_buf(&out, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    buf_clear(&out);
    struct http1_field upgrade = { SPAN("Connection"), SPAN("Upgrade") };
    res = (struct http1_res) { .status = 101, .fields = &upgrade, .n_fields = 1 };
    assert_int_equal(http1_res_write(&out, open_11, &res), ERR_OK);
    assert_buf(&out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
    buf_clear(&out);
    assert_int_equal(http1_res_continue(&out), ERR_OK);
    assert_buf(&out, "HTTP/1.1 100 Continue\r\n\r\n");
    buf_fini(&out);
}

static void header_injection_is_impossible(void **state)
{
    (void)state;
    static const struct http1_field bad[] = {
        { { "X", 1 }, { "a\r\nSet-Cookie: b", 16 } },
        { { "X", 1 }, { "a\nb", 3 } },
        { { "X", 1 }, { "a\rb", 3 } },
        { { "X", 1 }, { "a\0b", 3 } },
        { { "X", 1 }, { "\x7f", 1 } },
        { { "X: y\r\nZ", 7 }, { "a", 1 } },
        { { "X Y", 3 }, { "a", 1 } },
        { { "", 0 }, { "a", 1 } },
    };
    struct buf out = { 0 };
    BUF_ADD_LIT(&out, "before");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct http1_res res = { .status = 200, .fields = &bad[i], .n_fields = 1 };
        assert_int_equal(http1_res_write(&out, open_11, &res), ERR_SYNTAX);
    }
    struct http1_res res = { .status = 200, .type = SPAN("a/b\r\nX: y") };
    assert_int_equal(http1_res_write(&out, open_11, &res), ERR_SYNTAX);
    assert_buf(&out, "before");
    buf_fini(&out);
}

static void an_error_is_json_with_its_code(void **state)
{
    (void)state;
    struct buf out = { 0 };
    assert_int_equal(http1_res_error(&out, open_11, 401, SPAN("no \"key\"\n")), ERR_OK);
    assert_buf(&out, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                     "Content-Length: 35\r\n\r\n{\"error\":\"no \\\"key\\\"\\n\",\"code\":401}");
    buf_fini(&out);
}

static void a_refused_request_is_answered_and_the_connection_closes(void **state)
{
    (void)state;
    struct http1_req r;
    struct buf out = { 0 };
    parse(&r, "GET / HTTP/1.1\r\nX: y\r\n\r\n");
    assert_int_equal(http1_res_fail(&out, &r), ERR_OK);
    assert_buf(&out, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                     "Content-Length: 37\r\nConnection: close\r\n\r\n"
                     "{\"error\":\"no Host header\",\"code\":400}");
    buf_fini(&out);
    http1_req_fini(&r);
}

static void no_memory_is_reported_from_every_allocation(void **state)
{
    (void)state;
    struct http1_req r;
    parse(&r, "GET / HTTP/1.1\r\nX: y\r\n\r\n");
    enum err err;
    long n = 0;
    do {
        struct buf out = { 0 };
        mem_fail_after(n++, false);
        err = http1_res_fail(&out, &r);
        bool hit = mem_fail_count() > 0;
        mem_fail_after(-1, false);
        assert_int_equal(err, hit ? ERR_NOMEM : ERR_OK);
        buf_fini(&out);
    } while (err != ERR_OK && n < 100);
    assert_true(n > 3);
    assert_int_equal(err, ERR_OK);
    http1_req_fini(&r);
}

static void reasons_are_known_for_what_we_answer(void **state)
{
    (void)state;
    assert_string_equal(http1_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http1_reason(299), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_has_length_and_type),
        cmocka_unit_test(pipelined_responses_follow_each_other),
        cmocka_unit_test(the_connection_header_depends_on_the_request),
        cmocka_unit_test(head_gets_the_length_without_the_body),
        cmocka_unit_test(statuses_without_body_have_no_length),
        cmocka_unit_test(header_injection_is_impossible),
        cmocka_unit_test(an_error_is_json_with_its_code),
        cmocka_unit_test(a_refused_request_is_answered_and_the_connection_closes),
        cmocka_unit_test(no_memory_is_reported_from_every_allocation),
        cmocka_unit_test(reasons_are_known_for_what_we_answer),
    };
    return RUN_TESTS(tests);
}
