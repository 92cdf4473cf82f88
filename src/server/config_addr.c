/* SPDX-License-Identifier: MIT
 *
 * server/config_addr.c: what listeners and trusted proxies are written as. The operating system's
 * own inet_pton() reads the addresses, so that all agree on what one is.
 */
#include "server/config_value.h"
#include <arpa/inet.h>
#include <sys/un.h>

#define ADDR_TEXT_MAX 64

/* Reads an IPv4 or IPv6 address; IPv4 becomes ::ffff:a.b.c.d. */
static bool read_ip(struct span text, uint8_t addr[16], bool *v4)
{
    char s[ADDR_TEXT_MAX];
    if (text.n == 0 || text.n >= sizeof s) return false;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    *v4 = inet_pton(AF_INET, s, addr + 12) == 1;
    if (*v4) memcpy(addr, mapped, sizeof mapped);
    return *v4 || inet_pton(AF_INET6, s, addr) == 1;
}

static bool is_host_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           memchr("-._", c, 3);
}

static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_host_char(s.p[i])) return false;
    return s.n > 0 && s.n <= 253;
}

static bool read_port(struct span s, uint16_t *out)
{
    uint64_t port;
    if (s.n > 5 || !span_to_u64(s, &port) || port > UINT16_MAX) return false;
    *out = (uint16_t)port;
    return true;
}

static bool read_unix(struct span path, struct config_addr *out)
{
    const struct sockaddr_un *sa = NULL;
    if (path.n == 0 || path.n >= sizeof sa->sun_path) return false;
    out->kind = CONFIG_ADDR_UNIX;
    out->path = path;
    out->host = span_of("", 0);
    return true;
}

/* "[v6]:port" */
static bool read_bracketed(struct span text, struct config_addr *out)
{
    const char *end = memchr(text.p, ']', text.n);
    if (!end) return false;
    struct span host = span_of(text.p + 1, (size_t)(end - text.p) - 1);
    struct span port = span_skip(text, host.n + 2);
    uint8_t addr[16];
    bool v4;
    if (!read_ip(host, addr, &v4) || v4) return false;
    if (!span_starts(port, SPAN(":")) || !read_port(span_skip(port, 1), &out->port)) return false;
    out->host = host;
    return true;
}

bool config_addr_parse(struct span text, struct config_addr *out)
{
    *out = (struct config_addr) { .kind = CONFIG_ADDR_TCP, .text = text, .path = { "", 0 } };
    if (span_starts(text, SPAN("unix:"))) return read_unix(span_skip(text, 5), out);
    if (span_starts(text, SPAN("["))) return read_bracketed(text, out);
    const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
    if (!colon) return false;
    out->host = span_head(text, (size_t)(colon - text.p));
    if (out->host.n == 0 || span_eq(out->host, SPAN("*"))) out->host = SPAN("0.0.0.0");
    return is_host(out->host) &&
           read_port(span_skip(text, (size_t)(colon - text.p) + 1), &out->port);
}

void config_addr_print(struct span host, uint32_t port, struct buf *out)
{
    bool v6 = host.n && memchr(host.p, ':', host.n);
    buf_add_fmt(out, v6 ? "[%.*s]:%u" : "%.*s:%u", SPAN_FMT(host), port);
}

static void clear_tail(struct config_net *net)
{
    for (unsigned bit = net->bits; bit < 128; bit++)
        net->addr[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}

bool config_net_parse(struct span text, struct config_net *out)
{
    struct span rest = text, ip;
    bool v4;
    uint64_t bits;
    if (!span_cut(&rest, '/', &ip) || !read_ip(ip, out->addr, &v4)) return false;
    uint64_t most = v4 ? 32 : 128;
    if (!rest.p)
        bits = most;
    else if (rest.n > 3 || !span_to_u64(rest, &bits) || bits > most)
        return false;
    out->bits = (uint8_t)(v4 ? bits + 96 : bits);
    clear_tail(out);
    return true;
}

static bool is_mapped(const struct config_net *net)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    return net->bits >= 96 && memcmp(net->addr, mapped, sizeof mapped) == 0;
}

void config_net_print(const struct config_net *net, struct buf *out)
{
    char s[INET6_ADDRSTRLEN];
    bool v4 = is_mapped(net);
    unsigned bits = v4 ? net->bits - 96u : net->bits;
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? net->addr + 12 : net->addr, s, sizeof s);
    buf_add_fmt(out, bits == (v4 ? 32 : 128) ? "%s" : "%s/%u", s, bits);
}

static bool has(const struct config_net *net, const uint8_t addr[16])
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;
    if (memcmp(net->addr, addr, whole) != 0) return false;
    return rest == 0 || ((net->addr[whole] ^ addr[whole]) >> (8 - rest)) == 0;
}

bool config_nets_have(const struct config_nets *nets, const uint8_t addr[16])
{
    for (size_t i = 0; i < nets->n; i++)
        if (has(&nets->items[i], addr)) return true;
    return false;
}
