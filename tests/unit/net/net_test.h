/* SPDX-License-Identifier: MIT
 *
 * tests/unit/net/net_test.h: clients and places for the tests of net/.
 *
 * Failures here are CHECKs, so that they work in threads and child processes, too.
 */
#ifndef TESTS_UNIT_NET_NET_TEST_H
#define TESTS_UNIT_NET_NET_TEST_H
#include "net/sock.h"
#include "unit/test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A blocking connection. Not counted by net/fds: close it with close(). */
static inline int dial(const struct sock_addr *addr)
{
    int fd = socket(addr->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(connect(fd, &addr->u.any, addr->len) == 0);
    return fd;
}

/* The next byte; 0 at the end of the stream. */
static inline char read_byte(int fd)
{
    char c = 0;
    ssize_t n;
    do n = read(fd, &c, 1);
    while (n < 0 && errno == EINTR);
    CHECK(n >= 0);
    return n ? c : '\0';
}

static inline void write_byte(int fd, char c)
{
    CHECK(write(fd, &c, 1) == 1);
}

/* A connected pair; the first end does not block. */
static inline void make_pair(int fds[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    int flags = fcntl(fds[0], F_GETFL);
    CHECK(fcntl(fds[0], F_SETFL, flags | O_NONBLOCK) == 0);
}

/* "unix:" and a path in a new directory. */
struct place {
    char dir[32], path[64], text[96];
};

static inline void make_place(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/peal-test-XXXXXX");
    CHECK(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/s", p->dir);
    snprintf(p->text, sizeof p->text, "unix:%s", p->path);
}

static inline void remove_place(const struct place *p)
{
    unlink(p->path);
    CHECK(rmdir(p->dir) == 0);
}

/* The exit status of a child; 128 + N when signal N ended it. */
static inline int wait_child(pid_t pid)
{
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
#endif
