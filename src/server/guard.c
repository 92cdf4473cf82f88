/* SPDX-License-Identifier: MIT
 * server/guard.c: see guard.h. */
#include "server/guard.h"

static const struct guard_no fine = { 0, NULL };

static struct span without_port(struct span host)
{
    if (host.n && host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);
        return end ? span_of(host.p + 1, (size_t)(end - host.p - 1)) : host;
    }
    const char *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
    return colon ? span_head(host, (size_t)(colon - host.p)) : host;
}

static bool host_allowed(const struct config *cfg, struct span host)
{
    struct span name = without_port(host);
    for (size_t i = 0; i < cfg->admin.hosts.n; i++) {
        struct span allowed = cfg->admin.hosts.items[i];
        if (span_eq(allowed, SPAN("*")) || span_eq_nocase(allowed, name)) return true;
    }
    return false;
}

/* "http://HOST" or "https://HOST", as the request names the host: a proxy may speak TLS. */
static bool is_own(struct span origin, struct span host)
{
    static const struct span schemes[] = { SPAN("http://"), SPAN("https://") };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (span_starts(origin, schemes[i]) &&
            span_eq_nocase(span_skip(origin, schemes[i].n), host))
            return true;
    return false;
}

/* What a browser says of the page that asks. Programs that are none send neither header. */
static struct guard_no check_page(const struct http1_req *req, struct span host)
{
    struct span site = http1_header(req, SPAN("Sec-Fetch-Site"));
    struct span origin = http1_header(req, SPAN("Origin"));
    if (site.p && !span_eq(site, SPAN("same-origin")) && !span_eq(site, SPAN("none")))
        return (struct guard_no) { 403, "A page of another site asks (Sec-Fetch-Site)." };
    if (origin.p && !is_own(origin, host))
        return (struct guard_no) { 403, "A page of another origin asks (Origin)." };
    return fine;
}

static bool has_type(const struct http1_req *req, struct span wanted)
{
    struct span type = http1_header(req, SPAN("Content-Type")), name;
    return type.p && span_cut(&type, ';', &name) && span_eq_nocase(span_trim(name), wanted);
}

static struct guard_no check_write(const struct http1_req *req)
{
    if (!http1_header(req, SPAN("X-Peal")).n)
        return (struct guard_no) { 403, "The header X-Peal: 1 is missing." };
    if (has_type(req, SPAN("application/json"))) return fine;
    return (struct guard_no) { 415, "The Content-Type must be application/json." };
}

static struct guard_no check_form(const struct http1_req *req)
{
    if (has_type(req, SPAN("application/x-www-form-urlencoded"))) return fine;
    return (struct guard_no) { 415, "The Content-Type must be application/x-www-form-urlencoded." };
}

static struct guard_no check_socket(const struct http1_req *req)
{
    bool page = http1_header(req, SPAN("Origin")).p; /* check_page found it to be ours */
    if (page || http1_header(req, SPAN("X-Peal")).n) return fine;
    return (struct guard_no) { 403, "A WebSocket needs an Origin, or the header X-Peal: 1." };
}

static struct span host_of(const struct http1_req *req, const struct url_target *target)
{
    return target->host.p ? target->host : http1_header(req, SPAN("Host"));
}

struct guard_no guard_page(const struct http1_req *req, const struct url_target *target,
                           enum guard_use use)
{
    struct guard_no no = use == GUARD_PLAIN ? fine : check_page(req, host_of(req, target));
    if (no.status) return no;
    switch (use) {
    case GUARD_PLAIN:
    case GUARD_READ:
        return fine;
    case GUARD_WRITE:
        return check_write(req);
    case GUARD_FORM:
        return check_form(req);
    case GUARD_SOCKET:
        return check_socket(req);
    }
    UNREACHABLE();
}

struct guard_no guard_ask(const struct config *cfg, const struct http1_req *req,
                          const struct url_target *target, enum guard_use use)
{
    if (!host_allowed(cfg, host_of(req, target)))
        return (struct guard_no) { 403, "This Host is not in the option admin.hosts." };
    return guard_page(req, target, use);
}
