/* SPDX-License-Identifier: MIT
 *
 * hub/member.h: who somebody is on a presence channel, or as a signed-in user: an immutable,
 * counted copy of what was signed. Identity is the id as text, so 42 and "42" are one person.
 */
#ifndef HUB_MEMBER_H
#define HUB_MEMBER_H
#include "pusher/event.h"
#include <stdatomic.h>

struct member {
    _Atomic uint32_t _refs;
    uint32_t _id_n, _raw_n, _info_n;
    uint64_t hash; /* hash_key of the id */
    char _bytes[]; /* id, id_raw, info_raw */
};

/* Copies; NULL without memory. */
struct member *member_new(const struct event_member *from) MUST_USE;
struct member *member_ref(struct member *m);
void member_unref(struct member *m); /* NULL allowed */

static inline struct span member_id(const struct member *m)
{
    return span_of(m->_bytes, m->_id_n);
}
static inline struct event_member member_view(const struct member *m)
{
    return (struct event_member) {
        .id = member_id(m),
        .id_raw = span_of(m->_bytes + m->_id_n, m->_raw_n),
        .info_raw = span_of(m->_bytes + m->_id_n + m->_raw_n, m->_info_n),
    };
}
#endif
