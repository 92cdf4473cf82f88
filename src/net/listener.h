/* SPDX-License-Identifier: MIT
 *
 * net/listener.h: a worker's part of an endpoint: accepts connections, in bounded batches.
 *
 * Where the worker has a socket of its own it accepts whenever it is ready. Where the socket is
 * shared, the worker that holds the accept token has it in its poller; after each batch the token
 * goes to the next active worker, so connections spread evenly and nobody is woken in vain.
 *
 * Out of descriptors: a spare one is given up to accept the newest client and say goodbye; so the
 * backlog empties instead of making the loop spin. If even that fails, accepting pauses for
 * LISTENER_RETRY_MS. All functions belong to the worker's thread.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H
#include "net/endpoint.h"
#include "net/poller.h"

#define LISTENER_BATCH 64        /* accepts per turn */
#define LISTENER_BATCH_SHARED 16 /* accepts per token */
#define LISTENER_RETRY_MS 100

/* May call listener_pause() and listener_close(). */
struct listener_hooks {
    void *ctx;
    /* Takes the descriptor (non-blocking, close-on-exec, TCP_NODELAY, counted by net/fds.h): end it
     * with sock_close(). Borrows `peer`. */
    void (*on_accept)(void *ctx, int fd, const struct sock_addr *peer);
    /* There is no descriptor left: takes this last one as on_accept would. Unless it has closed it
     * or another one when it returns, accepting pauses. NULL: it is just closed. */
    void (*on_full)(void *ctx, int fd);
};

struct listener;

/* Begins to accept as worker `worker` (below the endpoint's n_workers; each at most once at a
 * time). Copies the hooks; borrows the endpoint and the poller until listener_close(). */
enum err listener_open(struct endpoint *ep, unsigned worker, struct poller *poller,
                       const struct listener_hooks *hooks, struct listener **out) MUST_USE;

/* Sets the pointer to NULL; NULL allowed. No callback follows; the token goes to another worker.
 * The memory goes when the loop turns or is freed; the endpoint's sockets stay open. */
void listener_close(struct listener **listener);

/* Stops accepting (clients wait in the backlog) and goes on. Idempotent. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

/* For metrics: connections handed to on_accept, and those that found no descriptor. */
uint64_t listener_accepted(const struct listener *listener);
uint64_t listener_refused(const struct listener *listener);
#endif
