/* SPDX-License-Identifier: MIT
 *
 * net/sock.h: what we do with a connected non-blocking stream socket (TCP or Unix), with outcomes
 * instead of errno, and socket addresses as text.
 *
 * None of these raises SIGPIPE. A descriptor that is none (EBADF, ENOTSOCK) is our bug and fails a
 * CHECK: in a server a stale descriptor number belongs to another client.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H
#include "base/err.h"
#include "base/span.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum sock_status {
    SOCK_OK,     /* at least one byte came or went */
    SOCK_AGAIN,  /* not now: wait for IO_READ or IO_WRITE */
    SOCK_CLOSED, /* receiving only: the peer has sent all that it will */
    SOCK_ERROR,  /* the connection is of no use any more; errno says why (mostly ECONNRESET) */
};

/* `*n` is written on SOCK_OK only. `room` > 0. Interrupted calls are repeated. */
enum sock_status sock_recv(int fd, void *p, size_t room, size_t *n) MUST_USE;
enum sock_status sock_send(int fd, const void *p, size_t len, size_t *n) MUST_USE;
enum sock_status sock_sendv(int fd, const struct iovec *iov, size_t n_iov, size_t *n) MUST_USE;
#define SOCK_IOV_MAX 1024 /* most parts of one sock_sendv() */

/* A non-blocking pending error (SO_ERROR), 0 for none; reading clears it. */
int sock_error(int fd);

/* Sockets from net/listener have it already. Does nothing on a Unix socket. */
void sock_set_nodelay(int fd);

/* The peer sees the end after all that was sent; we may still receive. Errors do not matter. */
void sock_shutdown_write(int fd);

/* Closes and counts (net/fds.h). Unsent bytes still go out; but with unread input TCP resets. */
void sock_close(int fd);

/* Closes at once with a reset: unsent bytes are dropped, the kernel keeps nothing. */
void sock_close_reset(int fd);

/* Its fields are for net/ only; others take it as a whole. */
struct sock_addr {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } u;
    socklen_t len;
};

#define SOCK_ADDR_TEXT_MAX 128

/* "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path", "unix:" when unnamed. IPv4 inside IPv6 reads as
 * IPv4. Always terminated. Returns a span over `text`. */
struct span sock_addr_text(const struct sock_addr *addr, char text[SOCK_ADDR_TEXT_MAX]);

/* The same without port and brackets: what logs, limits and trusted_proxies compare. A Unix socket
 * reads "unix". */
struct span sock_addr_host(const struct sock_addr *addr, char text[SOCK_ADDR_TEXT_MAX]);

uint16_t sock_addr_port(const struct sock_addr *addr);    /* 0 for Unix sockets */
bool sock_addr_is_loopback(const struct sock_addr *addr); /* Unix sockets count */
bool sock_addr_is_unix(const struct sock_addr *addr);

/* Of the peer, of our end. False when the socket is not connected any more. */
bool sock_peer(int fd, struct sock_addr *out);
bool sock_local(int fd, struct sock_addr *out);
#endif
