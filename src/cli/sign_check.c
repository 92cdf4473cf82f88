/* SPDX-License-Identifier: MIT
 *
 * cli/sign_check.c: first the form (KEY:64 lower-case hexadecimal digits); what can be put right
 * there is, so that the search for the string that was signed (sign_guess.c) goes on behind it.
 */
#include "cli/sign_check.h"
#include "cli/sign_guess.h"
#include "http/url.h"

static struct buf *reason(struct sign_check *check)
{
    return sentences_new(&check->reasons);
}

static void complain(struct sign_check *check, const char *text)
{
    check->ok = false;
    sentences_add(&check->reasons, text);
}

/* --- the form --- */

static struct span strip(struct sign_check *check, struct span s)
{
    struct span inner = s;
    while (inner.n && strchr(" \t\r\n\"'", inner.p[0])) inner = span_skip(inner, 1);
    while (inner.n && strchr(" \t\r\n\"'", inner.p[inner.n - 1])) inner.n--;
    if (inner.n != s.n) complain(check, "there are quotes or white space around it");
    return inner;
}

static void complain_key(struct sign_check *check, const struct target *t, struct span key)
{
    struct buf *out = reason(check);
    check->ok = false;
    if (sign_keys_has_secret(t, key)) {
        BUF_ADD_LIT(out, "the part before the colon is a secret: whoever saw it can sign; replace "
                         "it, and put the app's key there");
        return;
    }
    buf_add_fmt(out, "the part before the colon is '%.*s'; it must be the app's key, '%.*s'",
                SPAN_FMT(span_head(key, 100)), SPAN_FMT(t->key));
    if (span_eq(key, t->id)) BUF_ADD_LIT(out, " (this is the app's id)");
    for (size_t i = 0; i < t->cfg->n_apps; i++)
        if (span_eq(key, t->cfg->apps[i].key))
            buf_add_fmt(out, " (this is the key of the app '%.*s')", SPAN_FMT(t->cfg->apps[i].id));
}

/* What stands behind KEY: */
static struct span take_key(struct sign_check *check, const struct target *t, struct span s)
{
    struct span rest = s, key;
    span_cut(&rest, ':', &key);
    if (!rest.p) return s; /* the signature alone */
    if (!span_eq(key, t->key)) complain_key(check, t, key);
    struct span last = rest;
    while (last.n && memchr(last.p, ':', last.n)) span_cut(&last, ':', &key);
    if (last.n != rest.n)
        complain(check, "there is more than one colon: the form is KEY:SIGNATURE");
    return last;
}

static bool is_hex(struct span s, bool *upper)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool capital = c >= 'A' && c <= 'F';
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !capital) return false;
        *upper |= capital;
    }
    return s.n > 0;
}

static void complain_length(struct sign_check *check, size_t n)
{
    static const struct {
        size_t n;
        const char *what;
    } known[] = {
        { 32, "32 hexadecimal digits are an MD5" },
        { 40, "40 hexadecimal digits are a SHA-1" },
        { 96, "96 hexadecimal digits are a SHA-384" },
        { 128, "128 hexadecimal digits are a SHA-512" },
    };
    struct buf *out = reason(check);
    check->ok = false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].n == n) buf_add_fmt(out, "%s; ", known[i].what);
    buf_add_fmt(out, "a signature is an HMAC-SHA256 of 64 hexadecimal digits, this one has %zu", n);
}

/* The 64 digits, made right where that can be done. False: there are none. */
static bool read_hex(struct sign_check *check, struct span s, char hex[SHA256_HEX_LEN])
{
    uint8_t octets[64];
    size_t n = 0;
    bool upper = false;
    if (is_hex(s, &upper)) {
        if (upper) complain(check, "there are capitals in it: hexadecimal digits must be small");
        if (s.n != SHA256_HEX_LEN) complain_length(check, s.n);
        for (size_t i = 0; s.n == SHA256_HEX_LEN && i < s.n; i++)
            hex[i] = s.p[i] >= 'A' && s.p[i] <= 'F' ? (char)(s.p[i] | 0x20) : s.p[i];
        return s.n == SHA256_HEX_LEN;
    }
    if (s.n == 44 && base64_decode(s, octets, &n) && n == 32) {
        complain(check, "it is base64: a signature is written with hexadecimal digits");
        hex_encode(span_of(octets, n), hex);
        return true;
    }
    complain(check, s.n ? "there is something in it that is no hexadecimal digit"
                        : "there is no signature");
    return false;
}

/* --- the string and the secret --- */

static void say_key(struct sign_check *check, const struct guess *g)
{
    if (!g->key->what.n) return;
    struct buf *out = reason(check);
    buf_add_fmt(out, "it was made with %.*s", SPAN_FMT(g->key->what));
    if (g->key->valid) BUF_ADD_LIT(out, ", which servers with this configuration accept");
}

static void say_string(struct sign_check *check, const struct guess *g)
{
    if (!g->string.n) return;
    struct buf *out = reason(check);
    buf_add_fmt(out, "another string was signed: %.*s", SPAN_FMT(g->string));
    if (g->tolerated) BUF_ADD_LIT(out, " (Peal accepts that; others may not)");
}

static void judge(struct sign_check *check, const struct guess *g)
{
    if (!g->key) {
        check->ok = false;
        buf_add_fmt(reason(check),
                    "it was made with a secret that is not known here, or for another string: %zu "
                    "likely ones do not give it; compare the string above with what your code "
                    "signs, octet for octet",
                    g->n_tried);
        return;
    }
    bool string_ok = !g->string.n || g->tolerated;
    if (check->reasons.n && g->key->valid && string_ok)
        sentences_add(&check->reasons, "but for that it would be right");
    say_key(check, g);
    say_string(check, g);
    if (!g->key->valid || !string_ok) check->ok = false;
}

enum err sign_check_run(struct sign_check *check, const struct target *t, const struct signing *s,
                        struct span given)
{
    struct sign_keys keys = { .n = 0 };
    char hex[SHA256_HEX_LEN];
    bool client = s->kind == SIGNING_CHANNEL || s->kind == SIGNING_USER;
    check->ok = true;
    given = strip(check, given);
    if (client) given = take_key(check, t, given);
    enum err err = ERR_OK;
    if (read_hex(check, given, hex)) {
        struct guess g = { .keys = &keys,
                           .hex = span_of(hex, sizeof hex),
                           .prefix = s->prefix.n ? s->prefix : t->cfg->path_prefix };
        err = sign_keys_init(&keys, t);
        if (!err) err = guess_run(&g, s);
        if (!err) judge(check, &g);
        guess_fini(&g);
    }
    if (sentences_failed(&check->reasons)) err = ERR_NOMEM;
    sign_keys_fini(&keys);
    return err;
}

void sign_check_fini(struct sign_check *check)
{
    sentences_fini(&check->reasons);
}

/* --- what else is in the query --- */

static void check_md5(const struct signing *s, struct sentences *out)
{
    struct span raw;
    char md5[MD5_HEX_LEN];
    if (!url_query_find(s->query, SPAN("body_md5"), &raw)) {
        if (s->body.n) sentences_add(out, "there is a body, but no body_md5 in the query");
        return;
    }
    md5_hex(s->body, md5);
    if (span_eq_nocase(raw, span_of(md5, sizeof md5))) return;
    buf_add_fmt(sentences_new(out),
                "body_md5 is %.*s, but the MD5 of the body given here (%zu octets) is %.*s",
                SPAN_FMT(span_head(raw, 100)), s->body.n, MD5_HEX_LEN, md5);
}

void sign_check_clock(const struct target *t, const struct signing *s, uint64_t unix_s,
                      struct sentences *out)
{
    uint64_t then_s, window_s = t->cfg->auth_timestamp_window_s;
    struct span timestamp;
    if (!url_query_find(s->query, SPAN("auth_timestamp"), &timestamp)) return;
    if (!span_to_u64(timestamp, &then_s)) {
        sentences_add(out, "auth_timestamp must be the Unix time in seconds");
        return;
    }
    bool ahead = then_s > unix_s;
    uint64_t off_s = ahead ? then_s - unix_s : unix_s - then_s;
    if (window_s && off_s > window_s)
        buf_add_fmt(sentences_new(out),
                    "auth_timestamp is %llu s %s the clock here; servers allow "
                    "auth_timestamp_window_s (%llu s)",
                    (unsigned long long)off_s, ahead ? "ahead of" : "behind",
                    (unsigned long long)window_s);
}

void sign_check_query(const struct target *t, const struct signing *s, struct sentences *out)
{
    struct span raw;
    if (url_query_find(s->query, SPAN("auth_key"), &raw) && !url_eq(raw, URL_PLUS_LITERAL, t->key))
        buf_add_fmt(sentences_new(out), "auth_key is not the app's key, '%.*s'", SPAN_FMT(t->key));
    if (url_query_find(s->query, SPAN("auth_version"), &raw) && !span_eq(raw, SPAN("1.0")))
        sentences_add(out, "auth_version must be 1.0");
    check_md5(s, out);
    struct span path = s->path;
    if (!span_starts(path, SPAN("/apps/"))) return;
    span_cut(&(struct span) { path.p + 6, path.n - 6 }, '/', &path);
    if (!url_eq(path, URL_PLUS_LITERAL, t->id))
        buf_add_fmt(sentences_new(out), "the path names the app '%.*s', not '%.*s'",
                    SPAN_FMT(span_head(path, 100)), SPAN_FMT(t->id));
}
