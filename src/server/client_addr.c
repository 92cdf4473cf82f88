/* SPDX-License-Identifier: MIT
 * server/client_addr.c: see client_addr.h. */
#include "server/client_addr.h"
#include <arpa/inet.h>

#define FORWARDED_FOR "X-Forwarded-For"

/* Reads an IPv4 or IPv6 address; IPv4 as ::ffff:a.b.c.d. */
static bool read_ip(struct span s, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];
    if (s.n == 0 || s.n >= sizeof text) return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (inet_pton(AF_INET6, text, out) == 1) return true;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool is_trusted(struct span addr, const struct config *cfg)
{
    uint8_t ip[16];
    return read_ip(addr, ip) && config_nets_have(&cfg->trusted_proxies, ip);
}

/* The last element of the comma-separated list, cut off it. */
static struct span cut_last(struct span *list)
{
    size_t at = list->n;
    while (at > 0 && list->p[at - 1] != ',') at--;
    struct span last = span_trim(span_skip(*list, at));
    list->n = at > 0 ? at - 1 : 0;
    return last;
}

/* The header may stand several times; then all of them are one list. The one with this number. */
static struct span forwarded_for(const struct http1_req *req, size_t number)
{
    struct http1_field f;
    for (size_t at = 0; http1_header_next(req, &at, &f);)
        if (span_eq_nocase(f.name, SPAN(FORWARDED_FOR)) && number-- == 0) return f.value;
    return SPAN("");
}

static bool is_port(struct span s)
{
    uint64_t port;
    return s.n <= 5 && span_to_u64(s, &port) && port <= UINT16_MAX;
}

/* The address of an entry as proxies write it: `a.b.c.d`, `a.b.c.d:port`, `v6`, `[v6]`,
 * `[v6]:port`. What is none of these comes back as it is. */
static struct span without_port(struct span entry)
{
    struct span port = entry, ip;
    bool brackets = entry.n && entry.p[0] == '[';
    if (brackets) port = span_skip(entry, 1);
    if (!span_cut(&port, brackets ? ']' : ':', &ip) || !port.p) return entry;
    if (brackets && port.n == 0) return ip;
    if (brackets && port.p[0] != ':') return entry;
    if (brackets) port = span_skip(port, 1);
    return is_port(port) ? ip : entry;
}

struct span client_addr(int fd, const struct http1_req *req, const struct config *cfg,
                        char text[SOCK_ADDR_TEXT_MAX])
{
    struct sock_addr peer;
    if (!sock_peer(fd, &peer)) return SPAN("gone");
    struct span addr = sock_addr_host(&peer, text);
    if (!sock_addr_is_unix(&peer) && !is_trusted(addr, cfg)) return addr;
    for (size_t i = http1_header_count(req, SPAN(FORWARDED_FOR)); i > 0; i--) {
        struct span list = forwarded_for(req, i - 1);
        while (list.n > 0) {
            struct span last = without_port(cut_last(&list));
            uint8_t ip[16];
            if (!read_ip(last, ip)) return addr; /* no address: do not believe the rest either */
            addr = last;
            if (!is_trusted(last, cfg)) return addr;
        }
    }
    return addr;
}

bool client_is_https(int fd, const struct http1_req *req, const struct config *cfg)
{
    char text[SOCK_ADDR_TEXT_MAX];
    struct sock_addr peer;
    struct span proto = http1_header(req, SPAN("X-Forwarded-Proto"));
    if (!proto.n || !sock_peer(fd, &peer)) return false;
    if (!sock_addr_is_unix(&peer) && !is_trusted(sock_addr_host(&peer, text), cfg)) return false;
    return span_eq_nocase(cut_last(&proto), SPAN("https"));
}

bool client_is_here(int fd, const struct http1_req *req, const struct config *cfg)
{
    char text[SOCK_ADDR_TEXT_MAX];
    struct span addr = client_addr(fd, req, cfg, text);
    uint8_t ip[16];
    static const uint8_t v6[16] = { [15] = 1 }, v4[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
    return read_ip(addr, ip) && (memcmp(ip, v6, sizeof v6) == 0 || memcmp(ip, v4, sizeof v4) == 0);
}
