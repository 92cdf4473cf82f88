/* SPDX-License-Identifier: MIT
 *
 * api/api_route.c: the table of routes.
 *
 * Patterns are matched segment by segment against the raw path, decoding on the way, so no request
 * costs an allocation here. The nearest route is the one with the least edits, counted over
 * segments and within them; that is for people who mistyped, and runs for a 404 only.
 */
#include "api/api_route.h"

struct pattern {
    struct span path; /* {app} and {name} are variable */
    uint8_t n;        /* segments, at most MAX_SEGMENTS */
    bool post;
};

#define MAX_SEGMENTS 5

static const struct pattern patterns[ROUTE_N] = {
    [ROUTE_ROOT] = { SPAN("/"), 0, false },
    [ROUTE_UP] = { SPAN("/up"), 1, false },
    [ROUTE_SOCKET] = { SPAN("/app/{app_key}"), 2, false },
    [ROUTE_EVENTS] = { SPAN("/apps/{app_id}/events"), 3, true },
    [ROUTE_BATCH] = { SPAN("/apps/{app_id}/batch_events"), 3, true },
    [ROUTE_CHANNELS] = { SPAN("/apps/{app_id}/channels"), 3, false },
    [ROUTE_CHANNEL] = { SPAN("/apps/{app_id}/channels/{name}"), 4, false },
    [ROUTE_CHANNEL_USERS] = { SPAN("/apps/{app_id}/channels/{name}/users"), 5, false },
    [ROUTE_CONNECTIONS] = { SPAN("/apps/{app_id}/connections"), 3, false },
    [ROUTE_USER_EVENTS] = { SPAN("/apps/{app_id}/users/{name}/events"), 5, true },
    [ROUTE_TERMINATE] = { SPAN("/apps/{app_id}/users/{name}/terminate_connections"), 5, true },
};

static bool is_variable(struct span segment)
{
    return segment.p[0] == '{';
}

static bool fits(struct span pattern, const struct span *raw, struct route_args *args)
{
    struct url_path want = url_path(pattern);
    struct span wanted;
    *args = (struct route_args) { 0 };
    for (; url_path_next(&want, &wanted); raw++) {
        if (span_eq(wanted, SPAN("{name}")))
            args->name = *raw;
        else if (is_variable(wanted))
            args->app = *raw;
        else if (!url_eq(*raw, URL_PLUS_LITERAL, wanted))
            return false;
    }
    return true;
}

static enum route find(struct span path, struct route_args *args)
{
    struct span raw[MAX_SEGMENTS];
    size_t n = url_path_split(path, raw, MAX_SEGMENTS);
    for (enum route r = ROUTE_ROOT; r < ROUTE_N; r++)
        if (patterns[r].n == n && fits(patterns[r].path, raw, args)) return r;
    return ROUTE_NONE;
}

enum route route_find(struct span path, struct span prefix, struct route_args *args)
{
    struct url_path behind = url_path(path);
    if (url_path_skip_prefix(&behind, prefix)) {
        enum route r = find(url_path_rest(&behind), args);
        if (r) return r;
    }
    enum route r = find(path, args);
    return r == ROUTE_ROOT || r == ROUTE_UP ? r : ROUTE_NONE;
}

bool route_takes(enum route route, enum http1_method method)
{
    if (patterns[route].post) return method == HTTP1_POST;
    return method == HTTP1_GET || method == HTTP1_HEAD;
}

struct span route_methods(enum route route)
{
    return patterns[route].post ? SPAN("POST, OPTIONS") : SPAN("GET, HEAD, OPTIONS");
}

/* --- the nearest route --- */

#define NEAR_SEGMENTS 8
#define NEAR_CHARS 32
#define SEGMENT_COST 4  /* of one that is too many or missing */
#define VARIABLE_COST 2 /* of a missing {name} */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

unsigned route_distance(struct span a, struct span b)
{
    unsigned row[NEAR_CHARS + 1];
    a = span_head(a, NEAR_CHARS);
    b = span_head(b, NEAR_CHARS);
    for (unsigned j = 0; j <= b.n; j++) row[j] = j;
    for (unsigned i = 0; i < a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < b.n; j++) {
            unsigned change = diagonal + (a.p[i] != b.p[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(change, row[j] + 1, row[j + 1] + 1);
        }
    }
    return row[b.n];
}

static unsigned segment_distance(struct span pattern, struct span raw)
{
    if (is_variable(pattern)) return 0;
    unsigned d = route_distance(pattern, raw);
    size_t longer = pattern.n > raw.n ? pattern.n : raw.n;
    return 2 * d <= longer ? d : 2 * SEGMENT_COST; /* half of it differs: another word */
}

static unsigned missing_cost(struct span pattern)
{
    return is_variable(pattern) ? VARIABLE_COST : SEGMENT_COST;
}

/* The same over segments. `*literals`: what it costs when no word of the pattern is there. */
static unsigned path_distance(struct span pattern, const struct span *path, size_t n,
                              unsigned *literals)
{
    struct span want[NEAR_SEGMENTS];
    size_t n_want = url_path_split(pattern, want, NEAR_SEGMENTS);
    unsigned row[NEAR_SEGMENTS + 1];
    *literals = 0;
    for (unsigned j = 0; j <= n; j++) row[j] = j * SEGMENT_COST;
    for (unsigned i = 0; i < n_want; i++) {
        unsigned diagonal = row[0], missing = missing_cost(want[i]);
        row[0] += missing;
        if (!is_variable(want[i])) *literals += SEGMENT_COST;
        for (unsigned j = 0; j < n; j++) {
            unsigned change = diagonal + segment_distance(want[i], path[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(change, row[j] + SEGMENT_COST, row[j + 1] + missing);
        }
    }
    return row[n];
}

/* Paths of other programs, and of other listeners of ours. */
static bool hint_elsewhere(struct span path, struct buf *out)
{
    static const struct {
        struct span begins, hint;
    } known[] = {
        { SPAN("/broadcasting/"), SPAN("It is one of your application, which signs channels: "
                                       "authEndpoint of the client must lead there.") },
        { SPAN("/pusher/auth"), SPAN("It is one of your application, which signs channels: "
                                     "authEndpoint of the client must lead there.") },
        { SPAN("/pusher/user-auth"), SPAN("It is one of your application, which signs users: "
                                          "userAuthentication.endpoint must lead there.") },
        { SPAN("/socket.io"), SPAN("This server speaks the Pusher protocol, not Socket.IO: use "
                                   "pusher-js, and broadcaster: 'pusher' in Laravel Echo.") },
        { SPAN("/metrics"),
          SPAN("What is for operators is on the admin listener (admin.listen).") },
        { SPAN("/live"), SPAN("What is for operators is on the admin listener (admin.listen).") },
        { SPAN("/ready"), SPAN("What is for operators is on the admin listener (admin.listen).") },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!span_starts(path, known[i].begins)) continue;
        buf_add_span(out, known[i].hint);
        return true;
    }
    return false;
}

/* A route with something before it that a proxy would have to cut off, or path_prefix to name. */
static bool hint_prefix(struct span path, struct span prefix, struct buf *out)
{
    struct url_path it = url_path(path);
    struct span first;
    struct route_args args;
    if (prefix.n || !url_path_next(&it, &first)) return false;
    enum route r = find(url_path_rest(&it), &args);
    if (r == ROUTE_NONE || r == ROUTE_ROOT || span_eq(first, SPAN("app")) ||
        span_eq(first, SPAN("apps")))
        return false;
    BUF_ADD_LIT(out, "Without its first part it is one: the option path_prefix makes the server "
                     "answer there. ");
    return true;
}

void route_hint(struct span path, struct span prefix, struct buf *out)
{
    struct span segments[NEAR_SEGMENTS];
    struct url_path behind = url_path(path);
    if (hint_elsewhere(path, out)) return;
    hint_prefix(path, prefix, out);
    url_path_skip_prefix(&behind, prefix);
    size_t n = url_path_split(url_path_rest(&behind), segments, NEAR_SEGMENTS);
    if (n > NEAR_SEGMENTS) n = NEAR_SEGMENTS;
    enum route best = ROUTE_NONE;
    unsigned best_distance = ~0U;
    for (enum route r = ROUTE_UP; r < ROUTE_N; r++) {
        unsigned literals, d = path_distance(patterns[r].path, segments, n, &literals);
        if (d >= best_distance || d >= literals) continue; /* or not alike at all */
        best = r;
        best_distance = d;
    }
    if (best == ROUTE_NONE) {
        buf_add_fmt(out,
                    "Clients connect to %.*s/app/{app_key}, back ends use %.*s/apps/{app_id}/.",
                    SPAN_FMT(prefix), SPAN_FMT(prefix));
        return;
    }
    BUF_ADD_LIT(out, "The nearest one is ");
    buf_add_span(out, patterns[best].post ? SPAN("POST ") : SPAN("GET "));
    buf_add_span(out, prefix);
    buf_add_span(out, patterns[best].path);
    BUF_ADD_LIT(out, ".");
}
