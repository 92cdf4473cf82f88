/* SPDX-License-Identifier: MIT
 *
 * cli/signing.h: the strings that are signed (protocol page section 3), as text. Pure.
 */
#ifndef CLI_SIGNING_H
#define CLI_SIGNING_H
#include "base/buf.h"
#include "pusher/auth.h"

enum signing_kind { SIGNING_CHANNEL, SIGNING_USER, SIGNING_REQUEST, SIGNING_WEBHOOK };

/* What is signed. Borrowed; fields of other kinds are empty. */
struct signing {
    enum signing_kind kind;
    struct span socket_id, channel; /* channel, user */
    struct span data;               /* channel_data (p == NULL: none) or user_data */
    struct span method, path;       /* request; the path as it is to be signed */
    struct span prefix;             /* request: what stood in front of the path; not signed */
    struct span query;              /* request: raw */
    struct span body;               /* request, webhook */
};

/* Appends the string. ERR_LIMIT: more than AUTH_MAX_PARAMS parameters; ERR_SYNTAX: a broken
 * percent-encoding in the query; ERR_NOMEM. */
enum err signing_string(const struct signing *s, struct buf *out) MUST_USE;

/* How a request's query is read before it is signed; libraries differ. */
struct signing_reading {
    enum { SIGNING_DECODED, SIGNING_FORM, SIGNING_RAW } how; /* FORM: + is a space */
    bool keep_case;                                          /* of names */
    const struct span *body_md5; /* instead of the query's; NULL: that. p == NULL: left out */
};
enum err signing_request_string(const struct signing *s, const struct signing_reading *reading,
                                struct buf *out) MUST_USE;

/* Appends what is missing in the query of a request for it to be signed: auth_key,
 * auth_timestamp, auth_version, body_md5 (where there is a body); auth_signature is left out. */
struct signing_auth {
    struct span key;
    uint64_t unix_s;
};
void signing_complete(const struct signing *s, const struct signing_auth *auth, struct buf *query);

/* A sentence on something that is signed but will not be accepted, or may be meant otherwise; NULL
 * at the end. `i` counts from 0. Static. */
const char *signing_doubt(const struct signing *s, unsigned i);
#endif
