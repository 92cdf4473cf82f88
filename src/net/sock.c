/* SPDX-License-Identifier: MIT
 *
 * net/sock.c: system calls on connected sockets, with errno sorted into outcomes once.
 *
 * Only EAGAIN means "wait"; everything else that the kernel can say about a connection ends it.
 * ENOBUFS and ENOMEM end it too: there is no event that would tell when to try again.
 */
#include "net/sock.h"
#include "net/fds.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* What a failed call means. A wrong descriptor or pointer is our own fault. */
static enum sock_status sort_error(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) return SOCK_AGAIN;
    CHECK(errno != EBADF && errno != ENOTSOCK && errno != EFAULT);
    return SOCK_ERROR;
}

enum sock_status sock_recv(int fd, void *p, size_t room, size_t *n)
{
    CHECK(room > 0); /* 0 bytes would look like the end */
    ssize_t got;
    do got = recv(fd, p, room, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return sort_error();
    if (got == 0) return SOCK_CLOSED;
    *n = (size_t)got;
    return SOCK_OK;
}

enum sock_status sock_send(int fd, const void *p, size_t len, size_t *n)
{
    ssize_t sent;
    do sent = send(fd, p, len, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return sort_error();
    *n = (size_t)sent;
    return SOCK_OK;
}

enum sock_status sock_sendv(int fd, const struct iovec *iov, size_t n_iov, size_t *n)
{
    CHECK(n_iov <= SOCK_IOV_MAX);
    struct msghdr msg = { 0 };
    memcpy(&msg.msg_iov, &iov, sizeof iov); /* the field is not const; sendmsg() does not write */
    msg.msg_iovlen = n_iov;
    ssize_t sent;
    do sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return sort_error();
    *n = (size_t)sent;
    return SOCK_OK;
}

int sock_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
    return error;
}

void sock_set_nodelay(int fd)
{
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        CHECK(errno != EBADF && errno != ENOTSOCK); /* a Unix socket says EOPNOTSUPP */
}

void sock_shutdown_write(int fd)
{
    if (shutdown(fd, SHUT_WR) != 0) CHECK(errno != EBADF && errno != ENOTSOCK);
}

void sock_close(int fd)
{
    /* On Linux the descriptor is gone whatever close() returns; repeating it would hit another. */
    if (close(fd) != 0) CHECK(errno != EBADF);
    fds_closed(1);
}

void sock_close_reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0)
        CHECK(errno != EBADF && errno != ENOTSOCK);
    sock_close(fd);
}

/* The host part; an IPv6 address gets brackets when asked for. Returns its length. */
static size_t write_host(const struct sock_addr *addr, char text[SOCK_ADDR_TEXT_MAX], bool brackets)
{
    const struct in6_addr *v6 = &addr->u.v6.sin6_addr;
    char *to = text;
    *to = '\0';
    if (addr->u.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &addr->u.v4.sin_addr, to, SOCK_ADDR_TEXT_MAX);
    } else if (IN6_IS_ADDR_V4MAPPED(v6)) {
        inet_ntop(AF_INET, &v6->s6_addr[12], to, SOCK_ADDR_TEXT_MAX);
    } else {
        if (brackets) *to++ = '[';
        inet_ntop(AF_INET6, v6, to, INET6_ADDRSTRLEN);
        to += strlen(to);
        if (brackets) *to++ = ']';
        *to = '\0';
        return (size_t)(to - text);
    }
    return strlen(text);
}

static bool is_ip(const struct sock_addr *addr)
{
    return addr->len >= sizeof addr->u.v4 &&
           (addr->u.any.sa_family == AF_INET || addr->u.any.sa_family == AF_INET6);
}

struct span sock_addr_text(const struct sock_addr *addr, char text[SOCK_ADDR_TEXT_MAX])
{
    int n;
    if (is_ip(addr)) {
        size_t host = write_host(addr, text, true);
        n = snprintf(text + host, SOCK_ADDR_TEXT_MAX - host, ":%u", sock_addr_port(addr));
        return span_of(text, host + (size_t)n);
    }
    size_t path_at = offsetof(struct sockaddr_un, sun_path);
    size_t room = addr->len > path_at ? addr->len - path_at : 0;
    size_t len = strnlen(addr->u.un.sun_path, room);
    n = snprintf(text, SOCK_ADDR_TEXT_MAX, "unix:%.*s", (int)len, addr->u.un.sun_path);
    return span_of(text, (size_t)n);
}

struct span sock_addr_host(const struct sock_addr *addr, char text[SOCK_ADDR_TEXT_MAX])
{
    if (is_ip(addr)) return span_of(text, write_host(addr, text, false));
    memcpy(text, "unix", sizeof "unix");
    return span_of(text, sizeof "unix" - 1);
}

uint16_t sock_addr_port(const struct sock_addr *addr)
{
    if (!is_ip(addr)) return 0;
    return ntohs(addr->u.any.sa_family == AF_INET ? addr->u.v4.sin_port : addr->u.v6.sin6_port);
}

bool sock_addr_is_unix(const struct sock_addr *addr)
{
    return !is_ip(addr);
}

bool sock_addr_is_loopback(const struct sock_addr *addr)
{
    if (!is_ip(addr)) return true;
    if (addr->u.any.sa_family == AF_INET) return ntohl(addr->u.v4.sin_addr.s_addr) >> 24 == 127;
    const struct in6_addr *v6 = &addr->u.v6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

bool sock_peer(int fd, struct sock_addr *out)
{
    struct sock_addr addr = { .len = sizeof addr.u };
    if (getpeername(fd, &addr.u.any, &addr.len) != 0) {
        CHECK(errno != EBADF && errno != ENOTSOCK);
        return false;
    }
    *out = addr;
    return true;
}

bool sock_local(int fd, struct sock_addr *out)
{
    struct sock_addr addr = { .len = sizeof addr.u };
    if (getsockname(fd, &addr.u.any, &addr.len) != 0) {
        CHECK(errno != EBADF && errno != ENOTSOCK);
        return false;
    }
    *out = addr;
    return true;
}
