/* SPDX-License-Identifier: MIT
 *
 * load/answer.c: status line, the three headers that say where a response ends (RFC 9112 section
 * 6.3), and chunks.
 */
#include "load/answer.h"
#include "base/check.h"
#include "base/hash.h"

struct framing {
    bool chunked, close, sized;
    uint64_t length;
};

static bool list_has(struct span value, struct span word)
{
    struct span item;
    while (span_cut(&value, ',', &item))
        if (span_eq_nocase(span_trim(item), word)) return true;
    return false;
}

static void read_header(struct span line, struct framing *f)
{
    struct span value = line, name;
    if (!span_cut(&value, ':', &name)) return;
    if (value.n && value.p[value.n - 1] == '\r') value.n--;
    value = span_trim(value);
    if (span_eq_nocase(name, SPAN("content-length")))
        f->sized = span_to_u64(value, &f->length);
    else if (span_eq_nocase(name, SPAN("transfer-encoding")))
        f->chunked = list_has(value, SPAN("chunked"));
    else if (span_eq_nocase(name, SPAN("connection")))
        f->close = list_has(value, SPAN("close"));
}

/* "HTTP/1.1 200 OK": 200; 0 where it is not such a line. */
static unsigned status_of(struct span line, bool *old)
{
    struct span rest = line, version, code;
    uint64_t status;
    if (!span_cut(&rest, ' ', &version) || !span_starts(version, SPAN("HTTP/1."))) return 0;
    *old = span_eq(version, SPAN("HTTP/1.0"));
    if (!span_cut(&rest, ' ', &code)) return 0;
    if (code.n && code.p[code.n - 1] == '\r') code.n--;
    return code.n == 3 && span_to_u64(code, &status) ? (unsigned)status : 0;
}

/* The size of the chunk whose line this is; false: it is none. */
static bool chunk_size(struct span line, uint64_t *size)
{
    uint64_t n = 0;
    size_t digits = 0;
    for (; digits < line.n && digits < 15 && hex_value(line.p[digits]) >= 0; digits++)
        n = n << 4 | (unsigned)hex_value(line.p[digits]);
    *size = n;
    return digits > 0;
}

/* What follows the empty line that ends them; p == NULL: it has not come. */
static struct span after_trailers(struct span rest)
{
    for (;;) {
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (!end) return span_of(NULL, 0);
        size_t line = (size_t)(end - rest.p) + 1;
        bool empty = line == 1 || (line == 2 && rest.p[0] == '\r');
        rest = (struct span) { rest.p + line, rest.n - line };
        if (empty) return rest;
    }
}

/* The length of a chunked body, 0: not complete, SIZE_MAX: it is none. */
static size_t chunked_length(struct span in, struct span *first)
{
    struct span rest = in;
    *first = span_of(NULL, 0);
    for (;;) {
        uint64_t size;
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (!end) return 0;
        size_t line = (size_t)(end - rest.p) + 1;
        if (!chunk_size(rest, &size)) return SIZE_MAX;
        rest = span_skip(rest, line);
        if (size == 0) break;
        if (rest.n < size + 2) return 0;
        if (!first->p) *first = span_head(rest, (size_t)size);
        rest = span_skip(rest, (size_t)size + 2);
    }
    rest = after_trailers(rest);
    return rest.p ? in.n - rest.n : 0;
}

static size_t everything(struct span in, struct answer *out)
{
    out->close = true;
    return in.n;
}

/* Status and headers; what follows the head. False: it is no head of a response. */
static bool read_head(struct span head, struct framing *f, struct answer *out)
{
    struct span rest = head, line;
    bool old = false;
    span_cut(&rest, '\n', &line);
    out->status = status_of(line, &old);
    if (out->status == 0) return false;
    while (span_cut(&rest, '\n', &line)) read_header(line, f);
    out->close = f->close || old;
    if (out->status == 204 || out->status == 304) *f = (struct framing) { .sized = true };
    return true;
}

size_t answer_read(struct span in, struct answer *out)
{
    struct framing f = { .chunked = false };
    *out = (struct answer) { .status = 0 };
    const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
    if (!end) return 0;
    size_t head = (size_t)(end - in.p) + 4;
    struct span body = out->body = span_skip(in, head);
    if (!read_head(span_head(in, head - 4), &f, out)) return everything(in, out);
    if (f.chunked) {
        size_t n = chunked_length(body, &out->body);
        if (n == SIZE_MAX) return everything(in, out);
        return n ? head + n : 0;
    }
    if (!f.sized) return everything(in, out);
    if (body.n < f.length) return 0;
    out->body = span_head(body, (size_t)f.length);
    return head + (size_t)f.length;
}
