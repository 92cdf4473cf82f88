/* SPDX-License-Identifier: MIT
 *
 * base/swar.h: eight octets at a time in a plain 64-bit word, for the scanners of base/.
 *
 * Each test is exact for the word as a whole, on either byte order. Which octet it was, is told by
 * swar_first() for words that swar_load() read: the lowest mark of a test is right, those above it
 * may be false (a borrow runs upwards), so it is right for several tests that are joined by |, too.
 * No vector intrinsics: on the short texts that we see the gain would be small, and this works on
 * every machine.
 */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define SWAR_HIGH UINT64_C(0x8080808080808080)

/* Eight octets, any alignment; the first one stands lowest. */
static inline uint64_t swar_load(const void *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static inline void swar_store(void *p, uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    memcpy(p, &w, sizeof w);
}

/* The index of the first octet that a test marked; `marks` is not 0. */
static inline size_t swar_first(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

/* Marks the first octet that is below `limit` ≤ 0x80; 0: none is. */
static inline uint64_t swar_below(uint64_t w, uint8_t limit)
{
    return (w - SWAR_ONES * limit) & ~w & SWAR_HIGH;
}

/* Marks the first octet that equals `c`. */
static inline uint64_t swar_has(uint64_t w, uint8_t c)
{
    return swar_below(w ^ (SWAR_ONES * c), 1);
}

/* Marks all octets from 'A' to 'Z'. */
static inline uint64_t swar_upper(uint64_t w)
{
    uint64_t low = w & ~SWAR_HIGH;
    uint64_t from_a = low + SWAR_ONES * (0x80 - 'A'), above_z = low + SWAR_ONES * (0x7f - 'Z');
    return (from_a ^ above_z) & ~w & SWAR_HIGH;
}

/* Marks all octets that are outside ASCII. */
static inline uint64_t swar_high(uint64_t w)
{
    return w & SWAR_HIGH;
}
#endif
