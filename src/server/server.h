/* SPDX-License-Identifier: MIT
 *
 * server/server.h: a whole server: listeners, workers, signals. Two may live in one process.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H
#include "server/config.h"
#include "server/inherit.h"

struct server;

/* How the process came to be. */
struct server_origin {
    struct inherited *inherited; /* NULL: nothing; used by server_start only */
    unsigned generation;         /* 1, and one more with each restart in place */
    char *path;                  /* restart in place: the program, absolute; NULL: cannot */
    char *const *args;           /* of `serve`, NULL at the end */
    /* Reload: reads the settings anew, as config_load does; NULL: cannot. */
    enum err (*load)(void *ctx, struct config **out, struct diag *d);
    void *ctx;
};

/* Opens the listeners and starts the workers. Borrows `cfg` and what `origin` points at until
 * server_free; `origin` may be NULL (nothing inherited, no restart in place). On failure `d` says
 * why and nothing runs. */
enum err server_start(struct server **out, const struct config *cfg,
                      const struct server_origin *origin, struct diag *d) MUST_USE;

/* What server_start would say of the listeners, without opening any: addresses that were passed on
 * are left out. */
enum err server_check(const struct config *cfg, const struct inherited *inherited,
                      struct diag *d) MUST_USE;

/* Blocks until a signal stops the server; returns the exit code of the process. After a restart in
 * place it does not return: the process is another program then. */
int server_run(struct server *s);

void server_free(struct server **s); /* NULL allowed; `*s` becomes NULL */

/* What the ready line says. The texts live as long as the server. */
struct server_ready {
    const char *host;  /* of the first listener; unix:/path for a Unix socket */
    unsigned port;     /* the real one; 0 for a Unix socket */
    const char *admin; /* HOST:PORT or unix:/path */
    unsigned workers;
    unsigned generation;
    const char *listen; /* all listeners, comma-separated, as bound */
};
void server_ready_info(const struct server *s, struct server_ready *out);

/* Appends what to do with this server, for the terminal of whoever runs it for development; nothing
 * where it has no app or no port. */
void server_dev_page(const struct server *s, struct buf *out);
#endif
