/* SPDX-License-Identifier: MIT
 *
 * cli/sign_check.h: whether a signature is right, and if not, why.
 */
#ifndef CLI_SIGN_CHECK_H
#define CLI_SIGN_CHECK_H
#include "cli/sentences.h"
#include "cli/signing.h"
#include "cli/target.h"

struct sign_check {
    bool ok;                  /* a server with the configuration here accepts it */
    struct sentences reasons; /* without a full stop; only remarks where `ok` */
};

/* Zero the check first. `given` is what was sent: KEY:SIGNATURE for channels and users (the
 * signature alone will do), the signature for requests and webhooks. ERR_NOMEM. Finish it in any
 * case. */
enum err sign_check_run(struct sign_check *check, const struct target *t, const struct signing *s,
                        struct span given) MUST_USE;
void sign_check_fini(struct sign_check *check);

/* What servers would refuse about a request besides its signature, each a sentence: the app, its
 * key, the version, body_md5. */
void sign_check_query(const struct target *t, const struct signing *s, struct sentences *out);
/* A sentence where auth_timestamp is not near enough to now. */
void sign_check_clock(const struct target *t, const struct signing *s, uint64_t unix_s,
                      struct sentences *out);
#endif
