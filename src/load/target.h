/* SPDX-License-Identifier: MIT
 *
 * load/target.h: which server is loaded, as whom, and from where.
 *
 * A connection is told apart by both addresses and both ports, so from one address to one port of a
 * server there are as many as there are local ports (28,000 by default). A server on loopback is
 * therefore dialled from several loopback addresses in turn.
 */
#ifndef LOAD_TARGET_H
#define LOAD_TARGET_H
#include "base/err.h"
#include "base/span.h"
#include "pusher/auth.h"
#include <sys/socket.h>

/* All borrowed, for as long as the load lives. */
struct load_target {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    struct span host; /* with the port where it is not the scheme's; for the Host header */
    struct span path; /* in front of all routes: "" or "/prefix" */
    struct span id;   /* of the app */
    struct auth_keys keys;
    unsigned sources; /* loopback addresses to dial from; 0: the system chooses */
    uint32_t run;     /* any number: tells our messages from those of other runs */
};

#define LOAD_SOURCES 32 /* 127.0.0.2 and the 31 after it: 900,000 connections */

/* Fills addr and sources for a TCP server (name or address; no TLS). ERR_ABSENT: no such host. */
enum err load_target_find(struct load_target *t, const char *host, uint16_t port,
                          struct diag *d) MUST_USE;
/* The same for a Unix socket. ERR_LIMIT: the path is too long. */
enum err load_target_unix(struct load_target *t, struct span path, struct diag *d) MUST_USE;

/* Begins to connect a socket that does not block; `index` chooses the source. With `narrow` it has
 * segments of an Ethernet's size and room for few of them, so that neither kernel holds more than a
 * few dozen KB for it. -1: errno. */
int load_dial(const struct load_target *t, size_t index, bool narrow);
#endif
