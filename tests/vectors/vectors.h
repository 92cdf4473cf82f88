/* SPDX-License-Identifier: MIT
 *
 * tests/vectors/vectors.h: reads a file of vectors, one a line: class, name, text (the syntax is in
 * the head of json.txt). Made for tests: what is wrong with a file fails the test.
 */
#ifndef TESTS_VECTORS_VECTORS_H
#define TESTS_VECTORS_VECTORS_H
#include "unit/test.h"
#include <stdio.h>
#include <stdlib.h>

struct vector {
    struct span kind, name;
    struct buf text;
};

typedef void vector_check(const struct vector *v);

static inline int vector_hex(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    assert_non_null(at);
    return (int)(at - digits);
}

/* Takes one octet off the front: `%HH`, `newline` (0: none) for CR LF, all else for itself. */
static inline struct span vector_decode_one(struct span s, char newline, struct buf *out)
{
    if (s.p[0] == '%') {
        assert_true(s.n >= 3);
        buf_add_byte(out, (char)(vector_hex(s.p[1]) << 4 | vector_hex(s.p[2])));
        return span_skip(s, 3);
    }
    if (newline && s.p[0] == newline)
        BUF_ADD_LIT(out, "\r\n");
    else
        buf_add_byte(out, s.p[0]);
    return span_skip(s, 1);
}

/* The same for `%(N*text)`; the text has none of these. */
static inline struct span vector_decode_many(struct span s, char newline, struct buf *out)
{
    char *star;
    unsigned long times = strtoul(s.p + 2, &star, 10);
    const char *end = memchr(s.p, ')', s.n);
    assert_true(*star == '*' && end && end > star);
    for (unsigned long i = 0; i < times; i++) {
        struct span part = span_of(star + 1, (size_t)(end - star - 1));
        while (part.n > 0) part = vector_decode_one(part, newline, out);
    }
    return span_skip(s, (size_t)(end - s.p) + 1);
}

static inline void vector_decode(struct span s, char newline, struct buf *out)
{
    while (s.n > 0) {
        bool many = s.n > 1 && s.p[0] == '%' && s.p[1] == '(';
        s = many ? vector_decode_many(s, newline, out) : vector_decode_one(s, newline, out);
    }
}

static inline void vectors_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t n = 1; n > 0;) {
        char *room = buf_room(out, 65536);
        assert_non_null(room);
        n = fread(room, 1, 65536, file);
        buf_grew(out, n);
    }
    assert_int_equal(ferror(file), 0);
    fclose(file);
    buf_add_byte(out, '\0'); /* for strtoul */
}

/* Calls `check` with each vector of the file and returns how many there were. */
static inline size_t vectors_each(const char *path, char newline, vector_check *check)
{
    struct buf file = { 0 };
    vectors_read(path, &file);
    struct span lines = span_head(buf_span(&file), file.n - 1), line;
    size_t count = 0;
    while (span_cut(&lines, '\n', &line)) {
        if (line.n == 0 || line.p[0] == '#') continue;
        struct vector v = { .text = { 0 } };
        span_cut(&line, ' ', &v.kind);
        line = span_trim(line);
        span_cut(&line, ' ', &v.name);
        vector_decode(line, newline, &v.text);
        assert_false(buf_failed(&v.text));
        check(&v);
        buf_fini(&v.text);
        count++;
    }
    buf_fini(&file);
    return count;
}
#endif
