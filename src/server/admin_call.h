/* SPDX-License-Identifier: MIT
 *
 * server/admin_call.h: one request below /admin (docs/internals/watch.md) while it is answered, and
 * its routes: admin_look.c (what is there), admin_act.c (what is done), admin_explain.c (what
 * happened), admin_statistics.c (what is stored), admin_login.c (who is logged in).
 */
#ifndef SERVER_ADMIN_CALL_H
#define SERVER_ADMIN_CALL_H
#include "server/admin.h"
#include "server/conn.h"
#include "server/sessions.h"

#define ADMIN_SHOWN_MAX 1000 /* members, connections of one channel; facts */

struct admin_call {
    struct conn *c;
    const struct http1_req *req;
    struct span query;
    struct http1_reply to;
    struct buf *out;
    struct buf text;     /* decoded parameters; its room is taken at once */
    session_ref session; /* on the main listener: whose it is */
};

/* Answers a request whose path below /admin/ this is; false where it is none of these. */
bool admin_call_serve(struct admin_call *call, struct span name, enum admin_result *result);

/* --- helpers --- */
/* A parameter of the query, decoded; p == NULL where it is absent or empty. */
struct span admin_param(struct admin_call *call, const char *key);
/* The app of `?app=`; NULL after an answer. */
struct app *admin_app(struct admin_call *call, enum admin_result *result);
/* The socket of `?key=`; false after an answer. 0 where it is absent and not `needed`. */
bool admin_socket(struct admin_call *call, const char *key, bool needed, uint64_t *socket_id,
                  enum admin_result *result);
enum admin_result admin_error(struct admin_call *call, unsigned status, struct span why);
/* Takes the content of `json`. */
enum admin_result admin_done(struct admin_call *call, struct buf *json);

/* --- routes --- */
typedef enum admin_result admin_route(struct admin_call *call);
admin_route admin_apps, admin_figures, admin_channels, admin_channel; /* admin_look.c */
admin_route admin_connection;
admin_route admin_disconnect, admin_publish, admin_secret; /* admin_act.c */
admin_route admin_facts, admin_explain;                    /* admin_explain.c */
admin_route admin_statistics;                              /* admin_statistics.c */
admin_route admin_session, admin_stream, admin_logout;     /* admin_login.c */
/* Explains this publish, when all workers have handed it out. */
enum admin_result admin_explain_publish(struct conn *c, uint64_t fact);
/* A connection of this worker; NULL: there is none. Watchers are none. */
struct conn *admin_find(const struct worker *w, uint64_t socket_id);
#endif
