/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_http1_req.c: the same bytes whole, byte by byte and in pieces drawn from the
 * first byte of the input give the same events. The second byte sets the body limit.
 */
#include "unit/http/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct span in = span_of(data + 2, size - 2);
    uint64_t seeds[] = { 1, data[0] + 2U };
    struct chop c = { .body_limit = data[1] };
    struct buf whole = { 0 }, cut = { 0 };
    record(in, c, &whole);
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        c.seed = seeds[i];
        buf_clear(&cut);
        record(in, c, &cut);
        CHECK(span_eq(buf_span(&whole), buf_span(&cut)));
    }
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
