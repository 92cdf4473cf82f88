/* SPDX-License-Identifier: MIT
 *
 * tests/fuzz/fuzz_json.c: what json_check() accepts can be walked to the last value, says the same
 * when it is written again, and its strings survive unescaping and escaping.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"

#define DEPTH 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unescaping in its several forms says the same; escaping the result and unescaping it again gives
 * it back (unless it holds a lone surrogate, which is no UTF-8). */
static void check_string(struct json_val str)
{
    struct buf once = { 0 }, quoted = { 0 }, scratch = { 0 };
    json_unescape(str, &once);
    CHECK(json_unescaped_len(str) == once.n);
    CHECK(json_str_eq(str, buf_span(&once)));
    CHECK(span_eq(json_text(str, &scratch), buf_span(&once)));
    json_string(&quoted, buf_span(&once));
    struct json_val again;
    bool valid = json_check(buf_span(&quoted), 0, &again, NULL);
    CHECK(valid == utf8_valid(buf_span(&once)));
    if (valid) CHECK(json_str_eq(again, buf_span(&once)));
    buf_add_byte(&once, 'x');
    CHECK(!json_str_eq(str, buf_span(&once)));
    buf_fini(&once);
    buf_fini(&quoted);
    buf_fini(&scratch);
}

static void check_scalar(struct json_val val)
{
    uint64_t number;
    struct json_val alone;
    CHECK(json_check(val.raw, 0, &alone, NULL));
    CHECK(alone.type == val.type && alone.escaped == val.escaped && span_eq(alone.raw, val.raw));
    if (val.type == JSON_STRING) check_string(val);
    if (json_to_u64(val, &number)) {
        struct buf b = { 0 };
        json_u64(&b, number);
        CHECK(span_eq(buf_span(&b), val.raw));
        buf_fini(&b);
    }
}

static bool is_container(struct json_val val)
{
    return val.type == JSON_ARRAY || val.type == JSON_OBJECT;
}

/* Visits everything below `root` and writes it again without white space. */
static void walk(struct json_val root, struct buf *out)
{
    struct {
        struct json_iter it;
        bool object;
    } stack[DEPTH + 1];
    unsigned depth = 0;
    struct json_val val = root, key;
    for (;;) {
        if (is_container(val)) {
            CHECK(depth < DEPTH);
            stack[depth].it = json_begin(val);
            stack[depth].object = val.type == JSON_OBJECT;
            json_open(out, stack[depth++].object ? '{' : '[');
        } else {
            check_scalar(val);
            json_raw(out, val.raw);
        }
        bool more = false;
        while (depth && !more) {
            struct json_iter *it = &stack[depth - 1].it;
            bool object = stack[depth - 1].object;
            more = object ? json_next_member(it, &key, &val) : json_next_item(it, &val);
            if (!more) {
                json_close(out, object ? '}' : ']');
                depth--;
            } else if (object) {
                check_scalar(key);
                json_raw(out, key.raw);
                buf_add_byte(out, ':');
            }
        }
        if (!more) return;
    }
}

/* The text without white space outside strings. */
static void compact(struct span text, struct buf *out)
{
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string && c == '\\') {
            buf_add_byte(out, c);
            c = text.p[++i];
        } else if (c == '"') {
            in_string = !in_string;
        }
        if (in_string || !memchr(" \t\r\n", c, 4)) buf_add_byte(out, c);
    }
}

static void check_fields(struct json_val object)
{
    struct json_field fields[] = { { .name = "event" }, { .name = "data" }, { .name = "" } };
    const char *twice = json_fields(object, fields, ARRAY_LEN(fields));
    size_t seen[ARRAY_LEN(fields)] = { 0 };
    struct json_iter it = json_begin(object);
    struct json_val key, val;
    while (json_next_member(&it, &key, &val))
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
            seen[i] += json_str_eq(key, span_str(fields[i].name));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (twice == fields[i].name) CHECK(seen[i] >= 2);
        if (!twice) CHECK(seen[i] == (fields[i].val.type != JSON_ABSENT));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = size ? mem_dup(data, size) : NULL;
    struct span text = span_of(copy, size);
    struct json_val root;
    struct json_bad bad = { 0 };
    if (json_check(text, DEPTH, &root, &bad)) {
        CHECK(utf8_valid(text));
        struct buf walked = { 0 }, compacted = { 0 };
        walk(root, &walked);
        compact(text, &compacted);
        CHECK(span_eq(buf_span(&walked), buf_span(&compacted)));
        CHECK(json_check(buf_span(&walked), DEPTH, NULL, NULL));
        if (root.type == JSON_OBJECT) check_fields(root);
        buf_fini(&walked);
        buf_fini(&compacted);
    } else {
        CHECK(bad.at <= size && bad.why);
    }
    mem_free(copy);
    return 0;
}
