/* SPDX-License-Identifier: MIT
 *
 * net/holder.h: who listens on a TCP address, for the message "in use".
 *
 * Reads /proc/net/tcp[6] for the socket and /proc/PID/fd for the process. Without the right to look
 * into other users' processes the socket is found and the process is not.
 */
#ifndef NET_HOLDER_H
#define NET_HOLDER_H
#include "net/sock.h"

/* Writes a clause such as "nginx (pid 812)", "this very process (pid 5)" or "a process of another
 * user (uid 33)"; false and an empty text when no listening socket was found. Borrows all. */
bool holder_of_tcp(const struct sock_addr *addr, char *text, size_t room);

/* The same for a process that is known. */
void holder_of_pid(pid_t pid, char *text, size_t room);
#endif
