/* SPDX-License-Identifier: MIT
 *
 * net/poller.h: readiness of a worker's sockets: one epoll set of our own, which the loop polls as
 * a single descriptor.
 *
 * Not one libuv handle per socket: that costs 190 bytes each and is no faster
 * (docs/decisions/0007); 16 bytes embedded in the owner do. Level-triggered: who does not read all
 * is called again in the next turn. At most POLLER_BATCH events are handled per turn; the kernel
 * takes ready sockets in turns, so none starves.
 *
 * Removal within a batch: after poller_del() an io is not called any more, not even for an event
 * that the kernel had already reported; and an io that is added again (with the same or another
 * descriptor) gets nothing reported before it was added. What was reported and is no longer wanted
 * after poller_set() is left out. For this the poller looks into the io itself, so an io's memory
 * must stay valid until the I/O phase ends: owners are freed in the close phase only.
 */
#ifndef NET_POLLER_H
#define NET_POLLER_H
#include "net/loop.h"
#include <sys/epoll.h>

/* A turn that takes so many from new clients needs 6 ms of CPU; 1,024 would need 22. */
#define POLLER_BATCH 256

#define IO_READ ((uint32_t)EPOLLIN)    /* bytes, end of stream, or a connection to accept */
#define IO_WRITE ((uint32_t)EPOLLOUT)  /* room in the send buffer */
#define IO_HALF ((uint32_t)EPOLLRDHUP) /* the peer will send nothing more */
/* Dead in both directions, or an error; cannot be declined. */
#define IO_GONE ((uint32_t)(EPOLLERR | EPOLLHUP))

struct io {
    /* `events` is never 0: the wanted ones of IO_READ, IO_WRITE, IO_HALF, and IO_GONE's. On
     * IO_GONE the owner must read the error or remove the io, else it is called in every turn. */
    void (*on_ready)(struct io *io, uint32_t events);
    int fd;          /* not owned; remove the io before closing it */
    uint32_t _state; /* 0: in no poller */
};
_Static_assert(sizeof(struct io) == 16, "an io is part of every connection");

struct poller;

enum err poller_open(struct loop *loop, struct poller **out) MUST_USE;

/* All ios must have been removed, or are forgotten. The memory goes when the loop turns or is
 * freed. Sets the pointer to NULL; NULL allowed. */
void poller_close(struct poller **poller);

struct loop *poller_loop(const struct poller *poller);

/* Starts: `io->fd` and `io->on_ready` are set by the caller. `events` may be 0 (only IO_GONE).
 * Borrows the io until poller_del(). ERR_NOMEM or ERR_LIMIT (fs.epoll.max_user_watches): it is not
 * in the set. */
enum err poller_add(struct poller *poller, struct io *io, uint32_t events) MUST_USE;

/* Changes what is wanted; no system call when nothing changes. Cannot fail for an added io. */
void poller_set(struct poller *poller, struct io *io, uint32_t events);

/* Ends it; does nothing for an io that is not added. */
void poller_del(struct poller *poller, struct io *io);

static inline bool io_is_added(const struct io *io)
{
    return io->_state != 0;
}
#endif
