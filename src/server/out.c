/* SPDX-License-Identifier: MIT
 * server/out.c: see out.h. The array is used as a queue with a moving head; it is freed when it
 * runs empty, so an idle connection holds none. */
#include "server/out.h"
#include "base/mem.h"

#define OWNED ((uintptr_t)1)

static struct msg *msg_of(uintptr_t entry)
{
    return (struct msg *)(entry & ~OWNED);
}

static uintptr_t *entry_at(struct out *o, uint32_t i)
{
    return o->_q ? &o->_q[o->_head + i] : &o->_one;
}

static void release(uintptr_t entry)
{
    if (entry & OWNED) msg_unref(msg_of(entry));
}

static void reset(struct out *o)
{
    mem_free(o->_q);
    *o = (struct out) { 0 };
}

void out_fini(struct out *o)
{
    for (uint32_t i = 0; i < o->_n; i++) release(*entry_at(o, i));
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
    uint32_t cap = o->_q ? o->_cap * 2 : 8;
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
    release(*entry_at(o, 0));
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

static enum sock_status send_some(struct out *o, int fd, size_t *n)
{
    if (o->_n == 1) {
        struct span s = unsent(o, 0);
        return sock_send(fd, s.p, s.n, n);
    }
    struct iovec iov[64];
    uint32_t n_iov = o->_n < ARRAY_LEN(iov) ? o->_n : (uint32_t)ARRAY_LEN(iov);
    for (uint32_t i = 0; i < n_iov; i++) {
        struct span s = unsent(o, i);
        iov[i] = (struct iovec) { .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };
    }
    return sock_sendv(fd, iov, n_iov, n);
}

enum sock_status out_flush(struct out *o, int fd, size_t *sent)
{
    *sent = 0;
    while (o->_n > 0) {
        uint64_t before = o->bytes;
        size_t n = 0;
        enum sock_status status = send_some(o, fd, &n);
        if (status != SOCK_OK) return status;
        size_t asked = o->_n == 1 ? (size_t)before : 0;
        sent_octets(o, n);
        *sent += n;
        if (asked && n < asked) return SOCK_AGAIN; /* the buffer is full: do not ask again */
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
    }
    o->_n_owned = o->_n;
}

void out_drop_unsent(struct out *o)
{
    uint32_t keep = o->_offset > 0 ? 1 : 0;
    for (uint32_t i = keep; i < o->_n; i++) {
        o->bytes -= msg_of(*entry_at(o, i))->n;
        release(*entry_at(o, i));
    }
    o->_n = o->_n < keep ? o->_n : keep;
    if (o->_n_owned > o->_n) o->_n_owned = o->_n;
    if (o->_n == 0) reset(o);
}
