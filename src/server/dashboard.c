/* SPDX-License-Identifier: MIT
 *
 * server/dashboard.c: see dashboard.h.
 *
 * The policy lets the page load its own files and talk to the server that it came from, and nothing
 * else: no other host, no inline script or style, no frame around it.
 */
#include "server/dashboard.h"
#include "base/field.h"
#include "server/config.h"
#include "server/dashboard_files.h"

#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "        \
    "'self'; "                                                                                     \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

bool dashboard_is_built(void)
{
    return dashboard_n_files > 0;
}

bool dashboard_path(const struct config *cfg, struct span path, struct span *below)
{
    struct span at = cfg->dashboard.path;
    if (!at.n || !span_starts(path, at)) return false;
    struct span rest = span_skip(path, at.n);
    if (rest.n && rest.p[0] != '/') return false;
    *below = rest.n ? span_skip(rest, 1) : (struct span) { NULL, 0 };
    return true;
}

static const struct dashboard_file *find(struct span name)
{
    if (name.n == 0) name = SPAN("index.html");
    for (size_t i = 0; i < dashboard_n_files; i++)
        if (span_eq(dashboard_files[i].name, name)) return &dashboard_files[i];
    return NULL;
}

struct span dashboard_file_text(struct span name)
{
    const struct dashboard_file *file = find(name);
    return file ? file->raw : (struct span) { NULL, 0 };
}

enum err dashboard_absent(struct http1_reply to, struct buf *out)
{
    return http1_res_error(out, to, 404,
                           SPAN("This peal was built without its dashboard: building it needs "
                                "Node.js 18 or later and npm (./dev build)."));
}

/* Whether a comma-separated header names the item, parameters aside; `gzip;q=0` says no. */
static bool lists(struct span header, struct span item)
{
    struct span name, params;
    while (field_list_next(&header, &name, &params))
        if (span_eq_nocase(name, item))
            return !params.p || !span_eq(span_trim(params), SPAN("q=0"));
    return false;
}

static enum err redirect(const struct config *cfg, struct http1_reply to, struct buf *out)
{
    struct buf where = { 0 };
    buf_add_fmt(&where, "%.*s/", SPAN_FMT(cfg->dashboard.path));
    const struct http1_field fields[] = { { SPAN("Location"), buf_span(&where) } };
    const struct http1_res res = { .status = 302, .fields = fields, .n_fields = 1 };
    enum err err = buf_failed(&where) ? ERR_NOMEM : http1_res_write(out, to, &res);
    buf_fini(&where);
    return err;
}

static enum err send(const struct dashboard_file *file, const struct http1_req *req,
                     struct http1_reply to, struct buf *out)
{
    const struct http1_field fields[] = {
        { SPAN("ETag"), file->etag },
        { SPAN("Cache-Control"), SPAN("no-cache") },
        { SPAN("Vary"), SPAN("Accept-Encoding") },
        { SPAN("Content-Security-Policy"), SPAN(POLICY) },
        { SPAN("X-Content-Type-Options"), SPAN("nosniff") },
        { SPAN("Referrer-Policy"), SPAN("no-referrer") },
        { SPAN("Cross-Origin-Resource-Policy"), SPAN("same-origin") },
        { SPAN("Content-Encoding"), SPAN("gzip") }, /* the last one, and only where it is */
    };
    bool known = lists(http1_header(req, SPAN("If-None-Match")), file->etag);
    bool gzip = !known && lists(http1_header(req, SPAN("Accept-Encoding")), SPAN("gzip"));
    const struct http1_res res = {
        .status = known ? 304 : 200,
        .type = known ? SPAN("") : file->type,
        .fields = fields,
        .n_fields = ARRAY_LEN(fields) - !gzip,
        .body = gzip ? file->gzip : file->raw,
    };
    return http1_res_write(out, to, &res);
}

enum err dashboard_serve(const struct config *cfg, struct span below, const struct http1_req *req,
                         struct http1_reply to, struct buf *out)
{
    if (!dashboard_is_built()) return dashboard_absent(to, out);
    if (!below.p) return redirect(cfg, to, out);
    const struct dashboard_file *file = find(below);
    if (!file) return http1_res_error(out, to, 404, SPAN("The dashboard has no such file."));
    return send(file, req, to, out);
}
