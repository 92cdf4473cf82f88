/* SPDX-License-Identifier: MIT
 *
 * server/login.h: the log-in to the dashboard on the main listener (docs/internals/login.md).
 *
 * One for the server, shared by its workers. The password is looked at on a thread of its own
 * (server/aside.h), since that takes a while and memory on purpose.
 */
#ifndef SERVER_LOGIN_H
#define SERVER_LOGIN_H
#include "server/admin.h"
#include "server/sessions.h"

#define LOGIN_BODY_MAX 4096 /* octets of the form */

struct config;
struct login;

enum err login_new(struct login **out) MUST_USE;
void login_free(struct login *l); /* NULL allowed */
/* When the workers have ended: who waits is answered by tasks of theirs. Then it can be used again.
 */
void login_stop(struct login *l);
/* The main thread: these settings are in force. Another password, or an end of the exposing, ends
 * all sessions. */
void login_configure(struct login *l, const struct config *cfg);

/* --- on a worker's thread --- */
/* Whose request this is, by its cookie; 0: nobody's. */
session_ref login_session(const struct conn *c, const struct http1_req *req);
/* Whether the session of a connection (conn->session) is still open. */
bool login_lasts(const struct conn *c);
/* The log-in page; for who is logged in: the way to the dashboard. */
enum err login_show(const struct conn *c, const struct http1_req *req, struct http1_reply to,
                    struct buf *out) MUST_USE;
/* The form of it. What browsers say of the page that sends it has been looked at. */
enum admin_result login_submit(struct conn *c, const struct http1_req *req, struct http1_reply to,
                               struct buf *out);
/* Ends the session and lets the browser forget it; the answer is `{}`. */
enum err login_end(const struct conn *c, const struct http1_req *req, session_ref ref,
                   struct http1_reply to, struct buf *out) MUST_USE;

/* Tokens of a session: for its writes (as long as it lasts), and to open the live stream (a
 * minute). `purpose` is one of these. */
#define LOGIN_TOKEN_WRITE "write"
#define LOGIN_TOKEN_STREAM "stream"
void login_token(const struct conn *c, session_ref ref, const char *purpose, struct buf *out);
bool login_token_good(const struct conn *c, session_ref ref, const char *purpose,
                      struct span token);
/* How long the session still lasts. */
uint64_t login_left_ms(const struct conn *c, session_ref ref);
#endif
