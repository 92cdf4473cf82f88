/* SPDX-License-Identifier: MIT
 *
 * http/http1_req.c: bytes from a client -> HTTP/1.x requests.
 *
 *   START -> (START_LF ->) LINE -> FIELDS -> ADMIT -+-> FIXED ------------------------> DONE
 *                                                   +-> SIZE -> (EXT ->) SIZE_LF -+     ^  ^
 *                                                   |    ^                        |     |  |
 *                                                   |    +-- DATA_LF <- DATA_CR   |     |  |
 *                                                   |                     ^- DATA-+- TRAILER
 *                                                   +-> (no body) ------------------------+
 *   any -> FAIL; DONE -> START by http1_req_next().
 *
 * Lines of the head are gathered in `_head` and judged when complete; only new bytes are searched
 * for a line's end, so one byte at a time costs no more than all at once. Header positions are not
 * kept: a lookup walks the head; lookups are few and heads are short. What decides about framing is
 * noted as each line passes. The chunked coding is a byte automaton and needs no memory for lines.
 * Trailers are checked as headers are, and dropped.
 */
#include "http/http1_req.h"
#include "base/field.h"
#include "base/hash.h"

#define MAX_EXTENSIONS 4096 /* octets of chunk extensions in a message: nobody sends any */
#define MAX_SIZE_DIGITS 15  /* of a chunk size: cannot overflow 64 bits */
#define MAX_LINES (1U << 20)
#define USUAL_HEAD 1024
#define USUAL_REQUEST 4096 /* of memory, head and body */
#define BUILT_IN "built-in limit"

#define STATES(X)                                                                                  \
    X(START, start)                                                                                \
    X(START_LF, start_lf)                                                                          \
    X(LINE, line)                                                                                  \
    X(FIELDS, fields)                                                                              \
    X(ADMIT, admit)                                                                                \
    X(FIXED, fixed)                                                                                \
    X(SIZE, size)                                                                                  \
    X(EXT, ext)                                                                                    \
    X(SIZE_LF, size_lf)                                                                            \
    X(DATA, data)                                                                                  \
    X(DATA_CR, data_cr)                                                                            \
    X(DATA_LF, data_lf)                                                                            \
    X(TRAILER, trailer)                                                                            \
    X(DONE, done)                                                                                  \
    X(FAIL, fail)

enum state {
#define X(name, fn) S_##name,
    STATES(X)
#undef X
};
/* http1_req_phase() relies on the order of the states. */

#define TO(name) (1U << S_##name)
static const uint32_t edges[] = {
    [S_START] = TO(START_LF) | TO(LINE),
    [S_START_LF] = TO(START),
    [S_LINE] = TO(FIELDS),
    [S_FIELDS] = TO(ADMIT),
    [S_ADMIT] = TO(FIXED) | TO(SIZE) | TO(DONE),
    [S_FIXED] = TO(DONE),
    [S_SIZE] = TO(EXT) | TO(SIZE_LF),
    [S_EXT] = TO(SIZE_LF),
    [S_SIZE_LF] = TO(DATA) | TO(TRAILER),
    [S_DATA] = TO(DATA_CR),
    [S_DATA_CR] = TO(DATA_LF),
    [S_DATA_LF] = TO(SIZE),
    [S_TRAILER] = TO(DONE),
    [S_DONE] = 0,
    [S_FAIL] = 0,
};

const struct http1_limits http1_limits_default = {
    .line_bytes = 8192,
    .headers_bytes = 16384,
    .n_headers = 100,
    .body_bytes = 16384,
    .body_option = BUILT_IN,
};

static void go(struct http1_req *r, enum state to)
{
    CHECK(to == S_FAIL || (edges[r->_state] & (1U << to)));
    r->_state = (uint8_t)to;
}

/* `_fail` is set. Returns false, for conditions. */
static bool failed(struct http1_req *r)
{
    CHECK(r->_fail.kind != HTTP1_FAIL_NONE);
    go(r, S_FAIL);
    return false;
}

static bool refuse(struct http1_req *r, const char *what)
{
    http1_refuse(&r->_fail, HTTP1_FAIL_SYNTAX, 400, what);
    return failed(r);
}

/* `measured` 0: only known to be more than `limit`. */
static bool over(struct http1_req *r, unsigned status, const char *what, uint64_t limit,
                 uint64_t measured)
{
    r->_fail = (struct http1_fail) {
        .kind = HTTP1_FAIL_LIMIT,
        .status = (uint16_t)status,
        .what = what,
        .limit = limit,
        .measured = measured,
        .option = status == 413 ? r->_body_option : BUILT_IN,
    };
    return failed(r);
}

static bool no_memory(struct http1_req *r)
{
    http1_refuse(&r->_fail, HTTP1_FAIL_NOMEM, 503, "no memory for the request");
    return failed(r);
}

static bool append(struct http1_req *r, struct buf *to, struct span s)
{
    buf_add_span(to, s);
    return !buf_failed(to) || no_memory(r);
}

/* Lines are appended one by one; a head that came whole shall not grow the memory with each. */
static bool reserve(struct http1_req *r, size_t came)
{
    return buf_room(&r->_head, came < USUAL_HEAD ? came : USUAL_HEAD) || no_memory(r);
}

void http1_req_init(struct http1_req *r, const struct http1_limits *limits)
{
    CHECK(limits->line_bytes <= MAX_LINES && limits->headers_bytes <= MAX_LINES);
    *r = (struct http1_req) {
        ._limits = limits,
        ._body_limit = limits->body_bytes,
        ._body_option = limits->body_option,
        ._method = HTTP1_OTHER,
    };
}

void http1_req_fini(struct http1_req *r)
{
    buf_fini(&r->_head);
    buf_fini(&r->_body);
}

/* Memory of a usual size stays until the next request has begun or there is no input for one: then
 * requests that come together cost one allocation, and who is silent owns none. */
void http1_req_next(struct http1_req *r)
{
    CHECK(r->_state == S_DONE);
    if (http1_req_held(r) > USUAL_REQUEST) http1_req_fini(r);
    struct buf head = r->_head, body = r->_body;
    buf_clear(&head);
    buf_clear(&body);
    http1_req_init(r, r->_limits);
    r->_head = head;
    r->_body = body;
}

/* One step: uses some of `in` (may be empty), changes the state or sets `*ev`, or needs more. */
typedef size_t step(struct http1_req *r, struct span in, enum http1_ev *ev);

/* There is no input, and no message has begun: nothing is owned. */
static size_t fall_silent(struct http1_req *r)
{
    http1_req_fini(r);
    return 0;
}

static size_t step_start(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return fall_silent(r);
    if (in.p[0] == 0x16) { /* a TLS record of type handshake, RFC 8446 section 5.1 */
        http1_refuse(&r->_fail, HTTP1_FAIL_TLS, 400, "this is TLS on a port without TLS");
        failed(r);
        return 0;
    }
    /* RFC 9112 section 2.2: at least one empty line before the request line is ignored. */
    if (in.p[0] == '\r' && !r->_blank) {
        go(r, S_START_LF);
        return 1;
    }
    go(r, S_LINE);
    return 0;
}

static size_t step_start_lf(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return fall_silent(r);
    if (in.p[0] != '\n') {
        refuse(r, "a bare CR before the request");
        return 0;
    }
    r->_blank = true;
    go(r, S_START);
    return 1;
}

enum gathered { GATHER_MORE, GATHER_LINE, GATHER_TOO_LONG };

/* Moves bytes of `in` to `_head`, up to the end of the line that begins at `_line_at`, which may
 * have `max` octets with its end. GATHER_LINE: `*raw` is the line with its end, and the next one
 * begins. A failure for lack of memory is GATHER_MORE with the state changed. */
static enum gathered gather(struct http1_req *r, struct span in, size_t max, size_t *used,
                            struct span *raw)
{
    size_t have = r->_head.n - r->_line_at;
    struct span take = span_head(in, max - have);
    const char *lf = take.n ? memchr(take.p, '\n', take.n) : NULL;
    if (lf) take.n = (size_t)(lf - take.p) + 1;
    *used = take.n;
    if (!r->_head.cap && !reserve(r, in.n)) return GATHER_MORE;
    if (take.n && !append(r, &r->_head, take)) return GATHER_MORE;
    if (!lf) return have + take.n == max ? GATHER_TOO_LONG : GATHER_MORE;
    *raw = span_skip(buf_span(&r->_head), r->_line_at);
    r->_line_at = (uint32_t)r->_head.n;
    return GATHER_LINE;
}

static bool take_line(struct http1_req *r, struct span raw)
{
    struct span text;
    struct http1_line line;
    if (!http1_line_end(raw, &text, &r->_fail) || !http1_parse_line(text, &line, &r->_fail))
        return failed(r);
    r->_line_len = (uint32_t)raw.n;
    r->_method_len = (uint32_t)line.method.n;
    r->_target_len = (uint32_t)line.target.n;
    r->_method = line.code;
    r->_minor = line.minor;
    go(r, S_FIELDS);
    return true;
}

static size_t step_line(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    size_t used;
    struct span raw;
    uint32_t limit = r->_limits->line_bytes;
    switch (gather(r, in, (size_t)limit + 2, &used, &raw)) {
    case GATHER_LINE:
        take_line(r, raw);
        break;
    case GATHER_TOO_LONG:
        over(r, 414, "the request line is too long", limit, 0);
        break;
    case GATHER_MORE:
        break;
    }
    return used;
}

static bool end_head(struct http1_req *r)
{
    if (!http1_framing_end(&r->_framing, r->_minor, &r->_fail)) return failed(r);
    r->_head_len = (uint32_t)r->_head.n;
    go(r, S_ADMIT);
    return true;
}

/* Gathers a header or trailer line; `before`: where in `_head` the block of lines begins. True when
 * `*line` is a complete line without its end. */
static bool next_field(struct http1_req *r, struct span in, size_t before, size_t *used,
                       struct span *line)
{
    struct span raw;
    size_t limit = r->_limits->headers_bytes;
    size_t left = limit - (r->_line_at - before);
    /* Two more than is left, because the end of the head does not count. */
    enum gathered g = gather(r, in, left + 2, used, &raw);
    if (g == GATHER_MORE) return false;
    if (g == GATHER_TOO_LONG || (raw.n > left && !span_eq(raw, SPAN("\r\n"))))
        return over(r, 431, "the headers are too long", limit, 0);
    if (!http1_line_end(raw, line, &r->_fail)) return failed(r);
    if (line->n && ++r->_n_headers > r->_limits->n_headers)
        return over(r, 431, "too many headers", r->_limits->n_headers, 0);
    return true;
}

static size_t step_fields(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    size_t used;
    struct span line;
    struct http1_field field;
    if (!next_field(r, in, r->_line_len, &used, &line)) return used;
    if (line.n == 0) {
        if (end_head(r)) *ev = HTTP1_EV_HEAD;
    } else if (!http1_parse_field(line, &field, &r->_fail) ||
               !http1_framing_note(&r->_framing, r->_minor, &field, &r->_fail)) {
        failed(r);
    } else {
        r->_upgrade |= span_eq_nocase(field.name, SPAN("Upgrade"));
    }
    return used;
}

/* The caller has seen the head and set its limit: how is the body framed (RFC 9112 section 6.3)? */
static size_t step_admit(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)in;
    (void)ev;
    if (r->_framing.chunked) {
        go(r, S_SIZE);
    } else if (r->_framing.length > r->_body_limit) {
        over(r, 413, "the request body is too large", r->_body_limit, r->_framing.length);
    } else {
        r->_left = r->_framing.length;
        go(r, r->_left ? S_FIXED : S_DONE);
    }
    return 0;
}

/* Appends what belongs to the body; true when `_left` has come down to 0. */
static bool take_body(struct http1_req *r, struct span in, size_t *used)
{
    struct span part = in;
    if (part.n > r->_left) part.n = (size_t)r->_left;
    *used = part.n;
    if (part.n == 0 || !append(r, &r->_body, part)) return false;
    r->_left -= part.n;
    return r->_left == 0;
}

static size_t step_fixed(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    size_t used;
    if (take_body(r, in, &used)) go(r, S_DONE);
    return used;
}

static size_t step_size(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return 0;
    int digit = hex_value(in.p[0]);
    if (digit >= 0 && r->_n_digits < MAX_SIZE_DIGITS) {
        r->_left = r->_left << 4 | (uint64_t)digit;
        r->_n_digits++;
    } else if (r->_n_digits > 0 && in.p[0] == ';') {
        go(r, S_EXT);
    } else if (r->_n_digits > 0 && in.p[0] == '\r') {
        go(r, S_SIZE_LF);
    } else {
        refuse(r, "a bad chunk size");
    }
    return 1;
}

static size_t step_ext(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return 0;
    if (in.p[0] == '\r')
        go(r, S_SIZE_LF);
    else if (!http1_is_value(span_head(in, 1)))
        refuse(r, "a control character in a chunk extension");
    else if (++r->_extra > MAX_EXTENSIONS)
        over(r, 431, "the chunk extensions are too long", MAX_EXTENSIONS, 0);
    return 1;
}

static size_t step_size_lf(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return 0;
    uint64_t total = r->_body.n + r->_left; /* less than 2^61: see MAX_SIZE_DIGITS */
    if (in.p[0] != '\n')
        refuse(r, "a bare CR after a chunk size");
    else if (total > r->_body_limit)
        over(r, 413, "the request body is too large", r->_body_limit, total);
    else
        go(r, r->_left ? S_DATA : S_TRAILER);
    return 1;
}

static size_t step_data(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    size_t used;
    if (take_body(r, in, &used)) go(r, S_DATA_CR);
    return used;
}

static size_t step_data_cr(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return 0;
    if (in.p[0] == '\r')
        go(r, S_DATA_LF);
    else
        refuse(r, "a chunk is longer than its size");
    return 1;
}

static size_t step_data_lf(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    if (in.n == 0) return 0;
    r->_n_digits = 0;
    if (in.p[0] == '\n')
        go(r, S_SIZE);
    else
        refuse(r, "a bare CR after a chunk");
    return 1;
}

static size_t step_trailer(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)ev;
    size_t used;
    struct span line;
    struct http1_field field;
    if (!next_field(r, in, r->_head_len, &used, &line)) return used;
    if (line.n == 0)
        go(r, S_DONE);
    else if (!http1_parse_field(line, &field, &r->_fail) ||
             !http1_framing_trailer(&field, &r->_fail))
        failed(r);
    return used;
}

static size_t step_done(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)r;
    (void)in;
    *ev = HTTP1_EV_DONE;
    return 0;
}

static size_t step_fail(struct http1_req *r, struct span in, enum http1_ev *ev)
{
    (void)r;
    (void)in;
    *ev = HTTP1_EV_FAIL;
    return 0;
}

size_t http1_req_feed(struct http1_req *r, const char *in, size_t n, enum http1_ev *ev)
{
    static step *const steps[] = {
#define X(name, fn) step_##fn,
        STATES(X)
#undef X
    };
    struct span rest = span_of(in, n);
    *ev = HTTP1_EV_MORE;
    for (;;) {
        uint8_t before = r->_state;
        size_t used = steps[before](r, rest, ev);
        if (used) rest = span_skip(rest, used);
        if (*ev != HTTP1_EV_MORE || (used == 0 && r->_state == before)) return n - rest.n;
    }
}

void http1_req_limit_body(struct http1_req *r, size_t bytes, const char *option)
{
    CHECK(r->_state == S_ADMIT);
    r->_body_limit = bytes;
    r->_body_option = option;
}

enum http1_phase http1_req_phase(const struct http1_req *r)
{
    if (r->_state <= S_START_LF) return HTTP1_IDLE;
    if (r->_state <= S_FIELDS) return HTTP1_IN_HEAD;
    if (r->_state <= S_TRAILER) return HTTP1_IN_BODY;
    return r->_state == S_DONE ? HTTP1_COMPLETE : HTTP1_FAILED;
}

size_t http1_req_held(const struct http1_req *r)
{
    return r->_head.cap + r->_body.cap;
}

const struct http1_fail *http1_req_fail(const struct http1_req *r)
{
    return &r->_fail;
}

enum http1_method http1_req_method(const struct http1_req *r)
{
    return (enum http1_method)r->_method;
}

struct span http1_req_method_name(const struct http1_req *r)
{
    return span_of(r->_head.p, r->_method_len);
}

struct span http1_req_target(const struct http1_req *r)
{
    if (r->_line_len == 0) return (struct span) { 0 };
    return span_of(r->_head.p + r->_method_len + 1, r->_target_len);
}

unsigned http1_req_minor(const struct http1_req *r)
{
    return r->_minor;
}

bool http1_req_keep_alive(const struct http1_req *r)
{
    if (!r->_head_len || r->_state == S_FAIL || r->_framing.close) return false;
    return r->_minor == 1 || r->_framing.keep_alive;
}

bool http1_req_wants_continue(const struct http1_req *r)
{
    return r->_state == S_ADMIT && r->_framing.expects_continue &&
           (r->_framing.chunked || r->_framing.length > 0);
}

bool http1_req_has_upgrade(const struct http1_req *r)
{
    return r->_head_len && r->_upgrade;
}

bool http1_req_length(const struct http1_req *r, uint64_t *out)
{
    if (!r->_head_len || r->_framing.chunked) return false;
    *out = r->_framing.length;
    return true;
}

struct span http1_req_body(const struct http1_req *r)
{
    return r->_state == S_DONE ? buf_span(&r->_body) : (struct span) { 0 };
}

bool http1_header_next(const struct http1_req *r, size_t *at, struct http1_field *out)
{
    if (!r->_head_len) return false;
    size_t end = r->_head_len - 2; /* without the empty line */
    size_t pos = r->_line_len + *at;
    if (pos >= end) return false;
    struct span rest = span_of(r->_head.p + pos, end - pos), line, name;
    span_cut(&rest, '\n', &line);
    *at += line.n + 1;
    struct span value = span_head(line, line.n - 1);
    span_cut(&value, ':', &name);
    *out = (struct http1_field) { name, span_trim(value) };
    return true;
}

struct span http1_header(const struct http1_req *r, struct span name)
{
    struct http1_field f;
    for (size_t at = 0; http1_header_next(r, &at, &f);)
        if (span_eq_nocase(f.name, name)) return f.value;
    return (struct span) { 0 };
}

size_t http1_header_count(const struct http1_req *r, struct span name)
{
    struct http1_field f;
    size_t n = 0;
    for (size_t at = 0; http1_header_next(r, &at, &f);) n += span_eq_nocase(f.name, name);
    return n;
}

bool http1_header_has_token(const struct http1_req *r, struct span name, struct span token)
{
    struct http1_field f;
    for (size_t at = 0; http1_header_next(r, &at, &f);)
        if (span_eq_nocase(f.name, name) && field_list_has(f.value, token)) return true;
    return false;
}
