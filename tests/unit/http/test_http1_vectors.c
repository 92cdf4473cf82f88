/* SPDX-License-Identifier: MIT
 * tests/unit/http/test_http1_vectors.c: the request parser decides each vector of
 * tests/vectors/http.txt as its class says, whole and byte by byte. That Node takes what we take in
 * the same way is looked at by tests/differential/run.js. */
#include "http/http1_req.h"
#include "vectors/vectors.h"

static int n_wrong; /* all wrong ones are shown, not just the first */

/* "y", "m" or "n" and the status, as the classes are; `step` octets at a time. */
static void verdict(struct span in, size_t step, char out[8])
{
    struct http1_req r;
    http1_req_init(&r, &http1_limits_default);
    enum http1_ev ev = HTTP1_EV_MORE;
    bool goes_on = true;
    for (size_t at = 0; at < in.n && goes_on && ev != HTTP1_EV_FAIL;) {
        struct span piece = span_head(span_skip(in, at), step);
        do {
            size_t used = http1_req_feed(&r, piece.p, piece.n, &ev);
            piece = span_skip(piece, used);
            at += used;
            if (ev != HTTP1_EV_DONE) continue;
            goes_on = http1_req_keep_alive(&r);
            http1_req_next(&r);
        } while (goes_on && ev != HTTP1_EV_MORE && ev != HTTP1_EV_FAIL);
    }
    if (ev == HTTP1_EV_FAIL)
        snprintf(out, 8, "n%u", http1_req_fail(&r)->status);
    else
        snprintf(out, 8, "%s", !goes_on || http1_req_phase(&r) == HTTP1_IDLE ? "y" : "m");
    http1_req_fini(&r);
}

static void vector_has_its_verdict(const struct vector *v)
{
    char whole[8], cut[8];
    verdict(buf_span(&v->text), SIZE_MAX, whole);
    verdict(buf_span(&v->text), 1, cut);
    if (span_eq(span_str(whole), v->kind) && strcmp(whole, cut) == 0) return;
    print_error("%.*s: %s, byte by byte %s, not %.*s\n", SPAN_FMT(v->name), whole, cut,
                SPAN_FMT(v->kind));
    n_wrong++;
}

static void each_vector_has_its_verdict(void **state)
{
    (void)state;
    size_t n = vectors_each("vectors/http.txt", '|', vector_has_its_verdict);
    assert_true(n >= 150);
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_vector_has_its_verdict) };
    return RUN_TESTS(tests);
}
