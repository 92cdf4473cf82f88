/* SPDX-License-Identifier: MIT
 *
 * server/config_dotenv.c: one function per state of phpdotenv's EntryParser (vlucas/phpdotenv 5,
 * src/Parser): initial, unquoted, single quotes, double quotes, and the end of the line.
 */
#include "server/config_dotenv.h"

static char peek(const struct dotenv *d) /* NUL at the end */
{
    return d->rest.n ? *d->rest.p : '\0';
}

static char take(struct dotenv *d)
{
    char c = peek(d);
    d->rest = span_skip(d->rest, 1);
    if (c == '\n') d->_lines++;
    return c;
}

static bool at_line_end(const struct dotenv *d)
{
    return d->rest.n == 0 || *d->rest.p == '\n' || *d->rest.p == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static void skip_blanks(struct dotenv *d)
{
    while (is_blank(peek(d))) take(d);
}

static void skip_line(struct dotenv *d)
{
    while (!at_line_end(d)) take(d);
}

static bool wrong(struct dotenv *d, const char *why)
{
    d->why = why;
    return false;
}

/* Letters beyond ASCII may stand in names, too. */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (unsigned char)c >= 0x80;
}

static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_name_char(s.p[i])) return false;
    return s.n > 0;
}

/* `text` stood before the `=`. */
static bool read_name(struct dotenv *d, struct span text, struct span *name)
{
    struct span s = span_trim(text);
    if (span_starts(s, SPAN("export")) && s.n > 6 && is_blank(s.p[6]))
        s = span_trim(span_skip(s, 6));
    if (s.n > 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        s = span_of(s.p + 1, s.n - 2);
    if (!is_name(s)) return wrong(d, "this is not NAME=value");
    *name = s;
    return true;
}

/* A `$` was seen: resolves ${NAME}, or copies the dollar. */
static void add_variable(struct dotenv *d, struct buf *value)
{
    size_t n = 0;
    struct span name = span_skip(d->rest, 2);
    while (n < name.n && is_name_char(name.p[n]) && (unsigned char)name.p[n] < 0x80) n++;
    bool whole = d->rest.n > 1 && d->rest.p[1] == '{' && n && n < name.n && name.p[n] == '}';
    struct span known = span_of(NULL, 0);
    if (whole && d->lookup) known = d->lookup(d->ctx, span_head(name, n));
    if (!known.p) {
        buf_add_byte(value, take(d));
        return;
    }
    buf_add_span(value, known);
    d->rest = span_skip(d->rest, n + 3);
}

static bool read_unquoted(struct dotenv *d, struct buf *value)
{
    while (!at_line_end(d) && !is_blank(peek(d)) && peek(d) != '#') {
        if (peek(d) == '$')
            add_variable(d, value);
        else
            buf_add_byte(value, take(d));
        if (value->n > DOTENV_VALUE_MAX) return wrong(d, "the value is longer than 64 KiB");
    }
    return true;
}

static bool read_single_quoted(struct dotenv *d, struct buf *value)
{
    take(d);
    while (!at_line_end(d) && peek(d) != '\'') buf_add_byte(value, take(d));
    if (at_line_end(d)) return wrong(d, "the closing ' is missing");
    take(d);
    return true;
}

static bool add_escape(struct dotenv *d, struct buf *value)
{
    static const char from[] = "\"\\$fnrtv", to[] = "\"\\$\f\n\r\t\v";
    take(d); /* the backslash */
    const char *at = peek(d) ? strchr(from, peek(d)) : NULL;
    if (!at)
        return wrong(d, "an unknown escape sequence; known are \\\" \\\\ \\$ \\f \\n \\r \\t "
                        "\\v");
    take(d);
    buf_add_byte(value, to[at - from]);
    return true;
}

static bool read_double_quoted(struct dotenv *d, struct buf *value)
{
    take(d);
    while (d->rest.n && peek(d) != '"') {
        if (peek(d) == '$')
            add_variable(d, value);
        else if (peek(d) != '\\')
            buf_add_byte(value, take(d));
        else if (!add_escape(d, value))
            return false;
        if (value->n > DOTENV_VALUE_MAX) return wrong(d, "the value is longer than 64 KiB");
    }
    if (!d->rest.n) return wrong(d, "the closing \" is missing");
    take(d);
    return true;
}

static bool read_end(struct dotenv *d)
{
    skip_blanks(d);
    if (peek(d) == '#') skip_line(d);
    if (at_line_end(d)) return true;
    return wrong(d, "something stands behind the value; put a value with spaces into quotes");
}

static bool read_value(struct dotenv *d, struct buf *value)
{
    skip_blanks(d);
    bool ok = peek(d) == '\''  ? read_single_quoted(d, value)
              : peek(d) == '"' ? read_double_quoted(d, value)
                               : read_unquoted(d, value);
    return ok && read_end(d);
}

/* To the next line that says something. */
static void skip_nothing(struct dotenv *d)
{
    if (d->_lines == 0 && span_starts(d->rest, SPAN("\xef\xbb\xbf")))
        d->rest = span_skip(d->rest, 3);
    for (;;) {
        while (peek(d) == '\n' || peek(d) == '\r' || is_blank(peek(d))) take(d);
        if (peek(d) != '#') return;
        skip_line(d);
    }
}

enum dotenv_step dotenv_next(struct dotenv *d, struct span *name, struct buf *value)
{
    buf_clear(value);
    for (;;) {
        skip_nothing(d);
        d->line = d->_lines + 1;
        if (!d->rest.n) return DOTENV_END;
        const char *start = d->rest.p;
        while (!at_line_end(d) && peek(d) != '=') take(d);
        if (!read_name(d, span_of(start, (size_t)(d->rest.p - start)), name)) return DOTENV_WRONG;
        if (peek(d) != '=') continue; /* a name alone */
        take(d);
        return read_value(d, value) ? DOTENV_VARIABLE : DOTENV_WRONG;
    }
}
