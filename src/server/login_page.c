/* SPDX-License-Identifier: MIT
 *
 * server/login_page.c: see login_page.h.
 *
 * The page is a file of the dashboard (dashboard/login.html), without a script; places in it are
 * filled in. Its Referrer-Policy is not no-referrer, with which browsers send `Origin: null` with a
 * form.
 */
#include "server/login_page.h"
#include "http/cookie.h"
#include "server/config.h"
#include "server/dashboard.h"

#define POLICY                                                                                     \
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "  \
    "frame-ancestors 'none'"
#define IN_THE_CLEAR                                                                               \
    "This connection is not encrypted: whoever is between you and the server can read the "        \
    "password. Use https, or a tunnel (ssh -L)."

/* --- the page --- */

static void add_html(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
            buf_add_fmt(out, "&#%d;", c);
        else
            buf_add_byte(out, c);
    }
}

static void add_note(struct buf *out, const char *class, const char *role, struct span text)
{
    if (!text.n) return;
    buf_add_fmt(out, "<p class=\"%s\" role=\"%s\">", class, role);
    add_html(out, text);
    BUF_ADD_LIT(out, "</p>");
}

static void fill_in(const struct login_page *page, struct span place, struct buf *out)
{
    if (span_eq(place, SPAN("token"))) add_html(out, page->token);
    if (!span_eq(place, SPAN("notes"))) return;
    add_note(out, "problem", "alert", span_str(page->notice));
    if (page->in_the_clear) add_note(out, "warning", "note", SPAN(IN_THE_CLEAR));
}

/* Places are `{{name}}`. */
static void fill(const struct login_page *page, struct span text, struct buf *out)
{
    for (;;) {
        const char *from = memmem(text.p, text.n, "{{", 2);
        const char *to = from ? memmem(from, (size_t)(text.p + text.n - from), "}}", 2) : NULL;
        if (!to) break;
        buf_add(out, text.p, (size_t)(from - text.p));
        fill_in(page, span_of(from + 2, (size_t)(to - from - 2)), out);
        text = span_skip(text, (size_t)(to + 2 - text.p));
    }
    buf_add_span(out, text);
}

static enum err send(const struct login_page *page, struct http1_reply to, struct span html,
                     struct buf *out)
{
    struct buf retry = { 0 };
    buf_add_u64(&retry, page->retry_s);
    struct http1_field fields[] = {
        { SPAN("Cache-Control"), SPAN("no-store") },
        { SPAN("Content-Security-Policy"), SPAN(POLICY) },
        { SPAN("X-Content-Type-Options"), SPAN("nosniff") },
        { SPAN("Referrer-Policy"), SPAN("same-origin") },
        { SPAN("Cross-Origin-Resource-Policy"), SPAN("same-origin") },
        { SPAN("Set-Cookie"), page->cookie },
        { SPAN("Retry-After"), buf_span(&retry) }, /* the last one, and only where it is */
    };
    const struct http1_res res = {
        .status = (uint16_t)page->status,
        .type = SPAN("text/html; charset=utf-8"),
        .fields = fields,
        .n_fields = ARRAY_LEN(fields) - (page->retry_s == 0),
        .body = html,
    };
    enum err err = buf_failed(&retry) ? ERR_NOMEM : http1_res_write(out, to, &res);
    buf_fini(&retry);
    return err;
}

enum err login_page_write(const struct login_page *page, struct http1_reply to, struct buf *out)
{
    struct span file = dashboard_file_text(SPAN("login.html"));
    struct buf html = { 0 };
    if (!file.p) return dashboard_absent(to, out);
    fill(page, file, &html);
    enum err err = buf_failed(&html) ? ERR_NOMEM : send(page, to, buf_span(&html), out);
    buf_fini(&html);
    return err;
}

/* --- cookies --- */

#define SECURE "__Secure-" /* RFC 6265bis section 4.1.3.1; __Host- would need the path / */

void login_cookie_write(const struct config *cfg, const struct login_cookie *cookie,
                        struct buf *out)
{
    buf_add_fmt(out, "%s%s=%.*s; Path=%.*s%.*s; Max-Age=%llu; HttpOnly; SameSite=Strict%s",
                cookie->secure ? SECURE : "", cookie->name, SPAN_FMT(cookie->value),
                SPAN_FMT(cfg->path_prefix), SPAN_FMT(cfg->dashboard.path),
                (unsigned long long)cookie->max_age_s, cookie->secure ? "; Secure" : "");
}

static struct span find(const struct http1_req *req, struct span name)
{
    struct http1_field f;
    struct span value = { NULL, 0 };
    for (size_t at = 0; !value.p && http1_header_next(req, &at, &f);)
        if (span_eq_nocase(f.name, SPAN("Cookie"))) value = cookie_find(f.value, name);
    return value;
}

struct span login_cookie_find(const struct http1_req *req, const char *name)
{
    char secure[32];
    int n = snprintf(secure, sizeof secure, SECURE "%s", name);
    CHECK(n > 0 && (size_t)n < sizeof secure);
    struct span value = find(req, span_str(secure));
    return value.p ? value : find(req, span_str(name));
}
