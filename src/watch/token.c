/* SPDX-License-Identifier: MIT
 *
 * watch/token.c: see token.h. "v1." app "." expires "." signature, the app as base64url since ids
 * may hold anything.
 */
#include "watch/token.h"
#include "watch/base64url.h"

/* The parts behind the version; false where there are not exactly so many. */
static bool split(struct span token, struct span *app, struct span *expires, struct span *hex)
{
    struct span version, rest = token;
    return token.p && span_cut(&rest, '.', &version) && span_eq(version, SPAN("v1")) &&
           span_cut(&rest, '.', app) && span_cut(&rest, '.', expires) &&
           span_cut(&rest, '.', hex) && !rest.p;
}

/* What is signed. */
static void write_string(struct span app_id, struct span expires, struct buf *out)
{
    BUF_ADD_LIT(out, "peal-internal:");
    buf_add_span(out, app_id);
    buf_add_byte(out, ':');
    buf_add_span(out, expires);
}

bool watch_token_app(struct span token, struct buf *scratch, struct span *app_id)
{
    struct span app, expires, hex;
    size_t from = scratch->n;
    if (!split(token, &app, &expires, &hex) || !base64url_decode(app, scratch)) return false;
    *app_id = span_skip(buf_span(scratch), from);
    return true;
}

uint64_t watch_token_lasts(struct span token, struct span app_id, const struct auth_keys *keys,
                           uint64_t unix_s)
{
    struct span app, expires, hex;
    uint64_t until_s;
    if (!split(token, &app, &expires, &hex) || !span_to_u64(expires, &until_s)) return 0;
    if (until_s <= unix_s || until_s - unix_s > WATCH_TOKEN_MAX_S) return 0;
    struct buf string = { 0 };
    write_string(app_id, expires, &string);
    bool good = !buf_failed(&string) && auth_check_string(keys, hex, buf_span(&string));
    buf_fini(&string);
    return good ? until_s - unix_s : 0;
}

enum err watch_token_make(struct span app_id, const struct auth_keys *keys, uint64_t expires_s,
                          struct buf *out)
{
    char hex[SHA256_HEX_LEN];
    struct buf number = { 0 }, string = { 0 };
    buf_add_u64(&number, expires_s);
    write_string(app_id, buf_span(&number), &string);
    BUF_ADD_LIT(out, "v1.");
    base64url_encode(app_id, out);
    buf_add_byte(out, '.');
    buf_add_span(out, buf_span(&number));
    buf_add_byte(out, '.');
    if (buf_failed(&string) || buf_failed(&number)) {
        buf_fail(out);
    } else {
        auth_sign_string(keys, buf_span(&string), hex);
        buf_add(out, hex, sizeof hex);
    }
    buf_fini(&string);
    buf_fini(&number);
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}
