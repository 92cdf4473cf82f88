/* SPDX-License-Identifier: MIT
 *
 * store/store_url.c: see store_url.h. Texts are decoded into one buffer whose room is taken at
 * once, so that nothing moves while fields point into it.
 */
#include "store/store_url.h"
#include "base/hash.h"
#include "base/mem.h"

#define FIELDS_MAX 16 /* texts in a URL, each with a NUL behind it */

static const char wanted[] =
    "none, sqlite:FILE, sqlite::memory:, postgres://USER:PASSWORD@HOST:PORT/DATABASE or "
    "mysql://USER:PASSWORD@HOST:PORT/DATABASE";

const char *store_kind_name(enum store_kind kind)
{
    switch (kind) {
    case STORE_NONE:
        return "none";
    case STORE_SQLITE:
        return "SQLite";
    case STORE_POSTGRES:
        return "PostgreSQL";
    case STORE_MYSQL:
        return "MySQL";
    }
    UNREACHABLE();
}

/* --- texts --- */

/* One octet from the front of `*raw`; -1: that is no encoding, or one of NUL. */
static int next_octet(struct span *raw)
{
    char c = raw->p[0];
    if (c != '%') {
        *raw = span_skip(*raw, 1);
        return (unsigned char)c;
    }
    if (raw->n < 3) return -1;
    int high = hex_value(raw->p[1]), low = hex_value(raw->p[2]);
    *raw = span_skip(*raw, 3);
    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

/* Keeps a text as a C string. */
static bool keep(struct store_url *url, struct span raw, bool encoded, const char **out)
{
    size_t at = url->_text.n;
    while (raw.n) {
        int c = encoded ? next_octet(&raw) : (unsigned char)raw.p[0];
        if (c <= 0) return false;
        if (!encoded) raw = span_skip(raw, 1);
        buf_add_byte(&url->_text, (char)c);
    }
    buf_add_byte(&url->_text, '\0');
    *out = url->_text.p + at;
    return true;
}

/* Cuts at the last `sep`: what is before it goes to `*head`. False: there is none. */
static bool cut_last(struct span *rest, char sep, struct span *head)
{
    const char *at = rest->n ? memrchr(rest->p, sep, rest->n) : NULL;
    if (!at) return false;
    *head = span_head(*rest, (size_t)(at - rest->p));
    *rest = span_skip(*rest, (size_t)(at - rest->p) + 1);
    return true;
}

/* --- the parts of a URL --- */

static bool read_user(struct store_url *url, struct span info)
{
    struct span user, password = { "", 0 };
    span_cut(&info, ':', &user);
    if (info.p) password = info;
    return keep(url, user, true, &url->user) && keep(url, password, true, &url->password);
}

static bool read_port(struct store_url *url, struct span text)
{
    uint64_t port;
    if (!text.n) return true;
    if (!span_to_u64(text, &port) || port < 1 || port > UINT16_MAX) return false;
    url->port = (uint16_t)port;
    return true;
}

/* HOST, HOST:PORT, [V6], [V6]:PORT */
static bool read_host(struct store_url *url, struct span text)
{
    struct span host, port = { "", 0 };
    if (text.n && text.p[0] == '[') {
        const char *end = memchr(text.p, ']', text.n);
        if (!end) return false;
        host = span_of(text.p + 1, (size_t)(end - text.p - 1));
        port = span_skip(text, host.n + 2);
        if (port.n && port.p[0] != ':') return false;
        port = span_skip(port, 1);
    } else {
        span_cut(&text, ':', &host);
        if (text.p) port = text;
    }
    return keep(url, host, true, &url->host) && read_port(url, port);
}

static bool read_tls(struct store_url *url, struct span value)
{
    static const struct {
        struct span name;
        enum store_tls tls;
    } modes[] = {
        { { "disable", 7 }, STORE_TLS_DISABLE },
        { { "prefer", 6 }, STORE_TLS_PREFER },
        { { "require", 7 }, STORE_TLS_REQUIRE },
        { { "verify-full", 11 }, STORE_TLS_VERIFY },
    };
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!span_eq(value, modes[i].name)) continue;
        url->tls = modes[i].tls;
        return true;
    }
    return false;
}

static bool read_param(struct store_url *url, struct span key, struct span value)
{
    if (span_eq(key, SPAN("sslmode"))) return read_tls(url, value);
    if (span_eq(key, SPAN("sslrootcert"))) return keep(url, value, true, &url->ca);
    if (span_eq(key, SPAN("socket"))) return keep(url, value, true, &url->socket);
    return false;
}

static enum err bad(struct diag *d, const char *why)
{
    return diag_set(d, ERR_SYNTAX, "%s (%s)", wanted, why);
}

static enum err read_params(struct store_url *url, struct span query, struct diag *d)
{
    struct span pair, key;
    while (query.p && span_cut(&query, '&', &pair)) {
        if (!pair.n) continue;
        span_cut(&pair, '=', &key);
        if (!pair.p || !read_param(url, key, pair))
            return bad(d, "behind ? there may be sslmode=disable, prefer, require or verify-full, "
                          "sslrootcert=FILE and socket=PATH");
    }
    return ERR_OK;
}

/* What follows "://". A password that holds / @ ? must have them encoded. */
static enum err read_server(struct store_url *url, struct span rest, struct diag *d)
{
    struct span query = rest, before = rest, authority = rest, info;
    span_cut(&query, '?', &before);
    rest = before;
    span_cut(&rest, '/', &authority);
    if (!rest.p || !rest.n || memchr(rest.p, '/', rest.n) || memchr(rest.p, '@', rest.n))
        return bad(d, "it names no database, or / @ ? in the password is not written as %2F %40 "
                      "%3F");
    if (cut_last(&authority, '@', &info) && !read_user(url, info))
        return bad(d, "the user or the password is not encoded as in a URL");
    if (!read_host(url, authority)) return bad(d, "its host or port is none");
    if (!keep(url, rest, true, &url->database)) return bad(d, "its database is no name");
    enum err err = read_params(url, query, d);
    if (err) return err;
    return *url->host || *url->socket ? ERR_OK : bad(d, "it has neither a host nor a socket");
}

static enum err read_sqlite(struct store_url *url, struct span path, struct diag *d)
{
    if (span_starts(path, SPAN("//"))) path = span_skip(path, 2); /* as other programs write it */
    return keep(url, path, false, &url->path) ? ERR_OK : bad(d, "the path holds a NUL");
}

static enum err read_all(struct store_url *url, struct span text, struct diag *d)
{
    static const struct {
        struct span scheme;
        enum store_kind kind;
    } schemes[] = {
        { { "sqlite:", 7 }, STORE_SQLITE },          { { "postgres://", 11 }, STORE_POSTGRES },
        { { "postgresql://", 13 }, STORE_POSTGRES }, { { "pgsql://", 8 }, STORE_POSTGRES },
        { { "mysql://", 8 }, STORE_MYSQL },          { { "mariadb://", 10 }, STORE_MYSQL },
    };
    if (span_eq(text, SPAN("none"))) return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!span_starts(text, schemes[i].scheme)) continue;
        struct span rest = span_skip(text, schemes[i].scheme.n);
        url->kind = schemes[i].kind;
        return url->kind == STORE_SQLITE ? read_sqlite(url, rest, d) : read_server(url, rest, d);
    }
    return diag_set(d, ERR_SYNTAX, "%s", wanted);
}

enum err store_url_parse(struct span text, struct store_url *out, struct diag *d)
{
    *out = (struct store_url) { .kind = STORE_NONE,
                                .path = "",
                                .host = "",
                                .user = "",
                                .password = "",
                                .database = "",
                                .socket = "",
                                .ca = "" };
    if (!buf_room(&out->_text, text.n + FIELDS_MAX))
        return diag_set(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    enum err err = read_all(out, text, d);
    if (err) store_url_fini(out);
    return err;
}

void store_url_fini(struct store_url *url)
{
    mem_free_secret(url->_text.p, url->_text.cap);
    *url = (struct store_url) { .kind = STORE_NONE };
}

/* Where the password would be if whoever wrote it encoded nothing: from the first colon behind the
 * scheme to the last @. */
void store_url_mask(struct span text, struct buf *out)
{
    const char *scheme = text.n ? memmem(text.p, text.n, "://", 3) : NULL;
    struct span rest = text, before;
    if (scheme) rest = span_skip(text, (size_t)(scheme - text.p) + 3);
    const char *colon = scheme && rest.n ? memchr(rest.p, ':', rest.n) : NULL;
    if (!colon || !cut_last(&rest, '@', &before) || colon >= before.p + before.n) {
        buf_add_span(out, text);
        return;
    }
    buf_add(out, text.p, (size_t)(colon + 1 - text.p));
    BUF_ADD_LIT(out, "***@");
    buf_add_span(out, rest);
}
