/* SPDX-License-Identifier: MIT
 *
 * cli/http_call.h: signed requests to the HTTP API of a Pusher server, over libcurl.
 */
#ifndef CLI_HTTP_CALL_H
#define CLI_HTTP_CALL_H
#include "base/buf.h"
#include "cli/target.h"

#define HTTP_CALL_ANSWER_MAX ((size_t)64 * 1024 * 1024)

/* Keeps its connection from one call to the next. Zero but for the target, which is borrowed. */
struct http_caller {
    const struct target *target;
    void *_curl;
};
void http_caller_fini(struct http_caller *caller);

/* One request to /apps/ID/`what`. A POST where there is a body (JSON), else a GET. All borrowed. */
struct http_ask {
    struct span what; /* raw, as it is to stand in the URL: "channels/presence-a/users" */
    struct span body;
    const struct auth_param *params; /* not encoded; at most API_QUERY_MAX */
    size_t n_params;
};

struct http_answer {
    long status;
    struct buf body; /* the caller's, also on failure */
};

/* Signs, sends, and waits at most 30 s. What the server says is an answer, whatever its status;
 * `out` is cleared first. ERR_IO: no connection; ERR_CLOSED: connected, but no valid answer;
 * ERR_ABSENT: no such host; `d` says more. */
enum err http_call(struct http_caller *caller, const struct http_ask *ask, struct http_answer *out,
                   struct diag *d) MUST_USE;

/* Appends a segment of a path: encoded but for what names of channels may hold, since that is how
 * libraries send them, and the path is signed as it is sent. */
void http_call_segment(struct span text, struct buf *out);
#endif
