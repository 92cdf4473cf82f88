/* SPDX-License-Identifier: MIT
 *
 * ws/decoder.c: bytes from a peer -> WebSocket messages.
 *
 *                 ┌──────────────── frame done ───────────────┐
 *                 v                                           │
 *     start ──> HEAD ── data frame ──> DATA ── text wrong ─┐  │
 *                 ├──── control frame ─> CONTROL ──────────┼──┘
 *                 │                        └─ close frame ─┼──> CLOSED
 *                 └──── wrong header ──────────────────────┴──> FAILED
 *
 * One function per state; each reports an event, or changes the state, or has eaten all bytes. The
 * header is collected octet by octet and judged as soon as the octet that is wrong has come, and a
 * length is judged before a byte of the payload is: so nothing is allocated for a frame that will
 * be refused, and the verdict does not depend on how the stream was cut.
 *
 * Payload bytes stay in the caller's memory when the whole frame is there. Otherwise they gather in
 * `_message`. The bytes of a cut control frame gather in the free room behind it, without counting
 * as its content: so a ping between two fragments needs no buffer of its own. That room stays ours,
 * because nothing is appended to `_message` before the control frame is complete.
 */
#include "ws/decoder.h"
#include "base/check.h"

enum state { STATE_HEAD, STATE_DATA, STATE_CONTROL, STATE_CLOSED, STATE_FAILED };

/* Why we fail the connection: name, close code, reason (sent to the peer). */
#define FAILURES                                                                                   \
    X(RSV, WS_CODE_PROTOCOL, "Reserved bits set")                                                  \
    X(OPCODE, WS_CODE_PROTOCOL, "Reserved opcode")                                                 \
    X(CONTROL_FRAGMENTED, WS_CODE_PROTOCOL, "Fragmented control frame")                            \
    X(CONTROL_LENGTH, WS_CODE_PROTOCOL, "Control frame too long")                                  \
    X(NO_START, WS_CODE_PROTOCOL, "Continuation without a start")                                  \
    X(NO_END, WS_CODE_PROTOCOL, "New message inside a fragmented one")                             \
    X(UNMASKED, WS_CODE_PROTOCOL, "Frame is not masked")                                           \
    X(MASKED, WS_CODE_PROTOCOL, "Frame is masked")                                                 \
    X(LENGTH_FORM, WS_CODE_PROTOCOL, "Length not in its shortest form")                            \
    X(LENGTH_SIGN, WS_CODE_PROTOCOL, "Length out of range")                                        \
    X(CLOSE_LENGTH, WS_CODE_PROTOCOL, "Close frame with half a code")                              \
    X(CLOSE_CODE, WS_CODE_PROTOCOL, "Invalid close code")                                          \
    X(CLOSE_TEXT, WS_CODE_BAD_TEXT, "Close reason is not valid UTF-8")                             \
    X(TEXT, WS_CODE_BAD_TEXT, "Text is not valid UTF-8")                                           \
    X(TOO_BIG, WS_CODE_TOO_BIG, "Maximum message size exceeded")                                   \
    X(FRAGMENTS, WS_CODE_POLICY, "Too many fragments")                                             \
    X(MEMORY, WS_CODE_INTERNAL, "Out of memory")

enum failure {
    FAILURE_NONE,
#define X(name, code, text) FAILURE_##name,
    FAILURES
#undef X
};

static const struct {
    uint16_t code;
    struct span text;
} failures[] = {
#define X(name, code, text) [FAILURE_##name] = { code, { text, sizeof text - 1 } },
    FAILURES
#undef X
};

/* One call of ws_decode: what is left of its input, and its result. */
struct feed {
    const struct ws_limits *limits;
    uint8_t *in;
    size_t len;
    struct ws_ev *ev;
};

/* What a state function has come to. */
enum step { STEP_ON, STEP_STARVED, STEP_EVENT };

static void set_state(struct ws_dec *d, enum state to)
{
    switch ((enum state)d->_state) {
    case STATE_HEAD:
        CHECK(to == STATE_DATA || to == STATE_CONTROL || to == STATE_FAILED);
        break;
    case STATE_DATA:
        CHECK(to == STATE_HEAD || to == STATE_FAILED);
        break;
    case STATE_CONTROL:
        CHECK(to == STATE_HEAD || to == STATE_CLOSED || to == STATE_FAILED);
        break;
    case STATE_CLOSED:
    case STATE_FAILED:
        UNREACHABLE(); /* nothing leads out of these */
    }
    d->_state = (unsigned)to & 0xF;
    if (to == STATE_HEAD) d->_n_head = 0; /* until then the header serves op, FIN and mask */
}

static enum ws_op frame_op(const struct ws_dec *d)
{
    return (enum ws_op)(d->_head[0] & WS_BITS_OP);
}

static bool is_control(const struct ws_dec *d)
{
    return d->_head[0] & WS_OP_CLOSE; /* opcodes 0x8 and up, section 5.5 */
}

static enum step fail(struct ws_dec *d, struct feed *f, enum failure why)
{
    if (d->_state != STATE_FAILED) {
        buf_fini(&d->_message);
        d->_failure = (uint8_t)why;
        set_state(d, STATE_FAILED);
    }
    f->in += f->len;
    f->len = 0;
    f->ev->kind = WS_EV_FAIL;
    f->ev->close_code = failures[d->_failure].code;
    f->ev->data = failures[d->_failure].text;
    return STEP_EVENT;
}

/* --- HEAD --- */

/* The first octet: FIN, reserved bits, opcode (section 5.2), and the order of fragments (5.4). */
static enum failure check_first(const struct ws_dec *d)
{
    bool fin = d->_head[0] & WS_BIT_FIN;
    if (d->_head[0] & WS_BITS_RSV) return FAILURE_RSV;
    switch (frame_op(d)) {
    case WS_OP_CONTINUATION:
        return d->_op ? FAILURE_NONE : FAILURE_NO_START;
    case WS_OP_TEXT:
    case WS_OP_BINARY:
        return d->_op ? FAILURE_NO_END : FAILURE_NONE;
    case WS_OP_CLOSE:
    case WS_OP_PING:
    case WS_OP_PONG:
        return fin ? FAILURE_NONE : FAILURE_CONTROL_FRAGMENTED;
    }
    return FAILURE_OPCODE;
}

/* The second octet: the mask bit (section 5.1), and a control frame's length. */
static enum failure check_second(const struct ws_dec *d, enum ws_role role)
{
    bool masked = d->_head[1] & WS_BIT_MASK;
    if (masked != (role == WS_ROLE_SERVER)) return masked ? FAILURE_MASKED : FAILURE_UNMASKED;
    if (is_control(d) && (d->_head[1] & WS_BITS_LEN) > WS_CONTROL_MAX) {
        return FAILURE_CONTROL_LENGTH;
    }
    return FAILURE_NONE;
}

/* The length, once all its octets are there. `_message` holds what went before in this message. */
static enum failure check_length(const struct ws_dec *d, const struct ws_limits *limits)
{
    uint64_t len = ws_head_payload(d->_head);
    uint8_t form = d->_head[1] & WS_BITS_LEN;
    if (form == WS_LEN_16 && len < WS_LEN_16) return FAILURE_LENGTH_FORM;
    if (form == WS_LEN_64 && len <= UINT16_MAX) return FAILURE_LENGTH_FORM;
    if (len >> 63) return FAILURE_LENGTH_SIGN;
    if (is_control(d)) return FAILURE_NONE;
    size_t max = limits->max_message ? limits->max_message : SIZE_MAX / 2;
    if (d->_message.n > max || len > max - d->_message.n) return FAILURE_TOO_BIG;
    if (limits->max_fragments && d->_n_frames >= limits->max_fragments) return FAILURE_FRAGMENTS;
    return FAILURE_NONE;
}

/* After the octet number `n_head` of the header has come. */
static enum failure check_head(const struct ws_dec *d, const struct ws_limits *limits)
{
    if (d->_n_head == 1) return check_first(d);
    size_t at_length = ws_head_size(d->_head[1] & WS_BITS_LEN); /* header without the mask */
    if (d->_n_head == 2) {
        enum failure why = check_second(d, limits->role);
        if (why != FAILURE_NONE) return why;
    }
    return d->_n_head == at_length ? check_length(d, limits) : FAILURE_NONE;
}

static void begin_payload(struct ws_dec *d)
{
    d->_left = ws_head_payload(d->_head);
    if (is_control(d)) {
        set_state(d, STATE_CONTROL);
        return;
    }
    if (frame_op(d) != WS_OP_CONTINUATION) {
        d->_op = (unsigned)frame_op(d) & WS_BITS_OP;
        d->_utf8 = (struct utf8) { 0 };
    }
    d->_n_frames++; /* wraps only without a limit, when nobody looks at it */
    set_state(d, STATE_DATA);
}

static enum step on_head(struct ws_dec *d, struct feed *f)
{
    while (f->len > 0) {
        d->_head[d->_n_head++] = *f->in++;
        f->len--;
        enum failure why = check_head(d, f->limits);
        if (why != FAILURE_NONE) return fail(d, f, why);
        if (d->_n_head >= 2 && d->_n_head == ws_head_size(d->_head[1])) {
            begin_payload(d);
            return STEP_ON;
        }
    }
    return STEP_STARVED;
}

/* --- DATA and CONTROL --- */

/* Takes what has come of the frame's payload from the input, unmasked. */
static struct span take_payload(struct ws_dec *d, struct feed *f)
{
    size_t n = f->len < d->_left ? f->len : (size_t)d->_left;
    uint8_t *p = f->in;
    if (n && (d->_head[1] & WS_BIT_MASK)) {
        size_t phase = (size_t)(ws_head_payload(d->_head) - d->_left) & 3;
        ws_unmask(p, n, d->_head + ws_head_size(d->_head[1]) - 4, phase);
    }
    if (n) f->in += n;
    f->len -= n;
    d->_left -= n;
    return span_of(p, n);
}

static enum step end_message(struct ws_dec *d, struct feed *f, struct span whole)
{
    if (d->_op == WS_OP_TEXT && !utf8_complete(&d->_utf8)) return fail(d, f, FAILURE_TEXT);
    f->ev->kind = WS_EV_MESSAGE;
    f->ev->op = (enum ws_op)d->_op;
    f->ev->data = whole;
    d->_op = 0;
    d->_n_frames = 0; /* here and not at the next start: check_length looks before that */
    set_state(d, STATE_HEAD);
    return STEP_EVENT;
}

static enum step on_data(struct ws_dec *d, struct feed *f)
{
    struct span part = take_payload(d, f);
    if (d->_op == WS_OP_TEXT && part.n && !utf8_feed(&d->_utf8, part.p, part.n)) {
        return fail(d, f, FAILURE_TEXT);
    }
    bool ends = d->_left == 0 && (d->_head[0] & WS_BIT_FIN);
    if (ends && d->_message.n == 0) return end_message(d, f, part);

    if (part.n) buf_add_span(&d->_message, part);
    if (buf_failed(&d->_message)) return fail(d, f, FAILURE_MEMORY);
    if (ends) return end_message(d, f, buf_span(&d->_message));
    if (d->_left > 0) return STEP_STARVED;
    set_state(d, STATE_HEAD);
    return STEP_ON;
}

/* The body of a close frame (sections 5.5.1 and 7.4). */
static enum step end_close(struct ws_dec *d, struct feed *f, struct span body)
{
    uint16_t code = WS_CODE_NONE;
    if (body.n == 1) return fail(d, f, FAILURE_CLOSE_LENGTH);
    if (body.n >= 2) {
        code = (uint16_t)((uint8_t)body.p[0] << 8 | (uint8_t)body.p[1]);
        body = span_skip(body, 2);
        if (!ws_code_valid(code)) return fail(d, f, FAILURE_CLOSE_CODE);
        if (!utf8_valid(body)) return fail(d, f, FAILURE_CLOSE_TEXT);
    }
    f->ev->kind = WS_EV_CLOSE;
    f->ev->close_code = code;
    f->ev->data = body;
    set_state(d, STATE_CLOSED);
    return STEP_EVENT;
}

static enum step end_control(struct ws_dec *d, struct feed *f, struct span body)
{
    f->ev->op = frame_op(d);
    if (f->ev->op == WS_OP_CLOSE) return end_close(d, f, body);
    f->ev->kind = f->ev->op == WS_OP_PING ? WS_EV_PING : WS_EV_PONG;
    f->ev->data = body;
    set_state(d, STATE_HEAD);
    return STEP_EVENT;
}

static enum step on_control(struct ws_dec *d, struct feed *f)
{
    size_t whole = d->_head[1] & WS_BITS_LEN;
    size_t before = whole - (size_t)d->_left;
    struct span part = take_payload(d, f);
    if (part.n == whole) return end_control(d, f, part);

    if (part.n > 0) {
        char *room = before ? d->_message.p + d->_message.n : buf_room(&d->_message, whole);
        if (!room) return fail(d, f, FAILURE_MEMORY);
        memcpy(room + before, part.p, part.n);
    }
    if (d->_left > 0) return STEP_STARVED;
    return end_control(d, f, span_of(d->_message.p + d->_message.n, whole));
}

/* --- the whole --- */

static enum step on_closed(struct feed *f)
{
    f->in += f->len;
    f->len = 0;
    return STEP_STARVED;
}

static enum step step(struct ws_dec *d, struct feed *f)
{
    switch ((enum state)d->_state) {
    case STATE_HEAD:
        return on_head(d, f);
    case STATE_DATA:
        return on_data(d, f);
    case STATE_CONTROL:
        return on_control(d, f);
    case STATE_CLOSED:
        return on_closed(f);
    case STATE_FAILED:
        return fail(d, f, FAILURE_NONE);
    }
    UNREACHABLE();
}

/* Between messages, what the last event borrowed is over. */
static void release(struct ws_dec *d)
{
    if (d->_message.cap && !ws_dec_is_busy(d)) buf_fini(&d->_message);
}

size_t ws_decode(struct ws_dec *d, const struct ws_limits *limits, uint8_t *in, size_t len,
                 struct ws_ev *ev)
{
    CHECK(in || len == 0);
    /* Any pointer will do for no bytes, if only arithmetic does not meet a null one. */
    struct feed f = { limits, in ? in : d->_head, len, ev };
    *ev = (struct ws_ev) { .kind = WS_EV_MORE, .data = SPAN("") };
    release(d);
    enum step result;
    do {
        result = step(d, &f);
    } while (result == STEP_ON);
    CHECK(result == STEP_EVENT || f.len == 0);
    return len - f.len;
}

void ws_dec_fini(struct ws_dec *d)
{
    buf_fini(&d->_message);
    ws_dec_init(d);
}

bool ws_dec_is_busy(const struct ws_dec *d)
{
    if (d->_state == STATE_CLOSED || d->_state == STATE_FAILED) return false;
    return d->_n_head > 0 || d->_op;
}

size_t ws_dec_memory(const struct ws_dec *d)
{
    return d->_message.cap;
}
