/* SPDX-License-Identifier: MIT
 *
 * server/config_table.h: options.def as data: what options there are and what they are called.
 *
 * Immutable. Knows names and fields, not values (config_value.h) and not sources.
 */
#ifndef SERVER_CONFIG_TABLE_H
#define SERVER_CONFIG_TABLE_H
#include "base/buf.h"
#include "server/config.h"

/* The kinds of values; the C type of the field stands behind each. */
enum option_type {
    OPTION_U32,
    OPTION_U64,
    OPTION_BOOL,
    OPTION_PORT,          /* uint32_t */
    OPTION_WORKERS,       /* uint32_t; "auto" */
    OPTION_CODE,          /* uint64_t; one of min and max */
    OPTION_LOG_LEVEL,     /* enum log_level */
    OPTION_LOG_FORMAT,    /* enum log_format */
    OPTION_METRICS_NAMES, /* enum metrics_names */
    OPTION_CLIENT_EVENTS, /* bool; words */
    OPTION_HOST,          /* struct span */
    OPTION_PREFIX,        /* struct span; a path */
    OPTION_KEY,           /* struct span */
    OPTION_STORE,         /* struct span; a URL, shown without its password */
    OPTION_PASSWORD_HASH, /* struct span; never shown */
    OPTION_SECRETS,       /* struct span_list; never shown */
    OPTION_ORIGINS,       /* struct span_list */
    OPTION_HOSTS,         /* struct span_list */
    OPTION_ADDRS,         /* struct config_addrs */
    OPTION_NETS,          /* struct config_nets */
};

/* How values of a kind are held, in the field and in union option_value. */
enum option_held {
    HELD_U32,
    HELD_U64,
    HELD_BOOL,
    HELD_LOG_LEVEL,
    HELD_LOG_FORMAT,
    HELD_METRICS_NAMES,
    HELD_TEXT,  /* struct span */
    HELD_TEXTS, /* struct span_list */
    HELD_ADDRS, /* struct config_addrs */
    HELD_NETS,  /* struct config_nets */
};
enum option_held option_held(enum option_type type);

struct option {
    const char *name;
    enum option_type type;
    uint64_t min, max;
    const char *dflt; /* NULL: none, must be given */
    const char *unit;
    bool restart; /* a running server could not take a new value over */
    const char *help;
    size_t offset; /* of the field in struct config or struct app_settings */
};

extern const struct option option_globals[N_GLOBAL_OPTIONS];
extern const struct option option_apps[N_APP_OPTIONS];

/* A variable of another server that means one of our options. */
enum alias_scope {
    ALIAS_GLOBAL_OPTION,
    ALIAS_ALL_APPS,
    ALIAS_PUSHER_APP,
    ALIAS_REVERB_APP,
    ALIAS_SOKETI_APP
};
enum alias_conversion {
    ALIAS_AS_IS,
    ALIAS_MINUS_ONE, /* -1 means no limit */
    ALIAS_KIB,       /* in units of 1024, fractions allowed; -1 means no limit */
};
struct option_alias {
    const char *env;
    enum alias_scope scope;
    const char *option; /* its name */
    enum alias_conversion conversion;
};
extern const struct option_alias option_aliases[];
extern const size_t option_n_aliases;

/* What a dotted name means: "x", "app_defaults.x", "apps.ID.x" (the ID may hold dots). */
enum option_scope { OPTION_GLOBAL, OPTION_ALL_APPS, OPTION_ONE_APP };
struct option_ref {
    enum option_scope scope;
    const struct option *option;
    struct span app_id; /* OPTION_ONE_APP: borrows from the name */
};
bool option_find(struct span dotted, struct option_ref *out);

/* An option of this kind (`secret` also finds secrets), or NULL. */
const struct option *option_find_global(struct span name);
const struct option *option_find_app(struct span name);
/* Some option's name begins with `name` and a dot. */
bool option_is_group(struct span name, bool app);
/* "PEAL_LOG_LEVEL" -> log.level; "PEAL_APP_DEFAULTS_X" -> app_defaults.x. */
bool option_find_env(struct span env, struct option_ref *out);

/* Appends PEAL_… for an option; for an app option the variable of app_defaults. */
void option_env_name(const struct option *opt, struct buf *out);
bool option_is_app(const struct option *opt);
/* Its place in option_globals or option_apps. */
size_t option_index(const struct option *opt);

/* Appends "; did you mean 'log.level'?" where a name is near. `dotted` as in option_find. */
void option_suggest(struct span dotted, struct buf *out);
void option_suggest_env(struct span env, struct buf *out);
#endif
