/* SPDX-License-Identifier: MIT
 *
 * http/url.h: request targets (RFC 9112 section 3.2), paths, queries and percent-encoding.
 *
 * Everything is handed out raw, as slices of the target, and decoded on demand: Pusher signatures
 * are made over decoded values, but some libraries sign what they send (protocol.md section 2), so
 * callers need both. Pure; allocates only in the `struct buf` that the caller passes.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H
#include "base/buf.h"

/* What `+` means while decoding: itself (paths, and queries of most libraries), or a space
 * (application/x-www-form-urlencoded). */
enum url_plus { URL_PLUS_LITERAL, URL_PLUS_SPACE };

struct url_target {
    struct span host;  /* absolute-form only, with port: it wins over the Host header (RFC 9112
                        * section 3.2.2); else p == NULL */
    struct span path;  /* raw; begins with '/', or is "*" (OPTIONS) */
    struct span query; /* raw, without '?'; p == NULL when there was none */
};

/* Splits a request target; the slices borrow from it. False when it is none of `/path?query`,
 * `http://host/path?query` (https too) and `*`, or holds a fragment, user info, a space or a
 * control character: then `*why` (NULL allowed) is a static text. */
bool url_split(struct span target, struct url_target *out, const char **why) MUST_USE;

/* The same for a target whose characters http1_parse_line() has let through: they are not looked at
 * once more. */
bool url_cut(struct span target, struct url_target *out, const char **why) MUST_USE;

/* Walks the segments of a raw path. Empty segments are skipped, so `/ws//app/KEY/` has the three
 * segments ws, app, KEY. An encoded slash (%2F) does not separate. `.` and `..` are not special. */
struct url_path {
    struct span _rest;
};
static inline struct url_path url_path(struct span path)
{
    return (struct url_path) { path };
}
/* False at the end. `*raw` is never empty; decode it with url_text(…, URL_PLUS_LITERAL, …). */
bool url_path_next(struct url_path *it, struct span *raw);
/* What has not been visited, raw, from its slash on; may be empty. */
static inline struct span url_path_rest(const struct url_path *it)
{
    return it->_rest;
}
/* When the next segments, decoded, are those of `prefix` (plain text like "/ws"; empty or "/" fits
 * always), steps over them; else false and `it` is unchanged. */
bool url_path_skip_prefix(struct url_path *it, struct span prefix);
/* Fills up to `max` raw segments and returns how many the path has in all (may be more). */
size_t url_path_split(struct span path, struct span *segments, size_t max);

/* Walks `key=value` pairs separated by '&'; empty pairs are skipped. */
struct url_query {
    struct span _rest;
};
struct url_pair {
    struct span key, value; /* raw; value.p == NULL when there was no '=' */
};
static inline struct url_query url_query(struct span query)
{
    return (struct url_query) { query };
}
bool url_query_next(struct url_query *it, struct url_pair *out);
/* How many pairs have this key (compared after decoding, '+' literal); `*value` (NULL allowed) is
 * the first one's raw value, p == NULL when there is none. More than 1: readers could differ on
 * which one counts. */
size_t url_query_find(struct span query, struct span key, struct span *value);

/* Appends the decoded bytes. ERR_SYNTAX when a '%' is not followed by two hex digits: nothing is
 * appended, and the raw text may have been meant as it stands. ERR_NOMEM. Any byte can come out,
 * NUL and invalid UTF-8 included. */
enum err url_decode(struct span raw, enum url_plus plus, struct buf *out) MUST_USE;

/* The decoded text: `raw` itself where nothing is encoded, else appended to `scratch` and a slice
 * of it (valid until scratch changes). Errors as url_decode; then `*out` is unchanged. */
enum err url_text(struct span raw, enum url_plus plus, struct buf *scratch,
                  struct span *out) MUST_USE;

/* Whether `raw` decodes to exactly `text`; false when malformed. No allocation. */
bool url_eq(struct span raw, enum url_plus plus, struct span text);

/* Appends `text` with all but the unreserved characters (RFC 3986 section 2.3) as %XX. */
void url_encode(struct span text, struct buf *out);
#endif
