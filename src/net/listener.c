/* SPDX-License-Identifier: MIT
 *
 * net/listener.c: accepting, in a poller.
 *
 * Whether the sockets are in the poller follows from the state alone, and one function (settle)
 * makes it so after each change: active (not paused, not waiting to retry, not closed) and, for
 * shared sockets, holding the token. Who is not active has left the token to the others.
 *
 * The retry timer and the wake-up for the token are libuv handles (two per listener, not per
 * connection); the memory goes when both have closed.
 */
#include "net/listener.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAGIC 0x6c697374u

struct gate { /* one listening socket; the poller calls it */
    struct io io;
    struct listener *owner;
};

struct listener {
    uint32_t magic;
    unsigned worker;
    struct poller *poller;
    struct token *token; /* NULL: the sockets are ours alone */
    struct listener_hooks hooks;
    bool paused;
    bool retrying; /* out of something: the retry timer runs */
    bool closed;
    unsigned n_handles; /* libuv handles that are not closed yet */
    int spare;          /* given up to accept one more; -1: not to be had */
    uint64_t accepted, refused;
    uv_timer_t retry;
    uv_async_t turn; /* the token has come */
    size_t n_gates;
    struct gate gates[];
};

static void settle(struct listener *l);

static void open_spare(struct listener *l)
{
    if (l->spare >= 0) return;
    l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (l->spare >= 0) fds_opened(1);
}

static void close_spare(struct listener *l)
{
    if (l->spare < 0) return;
    close(l->spare);
    fds_closed(1);
    l->spare = -1;
}

static void on_retry(uv_timer_t *handle)
{
    struct listener *l = handle->data;
    CHECK_MAGIC(l, MAGIC);
    l->retrying = false;
    open_spare(l);
    settle(l);
}

/* settle -> add_gates -> retry_later -> settle ends there: `retrying` is set then. */
/* NOLINTBEGIN(misc-no-recursion) */
/* Stops accepting for a while: going on would fail the same way in every turn. */
static void retry_later(struct listener *l, const char *why)
{
    if (l->retrying || l->closed) return;
    log_warn("listener", "accepting paused", kv_str("why", why), kv_u64("ms", LISTENER_RETRY_MS));
    l->retrying = true;
    CHECK(uv_timer_start(&l->retry, on_retry, LISTENER_RETRY_MS, 0) == 0);
    settle(l);
}

static void remove_gates(struct listener *l)
{
    for (size_t i = 0; i < l->n_gates; i++) poller_del(l->poller, &l->gates[i].io);
}

static void add_gates(struct listener *l)
{
    for (size_t i = 0; i < l->n_gates; i++) {
        struct io *io = &l->gates[i].io;
        if (io_is_added(io) || poller_add(l->poller, io, IO_READ) == ERR_OK) continue;
        retry_later(l, "no room in the epoll set");
        return;
    }
}

/* Makes the poller agree with the state. */
static void settle(struct listener *l)
{
    bool accepts = !l->paused && !l->retrying && !l->closed;
    if (!accepts) remove_gates(l); /* before the token goes: two workers must not have them */
    if (l->token && !accepts) token_leave(l->token, l->worker);
    if (l->token && accepts) accepts = token_join(l->token, l->worker, &l->turn);
    if (accepts) add_gates(l);
}

/* NOLINTEND(misc-no-recursion) */

static void on_turn(uv_async_t *handle)
{
    struct listener *l = handle->data;
    CHECK_MAGIC(l, MAGIC);
    settle(l);
}

static void pass_token(struct listener *l)
{
    remove_gates(l);
    if (token_pass(l->token, l->worker)) add_gates(l);
}

/* Out of descriptors: gives up the spare one for the newest client. False: stop accepting now. */
static bool refuse_one(struct listener *l, int fd)
{
    struct sock_addr peer = { .len = sizeof peer.u };
    close_spare(l);
    int client = accept4(fd, &peer.u.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int error = errno;
    if (client >= 0) {
        fds_opened(1);
        l->refused++;
        if (l->hooks.on_full)
            l->hooks.on_full(l->hooks.ctx, client);
        else
            sock_close(client);
    }
    if (l->closed) return false;
    open_spare(l);
    if (l->spare < 0 || (client < 0 && error != EAGAIN)) retry_later(l, "out of descriptors");
    return client >= 0 && l->spare >= 0;
}

/* accept() failed. True when the next one may succeed at once. */
static bool survive(struct listener *l, int fd, int error)
{
    switch (error) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        return refuse_one(l, fd);
    case EINTR:
    case ECONNABORTED: /* the client has gone; the rest are its network's errors, accept(2) */
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
    case ETIMEDOUT:
        return true;
    default: /* no memory, or somebody shut an inherited socket down */
        CHECK(error != EBADF && error != ENOTSOCK && error != EFAULT);
        retry_later(l, strerror(error));
        return false;
    }
}

/* False when there is nothing more to accept now. */
static bool accept_one(struct listener *l, int fd)
{
    struct sock_addr peer = { .len = sizeof peer.u };
    int client = accept4(fd, &peer.u.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return survive(l, fd, errno);
    fds_opened(1);
    l->accepted++;
    l->hooks.on_accept(l->hooks.ctx, client, &peer);
    return true;
}

static void on_ready(struct io *io, uint32_t events)
{
    struct gate *gate = CONTAINER_OF(io, struct gate, io);
    struct listener *l = gate->owner;
    CHECK_MAGIC(l, MAGIC);
    (void)events; /* accept() says more */
    unsigned batch = l->token ? LISTENER_BATCH_SHARED : LISTENER_BATCH;
    uint64_t before = l->accepted + l->refused;
    for (unsigned i = 0; i < batch && io_is_added(io); i++)
        if (!accept_one(l, io->fd)) break;
    bool served = l->accepted + l->refused != before;
    if (l->token && served && io_is_added(io)) pass_token(l);
}

/* The sockets worker, worker + n_workers and so on of the endpoint; all of them where they are
 * shared. */
static void take_gates(struct listener *l, struct endpoint *ep)
{
    size_t n;
    const int *fds = endpoint_fds(ep, &n);
    size_t step = l->token ? 1 : endpoint_workers(ep);
    for (size_t i = l->token ? 0 : l->worker; i < n; i += step)
        l->gates[l->n_gates++] =
            (struct gate) { .io = { .on_ready = on_ready, .fd = fds[i] }, .owner = l };
}

enum err listener_open(struct endpoint *ep, unsigned worker, struct poller *poller,
                       const struct listener_hooks *hooks, struct listener **out)
{
    CHECK(worker < endpoint_workers(ep) && hooks->on_accept);
    size_t n;
    endpoint_fds(ep, &n);
    struct listener *l = mem_zalloc(sizeof *l + n * sizeof l->gates[0]);
    if (!l) return ERR_NOMEM;
    l->magic = MAGIC;
    l->worker = worker;
    l->poller = poller;
    l->token = endpoint_token(ep);
    l->hooks = *hooks;
    l->spare = -1;
    uv_loop_t *uv = loop_uv(poller_loop(poller));
    if (uv_async_init(uv, &l->turn, on_turn) != 0) {
        mem_free(l);
        return ERR_LIMIT;
    }
    CHECK(uv_timer_init(uv, &l->retry) == 0);
    l->n_handles = 2;
    l->turn.data = l->retry.data = l;
    take_gates(l, ep);
    open_spare(l);
    settle(l);
    *out = l;
    return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    CHECK_MAGIC(l, MAGIC);
    if (--l->n_handles) return;
    l->magic = 0;
    mem_free(l);
}

void listener_close(struct listener **where)
{
    struct listener *l = *where;
    if (!l) return;
    CHECK_MAGIC(l, MAGIC);
    *where = NULL;
    l->closed = true;
    settle(l);
    close_spare(l);
    uv_close((uv_handle_t *)&l->turn, on_closed);
    uv_close((uv_handle_t *)&l->retry, on_closed);
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    settle(l);
}

void listener_resume(struct listener *l)
{
    l->paused = false;
    settle(l);
}

uint64_t listener_accepted(const struct listener *l)
{
    return l->accepted;
}

uint64_t listener_refused(const struct listener *l)
{
    return l->refused;
}
