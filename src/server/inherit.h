/* SPDX-License-Identifier: MIT
 *
 * server/inherit.h: listening sockets that this process was started with: those of the image before
 * us (restart in place) and those of systemd (socket activation).
 *
 * Ours come as PEAL_LISTENERS=FD:NAME,… and are matched by name, so that a listener on port 0 keeps
 * its port; the others as LISTEN_FDS and are matched by address. A name is the kind and the address
 * as it is configured ("listen@127.0.0.1:0"; "#1" behind it for the second one of that address).
 * The variables are removed from the environment when they are read.
 */
#ifndef SERVER_INHERIT_H
#define SERVER_INHERIT_H
#include "base/buf.h"
#include "net/sock.h"

#define INHERIT_LISTENERS "PEAL_LISTENERS"
#define INHERIT_GENERATION "PEAL_GENERATION"

struct inherited_fd {
    int fd;
    bool given; /* by somebody else, who also made the file of a Unix socket */
    bool taken;
    struct span name; /* empty for one of systemd's */
};

struct inherited {
    struct inherited_fd *fds;
    size_t n;
    unsigned generation; /* 1 for a process that was just started */
    char *_text;
};

/* The main thread, before any other exists: reads the environment and cleans it. ERR_CONFIG with a
 * sentence where PEAL_LISTENERS is not ours, ERR_NOMEM. */
enum err inherit_read(struct inherited *in, struct diag *d) MUST_USE;
/* Closes what was not taken, with a warning in the log; files of our own Unix sockets go, too. */
void inherit_close_rest(struct inherited *in);
void inherit_fini(struct inherited *in); /* frees; the descriptors stay open */

/* Appends the name of a listener: `number` counts those with the same kind and address. */
void inherit_name(struct buf *out, bool admin, struct span addr_text, unsigned number);

/* Whether a listener of this name or address was passed on (it need not be probed). */
bool inherit_has(const struct inherited *in, struct span name, const struct sock_addr *addr);
/* Moves its descriptors into `fds` (room for `in->n`), marks them as taken; returns how many.
 * `*given`: see above. */
size_t inherit_take(struct inherited *in, struct span name, const struct sock_addr *addr, int *fds,
                    bool *given);
#endif
