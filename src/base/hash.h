/* SPDX-License-Identifier: MIT
 *
 * base/hash.h: digests (libcrypto), hex, base64, constant-time comparison, keyed table hashing.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include "base/err.h"
#include "base/span.h"

#define SHA256_HEX_LEN 64
#define MD5_LEN 16
#define MD5_HEX_LEN 32

/* An HMAC-SHA256 key, prepared once per secret and shared by all threads (immutable after new).
 * Signing is on the hot path of every publish: measure before changing how it is done. */
struct hmac_key;
struct hmac_key *hmac_key_new(struct span secret) MUST_USE; /* NULL: no memory */
void hmac_key_free(struct hmac_key *key);                   /* wipes it; NULL allowed */

/* HMAC-SHA256 of the parts put one after the other, as lower-case hex (not terminated). */
void hmac_sha256_hex(const struct hmac_key *key, const struct span *parts, size_t n_parts,
                     char hex[SHA256_HEX_LEN]);

void md5(struct span data, uint8_t out[MD5_LEN]);
void md5_hex(struct span data, char hex[MD5_HEX_LEN]);
void sha1(struct span data, uint8_t out[20]);
void sha256(struct span data, uint8_t out[32]);

/* Standard base64 with padding; returns the length; `out` has 4 * ((n + 2) / 3) bytes. */
size_t base64_encode(struct span data, char *out);
/* Strict; false when malformed. `out` has 3 * (n / 4) bytes. */
bool base64_decode(struct span text, uint8_t *out, size_t *out_len);

void hex_encode(struct span data, char *out); /* 2 * n lower-case digits */
int hex_value(char c);                        /* of a digit in either case; -1: it is none */
/* Digits in either case, two for each octet; else false, and `out` (n / 2) holds anything. */
bool hex_decode(struct span hex, uint8_t *out) MUST_USE;

/* Equality whose time depends on the length only; unequal lengths are unequal. */
bool equal_consttime(struct span a, struct span b);

/* Keyed 64-bit hash (SipHash-1-3) for tables whose keys come from outside. The process-wide key is
 * drawn from the kernel before main's first use; hash_seed() fixes it for tests. Thread-safe. */
uint64_t hash_key(struct span s);
uint64_t hash_key2(uint64_t a, struct span s); /* of a number and a span */
void hash_seed(uint64_t k0, uint64_t k1);
#endif
