/* SPDX-License-Identifier: MIT
 *
 * base/json_write.c: JSON by appending, without a writer state.
 *
 * Whether a comma is due can be read off the last octet: it is, exactly when that octet ends a
 * value (quote, bracket, digit, or the e and l of true, false, null). Anything else (an opening
 * bracket, a colon, a comma, the line feed of a header before the text) wants none.
 */
#include "base/json_write.h"
#include "base/swar.h"

static bool ends_value(char c)
{
    return c == '"' || c == '}' || c == ']' || (c >= '0' && c <= '9') || c == 'e' || c == 'l';
}

static void add_comma(struct buf *b)
{
    if (b->n && ends_value(b->p[b->n - 1])) buf_add_byte(b, ',');
}

void json_open(struct buf *b, char bracket)
{
    add_comma(b);
    buf_add_byte(b, bracket);
}

void json_close(struct buf *b, char bracket)
{
    buf_add_byte(b, bracket);
}

void json_key(struct buf *b, struct span key)
{
    json_string(b, key);
    buf_add_byte(b, ':');
}

void json_string(struct buf *b, struct span utf8)
{
    add_comma(b);
    buf_add_byte(b, '"');
    json_escape(b, utf8);
    buf_add_byte(b, '"');
}

void json_u64(struct buf *b, uint64_t v)
{
    add_comma(b);
    buf_add_u64(b, v);
}

void json_i64(struct buf *b, int64_t v)
{
    add_comma(b);
    if (v < 0) buf_add_byte(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_bool(struct buf *b, bool v)
{
    json_raw(b, v ? SPAN("true") : SPAN("false"));
}

void json_null(struct buf *b)
{
    json_raw(b, SPAN("null"));
}

void json_raw(struct buf *b, struct span value)
{
    add_comma(b);
    buf_add_span(b, value);
}

/* Behind the octets from `p` on that need no escape. */
static const char *skip_plain(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t w = swar_load(p);
        if (swar_below(w, 0x20) | swar_has(w, '"') | swar_has(w, '\\')) break;
    }
    while (p < end && (uint8_t)*p >= 0x20 && *p != '"' && *p != '\\') p++;
    return p;
}

static void escape_one(struct buf *b, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    uint8_t u = (uint8_t)c;
    char letter = u < sizeof letters ? letters[u] : c;
    if (letter) {
        buf_add(b, (char[]) { '\\', letter }, 2);
        return;
    }
    buf_add(b, (char[]) { '\\', 'u', '0', '0', hex[u >> 4], hex[u & 15] }, 6);
}

void json_escape(struct buf *b, struct span utf8)
{
    if (utf8.n == 0) return;
    const char *p = utf8.p, *end = p + utf8.n;
    for (;;) {
        const char *to = skip_plain(p, end);
        buf_add(b, p, (size_t)(to - p));
        if (to == end) return;
        escape_one(b, *to);
        p = to + 1;
    }
}
