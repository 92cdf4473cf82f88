/* SPDX-License-Identifier: MIT
 *
 * base/password.h: passwords as they are kept: hashed with scrypt (RFC 7914), in a text
 *
 *     scrypt$N$r$p$SALT$HASH       salt and hash in base64
 *
 * so that a stronger choice can be made later and old texts still count. To make and to check one
 * takes tens of milliseconds and MiB on purpose: never on a worker's loop.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H
#include "base/buf.h"

#define PASSWORD_MIN_CHARS 12
#define PASSWORD_MAX_BYTES 1024
#define PASSWORD_SALT_MAX 64
#define PASSWORD_HASH_MAX 64

struct password_hash {
    uint64_t n; /* a power of 2 */
    uint32_t r, p;
    uint8_t n_salt, n_hash;
    uint8_t salt[PASSWORD_SALT_MAX], hash[PASSWORD_HASH_MAX];
};

/* Reads the text. False where it has not the form, or would take more memory or time than a server
 * should spend, or so little that it protects nothing: `*why` is then what it must be, to be put
 * behind "must be"; it has nothing of the text. */
bool password_hash_read(struct span text, struct password_hash *out, const char **why) MUST_USE;

/* Appends the text for this password, with a salt from the kernel. ERR_RANGE: shorter than
 * PASSWORD_MIN_CHARS characters, longer than PASSWORD_MAX_BYTES, no UTF-8, or with a control
 * character, which no form can send. ERR_NOMEM. Blocks for as long as it takes. */
enum err password_hash_make(struct span password, struct buf *out) MUST_USE;

/* Whether it is the password. Takes the same time for any. Blocks. ERR_NOMEM: `*right` is false. */
enum err password_check(const struct password_hash *hash, struct span password,
                        bool *right) MUST_USE;

/* The function itself; `out` gets n_out octets. ERR_NOMEM where libcrypto cannot have the memory.
 */
enum err password_scrypt(const struct password_hash *params, struct span password, uint8_t *out,
                         size_t n_out) MUST_USE;
#endif
