/* SPDX-License-Identifier: MIT
 *
 * hub/roster.h: the people on a presence channel: each once, however many sockets (tabs) he has.
 *
 * Copy-on-write in chunks of ROSTER_CHUNK members: a snapshot takes one reference (under the
 * directory's lock) and is read outside of it; a later change copies the list of chunks and one
 * chunk, not the roster. Order is of arrival until somebody leaves (the last one takes his place).
 */
#ifndef HUB_ROSTER_H
#define HUB_ROSTER_H
#include "base/map.h"
#include "hub/member.h"

#define ROSTER_CHUNK 64

struct roster_chunk {
    _Atomic uint32_t refs;
    uint32_t n;
    struct member *members[ROSTER_CHUNK];
};

/* What a snapshot is; immutable while anybody else holds a reference. */
struct roster_view {
    _Atomic uint32_t refs;
    uint32_t n_members, n_chunks, cap_chunks;
    struct roster_chunk *chunks[];
};

struct roster {
    struct roster_view *_view; /* NULL while empty */
    struct map _seats;         /* by user id: place and number of sockets */
    uint32_t _n_ghosts;        /* people who left while memory was refused: swept later */
};

void roster_fini(struct roster *r);
static inline uint32_t roster_count(const struct roster *r)
{
    return r->_seats.n - r->_n_ghosts;
}

/* One more socket of this person. `*first` says whether he was absent before; a person who is there
 * gets the newer info. `limit` (0: none) refuses new people only, with ERR_LIMIT. Refs `m`.
 * On an error nothing has changed. */
enum err roster_join(struct roster *r, struct member *m, uint32_t limit, bool *first) MUST_USE;

/* One socket less. True when it was the last of that person (he is gone then). Never fails: where
 * memory for a copy is refused, he no longer counts and his entry goes with the next leave or
 * snapshot that has the memory. */
bool roster_leave(struct roster *r, const struct member *m);

/* Whether the person would be gone if one of his sockets left. */
bool roster_is_last_socket(const struct roster *r, const struct member *m);

/* A snapshot; NULL while empty. Release with roster_view_unref (any thread). */
struct roster_view *roster_snapshot(struct roster *r);
void roster_view_unref(struct roster_view *v); /* NULL allowed */

static inline struct member *roster_view_at(const struct roster_view *v, uint32_t i)
{
    return v->chunks[i / ROSTER_CHUNK]->members[i % ROSTER_CHUNK];
}
#endif
