/* SPDX-License-Identifier: MIT
 *
 * tests/unit/test.h: cmocka with what it needs before it, and comparisons of our own types.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/span.h"

/* The span holds exactly the text; prints both where it does not. */
#define assert_span(span, text) check_span((span), span_str(text), __FILE__, __LINE__)

static inline void check_span(struct span got, struct span want, const char *file, int line)
{
    if (span_eq(got, want)) return;
    print_error("got  (%zu) \"%.*s\"\nwant (%zu) \"%.*s\"\n", got.n, SPAN_FMT(got), want.n,
                SPAN_FMT(want));
    _fail(file, line);
}

/* True where valgrind runs us, which keeps its own limit of descriptors. */
static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

#define assert_buf(buf, text) assert_span(buf_span(buf), text)

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)
#endif
