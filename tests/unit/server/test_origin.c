/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_origin.c: which origins an app's patterns allow. */
#include "server/origin.h"
#include "unit/test.h"

struct row {
    const char *pattern, *origin;
    bool allowed;
};

static const struct row rows[] = {
    /* a host: any scheme, any port */
    { "example.com", "https://example.com", true },
    { "example.com", "http://example.com:8080", true },
    { "example.com", "https://www.example.com", false },
    { "example.com", "https://example.com.attacker.net", false },
    { "example.com", "https://notexample.com", false },
    { "example.com", "https://attacker.net?example.com", false },
    { "example.com", "https://example.co", false },
    { "example.com", "example.com", true },
    /* letters compare without case */
    { "example.com", "HTTPS://Example.COM", true },
    { "https://example.com", "https://EXAMPLE.com", true },
    /* wildcards */
    { "*.example.com", "https://a.example.com", true },
    { "*.example.com", "https://a.b.example.com:444", true },
    { "*.example.com", "https://example.com", false },
    { "*.example.com", "https://evil.example.com.attacker.net", false },
    { "*.example.com", "https://evilexample.com", false },
    { "*.example.com", "https://attacker.net:80", false },
    { "app-*.example.com", "https://app-7.example.com", true },
    { "app-*.example.com", "https://app.example.com", false },
    { "*", "https://anything.net", true },
    { "*", "null", true },
    { "a*b*c", "https://a1b2b3c", true },
    { "a*b*c", "https://a1b2b3", false },
    { "**.example.com", "https://x.example.com", true },
    /* with a port: host and port */
    { "example.com:8443", "https://example.com:8443", true },
    { "example.com:8443", "https://example.com", false },
    { "example.com:8443", "https://example.com:8444", false },
    { "localhost:*", "http://localhost:5173", true },
    { "localhost:*", "http://localhost", true },
    /* the port that the scheme has anyway is the same, written or not */
    { "https://example.com:443", "https://example.com", true },
    { "https://example.com", "https://example.com:443", true },
    { "https://example.com:443", "https://example.com:443", true },
    { "https://example.com:443", "https://example.com:444", false },
    { "https://example.com:443", "http://example.com", false },
    { "https://example.com:443", "http://example.com:443", false },
    { "http://example.com:80", "http://example.com", true },
    { "http://example.com", "HTTP://example.com:80", true },
    { "http://example.com", "http://example.com:443", false },
    { "wss://example.com:443", "wss://example.com", true },
    { "example.com:443", "https://example.com", true },
    { "example.com:443", "http://example.com", false },
    { "example.com:80", "http://example.com", true },
    { "example.com:80", "app://example.com", false },
    { "https://*.example.com:443", "https://a.example.com", true },
    { "https://[::1]:443", "https://[::1]", true },
    { "https://*", "https://example.com:444", true },
    { "*://example.com", "https://example.com:443", true },
    { "*://example.com", "https://example.com:444", false },
    /* with a scheme: the whole */
    { "https://example.com", "https://example.com", true },
    { "https://example.com", "http://example.com", false },
    { "https://example.com", "https://example.com:8443", false },
    { "https://*.example.com", "https://a.example.com", true },
    { "https://*.example.com", "http://a.example.com", false },
    { "https://*.example.com", "https://a.example.com:444", false },
    { "https://*.example.com", "https://evil.example.com.attacker.net", false },
    { "https://*.example.com:*", "https://a.example.com:444", true },
    { "https://*.example.com:*", "https://a.example.com", true },
    { "*://example.com", "ws://example.com", true },
    /* IPv6 */
    { "[::1]", "http://[::1]", true },
    { "[::1]", "http://[::1]:3000", true },
    { "[::1]", "http://[::2]", false },
    { "[::1]:3000", "http://[::1]:3000", true },
    { "[::1]:3000", "http://[::1]:3001", false },
    { "[::1]:3000", "http://[::1]", false },
    { "http://[::1]:3000", "http://[::1]:3000", true },
    /* what browsers send of files and sandboxed frames */
    { "example.com", "null", false },
    { "null", "null", true },
    { "example.com", "", false },
    { "example.com", "://", false },
    { "example.com", "https://", false },
    { "example.com", ":", false },
};

static bool allows(const char *pattern, struct span origin)
{
    struct span item = span_str(pattern);
    struct span_list list = { &item, 1 };
    return origin_allowed(&list, origin);
}

static void each_origin_is_judged_by_the_form_of_the_pattern(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (allows(rows[i].pattern, span_str(rows[i].origin)) == rows[i].allowed) continue;
        print_error("%s should%s allow %s\n", rows[i].pattern, rows[i].allowed ? "" : " not",
                    rows[i].origin);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void an_empty_list_allows_everybody(void **state)
{
    (void)state;
    const struct span_list none = { NULL, 0 };
    assert_true(origin_allowed(&none, SPAN("https://example.com")));
    assert_true(origin_allowed(&none, (struct span) { NULL, 0 }));
}

static void a_list_refuses_requests_without_origin(void **state)
{
    (void)state;
    assert_false(allows("example.com", (struct span) { NULL, 0 }));
    assert_false(allows("*", (struct span) { NULL, 0 }));
}

static void one_pattern_of_several_is_enough(void **state)
{
    (void)state;
    struct span items[] = { SPAN("a.com"), SPAN("https://b.com"), SPAN("*.c.com") };
    const struct span_list list = { items, 3 };
    assert_true(origin_allowed(&list, SPAN("http://a.com:1")));
    assert_true(origin_allowed(&list, SPAN("https://b.com")));
    assert_true(origin_allowed(&list, SPAN("https://x.c.com")));
    assert_false(origin_allowed(&list, SPAN("http://b.com")));
    assert_false(origin_allowed(&list, SPAN("https://d.com")));
}

static void many_wildcards_take_no_exponential_time(void **state)
{
    (void)state;
    char origin[4096];
    memset(origin, 'a', sizeof origin);
    assert_false(
        allows("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", span_of(origin, sizeof origin)));
}

static void what_would_allow_an_origin_is_its_host(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "https://shop.example.org:8443", "shop.example.org" },
        { "http://localhost", "localhost" },
        { "http://[::1]:3000", "[::1]" },
        { "null", "null" },
        { "http://", "http://" },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct span pattern = origin_pattern(span_str(pairs[i][0]));
        assert_true(span_eq(pattern, span_str(pairs[i][1])));
        assert_true(allows(pairs[i][1], span_str(pairs[i][0])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_origin_is_judged_by_the_form_of_the_pattern),
        cmocka_unit_test(an_empty_list_allows_everybody),
        cmocka_unit_test(a_list_refuses_requests_without_origin),
        cmocka_unit_test(one_pattern_of_several_is_enough),
        cmocka_unit_test(many_wildcards_take_no_exponential_time),
        cmocka_unit_test(what_would_allow_an_origin_is_its_host),
    };
    return RUN_TESTS(tests);
}
