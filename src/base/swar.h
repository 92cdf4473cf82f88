/* SPDX-License-Identifier: MIT
 *
 * base/swar.h: eight octets at a time in a plain 64-bit word, for the scanners of base/.
 *
 * Each test is exact for the word as a whole, on either byte order, but does not say which octet
 * it was: the scanners look at single octets after a yes. No vector intrinsics: on the short texts
 * that we see the gain would be small, and this works on every machine.
 */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define SWAR_HIGH UINT64_C(0x8080808080808080)

static inline uint64_t swar_load(const void *p) /* eight octets, any alignment */
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Not 0 when an octet is below `limit` ≤ 0x80. */
static inline uint64_t swar_below(uint64_t w, uint8_t limit)
{
    return (w - SWAR_ONES * limit) & ~w & SWAR_HIGH;
}

/* Not 0 when an octet equals `c`. */
static inline uint64_t swar_has(uint64_t w, uint8_t c)
{
    return swar_below(w ^ (SWAR_ONES * c), 1);
}

/* Not 0 when an octet is outside ASCII. */
static inline uint64_t swar_high(uint64_t w)
{
    return w & SWAR_HIGH;
}
#endif
