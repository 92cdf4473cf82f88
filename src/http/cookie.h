/* SPDX-License-Identifier: MIT
 * http/cookie.h: the header Cookie (RFC 6265 section 4.2). Pure; allocates nothing. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H
#include "base/span.h"

/* The next pair of `name=value; name=value`; slices of it, without white space around them, the
 * value also without a pair of quotes. What has no name or no `=` is left out. False at the end;
 * `*rest` is moved on. */
bool cookie_next(struct span *rest, struct span *name, struct span *value);
/* The value of the first one of that name (case counts); p == NULL: there is none. A browser sends
 * the one with the longest path first. */
struct span cookie_find(struct span header, struct span name);
#endif
