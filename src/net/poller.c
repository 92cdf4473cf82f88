/* SPDX-License-Identifier: MIT
 *
 * net/poller.c: an epoll set inside the loop's epoll set.
 *
 * Each io remembers in which batch it was added, beside what it wants. An event of the running
 * batch is for the io as it was when the batch began, so it is left out when the io has been
 * removed since, or removed and added again. The batch number wraps after 2^28; then an event may
 * be left out by mistake, and level triggering brings it again in the next turn.
 */
#include "net/poller.h"
#include "base/mem.h"
#include "net/fds.h"
#include <errno.h>
#include <unistd.h>

#define MAGIC 0x706f6c6cu

/* io._state: what is wanted in 3 bits, one bit "is added", the batch in which that was. */
enum { BIT_READ = 1, BIT_WRITE = 2, BIT_HALF = 4, BIT_ADDED = 8, BATCH_SHIFT = 4 };
#define BATCH_MASK (UINT32_MAX >> BATCH_SHIFT)

struct poller {
    uint32_t magic;
    uint32_t batch; /* number of the running or last batch */
    struct loop *loop;
    int fd;
    bool closed;
    uv_poll_t poll;
    struct epoll_event events[POLLER_BATCH];
};

static uint32_t pack(uint32_t events)
{
    return ((events & IO_READ) ? BIT_READ : 0u) | ((events & IO_WRITE) ? BIT_WRITE : 0u) |
           ((events & IO_HALF) ? BIT_HALF : 0u);
}

static uint32_t unpack(uint32_t state)
{
    return ((state & BIT_READ) ? IO_READ : 0u) | ((state & BIT_WRITE) ? IO_WRITE : 0u) |
           ((state & BIT_HALF) ? IO_HALF : 0u);
}

static void dispatch(const struct poller *p, const struct epoll_event *event)
{
    struct io *io = event->data.ptr;
    if (!io_is_added(io) || io->_state >> BATCH_SHIFT == p->batch) return;
    uint32_t events = event->events & (unpack(io->_state) | IO_GONE);
    if (events) io->on_ready(io, events);
}

static void on_poll(uv_poll_t *handle, int status, int ready)
{
    struct poller *p = handle->data;
    CHECK_MAGIC(p, MAGIC);
    (void)ready;
    CHECK(status == 0); /* an epoll descriptor has no errors */
    p->batch = (p->batch + 1) & BATCH_MASK;
    loop_now_ms(p->loop); /* the turn begins here, whoever asks for the time first */
    int n = epoll_wait(p->fd, p->events, POLLER_BATCH, 0);
    CHECK(n >= 0 || errno == EINTR);
    for (int i = 0; i < n && !p->closed; i++) dispatch(p, &p->events[i]);
}

enum err poller_open(struct loop *loop, struct poller **out)
{
    struct poller *p = mem_zalloc(sizeof *p);
    if (!p) return ERR_NOMEM;
    p->magic = MAGIC;
    p->loop = loop;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0) {
        enum err err = errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
        mem_free(p);
        return err;
    }
    if (uv_poll_init(loop_uv(loop), &p->poll, p->fd)) {
        close(p->fd);
        mem_free(p);
        return ERR_NOMEM;
    }
    fds_opened(1);
    p->poll.data = p;
    CHECK(uv_poll_start(&p->poll, UV_READABLE, on_poll) == 0);
    *out = p;
    return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct poller *p = handle->data;
    p->magic = 0;
    mem_free(p);
}

void poller_close(struct poller **where)
{
    struct poller *p = *where;
    if (!p) return;
    CHECK_MAGIC(p, MAGIC);
    *where = NULL;
    p->closed = true;
    uv_close((uv_handle_t *)&p->poll, on_closed);
    close(p->fd);
    fds_closed(1);
}

struct loop *poller_loop(const struct poller *p)
{
    return p->loop;
}

enum err poller_add(struct poller *p, struct io *io, uint32_t events)
{
    CHECK(!io_is_added(io) && io->on_ready && io->fd >= 0);
    CHECK((events & ~(IO_READ | IO_WRITE | IO_HALF)) == 0);
    struct epoll_event event = { .events = events, .data.ptr = io };
    if (epoll_ctl(p->fd, EPOLL_CTL_ADD, io->fd, &event) != 0) {
        CHECK(errno == ENOMEM || errno == ENOSPC); /* EEXIST, EBADF: our bug */
        return errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
    }
    io->_state = pack(events) | BIT_ADDED | p->batch << BATCH_SHIFT;
    return ERR_OK;
}

void poller_set(struct poller *p, struct io *io, uint32_t events)
{
    CHECK(io_is_added(io) && (events & ~(IO_READ | IO_WRITE | IO_HALF)) == 0);
    if (unpack(io->_state) == events) return;
    struct epoll_event event = { .events = events, .data.ptr = io };
    CHECK(epoll_ctl(p->fd, EPOLL_CTL_MOD, io->fd, &event) == 0);
    io->_state = (io->_state & ~7u) | pack(events);
}

void poller_del(struct poller *p, struct io *io)
{
    if (!io_is_added(io)) return;
    io->_state = 0;
    /* Closing would do, were it not for children: between fork and exec they hold a copy, and the
     * set would go on reporting a pointer that is no io any more. */
    CHECK(epoll_ctl(p->fd, EPOLL_CTL_DEL, io->fd, NULL) == 0);
}
