/* SPDX-License-Identifier: MIT
 *
 * base/field.h: what header fields are made of: tokens, and lists of them with commas (RFC 9110
 * sections 5.6.1 and 5.6.2).
 *
 * Here, because the HTTP parser and the WebSocket handshake read the same grammar and neither may
 * use the other.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H
#include "base/span.h"

/* How many octets at the beginning of `s` may stand in a token. */
size_t field_token_len(struct span s);

/* False for the empty span. */
bool field_is_token(struct span s);

/* The next item of a list whose items have parameters (RFC 9110 section 5.6.6): the value before
 * the first ';', without white space around it, and what is behind that (p == NULL: nothing). False
 * at the end. `*list` is moved on; p == NULL there is an empty list. */
bool field_list_next(struct span *list, struct span *value, struct span *params);

/* Whether the list has the token, in any case of its letters. */
bool field_list_has(struct span list, struct span token);

#endif
