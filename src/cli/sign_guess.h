/* SPDX-License-Identifier: MIT
 *
 * cli/sign_guess.h: which string, and which secret, a signature was made of: the right ones, or
 * those that a likely mistake gives.
 */
#ifndef CLI_SIGN_GUESS_H
#define CLI_SIGN_GUESS_H
#include "cli/sign_keys.h"
#include "cli/signing.h"

struct guess {
    const struct sign_keys *keys;
    struct span hex;    /* 64 lower-case digits */
    struct span prefix; /* what may stand in front of a path, or "" */
    /* What came out: */
    const struct sign_key *key; /* NULL: nothing that was tried gives this signature */
    struct buf string;          /* what differs in the string; empty: nothing */
    bool tolerated;             /* Peal takes that string, too */
    size_t n_tried;             /* strings */
    bool _failed;
};

/* Zero the results first. ERR_NOMEM. */
enum err guess_run(struct guess *g, const struct signing *s) MUST_USE;
void guess_fini(struct guess *g);

/* For guess.c and guess_request.c: true when `string` gives the signature; then `name` (borrowed)
 * is kept. */
bool guess_try(struct guess *g, struct span string, struct span name);
/* Requests have more that can differ. */
bool guess_request(struct guess *g, const struct signing *s);
#endif
