/* SPDX-License-Identifier: MIT
 *
 * base/password.c: see password.h. The numbers for new ones are those that OWASP's cheat sheet
 * gives for 32 MiB (N = 2^15, r = 8, p = 3); about 0.2 s on the machine that this was measured on.
 */
#include "base/password.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/utf8.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NEW_N 32768
#define NEW_R 8
#define NEW_P 3
#define NEW_SALT 16
#define NEW_HASH 32

#define LEAST_SALT 8
#define LEAST_COST ((uint64_t)16384 * 8)     /* N * r * p: what scrypt's author took in 2009 */
#define MOST_COST ((uint64_t)1 << 22)        /* about 1.5 s */
#define MOST_MEMORY ((uint64_t)256 << 20)    /* 128 * N * r octets */
#define MEMORY_AT_MOST ((uint64_t)320 << 20) /* what libcrypto may take for that */

static bool read_number(struct span *rest, uint64_t most, uint64_t *out)
{
    struct span part;
    return span_cut(rest, '$', &part) && span_to_u64(part, out) && *out > 0 && *out <= most;
}

static bool read_octets(struct span text, uint8_t *out, uint8_t *n)
{
    uint8_t octets[3 * (88 / 4)]; /* 64 octets are 88 digits */
    size_t len;
    if (text.n > 88 || !base64_decode(text, octets, &len)) return false;
    if (len > PASSWORD_SALT_MAX) return false;
    memcpy(out, octets, len);
    *n = (uint8_t)len;
    return true;
}
_Static_assert(PASSWORD_SALT_MAX == PASSWORD_HASH_MAX, "read_octets() takes them for the same");

static bool split(struct span text, struct password_hash *out)
{
    struct span rest = text, part, salt;
    uint64_t r, p;
    if (!span_cut(&rest, '$', &part) || !span_eq(part, SPAN("scrypt"))) return false;
    if (!read_number(&rest, MOST_COST, &out->n) || !read_number(&rest, 1024, &r) ||
        !read_number(&rest, 1024, &p))
        return false;
    out->r = (uint32_t)r;
    out->p = (uint32_t)p;
    return span_cut(&rest, '$', &salt) && rest.p && read_octets(salt, out->salt, &out->n_salt) &&
           read_octets(rest, out->hash, &out->n_hash) && out->n_salt >= LEAST_SALT &&
           (out->n_hash == 32 || out->n_hash == 64); /* all of it: one that was cut fits nothing */
}

bool password_hash_read(struct span text, struct password_hash *out, const char **why)
{
    struct password_hash hash = { 0 };
    *why = "scrypt$N$r$p$SALT$HASH as `peal password` prints it, whole and unchanged (in single "
           "quotes where a shell or a .env file reads it)";
    if (!split(text, &hash) || (hash.n & (hash.n - 1)) != 0 || hash.n < 2) return false;
    uint64_t cost = hash.n * hash.r * hash.p; /* at most 2^42 */
    *why =
        "one that is not so cheap to guess: N * r * p is below 131072; `peal password` makes one";
    if (cost < LEAST_COST) return false;
    *why = "one that costs less: at most 256 MiB (128 * N * r) and N * r * p = 4194304; `peal "
           "password` makes one";
    if (cost > MOST_COST || 128 * hash.n * hash.r > MOST_MEMORY) return false;
    *out = hash;
    return true;
}

enum err password_scrypt(const struct password_hash *params, struct span password, uint8_t *out,
                         size_t n_out)
{
    int ok = EVP_PBE_scrypt(password.n ? password.p : "", password.n, params->salt, params->n_salt,
                            params->n, params->r, params->p, MEMORY_AT_MOST, out, n_out);
    return ok == 1 ? ERR_OK : ERR_NOMEM;
}

enum err password_check(const struct password_hash *hash, struct span password, bool *right)
{
    uint8_t found[PASSWORD_HASH_MAX];
    *right = false;
    enum err err = password_scrypt(hash, password, found, hash->n_hash);
    if (err) return err;
    *right = equal_consttime(span_of(found, hash->n_hash), span_of(hash->hash, hash->n_hash));
    OPENSSL_cleanse(found, sizeof found);
    return ERR_OK;
}

static void add_base64(struct buf *out, const uint8_t *p, size_t n)
{
    char digits[4 * ((PASSWORD_HASH_MAX + 2) / 3)];
    buf_add_byte(out, '$');
    buf_add(out, digits, base64_encode(span_of(p, n), digits));
}

enum err password_hash_make(struct span password, struct buf *out)
{
    struct password_hash hash = { .n = NEW_N, .r = NEW_R, .p = NEW_P, .n_salt = NEW_SALT };
    if (password.n > PASSWORD_MAX_BYTES || !utf8_valid(password) || !span_is_plain(password, ' ') ||
        utf8_count(password) < PASSWORD_MIN_CHARS)
        return ERR_RANGE;
    rand_bytes(hash.salt, NEW_SALT);
    enum err err = password_scrypt(&hash, password, hash.hash, NEW_HASH);
    if (err) return err;
    buf_add_fmt(out, "scrypt$%d$%d$%d", NEW_N, NEW_R, NEW_P);
    add_base64(out, hash.salt, NEW_SALT);
    add_base64(out, hash.hash, NEW_HASH);
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}
