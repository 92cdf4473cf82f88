/* SPDX-License-Identifier: MIT
 *
 * http/http1_framing.c: what the headers say about where a request ends.
 *
 * Where RFC 9112 lets a recipient repair a head (equal Content-Lengths, Transfer-Encoding over
 * Content-Length) we refuse: no client of ours sends such, and a proxy may have repaired it in the
 * other way.
 */
#include "http/http1_framing.h"
#include "base/field.h"

static bool bad(struct http1_fail *fail, const char *what)
{
    return http1_refuse(fail, HTTP1_FAIL_SYNTAX, 400, what);
}

typedef bool note(struct http1_framing *f, unsigned minor, struct span value,
                  struct http1_fail *fail);

static bool note_host(struct http1_framing *f, unsigned minor, struct span value,
                      struct http1_fail *fail)
{
    (void)minor;
    if (f->has_host) return bad(fail, "two Host headers");
    if (!http1_is_host(value)) return bad(fail, "a bad character in the Host header");
    f->has_host = true;
    return true;
}

/* A list of numbers is refused even when they are equal. */
static bool note_length(struct http1_framing *f, unsigned minor, struct span value,
                        struct http1_fail *fail)
{
    (void)minor;
    if (f->has_length) return bad(fail, "two Content-Length headers");
    if (!span_to_u64(value, &f->length)) return bad(fail, "Content-Length is not one number");
    f->has_length = true;
    return true;
}

static bool note_coding(struct http1_framing *f, unsigned minor, struct span value,
                        struct http1_fail *fail)
{
    if (minor == 0) return bad(fail, "Transfer-Encoding in HTTP/1.0");
    if (f->chunked) return bad(fail, "two Transfer-Encoding headers");
    if (!span_eq_nocase(value, SPAN("chunked")))
        return http1_refuse(fail, HTTP1_FAIL_UNSUPPORTED, 501,
                            "a Transfer-Encoding other than chunked");
    f->chunked = true;
    return true;
}

static bool note_connection(struct http1_framing *f, unsigned minor, struct span value,
                            struct http1_fail *fail)
{
    (void)minor;
    (void)fail;
    f->close |= field_list_has(value, SPAN("close"));
    f->keep_alive |= field_list_has(value, SPAN("keep-alive"));
    return true;
}

/* HTTP/1.0 has no expectations: ignored there. */
static bool note_expect(struct http1_framing *f, unsigned minor, struct span value,
                        struct http1_fail *fail)
{
    if (minor == 0) return true;
    if (!span_eq_nocase(value, SPAN("100-continue")))
        return http1_refuse(fail, HTTP1_FAIL_UNSUPPORTED, 417, "an Expect other than 100-continue");
    f->expects_continue = true;
    return true;
}

static const struct {
    struct span name;
    note *fn;
} notes[] = {
    { { "Host", 4 }, note_host },
    { { "Content-Length", 14 }, note_length },
    { { "Transfer-Encoding", 17 }, note_coding },
    { { "Connection", 10 }, note_connection },
    { { "Expect", 6 }, note_expect },
};

bool http1_framing_note(struct http1_framing *f, unsigned minor, const struct http1_field *field,
                        struct http1_fail *fail)
{
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (span_eq_nocase(field->name, notes[i].name))
            return notes[i].fn(f, minor, field->value, fail);
    return true;
}

bool http1_framing_trailer(const struct http1_field *field, struct http1_fail *fail)
{
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (span_eq_nocase(field->name, notes[i].name))
            return bad(fail, "a trailer that belongs into the head");
    return true;
}

bool http1_framing_end(const struct http1_framing *f, unsigned minor, struct http1_fail *fail)
{
    if (minor == 1 && !f->has_host) return bad(fail, "no Host header");
    if (f->has_length && f->chunked) return bad(fail, "both Content-Length and Transfer-Encoding");
    return true;
}
