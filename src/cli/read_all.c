/* SPDX-License-Identifier: MIT
 *
 * cli/read_all.c: stdin, into memory.
 */
#include "cli/read_all.h"
#include <stdio.h>

#define PIECE ((size_t)64 * 1024)

enum err read_all_stdin(struct buf *out, struct diag *d)
{
    for (;;) {
        char *room = buf_room(out, PIECE);
        if (!room) return ERR_NOMEM;
        size_t n = fread(room, 1, PIECE, stdin);
        buf_grew(out, n);
        if (out->n > READ_ALL_MAX)
            return diag_set(d, ERR_RANGE, "more than 64 MiB of data on stdin");
        if (n == 0) break;
    }
    return ferror(stdin) ? diag_set(d, ERR_IO, "cannot read stdin") : ERR_OK;
}
