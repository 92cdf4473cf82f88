/* SPDX-License-Identifier: MIT
 * tests/unit/http/test_cookie.c: finding one of several cookies. */
#include "http/cookie.h"
#include "unit/test.h"

static void check(const char *header, const char *value)
{
    struct span found = cookie_find(span_str(header), SPAN("peal"));
    if (value)
        assert_span(found, value);
    else
        assert_null(found.p);
}

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    check("peal=abc", "abc");
    check("a=1; peal=abc; b=2", "abc");
    check("a=1;peal=abc", "abc");
    check("a=peal=x; peal=b=c==", "b=c==");
    check("peal=\"abc\"", "abc");
    check("peal = abc ", "abc");
    check("peal=", "");
    check("; ;;=x; peal=abc", "abc");
}

static void the_first_of_two_counts_since_its_path_is_longer(void **state)
{
    (void)state;
    check("peal=1; peal=2", "1");
}

static void no_other_name_will_do(void **state)
{
    (void)state;
    check("", NULL);
    check("peal", NULL);
    check("Peal=abc", NULL);
    check("xpeal=abc; peals=abc; x=peal=abc", NULL);
    check("a=\"; peal", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_found_among_others),
        cmocka_unit_test(the_first_of_two_counts_since_its_path_is_longer),
        cmocka_unit_test(no_other_name_will_do),
    };
    return RUN_TESTS(tests);
}
