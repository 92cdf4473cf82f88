/* SPDX-License-Identifier: MIT
 *
 * pusher/chan_name.c: the kinds of channels by prefix, and the rules for names.
 *
 * The prefixes are one table in the order in which they must be tried: the longer one first where
 * one begins with another. The peers that search for a prefix anywhere in the name, or without its
 * dash, are the reason why the tests insist on both (protocol page 2.1).
 */
#include "pusher/chan_name.h"
#include "base/utf8.h"

#define USER_PREFIX "#server-to-user-"
#define DEL 0x7f

struct prefix {
    struct span text;
    struct chan_kind kind;
};

static const struct prefix prefixes[] = {
    { SPAN(USER_PREFIX), { CHAN_USER, false, false } },
    { SPAN("private-encrypted-cache-"), { CHAN_PRIVATE, true, true } },
    { SPAN("private-encrypted-"), { CHAN_PRIVATE, false, true } },
    { SPAN("private-cache-"), { CHAN_PRIVATE, true, false } },
    { SPAN("private-"), { CHAN_PRIVATE, false, false } },
    { SPAN("presence-cache-"), { CHAN_PRESENCE, true, false } },
    { SPAN("presence-"), { CHAN_PRESENCE, false, false } },
    { SPAN("cache-"), { CHAN_PUBLIC, true, false } },
};

struct chan_kind chan_kind_of(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (span_starts(name, prefixes[i].text)) return prefixes[i].kind;
    return (struct chan_kind) { CHAN_PUBLIC, false, false };
}

struct span chan_user_id(struct span name)
{
    CHECK(span_starts(name, SPAN(USER_PREFIX)));
    return span_skip(name, sizeof USER_PREFIX - 1);
}

void chan_user_name(struct buf *out, struct span user_id)
{
    BUF_ADD_LIT(out, USER_PREFIX);
    buf_add_span(out, user_id);
}

static const bool strict_chars[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['_'] = true, ['-'] = true,
    ['='] = true,         ['@'] = true,         [','] = true,         ['.'] = true, [';'] = true,
};

/* The length of the printable character at the start of `s`, or 0. Controls are C0, DEL and C1
 * (U+0080 to U+009F, which UTF-8 writes as C2 80 to C2 9F). */
static size_t printable_char(struct span s)
{
    unsigned char c = (unsigned char)s.p[0];
    if (c < ' ' || c == DEL) return 0;
    size_t n = utf8_char(s.p, s.n);
    bool c1 = n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0;
    return c1 ? 0 : n;
}

/* The offset of the first character that the rules do not allow, or s.n. */
static size_t find_bad_char(struct span s, bool strict)
{
    size_t at = 0;
    if (strict) {
        while (at < s.n && strict_chars[(unsigned char)s.p[at]]) at++;
        return at;
    }
    for (size_t n; at < s.n && (n = printable_char(span_skip(s, at))) != 0;) at += n;
    return at;
}

bool chan_name_ok(struct span name, struct chan_name_rules rules, struct buf *why)
{
    bool is_user = span_starts(name, SPAN(USER_PREFIX));
    size_t skip = is_user ? sizeof USER_PREFIX - 1 : 0;
    if (name.n == skip) {
        buf_add_fmt(why, "The %s is empty.",
                    is_user ? "user id in the channel name" : "channel name");
        return false;
    }
    if (rules.limit && name.n > rules.limit) {
        buf_add_fmt(why,
                    "The channel name is longer than the allowed %zu characters. It has %zu "
                    "(option limits.channel_name).",
                    rules.limit, name.n);
        return false;
    }
    size_t bad = skip + find_bad_char(span_skip(name, skip), rules.strict);
    if (bad == name.n) return true;
    if (rules.strict) {
        buf_add_fmt(why,
                    "The channel name has a character that is not allowed at offset %zu. Allowed "
                    "are A-Z a-z 0-9 _ - = @ , . ; (option strict_channel_names).",
                    bad);
    } else {
        buf_add_fmt(why, "The channel name has an unprintable character at offset %zu.", bad);
    }
    return false;
}
