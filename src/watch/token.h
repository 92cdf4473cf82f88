/* SPDX-License-Identifier: MIT
 *
 * watch/token.h: short-lived tokens for watching one app over the main listener: whoever has a
 * secret of the app can make them (docs/internals/watch.md).
 */
#ifndef WATCH_TOKEN_H
#define WATCH_TOKEN_H
#include "base/buf.h"
#include "pusher/auth.h"

#define WATCH_TOKEN_MAX_S 3600 /* how far ahead it may end */

/* The app's id that the token names, decoded into `scratch`; false where it has not the form. */
bool watch_token_app(struct span token, struct buf *scratch, struct span *app_id);
/* How many seconds it still lasts; 0: it is over, or was not made with one of the keys of that
 * app. */
uint64_t watch_token_lasts(struct span token, struct span app_id, const struct auth_keys *keys,
                           uint64_t unix_s);
/* For tests and tools: appends a token made with the first key. */
enum err watch_token_make(struct span app_id, const struct auth_keys *keys, uint64_t expires_s,
                          struct buf *out) MUST_USE;
#endif
