/* SPDX-License-Identifier: MIT
 *
 * cli/sign_keys.h: the secrets that may have made a signature: those of the app, and those that
 * people take by mistake.
 */
#ifndef CLI_SIGN_KEYS_H
#define CLI_SIGN_KEYS_H
#include "base/hash.h"
#include "cli/target.h"

#define SIGN_KEYS_MAX 64

struct sign_key {
    struct hmac_key *hmac;
    bool valid;       /* a server with this configuration accepts it */
    struct span what; /* "" for the secret that signs; else what it is, never the secret itself */
};

struct sign_keys {
    struct sign_key items[SIGN_KEYS_MAX];
    size_t n;
    struct buf _names[SIGN_KEYS_MAX];
};

/* The first is the one that signs. ERR_NOMEM. Finish it in any case. */
enum err sign_keys_init(struct sign_keys *keys, const struct target *t) MUST_USE;
void sign_keys_fini(struct sign_keys *keys);

/* Whether `text` is one of the secrets that the target knows. */
bool sign_keys_has_secret(const struct target *t, struct span text);
#endif
