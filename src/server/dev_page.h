/* SPDX-License-Identifier: MIT
 *
 * server/dev_page.h: what to do with this very server, for whoever develops against it: URLs, .env
 * lines, the code for Laravel Echo, commands to try. `peal serve --dev` prints it, and answers
 * `GET /` with it, as text or as a page without script.
 */
#ifndef SERVER_DEV_PAGE_H
#define SERVER_DEV_PAGE_H
#include "base/buf.h"
#include "server/config.h"

/* Borrowed for the call. */
struct dev_page {
    const struct app_settings *app;
    struct span prefix;    /* path_prefix */
    const char *admin;     /* HOST:PORT of the admin listener */
    struct span dashboard; /* its path there; empty: there is none */
    const char *host;      /* as bound; a wildcard is shown as loopback */
    unsigned port;
    const char *program; /* as it was called, for the commands */
    bool secret;         /* shown, also where it is not the well-known one of --dev */
};

/* For GET /: no script, nothing from elsewhere, in no frame; the hash is of the one style sheet. */
extern const struct span dev_page_policy;

void dev_page_text(const struct dev_page *page, struct buf *out);
void dev_page_html(const struct dev_page *page, struct buf *out);
#endif
