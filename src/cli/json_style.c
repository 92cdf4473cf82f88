/* SPDX-License-Identifier: MIT
 *
 * cli/json_style.c: one walk over the text; order and numbers stay, since what a library does to
 * them cannot be told.
 */
#include "cli/json_style.h"
#include "base/json_read.h"
#include "base/utf8.h"

enum slashes { SLASHES_KEPT, SLASHES_ESCAPED, SLASHES_PLAIN };
enum unicode { UNICODE_KEPT, UNICODE_ESCAPED, UNICODE_RAW };
enum spaces { SPACES_KEPT, SPACES_NONE, SPACES_AFTER };

struct style {
    enum slashes slashes;
    enum unicode unicode;
    enum spaces spaces;
};

static struct style style_of(unsigned style)
{
    return (struct style) { (enum slashes)(style % 3), (enum unicode)(style / 3 % 3),
                            (enum spaces)(style / 9 % 3) };
}

/* The octets of one character as \uXXXX, in lower case, as PHP and Python write it. */
static void add_escaped(struct span octets, struct buf *out)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = (unsigned char)octets.p[0] & first_bits[octets.n];
    for (size_t i = 1; i < octets.n; i++) code = code << 6 | ((unsigned char)octets.p[i] & 0x3f);
    if (code < 0x10000) {
        buf_add_fmt(out, "\\u%04x", code);
        return;
    }
    code -= 0x10000;
    buf_add_fmt(out, "\\u%04x\\u%04x", 0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

/* \uXXXX, or two of them that are one character: 6 or 12 octets. */
static size_t unicode_escape(struct span s)
{
    bool high = s.n >= 12 && strchr("dD", s.p[2]) && strchr("89abAB", s.p[3]);
    bool low = high && s.p[6] == '\\' && s.p[7] == 'u' && strchr("dD", s.p[8]) &&
               strchr("cdefCDEF", s.p[9]);
    return low ? 12 : 6;
}

static void add_raw(struct span escape, struct buf *out)
{
    char quoted[14] = "";
    struct json_val str = { span_of(quoted, escape.n + 2), JSON_STRING, true };
    bool ascii = escape.n == 6 && memcmp(escape.p + 2, "00", 2) == 0 && escape.p[4] < '8';
    bool half = escape.n == 6 && strchr("dD", escape.p[2]) && strchr("89abcdefABCDEF", escape.p[3]);
    if (ascii || half) { /* control characters and quotes must stay escaped */
        buf_add_span(out, escape);
        return;
    }
    quoted[0] = quoted[escape.n + 1] = '"';
    memcpy(quoted + 1, escape.p, escape.n);
    json_unescape(str, out);
}

/* `s` begins with a backslash; returns how long the escape is. */
static size_t add_escape(struct style style, struct span s, struct buf *out)
{
    bool unicode = s.p[1] == 'u' && s.n >= 6;
    size_t n = unicode ? unicode_escape(s) : 2;
    if (s.p[1] == '/' && style.slashes == SLASHES_PLAIN)
        buf_add_byte(out, '/');
    else if (unicode && style.unicode == UNICODE_RAW)
        add_raw(span_head(s, n), out);
    else
        buf_add(out, s.p, n);
    return n;
}

/* Appends what stands at the beginning of `s`, inside of a string; returns how much that was. */
static size_t add_in_string(struct style style, struct span s, struct buf *out)
{
    if (s.p[0] == '\\' && s.n > 1) return add_escape(style, s, out);
    size_t n = utf8_char(s.p, s.n);
    if (s.p[0] == '/' && style.slashes == SLASHES_ESCAPED)
        BUF_ADD_LIT(out, "\\/");
    else if (n > 1 && style.unicode == UNICODE_ESCAPED)
        add_escaped(span_head(s, n), out);
    else
        buf_add(out, s.p, n ? n : 1);
    return n ? n : 1;
}

static void add_between(struct style style, char c, struct buf *out)
{
    bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (space && style.spaces != SPACES_KEPT) return;
    buf_add_byte(out, c);
    if ((c == ':' || c == ',') && style.spaces == SPACES_AFTER) buf_add_byte(out, ' ');
}

void json_style(struct span json, unsigned style, struct buf *out)
{
    struct style how = style_of(style);
    bool in_string = false;
    while (json.n) {
        char c = json.p[0];
        size_t n = 1;
        if (c == '"') {
            in_string = !in_string;
            buf_add_byte(out, c);
        } else if (in_string) {
            n = add_in_string(how, json, out);
        } else {
            add_between(how, c, out);
        }
        json = span_skip(json, n);
    }
}

static void add_name(struct buf *out, size_t start, const char *name)
{
    if (!*name) return;
    buf_add_fmt(out, "%s%s", out->n > start ? ", " : "", name);
}

void json_style_name(unsigned style, struct buf *out)
{
    static const char *const slashes[] = { "", "slashes escaped (\\/)", "slashes not escaped" };
    static const char *const unicode[] = { "", "other than ASCII as \\uXXXX",
                                           "other than ASCII not escaped" };
    static const char *const spaces[] = { "", "no spaces between tokens",
                                          "a space behind each : and ," };
    struct style how = style_of(style);
    size_t start = out->n;
    add_name(out, start, slashes[how.slashes]);
    add_name(out, start, unicode[how.unicode]);
    add_name(out, start, spaces[how.spaces]);
}
