/* SPDX-License-Identifier: MIT
 *
 * cli/api_answer.h: what an answer of the HTTP API means for a command: its exit code, and the
 * sentence for people.
 */
#ifndef CLI_API_ANSWER_H
#define CLI_API_ANSWER_H
#include "base/json_read.h"
#include "cli/cmd.h"
#include "cli/http_call.h"

/* The part of a command's page that all of them share. */
#define API_EXIT_CODES                                                                             \
    "Exit codes: 65 the server refused the data, 68 no such host, 69 no answer, 75 try\n"          \
    "again later, 77 not allowed (app, key, secret or clock), 78 configuration.\n"

/* Of sysexits.h; EX_OK for 2xx. */
int api_answer_code(long status);

/* Appends "the server answered 401: …", safe for a terminal. */
void api_answer_say(const struct http_answer *answer, struct buf *out);

/* The same as cmd_fail_json(); returns the exit code. */
int api_answer_fail(const struct cmd *cmd, const struct http_answer *answer, bool json);

/* Appends the body as one line of JSON; "" where it is none. */
void api_answer_body(const struct http_answer *answer, struct buf *out);

/* For what http_call() or target_resolve() returned: as cmd_fail_json(), and the exit code. */
int api_call_fail(const struct cmd *cmd, enum err err, const struct diag *d, bool json);

/* GETs and prints: the body with `json`, else what `print` makes of its member `member` (an object
 * or an array). Returns the exit code. */
struct api_get {
    const struct cmd *cmd;
    const char *member;
    void (*print)(struct json_val member, struct buf *out);
    bool json;
};
int api_get_print(const struct api_get *get, struct http_caller *caller,
                  const struct http_ask *ask);
#endif
