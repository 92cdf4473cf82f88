/* SPDX-License-Identifier: MIT
 * server/out.c: see out.h. The array is used as a queue with a moving head; it is freed when it
 * runs empty, so an idle connection holds none. */
#include "server/out.h"
#include "base/mem.h"

#define OWNED ((uintptr_t)1)
#define IOV_PARTS 64 /* of one write */

static struct msg *msg_of(uintptr_t entry)
{
    return (struct msg *)(entry & ~OWNED);
}

static uintptr_t *entry_at(struct out *o, uint32_t i)
{
    return o->_q ? &o->_q[o->_head + i] : &o->_one;
}

static void release(struct out *o, uintptr_t entry)
{
    if (!(entry & OWNED)) return;
    o->_n_refs--;
    msg_unref(msg_of(entry));
}

static void reset(struct out *o)
{
    mem_free(o->_q);
    *o = (struct out) { 0 };
}

void out_fini(struct out *o)
{
    for (uint32_t i = 0; i < o->_n; i++) release(o, *entry_at(o, i));
    reset(o);
}

static enum err grow(struct out *o)
{
    if (!o->_q && o->_n == 0) return ERR_OK; /* _one */
    if (o->_q && o->_head + o->_n < o->_cap) return ERR_OK;
    if (o->_q && o->_head > o->_n) { /* more room in front than in use */
        memmove(o->_q, o->_q + o->_head, o->_n * sizeof *o->_q);
        o->_head = 0;
        return ERR_OK;
    }
    uint32_t cap = o->_q ? o->_cap * 2 : 16;
    uintptr_t *q = mem_realloc(o->_q, cap * sizeof *q);
    if (!q) return ERR_NOMEM;
    if (!o->_q) {
        q[0] = o->_one;
        o->_head = 0;
    }
    o->_q = q;
    o->_cap = cap;
    return ERR_OK;
}

static enum err push(struct out *o, uintptr_t entry)
{
    uint32_t n = msg_of(entry)->n;
    CHECK(n > 0); /* sending nothing would make no progress */
    enum err err = grow(o);
    if (err) return err;
    *entry_at(o, o->_n++) = entry;
    o->_n_refs += (entry & OWNED) != 0;
    o->bytes += n;
    if (n > o->_largest) o->_largest = n;
    return ERR_OK;
}

enum err out_borrow(struct out *o, struct msg *msg)
{
    return push(o, (uintptr_t)msg);
}

enum err out_take(struct out *o, struct msg *msg)
{
    enum err err = push(o, (uintptr_t)msg | OWNED);
    if (err) msg_unref(msg);
    return err;
}

static void pop(struct out *o)
{
    release(o, *entry_at(o, 0));
    o->_offset = 0;
    o->_n--;
    if (o->_n_owned) o->_n_owned--;
    if (o->_q) o->_head++;
}

static void sent_octets(struct out *o, size_t n)
{
    o->bytes -= n;
    while (n > 0) {
        size_t left = msg_of(*entry_at(o, 0))->n - o->_offset;
        if (n < left) {
            o->_offset += (uint32_t)n;
            return;
        }
        n -= left;
        pop(o);
    }
}

static struct span unsent(struct out *o, uint32_t i)
{
    struct span frame = msg_frame(msg_of(*entry_at(o, i)));
    return i == 0 ? span_skip(frame, o->_offset) : frame;
}

/* --- equal queues --- */

#define BATCH_MAX_ENTRIES 1024
#define BATCH_MAX_BYTES 262144
#define BATCH_KEEP_BYTES 65536 /* more is given back after the turn */

void out_batch_fini(struct out_batch *b)
{
    buf_fini(&b->_entries);
    buf_fini(&b->_joined);
}

void out_batch_forget(struct out_batch *b)
{
    buf_clear(&b->_entries);
    buf_clear(&b->_joined);
    if (b->_joined.cap > BATCH_KEEP_BYTES) buf_fini(&b->_joined);
}

/* The whole queue as one piece; empty where it is not worth it, or without memory. Entries with a
 * reference of their own belong to one connection, and so differ from all others. */
static struct span joined(struct out *o, struct out_batch *b)
{
    struct span entries = span_of(entry_at(o, 0), o->_n * sizeof(uintptr_t));
    struct span none = { NULL, 0 };
    if (o->_offset > 0 || o->_n > BATCH_MAX_ENTRIES || o->bytes > BATCH_MAX_BYTES) return none;
    if (!span_eq(entries, buf_span(&b->_entries))) {
        buf_clear(&b->_entries);
        buf_clear(&b->_joined);
        buf_add_span(&b->_entries, entries);
        if (buf_failed(&b->_entries)) buf_clear(&b->_entries);
        return none;
    }
    if (b->_joined.n == 0)
        for (uint32_t i = 0; i < o->_n; i++) buf_add_span(&b->_joined, unsent(o, i));
    if (!buf_failed(&b->_joined)) return buf_span(&b->_joined);
    buf_clear(&b->_joined);
    return none;
}

/* `*offered`: octets that the kernel was asked to take. */
static enum sock_status send_some(struct out *o, int fd, struct out_batch *batch, size_t *offered,
                                  size_t *n)
{
    struct span piece = o->_n == 1 ? unsent(o, 0) : joined(o, batch);
    *offered = piece.n;
    if (piece.n) return sock_send(fd, piece.p, piece.n, n);
    struct iovec iov[IOV_PARTS];
    uint32_t n_iov = o->_n < IOV_PARTS ? o->_n : IOV_PARTS;
    for (uint32_t i = 0; i < n_iov; i++) {
        struct span s = unsent(o, i);
        iov[i] = (struct iovec) { .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };
        *offered += s.n;
    }
    return sock_sendv(fd, iov, n_iov, n);
}

enum sock_status out_flush(struct out *o, int fd, struct out_batch *batch, size_t *sent)
{
    *sent = 0;
    while (o->_n > 0) {
        size_t offered, n = 0;
        enum sock_status status = send_some(o, fd, batch, &offered, &n);
        if (status != SOCK_OK) return status;
        *sent += n;
        if (n == o->bytes && o->_n_refs == 0) break; /* all is sent, and nothing to be released */
        sent_octets(o, n);
        if (n < offered) return SOCK_AGAIN; /* the buffer is full: do not ask again */
    }
    reset(o);
    return SOCK_OK;
}

void out_own(struct out *o)
{
    for (uint32_t i = o->_n_owned; i < o->_n; i++) {
        uintptr_t *entry = entry_at(o, i);
        if (*entry & OWNED) continue;
        msg_ref(msg_of(*entry));
        *entry |= OWNED;
        o->_n_refs++;
    }
    o->_n_owned = o->_n;
}

void out_drop_unsent(struct out *o)
{
    uint32_t keep = o->_offset > 0 ? 1 : 0;
    for (uint32_t i = keep; i < o->_n; i++) {
        o->bytes -= msg_of(*entry_at(o, i))->n;
        release(o, *entry_at(o, i));
    }
    o->_n = o->_n < keep ? o->_n : keep;
    if (o->_n_owned > o->_n) o->_n_owned = o->_n;
    if (o->_n == 0) reset(o);
}
