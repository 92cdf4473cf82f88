/* SPDX-License-Identifier: MIT
 *
 * net/endpoint.h: an address that we listen on, with the listening sockets of all workers.
 *
 * TCP: a probe without SO_REUSEPORT finds out whether somebody else listens there (two servers on
 * one port would each get half of the clients); then one SO_REUSEPORT socket per worker. Unix
 * sockets and inherited single sockets are shared: one worker at a time holds the accept token
 * (net/listener does that). Opened and closed by the main thread; it outlives the workers, so that
 * they can be restarted on the same sockets.
 */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H
#include "net/sock.h"
#include "net/token.h"

#define ENDPOINT_MAX_WORKERS 256

struct endpoint;

/* "host:port", "[v6]:port", "unix:/path"; ":port" and "*:port" mean 0.0.0.0. A host name is
 * resolved (this may block; the first address counts, IPv4 before IPv6). Port 0: any free one.
 * Addresses in brackets take IPv6 only: "0.0.0.0:6001" and "[::]:6001" can be open side by side. */
enum err endpoint_parse(struct span text, struct sock_addr *out, struct diag *d) MUST_USE;

/* Binds and listens for `n_workers` (1–ENDPOINT_MAX_WORKERS). On failure `d` says who holds the
 * address, or what to do about it. ERR_BUSY: in use; ERR_DENIED: not allowed; else ERR_IO,
 * ERR_NOMEM, ERR_LIMIT (descriptors). */
enum err endpoint_open(const struct sock_addr *addr, unsigned n_workers, struct endpoint **out,
                       struct diag *d) MUST_USE;

/* Only the probe: ERR_OK when endpoint_open() would find the address free now. Leaves nothing open.
 * A stale Unix socket file counts as free and is left alone. */
enum err endpoint_probe(const struct sock_addr *addr, struct diag *d) MUST_USE;

/* The same from inherited listening sockets of one address. Takes the descriptors; on failure they
 * stay the caller's. With fewer workers than sockets one worker serves several; with more,
 * SO_REUSEPORT sockets are added where the inherited ones allow it, else one is shared. No probe.
 * endpoint_close() leaves the file of an inherited Unix socket alone, since somebody else made it,
 * unless endpoint_own_file() was called (our own restart in place). */
enum err endpoint_adopt(const int *fds, size_t n_fds, unsigned n_workers, struct endpoint **out,
                        struct diag *d) MUST_USE;

/* Removes the file of a Unix socket that nobody serves any more; any other stays. */
void endpoint_remove_dead_file(const struct sock_addr *addr);

void endpoint_own_file(struct endpoint *ep);
bool endpoint_owns_file(const struct endpoint *ep); /* false for TCP, too */

/* All listeners must have been closed. Closes the sockets and removes the file of a Unix socket
 * (if it is still ours). Sets the pointer to NULL; NULL allowed. */
void endpoint_close(struct endpoint **ep);

/* The real address (the port that was found for 0). Borrowed until endpoint_close(). */
const struct sock_addr *endpoint_addr(const struct endpoint *ep);

/* All listening descriptors, to hand them to a new image. Borrowed. */
const int *endpoint_fds(const struct endpoint *ep, size_t *n);

/* For net/listener: how many workers share the sockets: worker w serves the sockets w, w + n, ...
 * or, where there is a token, all of them while it holds it. NULL: nothing is shared. */
unsigned endpoint_workers(const struct endpoint *ep);
struct token *endpoint_token(struct endpoint *ep);
#endif
