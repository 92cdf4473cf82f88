/* SPDX-License-Identifier: MIT
 *
 * http/url.c: request targets, paths, queries and percent-encoding.
 *
 * Decoding checks the whole text before it writes, so a malformed one leaves nothing half done and
 * the caller can still use it raw.
 */
#include "http/url.h"
#include "base/hash.h"

static bool refuse(const char **why, const char *text)
{
    if (why) *why = text;
    return false;
}

/* Cuts `scheme://host` off; `*rest` is what follows it. */
static bool cut_authority(struct span *rest, struct span *host, const char **why)
{
    static const struct span schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!span_eq_nocase(span_head(*rest, schemes[i].n), schemes[i])) continue;
        struct span s = span_skip(*rest, schemes[i].n);
        size_t n = 0;
        while (n < s.n && s.p[n] != '/' && s.p[n] != '?') n++;
        *host = span_head(s, n);
        *rest = span_skip(s, n);
        if (n == 0) return refuse(why, "the request target has no host");
        if (memchr(host->p, '@', n)) return refuse(why, "the request target has user info");
        return true;
    }
    return refuse(why, "the request target is neither a path nor an http URL");
}

bool url_split(struct span target, struct url_target *out, const char **why)
{
    /* Octets above 0x7f are let through: some libraries send names raw. */
    if (!span_is_plain(target, '!'))
        return refuse(why, "the request target has a control character");
    return url_cut(target, out, why);
}

bool url_cut(struct span target, struct url_target *out, const char **why)
{
    struct url_target t = { 0 };
    struct span rest = target;
    if (target.n == 0) return refuse(why, "the request target is empty");
    if (memchr(target.p, '#', target.n)) return refuse(why, "the request target has a fragment");
    if (target.p[0] != '/' && !span_eq(target, SPAN("*")) && !cut_authority(&rest, &t.host, why))
        return false;
    span_cut(&rest, '?', &t.path);
    t.query = rest;
    if (t.path.n == 0) t.path = SPAN("/"); /* RFC 9110 section 4.2.3 */
    *out = t;
    return true;
}

bool url_path_next(struct url_path *it, struct span *raw)
{
    struct span s = it->_rest;
    while (s.n && s.p[0] == '/') s = span_skip(s, 1);
    if (s.n == 0) {
        it->_rest = s;
        return false;
    }
    const char *slash = memchr(s.p, '/', s.n);
    size_t n = slash ? (size_t)(slash - s.p) : s.n;
    *raw = span_head(s, n);
    it->_rest = span_skip(s, n);
    return true;
}

bool url_path_skip_prefix(struct url_path *it, struct span prefix)
{
    struct url_path want = url_path(prefix), have = *it;
    struct span plain, raw;
    while (url_path_next(&want, &plain))
        if (!url_path_next(&have, &raw) || !url_eq(raw, URL_PLUS_LITERAL, plain)) return false;
    *it = have;
    return true;
}

size_t url_path_split(struct span path, struct span *segments, size_t max)
{
    struct url_path it = url_path(path);
    struct span raw;
    size_t n = 0;
    for (; url_path_next(&it, &raw); n++)
        if (n < max) segments[n] = raw;
    return n;
}

bool url_query_next(struct url_query *it, struct url_pair *out)
{
    struct span pair;
    while (span_cut(&it->_rest, '&', &pair)) {
        if (pair.n == 0) continue;
        out->value = pair;
        span_cut(&out->value, '=', &out->key);
        return true;
    }
    return false;
}

size_t url_query_find(struct span query, struct span key, struct span *value)
{
    struct url_query it = url_query(query);
    struct url_pair pair;
    struct span first = { 0 };
    size_t n = 0;
    while (url_query_next(&it, &pair)) {
        if (!url_eq(pair.key, URL_PLUS_LITERAL, key)) continue;
        if (n++ == 0) first = pair.value;
    }
    if (value) *value = first;
    return n;
}

/* One decoded octet of `raw` at `*at`, which moves on; -1 when it is malformed. */
static int next_octet(struct span raw, enum url_plus plus, size_t *at)
{
    char c = raw.p[(*at)++];
    if (c == '+' && plus == URL_PLUS_SPACE) return ' ';
    if (c != '%') return (uint8_t)c;
    if (raw.n - *at < 2) return -1;
    int high = hex_value(raw.p[*at]), low = hex_value(raw.p[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool url_eq(struct span raw, enum url_plus plus, struct span text)
{
    /* Each escape makes it shorter: what has the length of `text` is equal without any, or not. */
    if (raw.n < text.n) return false;
    if (raw.n == text.n && plus == URL_PLUS_LITERAL)
        return span_eq(raw, text) && !(raw.n && memchr(raw.p, '%', raw.n));
    size_t at = 0, n = 0;
    while (at < raw.n) {
        int c = next_octet(raw, plus, &at);
        if (c < 0 || n == text.n || (uint8_t)text.p[n] != c) return false;
        n++;
    }
    return n == text.n;
}

/* False when malformed; else `*n` is the length after decoding. */
static bool decoded_len(struct span raw, enum url_plus plus, size_t *n)
{
    *n = 0;
    for (size_t at = 0; at < raw.n; ++*n)
        if (next_octet(raw, plus, &at) < 0) return false;
    return true;
}

enum err url_decode(struct span raw, enum url_plus plus, struct buf *out)
{
    size_t n;
    if (!decoded_len(raw, plus, &n)) return ERR_SYNTAX;
    if (n == 0) return buf_failed(out) ? ERR_NOMEM : ERR_OK;
    char *to = buf_room(out, n);
    if (!to) return ERR_NOMEM;
    for (size_t at = 0; at < raw.n;) *to++ = (char)next_octet(raw, plus, &at);
    buf_grew(out, n);
    return ERR_OK;
}

enum err url_text(struct span raw, enum url_plus plus, struct buf *scratch, struct span *out)
{
    bool plain = raw.n == 0 || (!memchr(raw.p, '%', raw.n) &&
                                (plus == URL_PLUS_LITERAL || !memchr(raw.p, '+', raw.n)));
    if (plain) {
        *out = raw;
        return ERR_OK;
    }
    size_t begin = scratch->n;
    enum err err = url_decode(raw, plus, scratch);
    if (err) return err;
    *out = span_skip(buf_span(scratch), begin);
    return ERR_OK;
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void url_encode(struct span text, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_unreserved(c)) {
            buf_add_byte(out, c);
            continue;
        }
        char code[3] = { '%', digits[(uint8_t)c >> 4], digits[(uint8_t)c & 15] };
        buf_add(out, code, sizeof code);
    }
}
