/* SPDX-License-Identifier: MIT
 *
 * The header Cookie: every pair lies within the header and in its order, and what is found by a
 * name is the first pair of that name.
 */
#include "http/cookie.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span header = span_of(data, size), rest = header, name, value;
    const char *at = header.p;
    while (cookie_next(&rest, &name, &value)) {
        must(name.n > 0 && name.p >= at && name.p + name.n <= header.p + header.n);
        must(value.p > name.p && value.p + value.n <= header.p + header.n);
        must(!memchr(name.p, '=', name.n) && !memchr(name.p, ';', name.n));
        must(!value.n || !memchr(value.p, ';', value.n));
        must(span_eq(span_trim(name), name));
        struct span found = cookie_find(header, name);
        must(found.p && found.p <= value.p);
        at = value.p + value.n;
    }
    must(!rest.p);
    return 0;
}
