/* SPDX-License-Identifier: MIT
 *
 * cli/sign_guess_request.c: strings that are tried for requests to the HTTP API: the method, the
 * path, body_md5 and the reading of the query may each differ, so all combinations are tried. What
 * Peal takes besides the usual string is in api/api_verify.c.
 */
#include "base/json_read.h"
#include "cli/json_style.h"
#include "cli/sign_guess.h"
#include "http/url.h"

#define MAX_METHODS 4
#define MAX_PATHS 6
#define MAX_BODIES (JSON_STYLES + 6)

/* One part, as it may have been signed. */
struct choice {
    struct span text; /* p == NULL: left out */
    const char *name; /* what differs; NULL: it is as it should be */
    bool tolerated;
};

struct choices {
    struct choice methods[MAX_METHODS], paths[MAX_PATHS], bodies[MAX_BODIES];
    size_t n_methods, n_paths, n_bodies;
    char md5[MAX_BODIES][MD5_HEX_LEN];
    unsigned styles[MAX_BODIES]; /* 0: none */
    struct buf lower, prefixed, decoded, slashed;
    bool failed; /* no memory for others */
};

static void fini(struct choices *c, struct guess *g)
{
    g->_failed |= buf_failed(&c->lower) || buf_failed(&c->prefixed) || buf_failed(&c->decoded) ||
                  buf_failed(&c->slashed) || c->failed;
    buf_fini(&c->lower);
    buf_fini(&c->prefixed);
    buf_fini(&c->decoded);
    buf_fini(&c->slashed);
}

static void collect_methods(struct choices *c, const struct signing *s)
{
    static const struct span others[] = { { "GET", 3 }, { "POST", 4 } };
    c->methods[c->n_methods++] = (struct choice) { s->method, NULL, true };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (!span_eq(others[i], s->method))
            c->methods[c->n_methods++] = (struct choice) { others[i], "another method", false };
    for (size_t i = 0; i < s->method.n; i++) buf_add_byte(&c->lower, (char)(s->method.p[i] | 0x20));
    c->methods[c->n_methods++] =
        (struct choice) { buf_span(&c->lower), "the method in lower case", false };
}

static void add_path(struct choices *c, struct span text, const char *name, bool tolerated)
{
    for (size_t i = 0; i < c->n_paths; i++)
        if (span_eq(c->paths[i].text, text)) return;
    c->paths[c->n_paths++] = (struct choice) { text, name, tolerated };
}

static void collect_paths(struct choices *c, const struct guess *g, const struct signing *s)
{
    add_path(c, s->path, NULL, true);
    if (g->prefix.n) {
        buf_add_fmt(&c->prefixed, "%.*s%.*s", SPAN_FMT(g->prefix), SPAN_FMT(s->path));
        add_path(c, buf_span(&c->prefixed), "the path with the prefix in front", true);
    }
    if (!url_decode(s->path, URL_PLUS_LITERAL, &c->decoded))
        add_path(c, buf_span(&c->decoded), "the path after percent-decoding", true);
    buf_add_fmt(&c->slashed, "%.*s/", SPAN_FMT(s->path));
    add_path(c, buf_span(&c->slashed), "the path with a slash at its end", false);
    if (s->path.n > 1 && s->path.p[s->path.n - 1] == '/')
        add_path(c, span_head(s->path, s->path.n - 1), "the path without the slash at its end",
                 false);
}

static void add_body(struct choices *c, struct span body, const char *name)
{
    size_t i = c->n_bodies++;
    md5_hex(body, c->md5[i]);
    c->bodies[i] = (struct choice) { span_of(c->md5[i], MD5_HEX_LEN), name, false };
}

static void collect_bodies(struct choices *c, const struct signing *s)
{
    struct span raw, trimmed = s->body;
    struct buf text = { 0 };
    bool given = url_query_find(s->query, SPAN("body_md5"), &raw) > 0;
    if (given) c->bodies[c->n_bodies++] = (struct choice) { raw, NULL, true };
    c->bodies[c->n_bodies++] =
        (struct choice) { { NULL, 0 }, given ? "without body_md5" : NULL, !given };
    add_body(c, s->body, "body_md5 of the body that is given here");
    add_body(c, span_of("", 0), "body_md5 of an empty body");
    buf_add_fmt(&text, "%.*s\n", SPAN_FMT(s->body));
    add_body(c, buf_span(&text), "body_md5 of the body with a line feed behind it");
    c->failed |= buf_failed(&text);
    while (trimmed.n && strchr(" \t\r\n", trimmed.p[trimmed.n - 1])) trimmed.n--;
    add_body(c, trimmed, "body_md5 of the body without the white space at its end");
    bool json = s->body.n && json_check(s->body, 512, NULL, NULL);
    for (unsigned style = 1; json && style < JSON_STYLES; style++) {
        buf_clear(&text);
        json_style(s->body, style, &text);
        c->failed |= buf_failed(&text);
        c->styles[c->n_bodies] = style;
        add_body(c, buf_span(&text), "body_md5 of the body written again as JSON");
    }
    buf_fini(&text);
}

/* --- one combination --- */

struct combination {
    const struct choice *method, *path, *body;
    struct signing_reading reading;
    unsigned style;
};

static void add_name(struct buf *out, const char *name)
{
    if (name) buf_add_fmt(out, "%s%s", out->n ? ", " : "", name);
}

static void write_name(const struct combination *c, struct buf *out)
{
    static const char *const readings[] = { NULL, "+ in the query read as a space",
                                            "the values of the query as they are encoded" };
    add_name(out, c->method->name);
    add_name(out, c->path->name);
    add_name(out, c->body->name);
    if (c->style) {
        BUF_ADD_LIT(out, " (");
        json_style_name(c->style, out);
        BUF_ADD_LIT(out, ")");
    }
    add_name(out, readings[c->reading.how]);
    if (c->reading.keep_case) add_name(out, "capitals in the names of parameters");
}

static bool try_combination(struct guess *g, const struct signing *s, const struct combination *c)
{
    struct signing other = *s;
    struct buf string = { 0 }, name = { 0 };
    other.method = c->method->text;
    other.path = c->path->text;
    enum err err = signing_request_string(&other, &c->reading, &string);
    write_name(c, &name);
    if (err == ERR_NOMEM || buf_failed(&name)) g->_failed = true;
    bool found = !err && guess_try(g, buf_span(&string), buf_span(&name));
    if (found) g->tolerated = c->method->tolerated && c->path->tolerated && c->body->tolerated;
    buf_fini(&string);
    buf_fini(&name);
    return found;
}

static bool try_readings(struct guess *g, const struct signing *s, struct combination *c)
{
    bool plus = s->query.n && memchr(s->query.p, '+', s->query.n);
    bool percent = s->query.n && memchr(s->query.p, '%', s->query.n);
    for (unsigned i = 0; i < 6; i++) {
        c->reading.how = i / 2;
        c->reading.keep_case = i % 2;
        if (c->reading.how == SIGNING_FORM && !plus) continue;
        if (c->reading.how == SIGNING_RAW && !percent) continue;
        if (try_combination(g, s, c)) return true;
    }
    return false;
}

static bool try_all(struct guess *g, const struct signing *s, const struct choices *c)
{
    for (size_t i = 0; i < c->n_methods * c->n_paths * c->n_bodies; i++) {
        size_t body = i % c->n_bodies, rest = i / c->n_bodies;
        struct combination one = {
            .method = &c->methods[rest / c->n_paths],
            .path = &c->paths[rest % c->n_paths],
            .body = &c->bodies[body],
            .style = c->styles[body],
        };
        one.reading.body_md5 = &one.body->text;
        if (try_readings(g, s, &one)) return true;
    }
    return false;
}

/* --- what is wrong with the string as a whole --- */

/* The parameters in the order in which they were sent. */
static bool try_unsorted(struct guess *g, const struct signing *s)
{
    struct buf string = { 0 };
    buf_add_fmt(&string, "%.*s\n%.*s\n", SPAN_FMT(s->method), SPAN_FMT(s->path));
    buf_add_span(&string, s->query);
    bool found =
        guess_try(g, buf_span(&string), SPAN("the query as it was sent, not sorted and decoded"));
    g->_failed |= buf_failed(&string);
    buf_fini(&string);
    return found;
}

/* "\n" in single quotes is two characters in PHP. */
static bool try_line_feeds(struct guess *g, const struct signing *s)
{
    static const struct {
        const char *instead, *name;
    } ways[] = {
        { "\\n", "a backslash and an n instead of line feeds (use double quotes in PHP)" },
        { "\r\n", "carriage returns before the line feeds" },
        { " ", "spaces instead of line feeds" },
        { "", "nothing instead of line feeds" },
    };
    struct buf right = { 0 }, string = { 0 };
    bool found = false;
    g->_failed |= signing_string(s, &right) != ERR_OK; /* it was made before */
    for (size_t w = 0; !found && w < ARRAY_LEN(ways); w++) {
        buf_clear(&string);
        for (size_t i = 0; i < right.n; i++) {
            if (right.p[i] == '\n')
                buf_add_span(&string, span_str(ways[w].instead));
            else
                buf_add_byte(&string, right.p[i]);
        }
        found = guess_try(g, buf_span(&string), span_str(ways[w].name));
        g->_failed |= buf_failed(&string);
    }
    buf_add_byte(&right, '\n');
    if (!found)
        found = guess_try(g, buf_span(&right), SPAN("the string with a line feed behind it"));
    g->_failed |= buf_failed(&right);
    buf_fini(&right);
    buf_fini(&string);
    return found;
}

bool guess_request(struct guess *g, const struct signing *s)
{
    struct choices c = { .n_methods = 0 };
    collect_methods(&c, s);
    collect_paths(&c, g, s);
    collect_bodies(&c, s);
    bool found = try_unsorted(g, s) || try_line_feeds(g, s) || try_all(g, s, &c);
    fini(&c, g);
    return found;
}
