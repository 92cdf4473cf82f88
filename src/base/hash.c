/* SPDX-License-Identifier: MIT
 *
 * base/hash.c: digests by libcrypto's low-level functions, encodings, and SipHash for tables.
 *
 * OpenSSL 3 deprecates SHA256_Update and its like in favour of EVP, whose every operation looks up
 * a provider and allocates. They work in all 3.x, need no allocation, cannot fail, and their
 * contexts are plain values, which is what makes a prepared HMAC key possible.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* for the reason above */
#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/swar.h"
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

/* ---- HMAC ---- */

/* The two SHA-256 states that RFC 2104 section 4 proposes to keep: after the block key ^ ipad and
 * after the block key ^ opad. A signature copies them and starts from there. Measured for a text
 * of 150 octets, in ns (AMD EPYC with SHA instructions, OpenSSL 3.0, -O2): this 179, a duplicated
 * EVP_MAC_CTX 443, one-shot HMAC() 1000. */
struct hmac_key {
    SHA256_CTX inner, outer;
};

struct hmac_key *hmac_key_new(struct span secret)
{
    struct hmac_key *key = mem_alloc(sizeof *key);
    if (!key) return NULL;
    uint8_t block[SHA256_CBLOCK] = { 0 };
    if (secret.n > sizeof block)
        sha256(secret, block);
    else if (secret.n)
        memcpy(block, secret.p, secret.n);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    SHA256_Init(&key->inner);
    SHA256_Update(&key->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&key->outer);
    SHA256_Update(&key->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    return key;
}

void hmac_key_free(struct hmac_key *key)
{
    mem_free_secret(key, sizeof *key);
}

void hmac_sha256_hex(const struct hmac_key *key, const struct span *parts, size_t n_parts,
                     char hex[SHA256_HEX_LEN])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX ctx = key->inner;
    for (size_t i = 0; i < n_parts; i++) SHA256_Update(&ctx, parts[i].p, parts[i].n);
    SHA256_Final(digest, &ctx);
    ctx = key->outer;
    SHA256_Update(&ctx, digest, sizeof digest);
    SHA256_Final(digest, &ctx); /* which wipes ctx */
    hex_encode(span_of(digest, sizeof digest), hex);
}

/* ---- plain digests ---- */

void md5(struct span data, uint8_t out[MD5_LEN])
{
    MD5_CTX ctx;
    MD5_Init(&ctx);
    MD5_Update(&ctx, data.p, data.n);
    MD5_Final(out, &ctx);
}

void md5_hex(struct span data, char hex[MD5_HEX_LEN])
{
    uint8_t digest[MD5_LEN];
    md5(data, digest);
    hex_encode(span_of(digest, sizeof digest), hex);
}

void sha1(struct span data, uint8_t out[20])
{
    SHA_CTX ctx;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, data.p, data.n);
    SHA1_Final(out, &ctx);
}

void sha256(struct span data, uint8_t out[32])
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data.p, data.n);
    SHA256_Final(out, &ctx);
}

/* ---- encodings ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(struct span data, char *out)
{
    const uint8_t *in = (const uint8_t *)data.p;
    size_t n = 0;
    for (size_t i = 0; i < data.n; i += 3) {
        size_t left = data.n - i;
        uint32_t w = (uint32_t)in[i] << 16;
        if (left > 1) w |= (uint32_t)in[i + 1] << 8;
        if (left > 2) w |= in[i + 2];
        out[n++] = base64_digits[w >> 18];
        out[n++] = base64_digits[w >> 12 & 63];
        out[n++] = left > 1 ? base64_digits[w >> 6 & 63] : '=';
        out[n++] = left > 2 ? base64_digits[w & 63] : '=';
    }
    return n;
}

static int base64_value(char c) /* -1 when it is no digit */
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, of which the last `pad` are padding; false when malformed or when bits that the
 * padding cuts off are set (RFC 4648 section 3.5: two texts for the same octets). */
static bool decode_quad(const char *p, size_t pad, uint8_t out[3])
{
    uint32_t w = 0;
    for (size_t i = 0; i < 4; i++) {
        int v = i < 4 - pad ? base64_value(p[i]) : 0;
        if (v < 0) return false;
        w = w << 6 | (uint32_t)v;
    }
    out[0] = (uint8_t)(w >> 16);
    if (pad < 2) out[1] = (uint8_t)(w >> 8);
    if (pad < 1) out[2] = (uint8_t)w;
    return (w & ((UINT32_C(1) << (8 * pad)) - 1)) == 0;
}

bool base64_decode(struct span text, uint8_t *out, size_t *out_len)
{
    if (text.n % 4) return false;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t pad = 0;
        if (i + 4 == text.n && text.p[i + 3] == '=') pad = text.p[i + 2] == '=' ? 2 : 1;
        if (!decode_quad(text.p + i, pad, out + n)) return false;
        n += 3 - pad;
    }
    *out_len = n;
    return true;
}

/* The eight digits of four octets, the first one of which stands lowest: nibbles are spread over a
 * word, each in an octet, and 6 more carries where a letter is wanted. */
static uint64_t hex_digits_of(uint32_t octets)
{
    uint64_t w = octets;
    w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
    w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
    w = (w >> 4 & UINT64_C(0x000f000f000f000f)) | (w & UINT64_C(0x000f000f000f000f)) << 8;
    uint64_t letters = (w + SWAR_ONES * 6) >> 4 & SWAR_ONES;
    return w + SWAR_ONES * '0' + letters * ('a' - '0' - 10);
}

void hex_encode(struct span data, char *out)
{
    const uint8_t *p = (const uint8_t *)data.p;
    size_t n = data.n;
    for (; n >= 4; p += 4, n -= 4, out += 8) {
        uint32_t octets =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        swar_store(out, hex_digits_of(octets));
    }
    for (; n; p++, n--, out += 2) {
        out[0] = "0123456789abcdef"[*p >> 4];
        out[1] = "0123456789abcdef"[*p & 15];
    }
}

/* 16 and the value of a digit, 0 for all others. */
static const uint8_t hex_digits[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
    ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
    ['A'] = 26, ['B'] = 27, ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

int hex_value(char c)
{
    uint8_t digit = hex_digits[(uint8_t)c];
    return digit ? digit & 15 : -1;
}

bool hex_decode(struct span hex, uint8_t *out)
{
    unsigned all = 16;
    if (hex.n % 2) return false;
    for (size_t i = 0; i < hex.n; i += 2) {
        unsigned high = hex_digits[(uint8_t)hex.p[i]], low = hex_digits[(uint8_t)hex.p[i + 1]];
        all &= high & low;
        out[i / 2] = (uint8_t)(high << 4 | (low & 15));
    }
    return all != 0;
}

/* A word at a time, where CRYPTO_memcmp() goes octet by octet. The empty assembly makes the
 * compiler forget what it knows of `diff`, so that it cannot stop at the first difference. */
bool equal_consttime(struct span a, struct span b)
{
    if (a.n != b.n) return false;
    uint64_t diff = 0;
    size_t i = 0;
    for (; a.n - i >= 8; i += 8) {
        diff |= swar_load(a.p + i) ^ swar_load(b.p + i);
        __asm__ volatile("" : "+r"(diff));
    }
    for (; i < a.n; i++) {
        diff |= (uint8_t)(a.p[i] ^ b.p[i]);
        __asm__ volatile("" : "+r"(diff));
    }
    return diff == 0;
}

/* ---- SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) ---- */

static uint64_t table_key[2];

/* Before main, so that readers need neither a lock nor an atomic. */
__attribute__((constructor)) static void draw_table_key(void)
{
    rand_bytes(table_key, sizeof table_key);
}

void hash_seed(uint64_t k0, uint64_t k1)
{
    table_key[0] = k0;
    table_key[1] = k1;
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline struct sip sip_start(void)
{
    return (struct sip) { table_key[0] ^ UINT64_C(0x736f6d6570736575),
                          table_key[1] ^ UINT64_C(0x646f72616e646f6d),
                          table_key[0] ^ UINT64_C(0x6c7967656e657261),
                          table_key[1] ^ UINT64_C(0x7465646279746573) };
}

static inline uint64_t load_le(const char *p, size_t n) /* n < 8 octets */
{
    uint64_t w = 0;
    for (size_t i = 0; i < n; i++) w |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return w;
}

/* Takes the octets of `data` and finishes; `before` octets were taken already. */
static uint64_t sip_finish(struct sip s, struct span data, size_t before)
{
    size_t i = 0;
    for (; data.n - i >= 8; i += 8) sip_word(&s, swar_load(data.p + i));
    uint64_t last = (uint64_t)(data.n + before) << 56;
    if (i < data.n) last |= load_le(data.p + i, data.n - i);
    sip_word(&s, last);
    s.v2 ^= 0xff;
    for (int round = 0; round < 3; round++) sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_key(struct span s)
{
    return sip_finish(sip_start(), s, 0);
}

uint64_t hash_key2(uint64_t a, struct span s)
{
    struct sip sip = sip_start();
    sip_word(&sip, a);
    return sip_finish(sip, s, sizeof a);
}
