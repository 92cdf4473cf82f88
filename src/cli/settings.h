/* SPDX-License-Identifier: MIT
 *
 * cli/settings.h: the flags that stand for options, gathered for config_load().
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H
#include "cli/args.h"
#include "server/config.h"
#include "server/config_arena.h"

/* clang-format off */
#define SETTINGS_SPECS                                                                             \
    { "--config", "FILE", "settings (default ./peal.yaml where it exists)" },                      \
    { "--env", "FILE", "environment file (default ./.env where it exists)" },                      \
    { "--set", "NAME=VALUE", "set any option; see peal help options" }
/* clang-format on */

struct settings {
    struct config_sources sources;
    struct config_flag *flags; /* in the arena */
    size_t n, _room;
    struct config_arena *arena;
};

/* False: no memory. */
bool settings_init(struct settings *s);
void settings_fini(struct settings *s); /* wipes */

/* Takes in --config, --env, --set, --app, --dev and the options that have a flag of their own.
 * ERR_ABSENT: another one, the caller's business. Else `d` says what is wrong. Borrows the text. */
enum err settings_take(struct settings *s, const struct arg *arg, struct diag *d) MUST_USE;

/* ID:KEY:SECRET, or @FILE with that in it, whose white space at both ends does not count. The
 * secret may hold colons. The spans live as long as the settings. */
struct app_triple {
    struct span id, key, secret;
};
enum err settings_read_app(struct settings *s, const char *text, struct app_triple *out,
                           struct diag *d) MUST_USE;

/* Reads everything. Ownership as config_load(). */
enum err settings_load(struct settings *s, struct config **out, struct diag *d) MUST_USE;
#endif
