/* SPDX-License-Identifier: MIT
 *
 * pusher/user_object.h: the signed JSON that says who somebody is: channel_data of a presence
 * subscription and user_data of a sign-in (protocol page 2.5 and 3.4).
 *
 * Both hold an id and a user_info, under slightly different names; identity is the id compared as
 * text, so 42 and "42" are the same person, while the token is kept as it came.
 */
#ifndef PUSHER_USER_OBJECT_H
#define PUSHER_USER_OBJECT_H
#include "pusher/event.h"

#define USER_ID_MAX 128 /* characters */

struct user_object {
    struct event_member member; /* id and user_info */
    struct json_val watchlist;  /* as it came; JSON_ABSENT where it is not there */
    bool no_id;                 /* on failure: an object, but without a usable id */
};

/* Reads `text`, whose id is called `id_name`. NULL, or a static part of a sentence that says what
 * is wrong. The id must be a non-empty string (without half surrogate pairs, which no frame could
 * carry as text) or a number; its length is the caller's check. Spans borrow from `text` and
 * `scratch`; scratch grows by at most text.n. */
const char *user_object_read(struct span text, const char *id_name, struct buf *scratch,
                             struct user_object *user);
#endif
