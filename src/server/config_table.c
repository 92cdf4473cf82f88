/* SPDX-License-Identifier: MIT
 *
 * server/config_table.c: the rows of options.def as arrays, and looking them up. Looking up is
 * linear: there are some sixty rows, and it happens once per line of a configuration.
 */
#include "server/config_table.h"
#include "base/near.h"
#include <stdio.h>

#define CHANGE_RELOAD false
#define CHANGE_RESTART true

#define ROW(owner, field, type, min, max, dflt, unit, change, help)                                \
    { #field,                                                                                      \
      OPTION_##type,                                                                               \
      min,                                                                                         \
      max,                                                                                         \
      dflt,                                                                                        \
      unit,                                                                                        \
      CHANGE_##change,                                                                             \
      help,                                                                                        \
      offsetof(struct owner, field) },
#define GLOBAL(...) ROW(config, __VA_ARGS__)
const struct option option_globals[] = {
#include "server/options.def"
};
#define APP(...) ROW(app_settings, __VA_ARGS__)
const struct option option_apps[] = {
#include "server/options.def"
};

/* Each field has the type that the row's kind stores. */
#define FIELD_U32 uint32_t
#define FIELD_U64 uint64_t
#define FIELD_BOOL bool
#define FIELD_PORT uint32_t
#define FIELD_WORKERS uint32_t
#define FIELD_CODE uint64_t
#define FIELD_LOG_LEVEL enum log_level
#define FIELD_LOG_FORMAT enum log_format
#define FIELD_METRICS_NAMES enum metrics_names
#define FIELD_CLIENT_EVENTS bool
#define FIELD_HOST struct span
#define FIELD_PREFIX struct span
#define FIELD_KEY struct span
#define FIELD_STORE struct span
#define FIELD_PASSWORD_HASH struct span
#define FIELD_SECRETS struct span_list
#define FIELD_ORIGINS struct span_list
#define FIELD_HOSTS struct span_list
#define FIELD_ADDRS struct config_addrs
#define FIELD_NETS struct config_nets
#define SAME_TYPE(owner, field, type)                                                              \
    _Static_assert(__builtin_types_compatible_p(typeof(((struct owner *)0)->field), FIELD_##type), \
                   "type of " #field);
#define GLOBAL(field, type, ...) SAME_TYPE(config, field, type)
#define APP(field, type, ...) SAME_TYPE(app_settings, field, type)
#include "server/options.def"

#define ALIAS(env, scope, field, conversion) { #env, ALIAS_##scope, #field, ALIAS_##conversion },
const struct option_alias option_aliases[] = {
#include "server/options.def"
};
const size_t option_n_aliases = ARRAY_LEN(option_aliases);

enum option_held option_held(enum option_type type)
{
    switch (type) {
    case OPTION_U32:
    case OPTION_PORT:
    case OPTION_WORKERS:
        return HELD_U32;
    case OPTION_U64:
    case OPTION_CODE:
        return HELD_U64;
    case OPTION_BOOL:
    case OPTION_CLIENT_EVENTS:
        return HELD_BOOL;
    case OPTION_LOG_LEVEL:
        return HELD_LOG_LEVEL;
    case OPTION_LOG_FORMAT:
        return HELD_LOG_FORMAT;
    case OPTION_METRICS_NAMES:
        return HELD_METRICS_NAMES;
    case OPTION_HOST:
    case OPTION_PREFIX:
    case OPTION_KEY:
    case OPTION_STORE:
    case OPTION_PASSWORD_HASH:
        return HELD_TEXT;
    case OPTION_SECRETS:
    case OPTION_ORIGINS:
    case OPTION_HOSTS:
        return HELD_TEXTS;
    case OPTION_ADDRS:
        return HELD_ADDRS;
    case OPTION_NETS:
        return HELD_NETS;
    }
    UNREACHABLE();
}

static const struct option *find(const struct option *rows, size_t n, struct span name)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(name, span_str(rows[i].name))) return &rows[i];
    return NULL;
}

const struct option *option_find_global(struct span name)
{
    return find(option_globals, N_GLOBAL_OPTIONS, name);
}

const struct option *option_find_app(struct span name)
{
    if (span_eq(name, SPAN("secret"))) name = SPAN("secrets");
    return find(option_apps, N_APP_OPTIONS, name);
}

static bool leads(struct span name, const char *option)
{
    struct span full = span_str(option);
    return span_starts(full, name) && full.n > name.n && full.p[name.n] == '.';
}

bool option_is_group(struct span name, bool app)
{
    size_t n = app ? N_APP_OPTIONS : N_GLOBAL_OPTIONS;
    for (size_t i = 0; i < n; i++)
        if (leads(name, app ? option_apps[i].name : option_globals[i].name)) return true;
    return false;
}

static const struct span apps_dot = { "apps.", 5 };
static const struct span defaults_dot = { "app_defaults.", 13 };

/* "ID.option", where both may hold dots: the longest option that fits ends the id. */
static bool find_one_app(struct span rest, struct option_ref *out)
{
    for (size_t i = 1; i + 1 < rest.n; i++) {
        if (rest.p[i] != '.') continue;
        const struct option *opt = option_find_app(span_skip(rest, i + 1));
        if (!opt) continue;
        *out = (struct option_ref) { OPTION_ONE_APP, opt, span_head(rest, i) };
        return true;
    }
    return false;
}

bool option_find(struct span dotted, struct option_ref *out)
{
    if (span_starts(dotted, apps_dot)) return find_one_app(span_skip(dotted, apps_dot.n), out);
    bool all_apps = span_starts(dotted, defaults_dot);
    const struct option *opt =
        all_apps ? option_find_app(span_skip(dotted, defaults_dot.n)) : option_find_global(dotted);
    if (!opt) return false;
    *out = (struct option_ref) { all_apps ? OPTION_ALL_APPS : OPTION_GLOBAL, opt, { "", 0 } };
    return true;
}

bool option_is_app(const struct option *opt)
{
    return opt >= option_apps && opt < option_apps + N_APP_OPTIONS;
}

size_t option_index(const struct option *opt)
{
    return (size_t)(option_is_app(opt) ? opt - option_apps : opt - option_globals);
}

static bool has_env(const struct option *opt)
{
    return opt->type != OPTION_KEY && opt->type != OPTION_SECRETS;
}

#define ENV_MAX 80

/* The variable's name in a buffer of ENV_MAX; returns its length. */
static size_t env_name(const struct option *opt, char *out)
{
    int n =
        snprintf(out, ENV_MAX, "PEAL_%s%s", option_is_app(opt) ? "APP_DEFAULTS_" : "", opt->name);
    CHECK(n > 0 && n < ENV_MAX);
    for (char *c = out; *c; c++) {
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
        if (*c == '.') *c = '_';
    }
    return (size_t)n;
}

void option_env_name(const struct option *opt, struct buf *out)
{
    char name[ENV_MAX];
    if (has_env(opt)) buf_add(out, name, env_name(opt, name));
}

static const struct option *row(size_t i) /* all rows, globals first */
{
    return i < N_GLOBAL_OPTIONS ? &option_globals[i] : &option_apps[i - N_GLOBAL_OPTIONS];
}

bool option_find_env(struct span env, struct option_ref *out)
{
    for (size_t i = 0; i < N_GLOBAL_OPTIONS + N_APP_OPTIONS; i++) {
        char name[ENV_MAX];
        if (!has_env(row(i)) || !span_eq(env, span_of(name, env_name(row(i), name)))) continue;
        *out = (struct option_ref) { option_is_app(row(i)) ? OPTION_ALL_APPS : OPTION_GLOBAL,
                                     row(i),
                                     { "", 0 } };
        return true;
    }
    return false;
}

static void say_near(const struct near *near, struct span prefix, struct buf *out)
{
    if (near->best.n)
        buf_add_fmt(out, "; did you mean '%.*s%.*s'?", SPAN_FMT(prefix), SPAN_FMT(near->best));
}

static void suggest_app(struct span name, struct span prefix, struct buf *out)
{
    struct near near = { .word = name };
    for (size_t i = 0; i < N_APP_OPTIONS; i++) near_try(&near, span_str(option_apps[i].name));
    near_try(&near, SPAN("secret"));
    if (option_find_global(name) && !near.best.n)
        buf_add_fmt(out, "; %.*s belongs to the server, not to an app", SPAN_FMT(name));
    say_near(&near, prefix, out);
}

/* A name without apps.ID. or app_defaults. that is, or is near, one of an app. */
static void suggest_owner(struct span name, struct buf *out)
{
    struct near near = { .word = name };
    for (size_t i = 0; i < N_APP_OPTIONS; i++) near_try(&near, span_str(option_apps[i].name));
    if (option_find_app(name))
        buf_add_fmt(out, "; it belongs to an app: apps.ID.%.*s, or app_defaults.%.*s for all",
                    SPAN_FMT(name), SPAN_FMT(name));
    else
        say_near(&near, defaults_dot, out);
}

void option_suggest(struct span dotted, struct buf *out)
{
    if (span_starts(dotted, defaults_dot)) {
        suggest_app(span_skip(dotted, defaults_dot.n), defaults_dot, out);
        return;
    }
    if (span_starts(dotted, apps_dot)) {
        struct span rest = span_skip(dotted, apps_dot.n), id;
        span_cut(&rest, '.', &id);
        suggest_app(rest, span_head(dotted, apps_dot.n + id.n + 1), out);
        return;
    }
    struct near near = { .word = dotted };
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) near_try(&near, span_str(option_globals[i].name));
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        struct span rest = span_str(option_globals[i].name), group;
        if (span_cut(&rest, '.', &group)) near_try(&near, group);
    }
    near_try(&near, SPAN("apps"));
    near_try(&near, SPAN("app_defaults"));
    if (near.best.n)
        say_near(&near, SPAN(""), out);
    else
        suggest_owner(dotted, out);
}

/* PEAL_X for what is PEAL_APP_DEFAULTS_X. */
static bool suggest_env_owner(struct span env, struct buf *out)
{
    static const struct span ours = SPAN("PEAL_"), theirs = SPAN("PEAL_APP_DEFAULTS_");
    struct buf name = { 0 };
    struct option_ref ref;
    if (!span_starts(env, ours)) return false;
    buf_add_fmt(&name, "%.*s%.*s", SPAN_FMT(theirs), SPAN_FMT(span_skip(env, ours.n)));
    bool found = !buf_failed(&name) && option_find_env(buf_span(&name), &ref);
    if (found) buf_add_fmt(out, "; for all apps it is %.*s", SPAN_FMT(name));
    buf_fini(&name);
    return found;
}

void option_suggest_env(struct span env, struct buf *out)
{
    struct near near = { .word = env };
    char names[N_GLOBAL_OPTIONS + N_APP_OPTIONS][ENV_MAX];
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (has_env(row(i))) near_try(&near, span_of(names[i], env_name(row(i), names[i])));
    if (!suggest_env_owner(env, out)) say_near(&near, SPAN(""), out);
}
