/* SPDX-License-Identifier: MIT
 * server/origin.h: whether a web page's Origin is in an app's allowed_origins. */
#ifndef SERVER_ORIGIN_H
#define SERVER_ORIGIN_H
#include "base/span.h"

/* `origin` is the header's value, p == NULL where it was not sent. Patterns are lower case with `*`
 * for any run of octets. A pattern with "://" is compared with the whole origin (scheme, host,
 * port), one with a port with host:port, any other with the host. The port that a scheme has anyway
 * (443 of https and wss, 80 of http and ws) may be written or not, on either side. An empty list
 * allows all; a list that is not empty refuses requests without Origin. Letters compare without
 * case. */
bool origin_allowed(const struct span_list *patterns, struct span origin);

/* What to add to the list so that this origin is allowed: its host; all of it where it has none. */
struct span origin_pattern(struct span origin);
#endif
