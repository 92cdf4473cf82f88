/* SPDX-License-Identifier: MIT
 * watch/base64url.h: base64 for names of channels and URLs, without padding (RFC 4648 section 5).
 */
#ifndef WATCH_BASE64URL_H
#define WATCH_BASE64URL_H
#include "base/buf.h"

/* Appends; false where the text is none (or without memory). */
bool base64url_decode(struct span text, struct buf *out) MUST_USE;
/* Appends. */
void base64url_encode(struct span data, struct buf *out);
#endif
