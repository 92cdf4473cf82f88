/* SPDX-License-Identifier: MIT
 *
 * net/endpoint_addr.c: the text of a listen address -> a socket address (endpoint_parse).
 *
 * Apart from endpoint.c because nothing here has a socket. Literal addresses never ask a resolver.
 */
#include "net/endpoint.h"
#include <arpa/inet.h>
#include <netdb.h>

static enum err parse_unix(struct span path, struct sock_addr *out, struct diag *d)
{
    struct sock_addr addr = { .u.un.sun_family = AF_UNIX, .len = sizeof addr.u.un };
    if (path.n == 0 || memchr(path.p, '\0', path.n))
        return diag_set(
            d, ERR_SYNTAX,
            "The address \"unix:%.*s\" needs the path of a socket: \"unix:/run/x.sock\".",
            SPAN_FMT(path));
    if (path.n >= sizeof addr.u.un.sun_path)
        return diag_set(
            d, ERR_RANGE,
            "The socket path \"%.*s\" is too long: %zu bytes, and the system allows %zu.",
            SPAN_FMT(path), path.n, sizeof addr.u.un.sun_path - 1);
    memcpy(addr.u.un.sun_path, path.p, path.n);
    *out = addr;
    return ERR_OK;
}

static void set_port(struct sock_addr *addr, uint16_t port)
{
    if (addr->u.any.sa_family == AF_INET)
        addr->u.v4.sin_port = htons(port);
    else
        addr->u.v6.sin6_port = htons(port);
}

/* The first IPv4 address of a name, else its first IPv6 one. */
static enum err resolve(const char *name, struct sock_addr *out, struct diag *d)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *all = NULL;
    int bad = getaddrinfo(name, NULL, &hints, &all);
    if (bad)
        return diag_set(d, ERR_ABSENT, "The host \"%s\" to listen on cannot be resolved: %s.", name,
                        gai_strerror(bad));
    CHECK(all); /* there is an address where there is no error */
    const struct addrinfo *pick = all;
    for (const struct addrinfo *a = all; a; a = a->ai_next) {
        if (a->ai_family != AF_INET) continue;
        pick = a;
        break;
    }
    *out = (struct sock_addr) { .len = pick->ai_addrlen };
    memcpy(&out->u, pick->ai_addr, pick->ai_addrlen);
    freeaddrinfo(all);
    return ERR_OK;
}

/* What stood between brackets. */
static enum err parse_v6(const char *text, struct sock_addr *out, struct diag *d)
{
    struct sock_addr addr = { .u.v6.sin6_family = AF_INET6, .len = sizeof addr.u.v6 };
    if (inet_pton(AF_INET6, text, &addr.u.v6.sin6_addr) != 1)
        return diag_set(d, ERR_SYNTAX, "\"[%s]\" is not an IPv6 address.", text);
    *out = addr;
    return ERR_OK;
}

static enum err parse_v4_or_name(const char *text, struct sock_addr *out, struct diag *d)
{
    struct sock_addr addr = { .u.v4.sin_family = AF_INET, .len = sizeof addr.u.v4 };
    if (strchr(text, ':'))
        return diag_set(d, ERR_SYNTAX,
                        "In \"%s\" host and port are not clear: IPv6 addresses go in brackets, "
                        "as in \"[::1]:6001\".",
                        text);
    bool any = text[0] == '\0' || strcmp(text, "*") == 0;
    if (!any && inet_pton(AF_INET, text, &addr.u.v4.sin_addr) != 1) return resolve(text, out, d);
    *out = addr;
    return ERR_OK;
}

static enum err parse_host(struct span host, struct sock_addr *out, struct diag *d)
{
    char text[256];
    bool bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed) host = span_of(host.p + 1, host.n - 2);
    if (host.n >= sizeof text || (host.n && memchr(host.p, '\0', host.n)))
        return diag_set(d, ERR_SYNTAX, "The host to listen on is not a host name or address.");
    snprintf(text, sizeof text, "%.*s", SPAN_FMT(host));
    return bracketed ? parse_v6(text, out, d) : parse_v4_or_name(text, out, d);
}

enum err endpoint_parse(struct span text, struct sock_addr *out, struct diag *d)
{
    const struct span unix_prefix = SPAN("unix:");
    if (span_starts(text, unix_prefix)) return parse_unix(span_skip(text, unix_prefix.n), out, d);
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    uint64_t port = 0;
    size_t host_len = colon ? (size_t)(colon - text.p) : 0;
    if (!colon || !span_to_u64(span_skip(text, host_len + 1), &port))
        return diag_set(d, ERR_SYNTAX,
                        "The address \"%.*s\" is not HOST:PORT, [IPV6]:PORT or unix:/PATH.",
                        SPAN_FMT(text));
    if (port > UINT16_MAX)
        return diag_set(d, ERR_RANGE, "The port in \"%.*s\" is above 65535.", SPAN_FMT(text));
    enum err err = parse_host(span_head(text, host_len), out, d);
    if (err == ERR_OK) set_port(out, (uint16_t)port);
    return err;
}
