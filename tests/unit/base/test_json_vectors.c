/* SPDX-License-Identifier: MIT
 * tests/unit/base/test_json_vectors.c: json_check() decides each vector of tests/vectors/json.txt
 * as its class says. That Node and PHP agree is looked at by tests/differential/run.js. */
#include "base/json_read.h"
#include "base/mem.h"
#include "vectors/vectors.h"

static void vector_has_its_verdict(const struct vector *v)
{
    bool wanted = v->kind.p[0] == 'y' || span_eq(v->kind, SPAN("i+"));
    if (!wanted) assert_true(v->kind.p[0] == 'n' || span_eq(v->kind, SPAN("i-")));
    /* A copy of exactly its size, so that ASan sees a read beyond the end. */
    struct span text = buf_span(&v->text);
    char *copy = mem_alloc(text.n + !text.n);
    assert_non_null(copy);
    if (text.n) memcpy(copy, text.p, text.n);
    struct json_val root;
    struct json_bad bad = { 0 };
    bool accepted = json_check(span_of(copy, text.n), JSON_MAX_DEPTH, &root, &bad);
    if (accepted != wanted)
        fail_msg("%.*s: %s", SPAN_FMT(v->name), accepted ? "accepted" : bad.why);
    if (!accepted) assert_true(bad.at <= text.n && bad.why);
    mem_free(copy);
}

static void each_vector_has_its_verdict(void **state)
{
    (void)state;
    size_t n = vectors_each("vectors/json.txt", 0, vector_has_its_verdict);
    assert_true(n >= 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_vector_has_its_verdict) };
    return RUN_TESTS(tests);
}
