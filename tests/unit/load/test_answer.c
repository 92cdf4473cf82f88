/* SPDX-License-Identifier: MIT
 * tests/unit/load/test_answer.c: where responses end, in all the ways that servers say it. */
#include "load/answer.h"
#include "unit/test.h"

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *text;
    unsigned status;
    const char *body;
    bool close;
} cases[] = {
    { OK "Content-Length: 2\r\n\r\n{}", 200, "{}", false },
    { OK "content-length:2\r\n\r\n{}", 200, "{}", false },
    { OK "Content-Length: 0\r\nConnection: close\r\n\r\n", 200, "", true },
    { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", true },
    { "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!", 401, "no!", false },
    { "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false },
    { OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, "{}", false },
    { OK "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nA: b\r\n\r\n", 200, "{",
      false },
    { "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x", false },
};

static void a_response_ends_where_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        struct buf b = { 0 };
        size_t n = strlen(cases[i].text);
        buf_add(&b, cases[i].text, n);
        BUF_ADD_LIT(&b, "HTTP/1.1 500 the next one");
        assert_int_equal(answer_read(buf_span(&b), &a), n);
        assert_int_equal(a.status, cases[i].status);
        assert_int_equal(a.close, cases[i].close);
        assert_true(span_starts(span_str(cases[i].body), a.body) ||
                    span_eq(a.body, span_str(cases[i].body)));
        buf_fini(&b);
    }
}

static void what_is_not_complete_is_waited_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a;
        for (size_t n = 0; n < strlen(cases[i].text); n++)
            assert_int_equal(answer_read(span_of(cases[i].text, n), &a), 0);
    }
}

/* It ends with the connection, or is no HTTP at all. */
static void what_has_no_end_takes_everything(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned status;
    } endless[] = {
        { OK "\r\nall that follows", 200 },
        { "SSH-2.0-OpenSSH\r\n\r\n", 0 },
        { "HTTP/1.1 20 OK\r\n\r\n", 0 },
        { OK "Content-Length: 99999999999999999999\r\n\r\nx", 200 },
        { OK "Transfer-Encoding: chunked\r\n\r\nno number\r\n", 200 },
    };
    for (size_t i = 0; i < ARRAY_LEN(endless); i++) {
        struct answer a;
        struct span in = span_str(endless[i].text);
        assert_int_equal(answer_read(in, &a), in.n);
        assert_int_equal(a.status, endless[i].status);
        assert_true(a.close);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_ends_where_it_says),
        cmocka_unit_test(what_is_not_complete_is_waited_for),
        cmocka_unit_test(what_has_no_end_takes_everything),
    };
    return RUN_TESTS(tests);
}
