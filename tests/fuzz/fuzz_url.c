/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_url.c: targets are split without loss, what decodes is equal to itself by each of
 * the ways to decode, and what is encoded decodes to what it was.
 */
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct span raw, enum url_plus plus)
{
    struct buf decoded = { 0 }, scratch = { 0 };
    struct span text = { 0 };
    enum err err = url_decode(raw, plus, &decoded);
    CHECK(url_text(raw, plus, &scratch, &text) == err);
    if (err == ERR_OK) {
        CHECK(span_eq(text, buf_span(&decoded)));
        CHECK(url_eq(raw, plus, text));
        CHECK(decoded.n <= raw.n);
    } else {
        CHECK(err == ERR_SYNTAX && decoded.n == 0 && memchr(raw.p, '%', raw.n));
    }
    buf_fini(&decoded);
    buf_fini(&scratch);
}

static void check_encode(struct span text)
{
    struct buf encoded = { 0 };
    url_encode(text, &encoded);
    CHECK(url_eq(buf_span(&encoded), URL_PLUS_LITERAL, text));
    CHECK(url_eq(buf_span(&encoded), URL_PLUS_SPACE, text));
    buf_fini(&encoded);
}

static void check_path(struct span path)
{
    struct span raw, segments[4];
    struct url_path it = url_path(path);
    size_t n = 0;
    for (; url_path_next(&it, &raw); n++) {
        CHECK(raw.n > 0 && !memchr(raw.p, '/', raw.n));
        check_text(raw, URL_PLUS_LITERAL);
    }
    CHECK(url_path_rest(&it).n == 0);
    CHECK(url_path_split(path, segments, ARRAY_LEN(segments)) == n);
    it = url_path(path);
    if (url_path_skip_prefix(&it, path)) CHECK(url_path_rest(&it).n <= path.n);
}

static void check_query(struct span query)
{
    struct url_query it = url_query(query);
    struct url_pair pair;
    while (url_query_next(&it, &pair)) {
        CHECK(!pair.key.n || !memchr(pair.key.p, '=', pair.key.n));
        check_text(pair.key, URL_PLUS_LITERAL);
        if (!pair.value.p) continue;
        check_text(pair.value, URL_PLUS_SPACE);
        CHECK(memchr(pair.key.p, '%', pair.key.n) || url_query_find(query, pair.key, NULL) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct url_target t;
    const char *why = NULL;
    check_encode(in);
    if (!url_split(in, &t, &why)) {
        CHECK(why);
        return 0;
    }
    CHECK(t.path.n > 0 && (t.path.p[0] == '/' || span_eq(t.path, SPAN("*"))));
    if (!t.host.p) CHECK(t.path.n + t.query.n + (t.query.p ? 1 : 0) == size);
    check_path(t.path);
    check_query(t.query);
    return 0;
}
