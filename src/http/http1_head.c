/* SPDX-License-Identifier: MIT
 *
 * http/http1_head.c: the grammar of single lines of an HTTP/1.x head.
 *
 * Each check is on a complete line, so no answer depends on how the bytes arrived. Where RFC 9112
 * lets a recipient be lenient (bare LF, folding, white space before a colon) we are not: a proxy in
 * front of us may have read the line in the other way.
 */
#include "http/http1_head.h"
#include "base/field.h"

/* RFC 3986 section 3.2, host and port, but for the comma: that is what a proxy puts between two
 * Host headers when it joins them. */
static const bool host_chars[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['!'] = true,         ['$'] = true, ['&'] = true,
    ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true, ['+'] = true,
    [';'] = true,         ['='] = true,         ['%'] = true,         ['['] = true, [']'] = true,
    [':'] = true,
};

bool http1_is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!host_chars[(uint8_t)s.p[i]]) return false;
    return true;
}

bool http1_is_value(struct span s)
{
    struct span part;
    if (span_is_plain(s, ' ')) return true; /* mostly: there is no tab */
    while (span_cut(&s, '\t', &part))
        if (!span_is_plain(part, ' ')) return false;
    return true;
}

/* Not in RFC 3986, but sent raw by some libraries, are octets above 0x7f: they cannot be mistaken
 * for structure, so they pass. */
static bool is_target(struct span s)
{
    return s.n > 0 && span_is_plain(s, '!');
}

bool http1_refuse(struct http1_fail *fail, enum http1_fail_kind kind, unsigned status,
                  const char *what)
{
    *fail = (struct http1_fail) { .what = what, .status = (uint16_t)status, .kind = (uint8_t)kind };
    return false;
}

static bool bad(struct http1_fail *fail, const char *what)
{
    return http1_refuse(fail, HTTP1_FAIL_SYNTAX, 400, what);
}

void http1_fail_text(const struct http1_fail *fail, struct buf *out)
{
    buf_add_span(out, span_str(fail->what));
    if (fail->kind != HTTP1_FAIL_LIMIT) return;
    BUF_ADD_LIT(out, ": ");
    if (fail->measured) {
        buf_add_u64(out, fail->measured);
        BUF_ADD_LIT(out, ", the limit is ");
    } else {
        BUF_ADD_LIT(out, "more than the limit of ");
    }
    buf_add_u64(out, fail->limit);
    BUF_ADD_LIT(out, " (");
    buf_add_span(out, span_str(fail->option));
    buf_add_byte(out, ')');
}

bool http1_line_end(struct span raw, struct span *line, struct http1_fail *fail)
{
    CHECK(raw.n > 0 && raw.p[raw.n - 1] == '\n');
    if (raw.n < 2 || raw.p[raw.n - 2] != '\r') return bad(fail, "a line ends with a bare LF");
    struct span s = span_head(raw, raw.n - 2);
    if (s.n && memchr(s.p, '\r', s.n)) return bad(fail, "a bare CR in a line");
    *line = s;
    return true;
}

static uint8_t method_code(struct span name)
{
    static const char *const names[] = {
        [HTTP1_GET] = "GET", [HTTP1_HEAD] = "HEAD",     [HTTP1_POST] = "POST",
        [HTTP1_PUT] = "PUT", [HTTP1_DELETE] = "DELETE", [HTTP1_OPTIONS] = "OPTIONS",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_eq(name, span_str(names[i]))) return (uint8_t)i;
    return HTTP1_OTHER;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool parse_version(struct span s, uint8_t *minor, struct http1_fail *fail)
{
    bool form = s.n == 8 && span_starts(s, SPAN("HTTP/")) && is_digit(s.p[5]) && s.p[6] == '.' &&
                is_digit(s.p[7]);
    if (!form) return bad(fail, "the request line does not end with an HTTP version");
    if (s.p[5] != '1' || s.p[7] > '1')
        return http1_refuse(fail, HTTP1_FAIL_UNSUPPORTED, 505,
                            "this HTTP version is not supported, only 1.1 and 1.0 are");
    *minor = (uint8_t)(s.p[7] - '0');
    return true;
}

bool http1_parse_line(struct span line, struct http1_line *out, struct http1_fail *fail)
{
    if (span_eq(line, SPAN("PRI * HTTP/2.0")))
        return http1_refuse(fail, HTTP1_FAIL_HTTP2, 505,
                            "this is HTTP/2 without negotiation; this port speaks HTTP/1.1");
    struct http1_line l = { 0 };
    struct span rest = line;
    span_cut(&rest, ' ', &l.method);
    if (!field_is_token(l.method)) return bad(fail, "the request method is not a token");
    if (!rest.p) return bad(fail, "the request line has no target");
    span_cut(&rest, ' ', &l.target);
    if (!is_target(l.target))
        return bad(fail, "the request target is empty or has a bad character");
    if (!rest.p) return bad(fail, "the request line has no HTTP version");
    if (!parse_version(rest, &l.minor, fail)) return false;
    l.code = method_code(l.method);
    *out = l;
    return true;
}

static bool refuse_name(struct span line, struct http1_fail *fail)
{
    struct span name, value = line;
    span_cut(&value, ':', &name);
    if (!value.p) return bad(fail, "a header line without a colon");
    bool space = name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t');
    return bad(fail,
               space ? "white space before the colon of a header" : "a header name is not a token");
}

bool http1_parse_field(struct span line, struct http1_field *out, struct http1_fail *fail)
{
    CHECK(line.n > 0);
    if (line.p[0] == ' ' || line.p[0] == '\t') return bad(fail, "a folded header line");
    struct span name = span_head(line, field_token_len(line)), value = span_skip(line, name.n + 1);
    if (name.n == 0 || name.n == line.n || line.p[name.n] != ':') return refuse_name(line, fail);
    if (!http1_is_value(value)) return bad(fail, "a control character in a header value");
    *out = (struct http1_field) { name, span_trim(value) };
    return true;
}
