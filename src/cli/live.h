/* SPDX-License-Identifier: MIT
 * cli/live.h: GET /live of a server's admin listener: which process it is, and how its last restart
 * in place went. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H
#include "base/buf.h"
#include "server/config.h"

struct live {
    uint64_t pid, generation;
    bool failed;       /* the last restart in place was refused */
    uint64_t failures; /* of this generation */
    struct buf why;    /* of the last failure */
};

/* Asks once, for at most `timeout_ms`; `out` is filled anew. ERR_IO and ERR_CLOSED: no answer;
 * ERR_DENIED: the server refuses us; ERR_SYNTAX: that is no /live. `d` says more. */
enum err live_ask(const struct config_addr *admin, long timeout_ms, struct live *out,
                  struct diag *d) MUST_USE;
void live_fini(struct live *live);
#endif
