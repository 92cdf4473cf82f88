/* SPDX-License-Identifier: MIT
 * cli/read_all.h: all of stdin. */
#ifndef CLI_READ_ALL_H
#define CLI_READ_ALL_H
#include "base/buf.h"

#define READ_ALL_MAX ((size_t)64 * 1024 * 1024)

/* Appends it. ERR_RANGE where it is more than READ_ALL_MAX octets, ERR_IO, ERR_NOMEM. */
enum err read_all_stdin(struct buf *out, struct diag *d) MUST_USE;
#endif
