/* SPDX-License-Identifier: MIT
 * hub/user.c: see user.h. */
#include "hub/user.h"
#include "base/hash.h"
#include "base/mem.h"

struct user_key {
    const struct app *app;
    struct span id;
};

static bool is_user(const void *entry, const void *key)
{
    const struct user *u = entry;
    const struct user_key *k = key;
    return u->app == k->app && span_eq(member_id(u->who), k->id);
}

struct user *users_find(const struct users *users, const struct app *app, const struct member *who)
{
    struct user_key key = { app, member_id(who) };
    return map_find(&users->_by_id, who->hash, is_user, &key);
}

void users_fini(struct users *users)
{
    CHECK(users->_by_id.n == 0);
    map_fini(&users->_by_id);
}

static struct user *users_get(struct users *users, struct app *app, struct member *who)
{
    struct user *u = users_find(users, app, who);
    if (u) return u;
    u = mem_alloc(sizeof *u);
    if (!u) return NULL;
    *u = (struct user) { .app = app, .who = member_ref(who) };
    for (unsigned i = 0; i < USER_N_ROLES; i++) list_init(&u->links[i]);
    if (map_add(&users->_by_id, who->hash, u)) {
        member_unref(who);
        mem_free(u);
        return NULL;
    }
    return u;
}

enum err user_link_add(struct users *users, struct app *app, struct member *who,
                       enum user_role role, struct user_link *link)
{
    struct user *u = users_get(users, app, who);
    if (!u) return ERR_NOMEM;
    link->user = u;
    list_init(&link->node);
    list_push(&u->links[role], &link->node);
    return ERR_OK;
}

void user_link_drop(struct users *users, struct user_link *link)
{
    struct user *u = link->user;
    if (!u) return;
    list_remove(&link->node);
    link->user = NULL;
    for (unsigned i = 0; i < USER_N_ROLES; i++)
        if (!list_empty(&u->links[i])) return;
    map_remove(&users->_by_id, u->who->hash, u);
    member_unref(u->who);
    mem_free(u);
}
