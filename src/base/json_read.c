/* SPDX-License-Identifier: MIT
 *
 * base/json_read.c: one strict pass over a text, then accessors that trust it.
 *
 * The pass keeps no tree and does not recurse: what it must remember of the outer containers is
 * one bit each (object or array), so JSON_MAX_DEPTH costs 64 octets of stack. The accessors skip
 * values by their brackets and quotes only, which is sound because the pass saw every octet.
 * Invariant: a struct json_val that is not JSON_ABSENT points into text that json_check() proved.
 */
#include "base/json_read.h"
#include "base/hash.h"
#include "base/swar.h"
#include "base/utf8.h"

/* The type of the value that begins with an octet; JSON_ABSENT: none does. */
static const uint8_t first_octet[256] = {
    ['n'] = JSON_NULL,   ['f'] = JSON_FALSE,  ['t'] = JSON_TRUE,   ['"'] = JSON_STRING,
    ['['] = JSON_ARRAY,  ['{'] = JSON_OBJECT, ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER,
    ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER,
    ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER, ['8'] = JSON_NUMBER,
    ['9'] = JSON_NUMBER,
};

static enum json_type type_at(const char *p)
{
    return (enum json_type)first_octet[(uint8_t)*p];
}

static bool is_space(char c) /* RFC 8259 section 2: these four only */
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
    return (uint8_t)c - (unsigned)'0' <= 9;
}

/* ---- the checking pass ---- */

struct scan {
    const char *p, *end;
    const char *why; /* set with STEP_BAD; p is then where */
    unsigned depth, max_depth;
    uint64_t objects[JSON_MAX_DEPTH / 64]; /* bit d: the container at depth d is an object */
};

/* What is expected next. */
enum step { STEP_VALUE, STEP_AFTER_VALUE, STEP_DONE, STEP_BAD };

static enum step bad_at(struct scan *s, const char *at, const char *why)
{
    s->p = at;
    s->why = why;
    return STEP_BAD;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end && is_space(*s->p)) s->p++;
}

static bool next_is(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

/* The first octet that a string does not simply contain: quote, backslash, control, non-ASCII. */
static const char *skip_plain(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t w = swar_load(p);
        uint64_t marks = swar_below(w, 0x20) | swar_has(w, '"') | swar_has(w, '\\') | swar_high(w);
        if (marks) return p + swar_first(marks);
    }
    while (p < end && (uint8_t)*p >= 0x20 && (uint8_t)*p < 0x80 && *p != '"' && *p != '\\') p++;
    return p;
}

/* The length of the escape at `p` (a backslash); 0 when it is malformed. */
static size_t escape_len(const char *p, size_t n)
{
    if (n < 2) return 0;
    if (p[1] != 'u') return memchr("\"\\/bfnrt", p[1], 8) ? 2 : 0;
    if (n < 6) return 0;
    for (int i = 2; i < 6; i++)
        if (hex_value(p[i]) < 0) return 0;
    return 6;
}

static enum step check_string(struct scan *s) /* s->p is at the opening quote */
{
    const char *p = s->p + 1;
    for (;;) {
        p = skip_plain(p, s->end);
        if (p == s->end) return bad_at(s, p, "unterminated string");
        if (*p == '"') break;
        if ((uint8_t)*p < 0x20) return bad_at(s, p, "control character in a string");
        size_t left = (size_t)(s->end - p);
        size_t used = *p == '\\' ? escape_len(p, left) : utf8_char(p, left);
        if (!used) return bad_at(s, p, *p == '\\' ? "bad escape in a string" : "not UTF-8");
        p += used;
    }
    s->p = p + 1;
    return STEP_AFTER_VALUE;
}

static bool check_digits(struct scan *s) /* one or more */
{
    const char *from = s->p;
    while (s->p < s->end && is_digit(*s->p)) s->p++;
    return s->p > from;
}

static enum step check_number(struct scan *s)
{
    if (next_is(s, '-')) s->p++;
    const char *first = s->p;
    if (!check_digits(s)) return bad_at(s, s->p, "a digit was expected");
    if (*first == '0' && s->p - first > 1) return bad_at(s, first, "leading zero");
    if (next_is(s, '.')) {
        s->p++;
        if (!check_digits(s)) return bad_at(s, s->p, "a digit was expected");
    }
    if (next_is(s, 'e') || next_is(s, 'E')) {
        s->p++;
        if (next_is(s, '+') || next_is(s, '-')) s->p++;
        if (!check_digits(s)) return bad_at(s, s->p, "a digit was expected");
    }
    return STEP_AFTER_VALUE;
}

static enum step check_word(struct scan *s, struct span word)
{
    if (!span_starts(span_of(s->p, (size_t)(s->end - s->p)), word))
        return bad_at(s, s->p, "a value was expected");
    s->p += word.n;
    return STEP_AFTER_VALUE;
}

static enum step check_key(struct scan *s) /* a key and its colon */
{
    skip_space(s);
    if (!next_is(s, '"')) return bad_at(s, s->p, "a member name was expected");
    if (check_string(s) == STEP_BAD) return STEP_BAD;
    skip_space(s);
    if (!next_is(s, ':')) return bad_at(s, s->p, "':' was expected");
    s->p++;
    return STEP_VALUE;
}

static enum step enter(struct scan *s, bool object)
{
    if (s->depth == s->max_depth) return bad_at(s, s->p, "nested too deeply");
    uint64_t bit = UINT64_C(1) << (s->depth % 64);
    uint64_t *word = &s->objects[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->p++;
    skip_space(s);
    if (next_is(s, object ? '}' : ']')) return STEP_AFTER_VALUE; /* which closes it */
    return object ? check_key(s) : STEP_VALUE;
}

static enum step on_value(struct scan *s)
{
    skip_space(s);
    if (s->p == s->end) return bad_at(s, s->p, "a value was expected");
    switch (type_at(s->p)) {
    case JSON_ABSENT:
        return bad_at(s, s->p, "a value was expected");
    case JSON_NULL:
        return check_word(s, SPAN("null"));
    case JSON_FALSE:
        return check_word(s, SPAN("false"));
    case JSON_TRUE:
        return check_word(s, SPAN("true"));
    case JSON_NUMBER:
        return check_number(s);
    case JSON_STRING:
        return check_string(s);
    case JSON_ARRAY:
        return enter(s, false);
    case JSON_OBJECT:
        return enter(s, true);
    }
    UNREACHABLE();
}

static enum step on_after_value(struct scan *s)
{
    if (s->depth == 0) return STEP_DONE;
    skip_space(s);
    unsigned top = s->depth - 1;
    bool object = s->objects[top / 64] >> (top % 64) & 1;
    if (next_is(s, object ? '}' : ']')) {
        s->p++;
        s->depth--;
        return STEP_AFTER_VALUE;
    }
    if (!next_is(s, ','))
        return bad_at(s, s->p, object ? "',' or '}' was expected" : "',' or ']' was expected");
    s->p++;
    return object ? check_key(s) : STEP_VALUE;
}

static void set_val(struct json_val *val, const char *from, const char *to)
{
    val->raw = span_of(from, (size_t)(to - from));
    val->type = type_at(from);
    val->escaped = val->type == JSON_STRING && memchr(from, '\\', val->raw.n) != NULL;
}

bool json_check(struct span text, unsigned max_depth, struct json_val *root, struct json_bad *bad)
{
    CHECK(max_depth <= JSON_MAX_DEPTH);
    if (text.n == 0) text.p = ""; /* no arithmetic on NULL */
    struct scan s = { .p = text.p, .end = text.p + text.n, .max_depth = max_depth };
    skip_space(&s);
    const char *from = s.p, *to = s.p;
    enum step step = STEP_VALUE;
    while (step != STEP_DONE && step != STEP_BAD)
        step = step == STEP_VALUE ? on_value(&s) : on_after_value(&s);
    if (step == STEP_DONE) {
        to = s.p;
        skip_space(&s);
        if (s.p != s.end) step = bad_at(&s, s.p, "more text after the value");
    }
    if (step == STEP_BAD) {
        if (bad) *bad = (struct json_bad) { .at = (size_t)(s.p - text.p), .why = s.why };
        return false;
    }
    if (root) set_val(root, from, to);
    return true;
}

/* ---- accessors over proved text ---- */

/* The quote or backslash at or behind `p`; there is one. */
static const char *find_end(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t w = swar_load(p);
        uint64_t marks = swar_has(w, '"') | swar_has(w, '\\');
        if (marks) return p + swar_first(marks);
    }
    while (p < end && *p != '"' && *p != '\\') p++;
    CHECK(p < end);
    return p;
}

/* Behind the string whose opening quote is at `p`. */
static const char *skip_string(const char *p, const char *end, bool *escaped)
{
    for (p++;; p += 2) { /* the escaped octet may be a quote */
        p = find_end(p, end);
        if (*p == '"') return p + 1;
        *escaped = true;
    }
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;
    bool ignored;
    while (p < end) {
        switch (*p) {
        case '"':
            p = skip_string(p, end, &ignored);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0) return p + 1;
            break;
        default:
            break;
        }
        p++;
    }
    UNREACHABLE();
}

static const char *skip_scalar(const char *p, const char *end) /* a number or a word */
{
    while (p < end && !is_space(*p) && *p != ',' && *p != ']' && *p != '}') p++;
    return p;
}

/* Reads the value at it->_p and moves behind it. */
static void take_value(struct json_iter *it, struct json_val *val)
{
    const char *from = it->_p;
    val->type = type_at(from);
    val->escaped = false;
    CHECK(val->type != JSON_ABSENT);
    if (val->type == JSON_STRING)
        it->_p = skip_string(from, it->_end, &val->escaped);
    else if (val->type == JSON_ARRAY || val->type == JSON_OBJECT)
        it->_p = skip_container(from, it->_end);
    else
        it->_p = skip_scalar(from, it->_end);
    val->raw = span_of(from, (size_t)(it->_p - from));
}

/* Moves to the next name or value; false at the end. In proved text only one of ',' and ':' and
 * white space can stand between. */
static bool skip_gap(struct json_iter *it)
{
    while (it->_p < it->_end && (is_space(*it->_p) || *it->_p == ',' || *it->_p == ':')) it->_p++;
    return it->_p < it->_end;
}

struct json_iter json_begin(struct json_val container)
{
    CHECK(container.type == JSON_ARRAY || container.type == JSON_OBJECT);
    const char *p = container.raw.p;
    return (struct json_iter) { ._p = p + 1, ._end = p + container.raw.n - 1 };
}

bool json_next_member(struct json_iter *it, struct json_val *key, struct json_val *val)
{
    if (!skip_gap(it)) return false;
    take_value(it, key);
    bool has_value = skip_gap(it);
    CHECK(has_value);
    take_value(it, val);
    return true;
}

bool json_next_item(struct json_iter *it, struct json_val *val)
{
    if (!skip_gap(it)) return false;
    take_value(it, val);
    return true;
}

/* Mostly the first letter tells. */
static bool is_named(struct json_val key, const char *name)
{
    if (key.escaped) return json_str_eq(key, span_str(name));
    struct span inner = json_inner(key);
    for (size_t i = 0; i < inner.n; i++)
        if (inner.p[i] != name[i]) return false; /* also where the name ends */
    return name[inner.n] == '\0';
}

const char *json_fields(struct json_val object, struct json_field *fields, size_t n)
{
    CHECK(object.type == JSON_OBJECT);
    for (size_t i = 0; i < n; i++) fields[i].val = (struct json_val) { .type = JSON_ABSENT };
    struct json_iter it = json_begin(object);
    struct json_val key, val;
    while (json_next_member(&it, &key, &val)) {
        for (size_t i = 0; i < n; i++) {
            if (!is_named(key, fields[i].name)) continue;
            if (fields[i].val.type != JSON_ABSENT) return fields[i].name;
            fields[i].val = val;
            break;
        }
    }
    return NULL;
}

/* ---- strings and numbers ---- */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) v = v << 4 | (uint32_t)hex_value(p[i]);
    return v;
}

/* UTF-8 of a code point; surrogates too (three octets, WTF-8). Returns the length. */
static size_t encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (char)((0xf00 >> n & 0xff) | cp); /* n leading ones, then a zero */
    return n;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* quote, backslash, slash stand for themselves */
    }
}

/* Resolves the escape at *p (for a surrogate pair both of its halves) and moves behind it. */
static size_t resolve(const char **p, const char *end, char out[4])
{
    const char *at = *p;
    if (at[1] != 'u') {
        *p = at + 2;
        out[0] = short_escape(at[1]);
        return 1;
    }
    uint32_t cp = hex4(at + 2);
    at += 6;
    if (cp >= 0xd800 && cp < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    *p = at;
    return encode(cp, out);
}

/* A string as a row of pieces: runs without escapes, and resolved escapes. */
struct pieces {
    const char *p, *end;
    char resolved[4];
};

static struct pieces pieces_of(struct json_val str)
{
    CHECK(str.type == JSON_STRING);
    struct span inner = json_inner(str);
    return (struct pieces) { .p = inner.p, .end = inner.p + inner.n };
}

static bool next_piece(struct pieces *it, struct span *piece) /* valid until the next call */
{
    if (it->p == it->end) return false;
    if (*it->p == '\\') {
        *piece = span_of(it->resolved, resolve(&it->p, it->end, it->resolved));
        return true;
    }
    const char *to = memchr(it->p, '\\', (size_t)(it->end - it->p));
    if (!to) to = it->end;
    *piece = span_of(it->p, (size_t)(to - it->p));
    it->p = to;
    return true;
}

size_t json_unescaped_len(struct json_val str)
{
    CHECK(str.type == JSON_STRING);
    if (!str.escaped) return str.raw.n - 2;
    struct pieces it = pieces_of(str);
    struct span piece;
    size_t n = 0;
    while (next_piece(&it, &piece)) n += piece.n;
    return n;
}

size_t json_data_len(struct json_val data)
{
    return data.type == JSON_STRING ? json_unescaped_len(data) : data.raw.n;
}

void json_unescape(struct json_val str, struct buf *out)
{
    struct pieces it = pieces_of(str);
    struct span piece;
    char *room = buf_room(out, str.raw.n); /* unescaping never makes a text longer */
    if (!room) return;
    size_t n = 0;
    for (; next_piece(&it, &piece); n += piece.n) memcpy(room + n, piece.p, piece.n);
    buf_grew(out, n);
}

bool json_str_eq(struct json_val str, struct span text)
{
    CHECK(str.type == JSON_STRING);
    if (!str.escaped) return span_eq(json_inner(str), text);
    struct pieces it = pieces_of(str);
    struct span piece;
    while (next_piece(&it, &piece)) {
        if (!span_starts(text, piece)) return false;
        text = span_skip(text, piece.n);
    }
    return text.n == 0;
}

struct span json_text(struct json_val str, struct buf *scratch)
{
    CHECK(str.type == JSON_STRING);
    if (!str.escaped) return json_inner(str);
    size_t from = scratch->n;
    json_unescape(str, scratch);
    if (buf_failed(scratch)) return SPAN("");
    return span_of(scratch->p + from, scratch->n - from);
}

bool json_to_u64(struct json_val num, uint64_t *out)
{
    return num.type == JSON_NUMBER && span_to_u64(num.raw, out);
}
