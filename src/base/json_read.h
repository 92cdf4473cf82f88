/* SPDX-License-Identifier: MIT
 *
 * base/json_read.h: strict JSON (RFC 8259) over complete texts, with raw slices and no tree.
 *
 * First json_check() proves that a text is one valid value; then the accessors walk it without
 * checking again. Slices borrow from the text. Values keep their exact bytes (numbers, escapes, key
 * order), because Peal relays them unchanged. Pure, no allocation but in json_unescape.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H
#include "base/buf.h"

#define JSON_MAX_DEPTH 512 /* the deepest nesting that a caller may allow */

enum json_type {
    JSON_ABSENT, /* a field that was not there */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_val {
    struct span raw; /* the value's exact bytes; strings with their quotes */
    enum json_type type;
    bool escaped; /* JSON_STRING: contains a backslash */
};

/* Where and why a text is not JSON; `why` is a static text. */
struct json_bad {
    size_t at; /* octet offset */
    const char *why;
};

/* True when `text` is exactly one value (white space around it allowed), valid UTF-8, nested at
 * most `max_depth` ≤ JSON_MAX_DEPTH containers deep. Refuses byte order marks, NaN, leading zeros,
 * trailing commas, control characters in strings, bad escapes. Lone surrogate escapes (\ud800) are
 * allowed, as by RFC 8259 section 8.2. No recursion. `root` is written on success, `bad` on
 * failure; both may be NULL. */
bool json_check(struct span text, unsigned max_depth, struct json_val *root, struct json_bad *bad);

/* Walks a container that json_check() proved. */
struct json_iter {
    const char *_p, *_end;
};
struct json_iter json_begin(struct json_val container); /* array or object */
bool json_next_member(struct json_iter *it, struct json_val *key, struct json_val *val);
bool json_next_item(struct json_iter *it, struct json_val *val);

/* A member that the caller wants of an object. */
struct json_field {
    const char *name;
    struct json_val val; /* type JSON_ABSENT where it is not there */
};

/* Fills each field from the object (other members are ignored; names compare after unescaping).
 * Returns NULL, or the name of a field that stands in the object twice: two readers could differ
 * on which one counts, so callers refuse such an object. */
const char *json_fields(struct json_val object, struct json_field *fields, size_t n);

/* The string between the quotes, as written (escapes not resolved). */
static inline struct span json_inner(struct json_val str)
{
    return span_of(str.raw.p + 1, str.raw.n - 2);
}

/* Length in octets after unescaping; a lone surrogate counts 3. */
size_t json_unescaped_len(struct json_val str);
/* What an event's data counts as: a string's octets after unescaping, any other value as it
 * stands (protocol page 3.4). */
size_t json_data_len(struct json_val data);

/* Appends the unescaped string. A lone surrogate becomes its three octets in the manner of WTF-8
 * (never produced for a valid pair). */
void json_unescape(struct json_val str, struct buf *out);

/* Unescaped equality without allocation. */
bool json_str_eq(struct json_val str, struct span text);

/* The unescaped text: `str`'s own bytes where nothing is escaped, else appended to `scratch` and a
 * slice of it (valid until scratch changes). Check buf_failed(scratch). */
struct span json_text(struct json_val str, struct buf *scratch);

/* An integer without fraction or exponent that fits; else false. */
bool json_to_u64(struct json_val num, uint64_t *out);
#endif
