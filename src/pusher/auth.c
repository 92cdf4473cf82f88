/* SPDX-License-Identifier: MIT
 *
 * pusher/auth.c: the strings that are signed, and the comparison of what was sent with them.
 *
 * A string to sign is never put together in memory for channels and users: the parts go to the HMAC
 * one after the other. For an API request it is, since the retries of the protocol page's 4.1 and
 * the explanation for developers need the text. Every secret is tried, always all of them, so that
 * time does not tell which one matched.
 */
#include "pusher/auth.h"

const char *auth_verdict_text(enum auth_verdict verdict)
{
    switch (verdict) {
    case AUTH_OK:
        return "the signature is right";
    case AUTH_MISSING:
        return "there is no auth";
    case AUTH_MALFORMED:
        return "auth is not of the form KEY:SIGNATURE with 64 lower-case hexadecimal digits";
    case AUTH_WRONG_KEY:
        return "auth was made with the key of another app";
    case AUTH_MISMATCH:
        return "auth was made with another secret or for another string";
    }
    UNREACHABLE();
}

static bool is_hex_signature(struct span s)
{
    if (s.n != SHA256_HEX_LEN) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return true;
}

/* Any secret of the app made `signature` over the parts. */
static bool matches(const struct auth_keys *keys, struct span signature, const struct span *parts,
                    size_t n_parts)
{
    bool ok = false;
    for (size_t i = 0; i < keys->n_secrets; i++) {
        char hex[SHA256_HEX_LEN];
        hmac_sha256_hex(keys->secrets[i], parts, n_parts, hex);
        ok |= equal_consttime(signature, span_of(hex, sizeof hex));
    }
    return ok;
}

static enum auth_verdict check(const struct auth_keys *keys, struct span auth,
                               const struct span *parts, size_t n_parts)
{
    if (auth.n == 0) return AUTH_MISSING;
    struct span signature = auth, key;
    span_cut(&signature, ':', &key);
    if (!signature.p) return AUTH_MALFORMED;
    if (!span_eq(key, keys->key)) return AUTH_WRONG_KEY;
    if (!is_hex_signature(signature)) return AUTH_MALFORMED;
    return matches(keys, signature, parts, n_parts) ? AUTH_OK : AUTH_MISMATCH;
}

static void sign(const struct auth_keys *keys, const struct span *parts, size_t n_parts,
                 struct buf *out)
{
    char hex[SHA256_HEX_LEN];
    CHECK(keys->n_secrets > 0);
    hmac_sha256_hex(keys->secrets[0], parts, n_parts, hex);
    buf_add_span(out, keys->key);
    buf_add_byte(out, ':');
    buf_add(out, hex, sizeof hex);
}

/* socket_id:channel[:channel_data] (protocol page 3.2) */
#define CHANNEL_PARTS 5
static size_t channel_parts(struct span socket_id, struct span channel, struct span channel_data,
                            struct span parts[CHANNEL_PARTS])
{
    size_t n = 0;
    parts[n++] = socket_id;
    parts[n++] = SPAN(":");
    parts[n++] = channel;
    if (channel_data.n == 0) return n;
    parts[n++] = SPAN(":");
    parts[n++] = channel_data;
    return n;
}

enum auth_verdict auth_check_channel(const struct auth_keys *keys, struct span auth,
                                     struct span socket_id, struct span channel,
                                     struct span channel_data)
{
    struct span parts[CHANNEL_PARTS];
    return check(keys, auth, parts, channel_parts(socket_id, channel, channel_data, parts));
}

void auth_sign_channel(const struct auth_keys *keys, struct span socket_id, struct span channel,
                       struct span channel_data, struct buf *out)
{
    struct span parts[CHANNEL_PARTS];
    sign(keys, parts, channel_parts(socket_id, channel, channel_data, parts), out);
}

/* socket_id::user::user_data (protocol page 3.4) */
enum auth_verdict auth_check_user(const struct auth_keys *keys, struct span auth,
                                  struct span socket_id, struct span user_data)
{
    const struct span parts[] = { socket_id, SPAN("::user::"), user_data };
    return check(keys, auth, parts, ARRAY_LEN(parts));
}

void auth_sign_user(const struct auth_keys *keys, struct span socket_id, struct span user_data,
                    struct buf *out)
{
    const struct span parts[] = { socket_id, SPAN("::user::"), user_data };
    sign(keys, parts, ARRAY_LEN(parts), out);
}

bool auth_check_string(const struct auth_keys *keys, struct span signature, struct span string)
{
    return signature.n == SHA256_HEX_LEN && matches(keys, signature, &string, 1);
}

void auth_sign_string(const struct auth_keys *keys, struct span string, char hex[SHA256_HEX_LEN])
{
    CHECK(keys->n_secrets > 0);
    hmac_sha256_hex(keys->secrets[0], &string, 1, hex);
}

/* --- the string of an API request (protocol page 4.1, points 6 and 7) --- */

/* Which parameters are signed, in the order of the string. */
struct sorted {
    struct auth_param params[AUTH_MAX_PARAMS]; /* keys without brackets, not yet lower-cased */
    size_t n;
    bool keep_case;
};

static bool is_left_out(struct span key)
{
    return span_eq(key, SPAN("auth_signature")) || span_eq(key, SPAN("appId")) ||
           span_eq(key, SPAN("appKey")) || span_eq(key, SPAN("channelName"));
}

/* `x` of `x[]`, `x[0]` and `x[a][b]`; other keys as they are. */
static struct span strip_brackets(struct span key)
{
    if (key.n == 0 || key.p[key.n - 1] != ']') return key;
    const char *open = memchr(key.p, '[', key.n);
    return open && open != key.p ? span_of(key.p, (size_t)(open - key.p)) : key;
}

static unsigned char fold(char c, bool keep_case)
{
    unsigned char u = (unsigned char)c;
    return !keep_case && u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static int compare(struct span a, struct span b, bool keep_case)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        if (a.p[i] == b.p[i]) continue;
        int diff = fold(a.p[i], keep_case) - fold(b.p[i], keep_case);
        if (diff) return diff;
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* Insertion keeps parameters of one key in the order in which they came, which qsort() does not,
 * and there are few. */
static void insert(struct sorted *s, struct auth_param param)
{
    size_t at = s->n++;
    while (at > 0 && compare(s->params[at - 1].key, param.key, s->keep_case) > 0) {
        s->params[at] = s->params[at - 1];
        at--;
    }
    s->params[at] = param;
}

static char *put(char *to, struct span text)
{
    if (text.n) memcpy(to, text.p, text.n);
    return to + text.n;
}

static char *put_key(char *to, struct span key, bool keep_case)
{
    if (keep_case) return put(to, key);
    for (size_t i = 0; i < key.n; i++) to[i] = (char)fold(key.p[i], false);
    return to + key.n;
}

/* Whether a parameter goes on with the values of the one before it: both are of one array. */
static bool is_more(const struct sorted *s, size_t i)
{
    if (i == 0) return false;
    struct span before = s->params[i - 1].key, key = s->params[i].key;
    return before.n == key.n && compare(before, key, s->keep_case) == 0;
}

static char *put_params(char *to, const struct sorted *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (is_more(s, i)) {
            *to++ = ',';
        } else {
            if (i > 0) *to++ = '&';
            to = put_key(to, s->params[i].key, s->keep_case);
            *to++ = '=';
        }
        to = put(to, s->params[i].value);
    }
    return to;
}

enum err auth_request_string(const struct auth_request *req, struct buf *out)
{
    if (req->n_params > AUTH_MAX_PARAMS) return ERR_LIMIT;
    struct sorted s;
    size_t room = req->method.n + req->path.n + 2;
    s.n = 0;
    s.keep_case = req->keep_case;
    for (size_t i = 0; i < req->n_params; i++) {
        struct auth_param p = req->params[i];
        if (is_left_out(p.key)) continue;
        p.key = strip_brackets(p.key);
        room += p.key.n + p.value.n + 2;
        insert(&s, p);
    }
    char *from = buf_room(out, room), *to = from;
    if (!from) return ERR_NOMEM;
    to = put(to, req->method);
    *to++ = '\n';
    to = put(to, req->path);
    *to++ = '\n';
    to = put_params(to, &s);
    buf_grew(out, (size_t)(to - from));
    return ERR_OK;
}
