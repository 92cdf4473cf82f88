/* SPDX-License-Identifier: MIT
 *
 * bench/pubs.c: signing (protocol page section 3), sending, reading status and length of responses.
 */
#include "bench/pubs.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "bench/die.h"
#include "bench/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 * 1024)
#define PATH "/apps/" TEXT_APP_ID "/events"

struct pub {
    int fd;
    struct buf out, in;
    size_t waiting;
    bool blocked; /* waits for EPOLLOUT */
};

struct pubs {
    int ep;
    uint16_t port;
    size_t n, waiting;
    struct hmac_key *secret;
    struct buf body; /* of the request that is being written */
    struct pub items[PUBS_MAX];
};

static void watch_fd(struct pubs *p, size_t index, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.u64 = PUBS_EVENT + index };
    if (epoll_ctl(p->ep, op, p->items[index].fd, &ev) != 0) die_errno("epoll_ctl");
}

/* Connects blocking: only then the socket is non-blocking. */
static int dial(uint16_t port)
{
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die_errno("socket");
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die_errno("connect");
    return fd;
}

struct pubs *pubs_new(int ep, uint16_t port, size_t n)
{
    CHECK(n <= PUBS_MAX);
    struct pubs *p = must_alloc(sizeof *p);
    *p = (struct pubs) { .ep = ep, .port = port, .n = n };
    p->secret = hmac_key_new(SPAN(TEXT_APP_SECRET));
    if (!p->secret) die("out of memory");
    for (size_t i = 0; i < n; i++) {
        p->items[i].fd = dial(port);
        watch_fd(p, i, EPOLL_CTL_ADD, EPOLLIN);
    }
    return p;
}

void pubs_free(struct pubs *p)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    for (size_t i = 0; i < p->n; i++) {
        setsockopt(p->items[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(p->items[i].fd);
        buf_fini(&p->items[i].out);
        buf_fini(&p->items[i].in);
    }
    buf_fini(&p->body);
    hmac_key_free(p->secret);
    mem_free(p);
}

void pubs_write_event(struct pubs *p, struct buf *out, const char *channel, uint64_t seq,
                      size_t bytes)
{
    char query[256], md5[MD5_HEX_LEN], signature[SHA256_HEX_LEN];
    buf_clear(&p->body);
    buf_add_fmt(&p->body, "{\"name\":\"" TEXT_EVENT "\",\"channel\":\"%s\",\"data\":\"", channel);
    text_write(&p->body, seq, bytes);
    BUF_ADD_LIT(&p->body, "\"}");
    if (buf_failed(&p->body)) die("out of memory");
    md5_hex(buf_span(&p->body), md5);
    int n = snprintf(query, sizeof query,
                     "auth_key=" TEXT_APP_KEY "&auth_timestamp=%llu&auth_version=1.0&body_md5=%.*s",
                     (unsigned long long)(clock_unix_ms() / 1000), MD5_HEX_LEN, md5);
    const struct span parts[] = { SPAN("POST\n" PATH "\n"), span_of(query, (size_t)n) };
    hmac_sha256_hex(p->secret, parts, ARRAY_LEN(parts), signature);
    buf_add_fmt(out,
                "POST " PATH "?%s&auth_signature=%.*s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                query, SHA256_HEX_LEN, signature, p->port, p->body.n);
    buf_add_span(out, buf_span(&p->body));
}

void pubs_write_static(struct pubs *p, struct buf *out)
{
    buf_add_fmt(out, "GET /up HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", p->port);
}

static void flush(struct pubs *p, size_t index)
{
    struct pub *pub = &p->items[index];
    if (pub->out.n) {
        ssize_t sent = send(pub->fd, pub->out.p, pub->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) die_errno("publishing");
        if (sent > 0) buf_drop(&pub->out, (size_t)sent);
    }
    bool blocked = pub->out.n > 0;
    if (blocked != pub->blocked)
        watch_fd(p, index, EPOLL_CTL_MOD, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    pub->blocked = blocked;
}

void pubs_send(struct pubs *p, size_t index, struct span requests, size_t n)
{
    CHECK(index < p->n);
    struct pub *pub = &p->items[index];
    buf_add_span(&pub->out, requests);
    if (buf_failed(&pub->out)) die("out of memory");
    pub->waiting += n;
    p->waiting += n;
    if (!pub->blocked) flush(p, index);
}

/* The value of Content-Length in a response head; such a response of ours always has one. */
static uint64_t body_length(struct span head)
{
    struct span line;
    while (span_cut(&head, '\n', &line)) {
        struct span value = line, name;
        uint64_t length;
        if (!span_cut(&value, ':', &name) || !span_eq_nocase(name, SPAN("content-length")))
            continue;
        if (value.n && value.p[value.n - 1] == '\r') value.n--;
        if (span_to_u64(span_trim(value), &length)) return length;
    }
    die("a response without Content-Length");
}

/* The length of the whole response at the begin of `in`, 0: not there yet. */
static size_t response_length(struct span in)
{
    const char *end = memmem(in.p, in.n, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - in.p) + 4;
    if (!span_starts(in, SPAN("HTTP/1.1 200 ")))
        die("the server refuses a request: %.*s", (int)(in.n < 500 ? in.n : 500), in.p);
    uint64_t body = body_length(span_of(in.p, head));
    return in.n - head >= body ? head + (size_t)body : 0;
}

static size_t take_responses(struct pubs *p, struct pub *pub)
{
    size_t n = 0;
    struct span rest = buf_span(&pub->in);
    for (size_t len; rest.n && (len = response_length(rest)) != 0; n++) rest = span_skip(rest, len);
    if (n > pub->waiting) die("more responses than requests");
    buf_drop(&pub->in, pub->in.n - rest.n);
    pub->waiting -= n;
    p->waiting -= n;
    return n;
}

size_t pubs_on_event(struct pubs *p, size_t index, uint32_t events)
{
    struct pub *pub = &p->items[index];
    if (events & EPOLLOUT) flush(p, index);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return 0;
    char *room = buf_room(&pub->in, READ_BYTES);
    if (!room) die("out of memory");
    ssize_t got = recv(pub->fd, room, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got < 0) die_errno("reading responses");
    if (got == 0) die("the server closed a publisher's connection");
    buf_grew(&pub->in, (size_t)got);
    return take_responses(p, pub);
}

size_t pubs_waiting(const struct pubs *p)
{
    return p->waiting;
}
