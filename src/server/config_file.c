/* SPDX-License-Identifier: MIT
 *
 * server/config_file.c: reading a whole configuration file, bounded. A FIFO or device works, too
 * (`--config <(generate)`).
 */
#include "server/config_draft.h"
#include <errno.h>
#include <stdio.h>

#define CHUNK ((size_t)16 * 1024)

static enum err read_all(FILE *f, const char *path, size_t max, struct buf *out, struct diag *diag)
{
    for (;;) {
        char *room = buf_room(out, CHUNK);
        if (!room) return ERR_NOMEM;
        size_t n = fread(room, 1, CHUNK, f);
        buf_grew(out, n);
        if (out->n > max)
            return diag_set(diag, ERR_CONFIG, "%s is larger than %zu KiB", path, max / 1024);
        if (n < CHUNK) break;
    }
    if (ferror(f)) return diag_set(diag, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    if (out->n && memchr(out->p, '\0', out->n))
        return diag_set(diag, ERR_CONFIG, "%s holds a NUL octet: it is no text file", path);
    return ERR_OK;
}

enum err config_slurp(const char *path, size_t max, bool optional, struct buf *out,
                      struct diag *diag)
{
    FILE *f = fopen(path, "re");
    if (!f && optional && errno == ENOENT) return ERR_ABSENT;
    if (!f) return diag_set(diag, ERR_CONFIG, "cannot open %s: %s", path, strerror(errno));
    enum err err = read_all(f, path, max, out, diag);
    fclose(f);
    return err;
}

void config_wipe(struct buf *b)
{
    if (b->p) explicit_bzero(b->p, b->cap);
    buf_fini(b);
}
