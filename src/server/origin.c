/* SPDX-License-Identifier: MIT
 * server/origin.c: see origin.h. Wildcards are matched by going back to the last `*` only, so the
 * time is bounded by the product of both lengths. */
#include "server/origin.h"
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

static bool pattern_allows(struct span pattern, struct span origin)
{
    if (contains(pattern, "://")) return matches(pattern, origin);
    struct span host_port = host_port_of(origin);
    if (port_at(pattern) < pattern.n) return matches(pattern, host_port);
    return matches(pattern, span_head(host_port, port_at(host_port)));
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
    struct span host_port = host_port_of(origin);
    struct span host = span_head(host_port, port_at(host_port));
    return host.n ? host : origin;
}
