/* SPDX-License-Identifier: MIT
 *
 * server/config_store.c: the state folder, where the option store has its file unless it says
 * another place: systemd's StateDirectory=, else that of the XDG base directory specification.
 * Where not even the home folder is known, statistics stay in memory.
 */
#include "server/config_draft.h"

static struct span variable(const char *const *environment, const char *name)
{
    size_t n = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return span_str(*environment + n + 1);
    return SPAN("");
}

/* The specifications ask for absolute paths. */
static bool is_folder(struct span path)
{
    return path.n > 0 && path.p[0] == '/';
}

static bool add_folder(const char *const *environment, struct buf *out)
{
    struct span given = variable(environment, "STATE_DIRECTORY"), first = given;
    span_cut(&given, ':', &first);
    struct span state = variable(environment, "XDG_STATE_HOME");
    struct span home = variable(environment, "HOME");
    if (is_folder(first))
        buf_add_span(out, first);
    else if (is_folder(state))
        buf_add_fmt(out, "%.*s/peal", SPAN_FMT(state));
    else if (is_folder(home))
        buf_add_fmt(out, "%.*s/.local/state/peal", SPAN_FMT(home));
    else
        return false;
    return true;
}

enum err config_make_store(struct draft *d, const char *const *environment, struct config *cfg)
{
    if (!span_eq(cfg->store, SPAN("sqlite:"))) return ERR_OK;
    struct buf url = { 0 };
    BUF_ADD_LIT(&url, "sqlite:");
    if (add_folder(environment, &url))
        BUF_ADD_LIT(&url, "/peal.db");
    else
        BUF_ADD_LIT(&url, ":memory:");
    bool ok = !buf_failed(&url) && config_arena_copy(d->arena, buf_span(&url), &cfg->store);
    buf_fini(&url);
    return ok ? ERR_OK : ERR_NOMEM;
}
