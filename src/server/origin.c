/* SPDX-License-Identifier: MIT
 * server/origin.c: see origin.h. Wildcards are matched by going back to the last `*` only, so the
 * time is bounded by the product of both lengths. */
#include "server/origin.h"
#include "base/check.h"
#include <ctype.h>

static bool same(char pattern, char c)
{
    return pattern == (char)tolower((unsigned char)c);
}

static bool matches(struct span pattern, struct span text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_t = t;
        } else if (p < pattern.n && same(pattern.p[p], text.p[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

static bool contains(struct span s, const char *what)
{
    return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

/* Where the port begins (at its colon), or the end. Colons inside [v6] do not count. */
static size_t port_at(struct span host_port)
{
    for (size_t i = host_port.n; i > 0; i--) {
        if (host_port.p[i - 1] == ']') break;
        if (host_port.p[i - 1] == ':') return i - 1;
    }
    return host_port.n;
}

static struct span host_port_of(struct span origin)
{
    const char *scheme_end = memmem(origin.p, origin.n, "://", 3);
    return scheme_end ? span_skip(origin, (size_t)(scheme_end + 3 - origin.p)) : origin;
}

/* The port that the scheme has where none is written; empty for other schemes. */
static struct span default_port(struct span origin)
{
    static const struct {
        struct span scheme, port;
    } known[] = {
        { SPAN("https://"), SPAN("443") },
        { SPAN("wss://"), SPAN("443") },
        { SPAN("http://"), SPAN("80") },
        { SPAN("ws://"), SPAN("80") },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (span_eq_nocase(span_head(origin, known[i].scheme.n), known[i].scheme))
            return known[i].port;
    return SPAN("");
}

/* An origin, or a pattern of one, in parts. */
struct parts {
    struct span bare;  /* without port */
    struct span host;  /* without scheme, too */
    struct span port;  /* empty where none is written */
    struct span usual; /* the port that its scheme has */
};

static struct parts split(struct span origin)
{
    struct span host_port = host_port_of(origin);
    size_t at = port_at(host_port);
    return (struct parts) {
        .bare = span_head(origin, origin.n - (host_port.n - at)),
        .host = span_head(host_port, at),
        .port = span_skip(host_port, at + 1),
        .usual = default_port(origin),
    };
}

static struct span port_of(const struct parts *parts)
{
    return parts->port.n ? parts->port : parts->usual;
}

/* Of a pattern with a scheme and without a port: the whole is compared, so that a `*` at its end
 * may stand for a port; but the port that the scheme has anyway is none. */
static bool allows_usual(struct span pattern, struct span origin, const struct parts *parts)
{
    bool usual = span_eq(port_of(parts), parts->usual);
    return matches(pattern, usual ? parts->bare : origin);
}

static bool pattern_allows(struct span pattern, struct span origin)
{
    struct parts want = split(pattern), is = split(origin);
    bool scheme = contains(pattern, "://");
    if (want.port.n)
        return matches(scheme ? want.bare : want.host, scheme ? is.bare : is.host) &&
               matches(want.port, port_of(&is));
    return scheme ? allows_usual(pattern, origin, &is) : matches(pattern, is.host);
}

bool origin_allowed(const struct span_list *patterns, struct span origin)
{
    if (patterns->n == 0) return true;
    if (!origin.p) return false;
    for (size_t i = 0; i < patterns->n; i++)
        if (pattern_allows(patterns->items[i], origin)) return true;
    return false;
}

struct span origin_pattern(struct span origin)
{
    struct span host = split(origin).host;
    return host.n ? host : origin;
}
