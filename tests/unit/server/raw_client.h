/* SPDX-License-Identifier: MIT
 *
 * tests/unit/server/raw_client.h: a client of loopback that says what it is told to, and reads HTTP
 * responses.
 *
 * Every wait is a poll() with a bound, far above what it takes; running into it fails the test.
 * Failures are CHECKs, so that they work in threads and child processes, too.
 */
#ifndef TESTS_SERVER_RAW_CLIENT_H
#define TESTS_SERVER_RAW_CLIENT_H
#include "base/clock.h"
#include "unit/test.h"
#include "ws/decoder.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_WAIT_MS 30000

enum peer_end { STILL_OPEN, ENDED, RESET };

struct cl {
    int fd;
    enum peer_end end;
    struct buf in;
    struct buf text; /* of the last event or body */
    struct ws_dec dec;
    uint64_t received; /* octets */
};

static inline void cl_dial_with(struct cl *c, uint16_t port, int rcvbuf)
{
    *c = (struct cl) { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    CHECK(c->fd >= 0);
    if (rcvbuf) CHECK(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf) == 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    CHECK(connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0);
}

static inline void cl_dial(struct cl *c, uint16_t port)
{
    cl_dial_with(c, port, 0);
}

static inline void cl_close(struct cl *c)
{
    close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->text);
    ws_dec_fini(&c->dec);
}

/* As a process that is killed. */
static inline void cl_reset(struct cl *c)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    CHECK(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    cl_close(c);
}

static inline void cl_send(struct cl *c, struct span s)
{
    while (s.n) {
        ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
        CHECK(n > 0);
        s = span_skip(s, (size_t)n);
    }
}

static inline void cl_says(struct cl *c, const char *text)
{
    cl_send(c, span_str(text));
}

/* Reads what has come, or waits for it. False at the end of the stream. */
static inline bool cl_fill(struct cl *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    CHECK(poll(&p, 1, RIG_WAIT_MS) == 1);
    char *room = buf_room(&c->in, 65536);
    CHECK(room);
    ssize_t n = recv(c->fd, room, 65536, 0);
    if (n <= 0) {
        CHECK(n == 0 || errno == ECONNRESET || errno == EPIPE);
        c->end = n == 0 ? ENDED : RESET;
        return false;
    }
    buf_grew(&c->in, (size_t)n);
    c->received += (size_t)n;
    return true;
}

/* Everything up to the end. */
static inline void cl_drain(struct cl *c)
{
    while (cl_fill(c)) continue;
}

static inline bool cl_has(const struct cl *c, const char *text)
{
    return c->in.n && memmem(c->in.p, c->in.n, text, strlen(text)) != NULL;
}

/* The next whole response: its status, the body in `text`; 0: the stream ended before. Interim
 * responses are skipped. */
static inline unsigned cl_response(struct cl *c)
{
    for (;;) {
        const char *end = c->in.n ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
        if (!end) {
            if (!cl_fill(c)) return 0;
            continue;
        }
        size_t head = (size_t)(end + 4 - c->in.p), length = 0;
        const char *at = memmem(c->in.p, head, "Content-Length: ", 16);
        if (at) length = strtoul(at + 16, NULL, 10);
        if (c->in.n < head + length) {
            if (!cl_fill(c)) return 0;
            continue;
        }
        unsigned status = (unsigned)strtoul(c->in.p + 9, NULL, 10);
        buf_clear(&c->text);
        buf_add(&c->text, c->in.p + head, length);
        buf_drop(&c->in, head + length);
        if (status != 100) return status;
    }
}
#endif
