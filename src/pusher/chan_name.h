/* SPDX-License-Identifier: MIT
 *
 * pusher/chan_name.h: what a channel's name says (protocol page, Channels: types by prefix, names).
 *
 * Prefixes are tested anchored at the start and with their dash, so `my-private-x` and `privateer`
 * are public.
 */
#ifndef PUSHER_CHAN_NAME_H
#define PUSHER_CHAN_NAME_H
#include "base/buf.h"

enum chan_type {
    CHAN_PUBLIC,
    CHAN_PRIVATE, /* includes encrypted: the server relays ciphertext and knows no key */
    CHAN_PRESENCE,
    CHAN_USER, /* #server-to-user-{id} */
};

struct chan_kind {
    enum chan_type type;
    bool cache;
    bool encrypted;
};

struct chan_kind chan_kind_of(struct span name);

/* A subscription to this kind needs a signature (CHAN_USER needs a sign-in instead). */
static inline bool chan_needs_auth(struct chan_kind kind)
{
    return kind.type == CHAN_PRIVATE || kind.type == CHAN_PRESENCE;
}

/* The {id} of "#server-to-user-{id}"; `name` must be of type CHAN_USER. */
struct span chan_user_id(struct span name);

/* Appends "#server-to-user-" and the id. */
void chan_user_name(struct buf *out, struct span user_id);

/* NULL when the name is acceptable, else a sentence for people in `why` (it names what was
 * measured, the limit and the option). `limit` counts octets (limits.channel_name; 0 = none).
 * `strict` is the option strict_channel_names: only A-Z a-z 0-9 _ - = @ , . ; (and the leading # of
 * a user channel); not strict allows any printable UTF-8. */
struct chan_name_rules {
    size_t limit;
    bool strict;
};
bool chan_name_ok(struct span name, struct chan_name_rules rules, struct buf *why);
#endif
