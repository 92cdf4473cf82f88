/* SPDX-License-Identifier: MIT
 *
 * pusher/auth.h: all signatures of the protocol (protocol page section 3): channel and user
 * authentication, HTTP API requests. HMAC-SHA256 with the app's secret, 64 lower-case hex digits,
 * compared in constant time. An app may have several secrets while they are rotated: the first
 * signs, any verifies.
 */
#ifndef PUSHER_AUTH_H
#define PUSHER_AUTH_H
#include "base/buf.h"
#include "base/hash.h"

/* Borrowed from the app; lives as long as the app's settings. */
struct auth_keys {
    struct span key;                 /* the app key */
    struct hmac_key *const *secrets; /* n_secrets >= 1 */
    size_t n_secrets;
};

enum auth_verdict {
    AUTH_OK,
    AUTH_MISSING,   /* no `auth`, or an empty one */
    AUTH_MALFORMED, /* not KEY:64 lower-case hex digits */
    AUTH_WRONG_KEY, /* the part before the first colon is not this app's key */
    AUTH_MISMATCH,  /* signed with another secret, or another string was signed */
};
const char *auth_verdict_text(enum auth_verdict verdict); /* a sentence for people */

/* Verifies `auth` of pusher:subscribe. `socket_id` is its text. `channel_data` is the decoded
 * string, byte for byte; p == NULL where absent. With a non-empty channel_data only the string that
 * includes it is accepted. */
enum auth_verdict auth_check_channel(const struct auth_keys *keys, struct span auth,
                                     struct span socket_id, struct span channel,
                                     struct span channel_data);

/* Verifies `auth` of pusher:signin over "socket_id::user::user_data". */
enum auth_verdict auth_check_user(const struct auth_keys *keys, struct span auth,
                                  struct span socket_id, struct span user_data);

/* Appends "KEY:SIGNATURE" (first secret). channel_data.p may be NULL. */
void auth_sign_channel(const struct auth_keys *keys, struct span socket_id, struct span channel,
                       struct span channel_data, struct buf *out);
void auth_sign_user(const struct auth_keys *keys, struct span socket_id, struct span user_data,
                    struct buf *out);

/* One query parameter of an API request, decoded or raw as the caller wants it signed. */
struct auth_param {
    struct span key, value;
};

/* How the string to sign is built; the retries of protocol page 4.1 point 7 use the variants. */
struct auth_request {
    struct span method; /* upper case */
    struct span path;
    const struct auth_param *params; /* auth_signature may be among them: it is left out */
    size_t n_params;
    bool keep_case; /* do not lower-case the keys */
};

/* Appends METHOD\nPATH\nPARAMS: keys lower-cased, sorted by octets, `k=v` joined by `&`, no
 * encoding; array keys (`x[]`, `x[0]`) lose their brackets and are joined by commas in order;
 * auth_signature and the route names appId, appKey, channelName are left out. At most
 * AUTH_MAX_PARAMS. */
#define AUTH_MAX_PARAMS 64
enum err auth_request_string(const struct auth_request *req, struct buf *out) MUST_USE;

/* Verifies `signature` (hex) over a string built as above, with any secret. */
bool auth_check_string(const struct auth_keys *keys, struct span signature, struct span string);
/* Signs with the first secret. */
void auth_sign_string(const struct auth_keys *keys, struct span string, char hex[SHA256_HEX_LEN]);
#endif
