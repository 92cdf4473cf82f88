/* SPDX-License-Identifier: MIT
 *
 * cli/http_call.h: one signed request to the HTTP API of a Pusher server, over libcurl.
 */
#ifndef CLI_HTTP_CALL_H
#define CLI_HTTP_CALL_H
#include "base/buf.h"
#include "cli/target.h"

#define HTTP_CALL_ANSWER_MAX ((size_t)1024 * 1024)

struct http_answer {
    long status;
    struct buf body; /* the caller's, also on failure */
};

/* POSTs `body` (JSON) to /apps/ID/`what`, and waits at most 30 s. What the server says is an
 * answer, whatever its status. ERR_IO: no connection; ERR_CLOSED: connected, but no valid answer;
 * ERR_ABSENT: no such host; `d` says more. */
enum err http_call_post(const struct target *t, const char *what, struct span body,
                        struct http_answer *out, struct diag *d) MUST_USE;
#endif
