/* SPDX-License-Identifier: MIT
 * cli/read_password.h: a password from whoever is at the terminal, or from a pipe. */
#ifndef CLI_READ_PASSWORD_H
#define CLI_READ_PASSWORD_H
#include "base/password.h"

/* Fills `out` (NUL-terminated; wipe it). On a terminal: asks twice, and nothing of it is shown;
 * else the first line of stdin, without its end. ERR_SYNTAX, `d` says why: not the same twice, too
 * long, holds NUL; ERR_IO: interrupted, or there is nothing to read. */
enum err read_password(char out[PASSWORD_MAX_BYTES + 2], struct diag *d) MUST_USE;
#endif
