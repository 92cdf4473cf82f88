/* SPDX-License-Identifier: MIT
 *
 * cli/curl_setup.h: what all uses of libcurl here have in common.
 */
#ifndef CLI_CURL_SETUP_H
#define CLI_CURL_SETUP_H
#include "cli/target.h"
#include <curl/curl.h>

/* A handle for the target: no redirects, no signals, no proxy on the way to this machine. NULL: no
 * memory. The caller's: curl_easy_cleanup(). */
CURL *curl_setup(const struct target *t, const char *url) MUST_USE;

/* Keeps the body of the answer; more than `max` octets end the transfer. Both borrowed until then.
 */
struct curl_body {
    struct buf *to;
    size_t max;
};
CURLcode curl_keep_body(CURL *curl, struct curl_body *body) MUST_USE;

/* What a transfer's end means: ERR_OK, ERR_NOMEM, ERR_ABSENT (host), ERR_IO (no connection),
 * ERR_CLOSED (all else); `d` has the sentence. */
enum err curl_result(const struct target *t, CURLcode code, struct diag *d) MUST_USE;
#endif
