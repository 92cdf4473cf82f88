/* SPDX-License-Identifier: MIT
 *
 * server/internal_app.h: an app of the server's own, in no list, no count and no limit, whose
 * secret nobody outside of this process can know.
 */
#ifndef SERVER_INTERNAL_APP_H
#define SERVER_INTERNAL_APP_H
#include "hub/app.h"

struct internal_app {
    struct app_settings settings; /* the caller may set limits between init and open */
    struct apps *apps;            /* one */
    struct span _secrets[1];
    char _secret[32];
};

/* `name`: its id and its key, which live on. Stays where it is: the settings point into it. */
void internal_app_init(struct internal_app *ia, struct span name);
enum err internal_app_open(struct internal_app *ia) MUST_USE;
/* After all connections. Zeroed or not opened is fine; the memory is the caller's to wipe. */
void internal_app_close(struct internal_app *ia);
static inline struct app *internal_app(const struct internal_app *ia)
{
    return &ia->apps->all[0];
}
#endif
