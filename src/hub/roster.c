/* SPDX-License-Identifier: MIT
 *
 * hub/roster.c: see roster.h.
 *
 * Who writes makes what he touches his own first: the view (the list of chunks), then the chunks.
 * "Own" means a count of 1; only the directory's lock holder can raise it, so a count of 1 stays.
 * A seat (heap, found by user id) knows the place of the person and how many sockets he has.
 */
#include "hub/roster.h"
#include "base/mem.h"

struct seat {
    struct member *m; /* borrowed from the chunk */
    uint32_t at;      /* place in the view */
    uint32_t n_conns;
};

static bool is_person(const void *entry, const void *id)
{
    return span_eq(member_id(((const struct seat *)entry)->m), *(const struct span *)id);
}

static struct seat *find_seat(const struct roster *r, const struct member *m)
{
    struct span id = member_id(m);
    return map_find(&r->_seats, m->hash, is_person, &id);
}

static bool is_shared(_Atomic uint32_t *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) > 1;
}

static void chunk_unref(struct roster_chunk *c)
{
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < c->n; i++) member_unref(c->members[i]);
    mem_free(c);
}

void roster_view_unref(struct roster_view *v)
{
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < v->n_chunks; i++) chunk_unref(v->chunks[i]);
    mem_free(v);
}

void roster_fini(struct roster *r)
{
    uint32_t pos = 0;
    for (struct seat *seat; (seat = map_next(&r->_seats, &pos));) mem_free(seat);
    map_fini(&r->_seats);
    roster_view_unref(r->_view);
    *r = (struct roster) { 0 };
}

static size_t view_size(uint32_t cap_chunks)
{
    return sizeof(struct roster_view) + cap_chunks * sizeof(struct roster_chunk *);
}

/* Makes the view our own, with room for `n_chunks`. */
static bool own_view(struct roster *r, uint32_t n_chunks)
{
    struct roster_view *old = r->_view;
    if (old && old->cap_chunks >= n_chunks && !is_shared(&old->refs)) return true;
    uint32_t cap = n_chunks <= 1 ? 1 : n_chunks + n_chunks / 2;
    struct roster_view *v = mem_alloc(view_size(cap));
    if (!v) return false;
    atomic_init(&v->refs, 1);
    v->n_members = old ? old->n_members : 0;
    v->n_chunks = old ? old->n_chunks : 0;
    v->cap_chunks = cap;
    for (uint32_t i = 0; i < v->n_chunks; i++) {
        v->chunks[i] = old->chunks[i];
        atomic_fetch_add_explicit(&v->chunks[i]->refs, 1, memory_order_relaxed);
    }
    roster_view_unref(old);
    r->_view = v;
    return true;
}

/* Makes chunk `c` our own; the view is already. */
static bool own_chunk(struct roster_view *v, uint32_t c)
{
    struct roster_chunk *old = v->chunks[c];
    if (!is_shared(&old->refs)) return true;
    struct roster_chunk *copy = mem_alloc(sizeof *copy);
    if (!copy) return false;
    atomic_init(&copy->refs, 1);
    copy->n = old->n;
    for (uint32_t i = 0; i < old->n; i++) copy->members[i] = member_ref(old->members[i]);
    chunk_unref(old);
    v->chunks[c] = copy;
    return true;
}

/* The view and the last chunk with a free place in it, both our own. */
static bool own_last_place(struct roster *r)
{
    uint32_t n = r->_view ? r->_view->n_members : 0;
    uint32_t c = n / ROSTER_CHUNK;
    if (!own_view(r, c + 1)) return false;
    struct roster_view *v = r->_view;
    if (c < v->n_chunks) return own_chunk(v, c);
    struct roster_chunk *chunk = mem_alloc(sizeof *chunk);
    if (!chunk) return false;
    atomic_init(&chunk->refs, 1);
    chunk->n = 0;
    v->chunks[v->n_chunks++] = chunk;
    return true;
}

/* Drops the last chunk when nobody is in it, and the view when nobody is in that. */
static void drop_empty(struct roster *r)
{
    struct roster_view *v = r->_view;
    if (!v) return;
    if (v->n_chunks > 0 && v->chunks[v->n_chunks - 1]->n == 0)
        chunk_unref(v->chunks[--v->n_chunks]);
    if (v->n_members > 0) return;
    roster_view_unref(v);
    r->_view = NULL;
}

static enum err seat_person(struct roster *r, struct member *m)
{
    struct seat *seat = mem_alloc(sizeof *seat);
    if (!seat) return ERR_NOMEM;
    if (!own_last_place(r)) goto fail;
    *seat = (struct seat) { .m = m, .at = r->_view->n_members, .n_conns = 1 };
    if (map_add(&r->_seats, m->hash, seat)) goto fail;
    struct roster_chunk *chunk = r->_view->chunks[seat->at / ROSTER_CHUNK];
    chunk->members[chunk->n++] = member_ref(m);
    r->_view->n_members++;
    return ERR_OK;
fail:
    drop_empty(r);
    mem_free(seat);
    return ERR_NOMEM;
}

/* Puts the newer info (and form of the id) in the place of the older one. */
static enum err renew_person(struct roster *r, struct seat *seat, struct member *m)
{
    struct event_member was = member_view(seat->m), is = member_view(m);
    if (span_eq(was.info_raw, is.info_raw) && span_eq(was.id_raw, is.id_raw)) return ERR_OK;
    uint32_t c = seat->at / ROSTER_CHUNK;
    if (!own_view(r, r->_view->n_chunks) || !own_chunk(r->_view, c)) return ERR_NOMEM;
    struct member **place = &r->_view->chunks[c]->members[seat->at % ROSTER_CHUNK];
    member_unref(*place);
    *place = seat->m = member_ref(m);
    return ERR_OK;
}

enum err roster_join(struct roster *r, struct member *m, uint32_t limit, bool *first)
{
    struct seat *seat = find_seat(r, m);
    bool present = seat && seat->n_conns > 0;
    if (!present && limit && roster_count(r) >= limit) return ERR_LIMIT;
    enum err err = seat ? renew_person(r, seat, m) : seat_person(r, m);
    if (err) return err;
    if (seat && seat->n_conns++ == 0) r->_n_ghosts--;
    *first = !present;
    return ERR_OK;
}

/* Takes a person without sockets out; the last one gets his place. False without memory. */
static bool unseat(struct roster *r, struct seat *seat)
{
    CHECK(r->_view && r->_view->n_chunks > 0); /* who has a seat is in the view */
    uint32_t c = seat->at / ROSTER_CHUNK, last_c = r->_view->n_chunks - 1;
    if (!own_view(r, last_c + 1)) return false;
    struct roster_view *v = r->_view;
    if (!own_chunk(v, c) || !own_chunk(v, last_c)) return false;
    struct roster_chunk *last = v->chunks[last_c];
    struct member *gone = seat->m, *mover = last->members[last->n - 1];
    map_remove(&r->_seats, gone->hash, seat);
    if (mover != gone) {
        find_seat(r, mover)->at = seat->at;
        v->chunks[c]->members[seat->at % ROSTER_CHUNK] = mover;
    }
    last->n--;
    v->n_members--;
    member_unref(gone);
    mem_free(seat);
    drop_empty(r);
    return true;
}

static void sweep_ghosts(struct roster *r)
{
    uint32_t pos = 0;
    while (r->_n_ghosts > 0) {
        struct seat *seat = map_next(&r->_seats, &pos);
        if (!seat) return;
        if (seat->n_conns > 0) continue;
        if (!unseat(r, seat)) return;
        r->_n_ghosts--;
        pos = 0; /* the map has changed */
    }
}

bool roster_leave(struct roster *r, const struct member *m)
{
    struct seat *seat = find_seat(r, m);
    CHECK(seat && seat->n_conns > 0);
    if (--seat->n_conns > 0) return false;
    if (unseat(r, seat))
        sweep_ghosts(r);
    else
        r->_n_ghosts++;
    return true;
}

bool roster_is_last_socket(const struct roster *r, const struct member *m)
{
    const struct seat *seat = find_seat(r, m);
    return seat && seat->n_conns == 1;
}

struct roster_view *roster_snapshot(struct roster *r)
{
    sweep_ghosts(r);
    if (r->_view) atomic_fetch_add_explicit(&r->_view->refs, 1, memory_order_relaxed);
    return r->_view;
}
