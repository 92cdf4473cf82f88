/* SPDX-License-Identifier: MIT
 *
 * server/server.h: a whole server: listeners, workers, signals. Two may live in one process.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H
#include "server/config.h"

struct server;

/* Opens the listeners and starts the workers. Borrows `cfg` until server_free. On failure `d` says
 * why and nothing runs. */
enum err server_start(struct server **out, const struct config *cfg, struct diag *d) MUST_USE;

/* Blocks until a signal stops the server; returns the exit code of the process. */
int server_run(struct server *s);

void server_free(struct server **s); /* NULL allowed; `*s` becomes NULL */

/* What the ready line says. The texts live as long as the server. */
struct server_ready {
    const char *host;  /* of the first listener; unix:/path for a Unix socket */
    unsigned port;     /* the real one; 0 for a Unix socket */
    const char *admin; /* HOST:PORT or unix:/path */
    unsigned workers;
    const char *listen; /* all listeners, comma-separated, as bound */
};
void server_ready_info(const struct server *s, struct server_ready *out);
#endif
