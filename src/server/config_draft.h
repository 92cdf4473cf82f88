/* SPDX-License-Identifier: MIT
 *
 * server/config_draft.h: what the sources said so far, before it becomes a configuration.
 *
 * Each option has one slot (globally, for all apps, and for each app that was named), which keeps
 * the value of the highest rank and its origin. The sources (YAML, environment, flags) only call
 * draft_put(); that refuses what is out of range and what contradicts itself, and names both sides.
 */
#ifndef SERVER_CONFIG_DRAFT_H
#define SERVER_CONFIG_DRAFT_H
#include "base/map.h"
#include "server/config_value.h"

#define DRAFT_MAX_APPS 10000

/* Later wins. Two of the same rank must agree, but for flags, where the last one wins. */
enum draft_rank { RANK_UNSET, RANK_DEV, RANK_YAML, RANK_DOTENV, RANK_ENVIRONMENT, RANK_FLAG };

/* Where a value was found. Borrowed for the call. */
struct draft_origin {
    enum draft_rank rank;
    struct span name; /* as it was written: "log.level", "SOKETI_PORT", "--port" */
    struct span file; /* with the line: "peal.yaml:12"; empty where there is none */
    /* Variables that describe an app together ("PUSHER_APP_"), else NULL. Two such groups that name
     * the same app must agree whatever their ranks. Static. */
    const char *group;
};

struct draft_slot {
    enum draft_rank rank; /* RANK_UNSET: nothing was said */
    union option_value value;
    struct span where; /* "log.level (peal.yaml:12)" */
    const char *group;
};

struct draft_app {
    struct span id;
    struct span where;   /* who named it first */
    unsigned yaml_entry; /* how many entries of YAML's list have this id */
    struct draft_slot slots[N_APP_OPTIONS];
};

struct draft {
    struct config_arena *arena;
    struct diag *diag;
    struct draft_slot global[N_GLOBAL_OPTIONS];
    struct draft_slot all_apps[N_APP_OPTIONS];
    struct draft_app **apps; /* in the order in which they were named */
    size_t n_apps, _room;
    struct map _by_id;
    struct span_list warnings, refused; /* sentences */
    size_t _warnings_room, _refused_room;
};

/* Borrows both. */
void draft_init(struct draft *d, struct config_arena *arena, struct diag *diag);
void draft_fini(struct draft *d); /* what is in the arena stays */

/* Checks and records. ERR_CONFIG (diag is set), ERR_NOMEM. */
enum err draft_put(struct draft *d, const struct option_ref *ref, struct option_given given,
                   const struct draft_origin *from) MUST_USE;

/* The app with this id, made where it is new. */
enum err draft_app(struct draft *d, struct span id, const struct draft_origin *from,
                   struct draft_app **out) MUST_USE;

/* A sentence for the operator that stops nothing. */
enum err draft_warn(struct draft *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

/* So that an operator hears of all mistakes at once: keeps what diag says of ERR_CONFIG, which
 * becomes ERR_OK then, and the reading goes on. What is kept makes config_load() fail in the
 * end. */
enum err draft_keep(struct draft *d, enum err err) MUST_USE;

/* Refuses an unknown option name, with a suggestion. */
enum err draft_unknown(struct draft *d, struct span dotted, const struct draft_origin *from);

/* The sources. NULL path: the default file where it exists. */
enum err config_read_yaml(struct draft *d, const char *path) MUST_USE;
enum err config_read_env(struct draft *d, const char *path, const char *const *environment,
                         struct config *cfg) MUST_USE;
enum err config_read_flags(struct draft *d, const struct config_flag *flags, size_t n) MUST_USE;
/* The same for what has been read already; `path` is for messages. */
enum err config_parse_yaml(struct draft *d, struct span text, const char *path) MUST_USE;
enum err config_parse_env(struct draft *d, struct span text, const char *path,
                          const char *const *environment, struct config *cfg) MUST_USE;

/* Sets one field of `owner` from the first slot that says something (the list ends with NULL), else
 * from the table; ERR_ABSENT where there is neither. `*from`: where the value comes from; "" for
 * the default. */
enum err config_fill(struct draft *d, const struct option *opt,
                     const struct draft_slot *const *slots, void *owner,
                     struct span *from) MUST_USE;
/* Draft -> configuration (config_apps.c), and the rules between options (config_check.c). */
enum err config_make_globals(struct draft *d, struct config *cfg) MUST_USE;
/* config_store.c: puts the state folder's file for the option store where it is the default. */
enum err config_make_store(struct draft *d, const char *const *environment,
                           struct config *cfg) MUST_USE;
enum err config_make_apps(struct draft *d, struct config *cfg) MUST_USE;
enum err config_check(const struct config *cfg, struct diag *diag) MUST_USE;
/* Warns of what is allowed and likely a mistake (config_hints.c). */
enum err config_hint(struct draft *d, const struct config *cfg) MUST_USE;

/* Reads a whole file of at most `max` octets without NUL. ERR_ABSENT where there is none and
 * `optional`; else ERR_CONFIG with the reason. */
enum err config_slurp(const char *path, size_t max, bool optional, struct buf *out,
                      struct diag *diag) MUST_USE;
/* buf_fini for what may hold secrets. */
void config_wipe(struct buf *b);
#endif
