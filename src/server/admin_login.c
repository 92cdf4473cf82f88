/* SPDX-License-Identifier: MIT
 *
 * server/admin_login.c: what the page asks about its own log-in. On the admin listener there is
 * none, and it says so.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "server/admin_call.h"
#include "server/login.h"

static void add_token(struct admin_call *call, const char *purpose, struct buf *json)
{
    struct buf token = { 0 };
    login_token(call->c, call->session, purpose, &token);
    json_key(json, SPAN("token"));
    json_string(json, buf_span(&token));
    if (buf_failed(&token)) buf_fail(json);
    buf_fini(&token);
}

/* GET session */
enum admin_result admin_session(struct admin_call *call)
{
    struct buf json = { 0 };
    json_open(&json, '{');
    json_key(&json, SPAN("login"));
    if (call->session) {
        json_open(&json, '{');
        add_token(call, LOGIN_TOKEN_WRITE, &json);
        json_key(&json, SPAN("ends"));
        json_u64(&json, clock_unix_ms() + login_left_ms(call->c, call->session));
        json_close(&json, '}');
    } else {
        json_null(&json);
    }
    json_close(&json, '}');
    return admin_done(call, &json);
}

/* GET stream */
enum admin_result admin_stream(struct admin_call *call)
{
    struct buf json = { 0 };
    json_open(&json, '{');
    if (call->session) {
        add_token(call, LOGIN_TOKEN_STREAM, &json);
    } else {
        json_key(&json, SPAN("token"));
        json_null(&json);
    }
    json_close(&json, '}');
    return admin_done(call, &json);
}

/* POST logout */
enum admin_result admin_logout(struct admin_call *call)
{
    if (!call->session) return admin_error(call, 404, SPAN("Nobody is logged in here."));
    return admin_answered(login_end(call->c, call->req, call->session, call->to, call->out));
}
