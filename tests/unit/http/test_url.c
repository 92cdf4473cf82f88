/* SPDX-License-Identifier: MIT
 * tests/unit/http/test_url.c: request targets, paths, queries, percent-encoding. */
#include "base/mem.h"
#include "http/url.h"
#include "unit/test.h"

static void a_path_and_its_query_are_split_at_the_first_question_mark(void **state)
{
    (void)state;
    struct url_target t;
    assert_true(url_split(SPAN("/apps/1/events?a=b?c&d=%2F"), &t, NULL));
    assert_span(t.path, "/apps/1/events");
    assert_span(t.query, "a=b?c&d=%2F");
    assert_null(t.host.p);
}

static void no_query_and_an_empty_query_differ(void **state)
{
    (void)state;
    struct url_target t;
    assert_true(url_split(SPAN("/x"), &t, NULL));
    assert_null(t.query.p);
    assert_true(url_split(SPAN("/x?"), &t, NULL));
    assert_non_null(t.query.p);
    assert_int_equal(t.query.n, 0);
}

static void the_absolute_form_gives_host_and_path(void **state)
{
    (void)state;
    struct url_target t;
    assert_true(url_split(SPAN("http://a.example:6001/app/k?v=1"), &t, NULL));
    assert_span(t.host, "a.example:6001");
    assert_span(t.path, "/app/k");
    assert_span(t.query, "v=1");
    assert_true(url_split(SPAN("HTTPS://[::1]:80"), &t, NULL));
    assert_span(t.host, "[::1]:80");
    assert_span(t.path, "/");
    assert_true(url_split(SPAN("http://h?x"), &t, NULL));
    assert_span(t.path, "/");
    assert_span(t.query, "x");
    assert_true(url_split(SPAN("*"), &t, NULL));
    assert_span(t.path, "*");
}

static void other_targets_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        struct span target;
        const char *why;
    } bad[] = {
        { { "", 0 }, "the request target is empty" },
        { { "/a#b", 4 }, "the request target has a fragment" },
        { { "/a?b#", 5 }, "the request target has a fragment" },
        { { "apps/1", 6 }, "the request target is neither a path nor an http URL" },
        { { "host:443", 8 }, "the request target is neither a path nor an http URL" },
        { { "ftp://h/x", 9 }, "the request target is neither a path nor an http URL" },
        { { "http://", 7 }, "the request target has no host" },
        { { "http:///x", 9 }, "the request target has no host" },
        { { "http://u:p@h/x", 14 }, "the request target has user info" },
        { { "/a b", 4 }, "the request target has a control character" },
        { { "/a\0b", 4 }, "the request target has a control character" },
        { { "/a\r\nX: y", 9 }, "the request target has a control character" },
        { { "/\x7f", 2 }, "the request target has a control character" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct url_target t = { .path = SPAN("untouched") };
        const char *why = NULL;
        assert_false(url_split(bad[i].target, &t, &why));
        assert_string_equal(why, bad[i].why);
        assert_span(t.path, "untouched");
    }
}

static void duplicate_slashes_collapse_in_segments(void **state)
{
    (void)state;
    struct span s[3];
    assert_int_equal(url_path_split(SPAN("/ws//app/KEY"), s, 3), 3);
    assert_span(s[0], "ws");
    assert_span(s[1], "app");
    assert_span(s[2], "KEY");
    assert_int_equal(url_path_split(SPAN("///"), s, 3), 0);
    assert_int_equal(url_path_split(SPAN(""), s, 3), 0);
    assert_int_equal(url_path_split(SPAN("/a/b/"), s, 3), 2);
    assert_int_equal(url_path_split(SPAN("/a/b/c/d/e"), s, 3), 5);
    assert_span(s[2], "c");
}

static void an_encoded_slash_stays_inside_its_segment(void **state)
{
    (void)state;
    struct span s[2], text;
    struct buf scratch = { 0 };
    assert_int_equal(url_path_split(SPAN("/a%2Fb/c"), s, 2), 2);
    assert_int_equal(url_text(s[0], URL_PLUS_LITERAL, &scratch, &text), ERR_OK);
    assert_span(text, "a/b");
    buf_fini(&scratch);
}

static void a_prefix_is_stepped_over_by_whole_segments(void **state)
{
    (void)state;
    struct url_path it = url_path(SPAN("//w%73///sub/app/k"));
    assert_false(url_path_skip_prefix(&it, SPAN("/w")));
    assert_false(url_path_skip_prefix(&it, SPAN("/ws/sub/app/k/more")));
    assert_span(url_path_rest(&it), "//w%73///sub/app/k");
    assert_true(url_path_skip_prefix(&it, SPAN("/")));
    assert_true(url_path_skip_prefix(&it, SPAN("/ws/sub/")));
    assert_span(url_path_rest(&it), "/app/k");
}

static void query_pairs_are_raw_and_empty_ones_are_skipped(void **state)
{
    (void)state;
    struct url_query it = url_query(SPAN("&a=1&&b&=v&c%5B%5D=x=y&d=&"));
    struct url_pair p;
    assert_true(url_query_next(&it, &p));
    assert_span(p.key, "a");
    assert_span(p.value, "1");
    assert_true(url_query_next(&it, &p));
    assert_span(p.key, "b");
    assert_null(p.value.p);
    assert_true(url_query_next(&it, &p));
    assert_span(p.key, "");
    assert_span(p.value, "v");
    assert_true(url_query_next(&it, &p));
    assert_span(p.key, "c%5B%5D");
    assert_span(p.value, "x=y");
    assert_true(url_query_next(&it, &p));
    assert_non_null(p.value.p);
    assert_int_equal(p.value.n, 0);
    assert_false(url_query_next(&it, &p));
    assert_false(url_query_next(&it, &p));
    it = url_query((struct span) { 0 });
    assert_false(url_query_next(&it, &p));
}

static void a_key_is_found_decoded_and_doubles_are_counted(void **state)
{
    (void)state;
    struct span v;
    struct span q = SPAN("auth%5Fkey=k%31&x=1&auth_key=two&AUTH_KEY=3");
    assert_int_equal(url_query_find(q, SPAN("auth_key"), &v), 2);
    assert_span(v, "k%31");
    assert_int_equal(url_query_find(q, SPAN("x"), NULL), 1);
    assert_int_equal(url_query_find(q, SPAN("none"), &v), 0);
    assert_null(v.p);
}

static void decoding_resolves_escapes_and_chooses_what_plus_means(void **state)
{
    (void)state;
    struct buf b = { 0 };
    assert_int_equal(url_decode(SPAN("a%20b+c%2b%C3%a9"), URL_PLUS_LITERAL, &b), ERR_OK);
    assert_buf(&b, "a b+c+\xc3\xa9");
    buf_clear(&b);
    assert_int_equal(url_decode(SPAN("a%20b+c%2b"), URL_PLUS_SPACE, &b), ERR_OK);
    assert_buf(&b, "a b c+");
    buf_clear(&b);
    assert_int_equal(url_decode(SPAN("%00"), URL_PLUS_SPACE, &b), ERR_OK);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.p[0], 0);
    buf_fini(&b);
}

/* Memory of exactly the text's size, so that ASan sees a read beyond it. */
static struct span exact(const char *text)
{
    size_t n = strlen(text);
    char *p = mem_alloc(n);
    assert_non_null(p);
    return span_of(memcpy(p, text, n), n);
}

static void release(struct span s)
{
    union {
        const char *in;
        void *out;
    } p = { s.p };
    mem_free(p.out);
}

static void a_malformed_escape_appends_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = { "ok%", "ok%4", "ok%4g", "ok%g4", "%%41", "ok%+1", "% 1" };
    struct buf b = { 0 };
    struct span out = SPAN("before");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct span raw = exact(bad[i]);
        assert_int_equal(url_decode(raw, URL_PLUS_LITERAL, &b), ERR_SYNTAX);
        assert_int_equal(url_text(raw, URL_PLUS_SPACE, &b, &out), ERR_SYNTAX);
        assert_false(url_eq(raw, URL_PLUS_LITERAL, raw));
        release(raw);
    }
    assert_int_equal(b.n, 0);
    assert_span(out, "before");
    buf_fini(&b);
}

static void text_without_escapes_is_borrowed(void **state)
{
    (void)state;
    struct buf scratch = { 0 };
    struct span raw = SPAN("a+b"), out;
    assert_int_equal(url_text(raw, URL_PLUS_LITERAL, &scratch, &out), ERR_OK);
    assert_ptr_equal(out.p, raw.p);
    assert_null(scratch.p);
    assert_int_equal(url_text(raw, URL_PLUS_SPACE, &scratch, &out), ERR_OK);
    assert_span(out, "a b");
    assert_int_equal(url_text(SPAN("%41"), URL_PLUS_SPACE, &scratch, &out), ERR_OK);
    assert_span(out, "A");
    buf_fini(&scratch);
}

static void equality_after_decoding_needs_all_of_both(void **state)
{
    (void)state;
    struct span abc = exact("abc");
    assert_true(url_eq(SPAN("a%62c"), URL_PLUS_LITERAL, abc));
    assert_false(url_eq(SPAN("a%62"), URL_PLUS_LITERAL, abc));
    assert_false(url_eq(SPAN("a%62cd"), URL_PLUS_LITERAL, abc));
    assert_false(url_eq(SPAN("a%62"), URL_PLUS_LITERAL, SPAN("a%62")));
    assert_true(url_eq(SPAN("a+b"), URL_PLUS_LITERAL, SPAN("a+b")));
    assert_true(url_eq(SPAN("+"), URL_PLUS_SPACE, SPAN(" ")));
    assert_true(url_eq(SPAN(""), URL_PLUS_SPACE, SPAN("")));
    release(abc);
}

static void every_octet_survives_encoding_and_decoding(void **state)
{
    (void)state;
    struct buf all = { 0 }, enc = { 0 }, dec = { 0 };
    for (int c = 0; c < 256; c++) buf_add_byte(&all, (char)c);
    url_encode(buf_span(&all), &enc);
    for (size_t i = 0; i < enc.n; i++) assert_true(enc.p[i] > ' ' && enc.p[i] < 0x7f);
    assert_int_equal(url_decode(buf_span(&enc), URL_PLUS_SPACE, &dec), ERR_OK);
    assert_true(span_eq(buf_span(&dec), buf_span(&all)));
    buf_clear(&enc);
    url_encode(SPAN("aZ09-._~ /:@%+"), &enc);
    assert_buf(&enc, "aZ09-._~%20%2F%3A%40%25%2B");
    buf_fini(&all);
    buf_fini(&enc);
    buf_fini(&dec);
}

static void no_memory_is_reported_and_nothing_is_lost(void **state)
{
    (void)state;
    struct buf b = { 0 };
    struct span out = SPAN("before");
    mem_fail_after(0, true);
    assert_int_equal(url_decode(SPAN("%41"), URL_PLUS_LITERAL, &b), ERR_NOMEM);
    buf_clear(&b);
    assert_int_equal(url_text(SPAN("%41"), URL_PLUS_LITERAL, &b, &out), ERR_NOMEM);
    mem_fail_after(-1, false);
    assert_span(out, "before");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_and_its_query_are_split_at_the_first_question_mark),
        cmocka_unit_test(no_query_and_an_empty_query_differ),
        cmocka_unit_test(the_absolute_form_gives_host_and_path),
        cmocka_unit_test(other_targets_are_refused_with_a_reason),
        cmocka_unit_test(duplicate_slashes_collapse_in_segments),
        cmocka_unit_test(an_encoded_slash_stays_inside_its_segment),
        cmocka_unit_test(a_prefix_is_stepped_over_by_whole_segments),
        cmocka_unit_test(query_pairs_are_raw_and_empty_ones_are_skipped),
        cmocka_unit_test(a_key_is_found_decoded_and_doubles_are_counted),
        cmocka_unit_test(decoding_resolves_escapes_and_chooses_what_plus_means),
        cmocka_unit_test(a_malformed_escape_appends_nothing),
        cmocka_unit_test(text_without_escapes_is_borrowed),
        cmocka_unit_test(equality_after_decoding_needs_all_of_both),
        cmocka_unit_test(every_octet_survives_encoding_and_decoding),
        cmocka_unit_test(no_memory_is_reported_and_nothing_is_lost),
    };
    return RUN_TESTS(tests);
}
