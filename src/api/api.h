/* SPDX-License-Identifier: MIT
 *
 * api/api.h: the HTTP API for back ends (protocol page section 4), `GET /` and `GET /up`.
 *
 * Pure: a request comes as a struct http1_req, the answer is appended to a buf, the time is passed
 * in; effects go through the hub. One api per worker, used by that worker's thread only. It keeps
 * nothing about a request: what must last from the head to the end of the body is in struct
 * api_call, which owns no memory. A request whose signature is wrong is refused when its head is
 * there, so that nobody without a secret can make us hold a large body.
 *
 *     HTTP1_EV_HEAD: api_head(api, req, unix_s, &call)
 *                    http1_req_limit_body(req, call.body_limit, call.body_option)
 *     HTTP1_EV_DONE: api_finish(api, req, http1_reply_to(req), &call, out)
 *
 * Between the two the connection may read on; nothing here points into the head meanwhile.
 * Upgrades (`GET /app/{key}` with `Upgrade: websocket`) are the caller's: he routes them before.
 */
#ifndef API_API_H
#define API_API_H
#include "http/http1_res.h"
#include "hub/hub.h"

/* What is read of a request that will be refused, or that needs no body: enough to keep the
 * connection usable. Also the room for everything but the data in a publish. */
#define API_SMALL_BODY 16384
/* The limit of a publish where an option that it is derived from is 0 (no limit). */
#define API_LARGE_BODY ((size_t)64 << 20)

struct api;

/* Which form of its page is wanted. */
struct api_home {
    bool html;  /* else plain text */
    bool local; /* as in struct api_call */
};

/* Borrowed for the api's life; `path_prefix` as the option: "" or "/ws". */
struct api_settings {
    const struct apps *apps;
    struct hub *hub;
    /* Writes the page of `GET /`; `ctx` is `home_ctx`. NULL: it just says OK. */
    void (*home)(const void *ctx, const struct api_home *want, struct buf *out);
    const void *home_ctx;
    struct span home_policy; /* its Content-Security-Policy */
    struct span path_prefix;
    uint64_t auth_window_s; /* auth_timestamp_window_s; 0: not checked */
    bool explain;           /* --dev or debug level: refusals tell which string was to be signed */
};

enum err api_new(struct api **out, const struct api_settings *settings) MUST_USE;
void api_free(struct api *api); /* NULL allowed */
/* Other settings from now on, for the same hub. Between requests; those whose body is still on the
 * way are judged by both. */
void api_change(struct api *api, const struct api_settings *settings);

/* One request between its head and its end. Zeroed or not before api_head, which fills it. Plain
 * data: may be copied and forgotten. */
struct api_call {
    size_t body_limit;       /* what may be read of the body */
    const char *body_option; /* static: where that limit comes from */
    struct app *app;         /* NULL: no app of ours is concerned */
    uint16_t status;         /* after api_finish: what was answered, for log and metrics */
    bool local;              /* to be set after api_head: whoever asks sits at this machine */
    bool refused;            /* after api_head: the answer will be an error whatever the body is */
    bool _usual; /* of the target nothing is needed any more but body_md5, which is here: */
    uint8_t _md5[MD5_LEN];
    bool _guess; /* of a wrong signature: which part differs is looked for */
    uint8_t _route, _verdict, _detail, _reading;
    int64_t _measured;
};

/* Looks at a request whose head is complete: route, method, app, parameters, time and signature
 * (which covers body_md5, and so the body). `unix_s`: seconds since 1970. Allocates only scratch.
 * Never fails: what is wrong is answered by api_finish. */
void api_head(struct api *api, const struct http1_req *req, uint64_t unix_s, struct api_call *call);

/* Carries out a complete request and appends the whole response (with CORS headers) to `out`.
 * `call` is what api_head filled for this request. Within a turn of the hub (hub_turn_begin).
 * A call that was refused may be answered without its body (then `to` must not keep the
 * connection). Nothing is published unless the whole request is valid. ERR_NOMEM: no answer could
 * be written, close the connection; where memory is short otherwise, the answer is 503. */
enum err api_finish(struct api *api, const struct http1_req *req, struct http1_reply to,
                    struct api_call *call, struct buf *out) MUST_USE;
/* Appends a refusal that is not api_finish's, since the request came to no end or was to become a
 * WebSocket: JSON and CORS headers as in all other answers, so that scripts in browsers can read
 * it, and what the status calls for (405: Allow, 426: Upgrade and Sec-WebSocket-Version, 503:
 * Retry-After). `text` is UTF-8. Errors as http1_res_write. */
enum err api_write_refusal(struct buf *out, struct http1_reply to, unsigned status,
                           struct span text) MUST_USE;
/* The target's path as it may be logged: without the query, which holds a signature, and not at all
 * where a part of it is an app's secret. Borrows from `target`, or static. */
struct span api_loggable_path(const struct api *api, struct span target);
/* For the log: why the last api_finish refused, as it told the client; empty where it did not.
 * Valid until the next call of api_head or api_finish. */
struct span api_why(const struct api *api);
#endif
