/* SPDX-License-Identifier: MIT
 *
 * cli/store_check.c: see store_check.h. It only looks: a file that is not there yet is not made, as
 * the server may run as somebody else.
 */
#include "cli/store_check.h"
#include "base/mem.h"
#include "store/db.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The nearest folder above the file that is there must let us make the rest. */
static bool can_make(const char *path, struct diag *d)
{
    char *folder = mem_dup(path, strlen(path));
    if (!folder) return true;
    char *slash;
    while ((slash = strrchr(folder, '/')) && slash > folder) {
        *slash = '\0';
        if (access(folder, F_OK) == 0) break;
    }
    if (slash == folder) folder[1] = '\0'; /* the root */
    const char *above = slash ? folder : ".";
    bool can = access(above, W_OK | X_OK) == 0;
    if (!can) diag_set(d, ERR_IO, "%s is not there, and %s: %s", path, above, strerror(errno));
    mem_free(folder);
    return can;
}

static void take_nothing(void *ctx, struct span app_id, uint64_t at_s,
                         const struct stats_counts *counts)
{
    (void)ctx, (void)app_id, (void)at_s, (void)counts;
}

static bool can_open(const struct store_url *url, struct diag *d)
{
    struct db *db = NULL;
    bool is_file = url->kind == STORE_SQLITE;
    if (is_file && access(url->path, F_OK) != 0 && errno == ENOENT) return can_make(url->path, d);
    const struct db_range nothing = { .from_s = 1, .to_s = 1 };
    enum err err = db_open(&db, url, DB_LOOK, d);
    if (!err) err = db_read(db, &nothing, take_nothing, NULL, d); /* SQLite opens when it reads */
    db_close(&db);
    if (err && err != ERR_ABSENT) return false; /* absent: the table, which the server makes */
    if (!is_file || access(url->path, W_OK) == 0) return true;
    diag_set(d, ERR_IO, "%s: %s", url->path, strerror(errno));
    return false;
}

bool store_check(struct span store, struct buf *why)
{
    struct store_url url = { .kind = STORE_NONE };
    struct diag d = { "" };
    if (store_url_parse(store, &url, &d)) return true; /* said where the settings were read */
    bool nowhere = url.kind == STORE_NONE || strcmp(url.path, ":memory:") == 0 ||
                   (url.kind == STORE_SQLITE && !url.path[0]);
    bool good = nowhere || can_open(&url, &d);
    store_url_fini(&url);
    if (good) return true;
    BUF_ADD_LIT(why, "the store ");
    store_url_mask(store, why);
    buf_add_fmt(why, " cannot be used by who asks here: %s; no statistics would be kept", d.text);
    return false;
}
