/* SPDX-License-Identifier: MIT
 * load/target.c: names, and sockets that are on their way. */
#include "load/target.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_loopback(const struct load_target *t)
{
    if (t->addr.ss_family != AF_INET) return false;
    struct sockaddr_in in;
    memcpy(&in, &t->addr, sizeof in);
    return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

enum err load_target_find(struct load_target *t, const char *host, uint16_t port, struct diag *d)
{
    char service[8];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    snprintf(service, sizeof service, "%u", port);
    int rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0 || !list) return diag_set(d, ERR_ABSENT, "%s: %s", host, gai_strerror(rc));
    /* IPv4 first: localhost is both, and servers listen on 127.0.0.1 more often than on ::1. */
    const struct addrinfo *best = list;
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        if (at->ai_family == AF_INET && best->ai_family != AF_INET) best = at;
    memcpy(&t->addr, best->ai_addr, best->ai_addrlen);
    t->addr_len = best->ai_addrlen;
    freeaddrinfo(list);
    t->sources = is_loopback(t) ? LOAD_SOURCES : 0;
    return ERR_OK;
}

enum err load_target_unix(struct load_target *t, struct span path, struct diag *d)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    if (path.n >= sizeof un.sun_path)
        return diag_set(d, ERR_LIMIT, "a path of %zu octets is too long for a socket", path.n);
    memcpy(un.sun_path, path.p, path.n);
    memcpy(&t->addr, &un, sizeof un);
    t->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    t->sources = 0;
    return ERR_OK;
}

static bool bind_source(int fd, unsigned n)
{
    const int one = 1;
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + n);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(fd, (struct sockaddr *)&from, sizeof from) == 0;
}

/* Before connecting: the other end makes its buffers after the segments that it may send. */
static void make_narrow(int fd)
{
    const int segment = 1460, room = 4096;
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

int load_dial(const struct load_target *t, size_t index, bool narrow)
{
    const int one = 1;
    int fd = socket(t->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (t->addr.ss_family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (narrow) make_narrow(fd);
    bool bound = !t->sources || bind_source(fd, (unsigned)(index % t->sources));
    if (bound &&
        (connect(fd, (const struct sockaddr *)&t->addr, t->addr_len) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
