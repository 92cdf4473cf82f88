/* SPDX-License-Identifier: MIT
 *
 * api/api_route.c: the table of routes.
 *
 * Patterns are matched segment by segment against the raw path, decoding on the way, so no request
 * costs an allocation here. The nearest route is the one with the least edits, counted over
 * segments and within them; that is for people who mistyped, and runs for a 404 only.
 */
#include "api/api_route.h"
#include "base/near.h"

#define MAX_SEGMENTS 5

/* Segments in braces are variable: the second one is the app, others are names. */
struct pattern {
    bool post;
    uint8_t n;
    struct span segments[MAX_SEGMENTS];
};

#define APPS SPAN("apps"), SPAN("{app_id}")
#define NAME SPAN("{name}")

static const struct pattern patterns[ROUTE_N] = {
    [ROUTE_ROOT] = { false, 0, { SPAN("") } },
    [ROUTE_UP] = { false, 1, { SPAN("up") } },
    [ROUTE_SOCKET] = { false, 2, { SPAN("app"), SPAN("{app_key}") } },
    [ROUTE_EVENTS] = { true, 3, { APPS, SPAN("events") } },
    [ROUTE_BATCH] = { true, 3, { APPS, SPAN("batch_events") } },
    [ROUTE_CHANNELS] = { false, 3, { APPS, SPAN("channels") } },
    [ROUTE_CHANNEL] = { false, 4, { APPS, SPAN("channels"), NAME } },
    [ROUTE_CHANNEL_USERS] = { false, 5, { APPS, SPAN("channels"), NAME, SPAN("users") } },
    [ROUTE_CONNECTIONS] = { false, 3, { APPS, SPAN("connections") } },
    [ROUTE_USER_EVENTS] = { true, 5, { APPS, SPAN("users"), NAME, SPAN("events") } },
    [ROUTE_TERMINATE] = { true, 5, { APPS, SPAN("users"), NAME, SPAN("terminate_connections") } },
};

static bool is_variable(struct span segment)
{
    return segment.p[0] == '{';
}

/* `raw` has as many segments as the pattern. */
static bool fits(const struct pattern *pattern, const struct span *raw, struct route_args *args)
{
    *args = (struct route_args) { 0 };
    for (size_t i = 0; i < pattern->n; i++) {
        struct span want = pattern->segments[i];
        if (!is_variable(want)) {
            if (!url_eq(raw[i], URL_PLUS_LITERAL, want)) return false;
        } else if (i == 1) {
            args->app = raw[i];
        } else {
            args->name = raw[i];
        }
    }
    return true;
}

static enum route find(struct span path, struct route_args *args)
{
    struct span raw[MAX_SEGMENTS];
    size_t n = url_path_split(path, raw, MAX_SEGMENTS);
    for (enum route r = ROUTE_ROOT; r < ROUTE_N; r++)
        if (patterns[r].n == n && fits(&patterns[r], raw, args)) return r;
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
#define SEGMENT_COST 4  /* of one that is too many or missing */
#define VARIABLE_COST 2 /* of a missing {name} */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static unsigned segment_distance(struct span pattern, struct span raw)
{
    if (is_variable(pattern)) return 0;
    unsigned d = near_distance(pattern, raw);
    size_t longer = pattern.n > raw.n ? pattern.n : raw.n;
    return 2 * d <= longer ? d : 2 * SEGMENT_COST; /* half of it differs: another word */
}

static unsigned missing_cost(struct span pattern)
{
    return is_variable(pattern) ? VARIABLE_COST : SEGMENT_COST;
}

/* The same over segments. `*literals`: what it costs when no word of the pattern is there. */
static unsigned path_distance(const struct pattern *pattern, const struct span *path, size_t n,
                              unsigned *literals)
{
    unsigned row[NEAR_SEGMENTS + 1];
    *literals = 0;
    for (unsigned j = 0; j <= n; j++) row[j] = j * SEGMENT_COST;
    for (unsigned i = 0; i < pattern->n; i++) {
        struct span want = pattern->segments[i];
        unsigned diagonal = row[0], missing = missing_cost(want);
        row[0] += missing;
        if (!is_variable(want)) *literals += SEGMENT_COST;
        for (unsigned j = 0; j < n; j++) {
            unsigned change = diagonal + segment_distance(want, path[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(change, row[j] + SEGMENT_COST, row[j + 1] + missing);
        }
    }
    return row[n];
}

#define HEALTH                                                                                     \
    "Whether the server is well is told by /up here, and by /live and /ready on the admin "        \
    "listener (admin.listen)."

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
        { SPAN("/laravel-websockets"),
          SPAN("The dashboard is on the admin listener (admin.listen, dashboard.path).") },
        { SPAN("/health"), SPAN(HEALTH) },
        { SPAN("/accept-traffic"), SPAN(HEALTH) },
        { SPAN("/usage"), SPAN("What is for operators is on the admin listener (admin.listen).") },
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
    bool of_app = n > 0 && url_eq(segments[0], URL_PLUS_LITERAL, SPAN("apps"));
    for (enum route r = ROUTE_UP; r < ROUTE_N; r++) {
        if (of_app && r == ROUTE_SOCKET) continue; /* its /app is another word, not a slip */
        unsigned literals, d = path_distance(&patterns[r], segments, n, &literals);
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
    for (size_t i = 0; i < patterns[best].n; i++) {
        buf_add_byte(out, '/');
        buf_add_span(out, patterns[best].segments[i]);
    }
    BUF_ADD_LIT(out, ".");
}
