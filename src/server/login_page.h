/* SPDX-License-Identifier: MIT
 *
 * server/login_page.h: the log-in page as it is answered, and the cookies of it. Knows no sessions:
 * what it shows and sets is passed in.
 */
#ifndef SERVER_LOGIN_PAGE_H
#define SERVER_LOGIN_PAGE_H
#include "http/http1_res.h"

struct config;

#define LOGIN_COOKIE_SESSION "peal_session"
#define LOGIN_COOKIE_FORM "peal_form"     /* what the form's token is bound to */
#define LOGIN_COOKIE_DEVICE "peal_device" /* a browser that was in before */

struct login_page {
    unsigned status;
    const char *notice; /* a sentence, "" for none */
    uint64_t retry_s;   /* 0: no Retry-After */
    bool in_the_clear;  /* what is typed can be read on its way */
    struct span token;  /* hex and dots */
    struct span cookie; /* a whole Set-Cookie */
};
/* Appends the page with its headers. */
enum err login_page_write(const struct login_page *page, struct http1_reply to,
                          struct buf *out) MUST_USE;

/* Appends a Set-Cookie. `secure`: for https only, and by a name that only https can set. An empty
 * value with max_age_s 0 makes the browser forget it. */
struct login_cookie {
    const char *name;
    struct span value;
    uint64_t max_age_s;
    bool secure;
};
void login_cookie_write(const struct config *cfg, const struct login_cookie *cookie,
                        struct buf *out);
/* The request's cookie of this name, in either form; p == NULL: none. */
struct span login_cookie_find(const struct http1_req *req, const char *name);
#endif
