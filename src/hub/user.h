/* SPDX-License-Identifier: MIT
 *
 * hub/user.h: a worker's index of its connections by (app, user id): signed in, present on a
 * channel, or watching. Used to send to a user, to terminate him, to tell his watchers.
 */
#ifndef HUB_USER_H
#define HUB_USER_H
#include "base/list.h"
#include "hub/app.h"
#include "hub/member.h"

struct hub_conn;

enum user_role { USER_SIGNED_IN, USER_PRESENT, USER_WATCHER, USER_N_ROLES };

/* Embedded in what makes a connection belong to a user. */
struct user_link {
    struct list node;
    struct hub_conn *conn;
    struct user *user;
};

/* Exists while it has a link. */
struct user {
    struct app *app;
    struct member *who; /* for the id */
    struct list links[USER_N_ROLES];
};

struct users {
    struct map _by_id;
};

void users_fini(struct users *users); /* all links must be gone */
struct user *users_find(const struct users *users, const struct app *app, const struct member *who);
enum err user_link_add(struct users *users, struct app *app, struct member *who,
                       enum user_role role, struct user_link *link) MUST_USE;
void user_link_drop(struct users *users, struct user_link *link); /* unlinked: does nothing */
#endif
