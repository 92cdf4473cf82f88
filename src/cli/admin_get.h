/* SPDX-License-Identifier: MIT
 * cli/admin_get.h: questions to a server's admin listener, and where it is. */
#ifndef CLI_ADMIN_GET_H
#define CLI_ADMIN_GET_H
#include "base/buf.h"
#include "cli/settings.h"

/* The address of the flag --admin (NULL: that of the settings, which are loaded into `*cfg` then).
 * `*out` borrows from both. */
enum err admin_get_where(struct settings *settings, const char *flag, struct config **cfg,
                         struct config_addr *out, struct diag *d) MUST_USE;

struct admin_answer {
    long status;
    struct buf body;
};
/* Asks once, for at most `timeout_ms`; fills `out` anew. ERR_IO and ERR_CLOSED: no answer;
 * ERR_DENIED: the server refuses us; ERR_LIMIT: the answer is larger than `most` octets. `d` says
 * more. */
enum err admin_get(const struct config_addr *admin, const char *path, long timeout_ms,
                   struct admin_answer *out, struct diag *d) MUST_USE;
void admin_answer_fini(struct admin_answer *answer);
/* That somebody answers there, but not as we know it. */
enum err admin_strange(const struct config_addr *admin, long status, struct diag *d);
#endif
