/* SPDX-License-Identifier: MIT
 *
 * server/config_env.c: .env and the process environment -> draft.
 *
 * Both are first put together by name (a variable of the environment that is not empty hides the
 * one of .env, as in Laravel); then our own names (PEAL_…) and those of other servers are picked
 * out. A .env is full of other people's names, so only an unknown PEAL_… is refused. Empty values
 * count as absent.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "server/config_dotenv.h"
#include "server/config_draft.h"
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1024 * 1024)

struct variable {
    struct span name, value;
    enum draft_rank rank;
    size_t line; /* RANK_DOTENV */
};

struct env {
    struct draft *draft;
    const char *path;
    struct map by_name;    /* struct variable, in the arena */
    struct buf kubernetes; /* names that were ignored */
};

static bool has_name(const void *variable, const void *name)
{
    return span_eq(((const struct variable *)variable)->name, *(const struct span *)name);
}

static struct variable *find(const struct env *env, struct span name)
{
    return map_find(&env->by_name, hash_key(name), has_name, &name);
}

static struct span look_up(const void *ctx, struct span name)
{
    const struct variable *v = find(ctx, name);
    return v ? v->value : span_of(NULL, 0);
}

static enum err set(struct env *env, struct span name, struct span value, struct variable like)
{
    struct config_arena *arena = env->draft->arena;
    struct variable *v = find(env, name);
    if (v && v->rank > like.rank && v->value.n) return ERR_OK;
    enum err err = ERR_OK;
    if (!v) {
        v = config_arena_alloc(arena, sizeof *v);
        if (!v || !config_arena_copy(arena, name, &v->name)) return ERR_NOMEM;
        err = map_add(&env->by_name, hash_key(v->name), v);
    }
    if (!err && !config_arena_copy(arena, value, &v->value)) return ERR_NOMEM;
    v->rank = like.rank;
    v->line = like.line;
    return err;
}

static enum err read_environment(struct env *env, const char *const *environment)
{
    for (; environment && *environment; environment++) {
        struct span value = span_str(*environment), name;
        if (!span_cut(&value, '=', &name) || !value.p || !name.n) continue;
        enum err err = set(env, name, value, (struct variable) { .rank = RANK_ENVIRONMENT });
        if (err) return err;
    }
    return ERR_OK;
}

static enum err read_dotenv(struct env *env, struct span text)
{
    struct dotenv d = { .rest = text, .lookup = look_up, .ctx = env };
    struct buf value = { 0 };
    struct span name;
    enum err err = ERR_OK;
    enum dotenv_step step;
    while (!err && (step = dotenv_next(&d, &name, &value)) != DOTENV_END) {
        if (buf_failed(&value))
            err = ERR_NOMEM;
        else if (step == DOTENV_WRONG)
            err = diag_set(env->draft->diag, ERR_CONFIG, "%s:%zu: %s", env->path, d.line, d.why);
        else
            err = set(env, name, buf_span(&value),
                      (struct variable) { .rank = RANK_DOTENV, .line = d.line });
    }
    config_wipe(&value);
    return err;
}

/* --- what Kubernetes puts into every container of a namespace that has a service `peal` --- */

static bool ends(struct span s, struct span tail)
{
    return s.n >= tail.n && span_eq(span_skip(s, s.n - tail.n), tail);
}

/* PEAL_SERVICE_HOST, PEAL_SERVICE_PORT, PEAL_SERVICE_PORT_WS, PEAL_PORT_6001_TCP_ADDR. */
static bool is_service_name(struct span name)
{
    static const struct span protocols[] = { { "_TCP", 4 }, { "_UDP", 4 }, { "_SCTP", 5 } };
    if (ends(name, SPAN("_SERVICE_HOST"))) return true;
    for (size_t i = 0; i < name.n; i++) {
        struct span rest = span_skip(name, i);
        if (span_starts(rest, SPAN("_SERVICE_PORT"))) return true;
        if (!span_starts(rest, SPAN("_PORT_"))) continue;
        size_t digits = 0;
        rest = span_skip(rest, 6);
        while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') digits++;
        for (size_t j = 0; digits && j < ARRAY_LEN(protocols); j++)
            if (span_starts(span_skip(rest, digits), protocols[j])) return true;
    }
    return false;
}

static bool is_service_value(struct span value)
{
    return span_starts(value, SPAN("tcp://")) || span_starts(value, SPAN("udp://")) ||
           span_starts(value, SPAN("sctp://"));
}

static bool is_service_link(const struct variable *v)
{
    return is_service_name(v->name) || is_service_value(v->value);
}

static void note_service_link(struct env *env, struct span name)
{
    buf_add_fmt(&env->kubernetes, "%s%.*s", env->kubernetes.n ? ", " : "", SPAN_FMT(name));
}

/* --- names --- */

/* A variable that says something, else NULL. */
static const struct variable *get(struct env *env, const char *name)
{
    static const char *const nothing[] = { "null", "(null)", "empty", "(empty)" }; /* Laravel's */
    const struct variable *v = find(env, span_str(name));
    if (!v || !span_trim(v->value).n) return NULL;
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
        if (span_eq_nocase(v->value, span_str(nothing[i]))) return NULL;
    return v;
}

/* Describes where `v` stands; `file` is filled. */
static struct draft_origin origin_of(const struct env *env, const struct variable *v,
                                     const char *group, char file[512])
{
    if (v->rank == RANK_DOTENV)
        snprintf(file, 512, "%.400s:%zu", env->path, v->line);
    else
        snprintf(file, 512, "environment");
    return (struct draft_origin) { v->rank, v->name, span_str(file), group };
}

static enum err put(struct env *env, const struct variable *v, const struct option_ref *ref,
                    struct span text, const char *group)
{
    char file[512];
    struct draft_origin from = origin_of(env, v, group, file);
    struct option_given given = { &text, 1, false };
    return draft_keep(env->draft, draft_put(env->draft, ref, given, &from));
}

static enum err read_ours(struct env *env, const struct variable *v)
{
    struct option_ref ref;
    if (is_service_link(v)) {
        note_service_link(env, v->name);
        return ERR_OK;
    }
    if (option_find_env(v->name, &ref))
        return span_trim(v->value).n ? put(env, v, &ref, v->value, NULL) : ERR_OK;
    struct buf near = { 0 };
    char file[512];
    struct draft_origin from = origin_of(env, v, NULL, file);
    option_suggest_env(v->name, &near);
    if (!near.n && span_starts(v->name, SPAN("PEAL_APP_")))
        BUF_ADD_LIT(&near, "; an app is given by PUSHER_APP_ID, PUSHER_APP_KEY and "
                           "PUSHER_APP_SECRET");
    enum err err = diag_set(env->draft->diag, ERR_CONFIG, "%.*s: %.*s: there is no such option%.*s",
                            SPAN_FMT(from.file), SPAN_FMT(v->name), SPAN_FMT(near));
    buf_fini(&near);
    return draft_keep(env->draft, err);
}

static enum err read_all_ours(struct env *env)
{
    struct variable *v;
    enum err err = ERR_OK;
    for (uint32_t pos = 0; !err && (v = map_next(&env->by_name, &pos));) {
        /* PEAL_LISTENERS is how a restart in place hands its sockets on: no option. */
        if (span_starts(v->name, SPAN("PEAL_")) && !span_eq(v->name, SPAN("PEAL_LISTENERS")))
            err = read_ours(env, v);
    }
    return err;
}

/* What a text of another server is in our terms; in `out` where it had to be changed. False: it is
 * no number, and its own text is as good as any for the refusal. */
static bool convert(enum alias_conversion how, struct span text, char out[32])
{
    char number[32], *end;
    struct span s = span_trim(text);
    if (how == ALIAS_AS_IS || s.n == 0 || s.n >= sizeof number) return false;
    memcpy(number, s.p, s.n);
    number[s.n] = '\0';
    double v = strtod(number, &end);
    if (*end || !(v >= -1 && v <= 1e9)) return false;
    if (v < 0)
        snprintf(out, 32, "%s", v == -1 ? "0" : number);
    else if (how == ALIAS_KIB)
        snprintf(out, 32, "%.0f", v * 1024);
    else
        return false;
    return true;
}

static enum err put_alias(struct env *env, const struct option_alias *alias, const char *group,
                          struct span app_id)
{
    const struct variable *v = get(env, alias->env);
    char converted[32];
    struct option_ref ref = { OPTION_GLOBAL, NULL, app_id };
    if (!v) return ERR_OK;
    if (is_service_value(v->value)) {
        note_service_link(env, v->name);
        return ERR_OK;
    }
    if (alias->scope == ALIAS_GLOBAL_OPTION) {
        ref.option = option_find_global(span_str(alias->option));
    } else {
        ref.option = option_find_app(span_str(alias->option));
        ref.scope = alias->scope == ALIAS_ALL_APPS ? OPTION_ALL_APPS : OPTION_ONE_APP;
    }
    CHECK(ref.option);
    bool other = convert(alias->conversion, v->value, converted);
    return put(env, v, &ref, other ? span_str(converted) : v->value, group);
}

static enum err put_aliases(struct env *env, enum alias_scope scope, const char *group,
                            struct span app_id)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < option_n_aliases; i++)
        if (option_aliases[i].scope == scope)
            err = put_alias(env, &option_aliases[i], group, app_id);
    return err;
}

/* The variables that describe one app together. */
struct group {
    const char *name;
    const char *id;
    enum alias_scope scope;
};
static const struct group groups[] = {
    { "PUSHER_APP_*", "PUSHER_APP_ID", ALIAS_PUSHER_APP },
    { "REVERB_APP_*", "REVERB_APP_ID", ALIAS_REVERB_APP },
    { "SOKETI_DEFAULT_APP_*", "SOKETI_DEFAULT_APP_ID", ALIAS_SOKETI_APP },
};

/* Without its id a group describes no app: somebody's front-end settings, or a slip. */
static enum err warn_without_id(struct env *env, const struct group *g)
{
    for (size_t i = 0; i < option_n_aliases; i++) {
        if (option_aliases[i].scope == g->scope && get(env, option_aliases[i].env))
            return draft_warn(env->draft, "%s is set but %s is not: no app is made of it",
                              option_aliases[i].env, g->id);
    }
    return ERR_OK;
}

static enum err read_group(struct env *env, const struct group *g)
{
    const struct variable *id = get(env, g->id);
    struct draft_app *app;
    char file[512];
    if (!id) return warn_without_id(env, g);
    struct draft_origin from = origin_of(env, id, g->name, file);
    enum err err = draft_app(env->draft, span_trim(id->value), &from, &app);
    return err ? draft_keep(env->draft, err) : put_aliases(env, g->scope, g->name, app->id);
}

/* Where clients of this application dial. */
static enum err read_dial(struct env *env, struct config *cfg)
{
    static const char *const names[][3] = { { "PUSHER_HOST", "PUSHER_PORT", "PUSHER_SCHEME" },
                                            { "REVERB_HOST", "REVERB_PORT", "REVERB_SCHEME" } };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct variable *host = get(env, names[i][0]), *port = get(env, names[i][1]),
                              *scheme = get(env, names[i][2]);
        uint64_t number = 0;
        if (!host) continue;
        if (!config_arena_copy(env->draft->arena, span_trim(host->value), &cfg->dial.host))
            return ERR_NOMEM;
        cfg->dial.tls = scheme && span_eq_nocase(span_trim(scheme->value), SPAN("https"));
        if (!port || !span_to_u64(span_trim(port->value), &number) || number > UINT16_MAX)
            number = 0;
        cfg->dial.port = number ? (uint16_t)number : cfg->dial.tls ? 443 : 80;
        break;
    }
    return ERR_OK;
}

/* What the front end's build would have to say. */
static enum err warn_of_keys(struct env *env)
{
    static const char *const keys[][3] = {
        { "VITE_PUSHER_APP_KEY", "PUSHER_APP_KEY", "PUSHER_APP_ID" },
        { "MIX_PUSHER_APP_KEY", "PUSHER_APP_KEY", "PUSHER_APP_ID" },
        { "VITE_REVERB_APP_KEY", "REVERB_APP_KEY", "REVERB_APP_ID" },
    };
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < ARRAY_LEN(keys); i++) {
        const struct variable *front = get(env, keys[i][0]), *back = get(env, keys[i][1]);
        if (!front || !back || !get(env, keys[i][2]) || span_eq(front->value, back->value))
            continue;
        err = draft_warn(env->draft,
                         "%s and %s differ: the web page would name an app that is not there",
                         keys[i][0], keys[i][1]);
    }
    return err;
}

/* What Laravel would have to say for its events to come here. */
static enum err warn_of_driver(struct env *env)
{
    static const char *const drivers[] = { "BROADCAST_CONNECTION", "BROADCAST_DRIVER" };
    enum err err = ERR_OK;
    if (!get(env, "PUSHER_APP_ID") && !get(env, "REVERB_APP_ID")) return ERR_OK;
    for (size_t i = 0; !err && i < ARRAY_LEN(drivers); i++) {
        const struct variable *driver = find(env, span_str(drivers[i]));
        if (!driver) continue;
        if (!span_eq(driver->value, SPAN("log")) && !span_eq(driver->value, SPAN("null"))) continue;
        err = draft_warn(env->draft,
                         "%s is %.*s: Laravel sends no events with it; to use this server it must "
                         "be pusher or reverb",
                         drivers[i], SPAN_FMT(driver->value));
    }
    return err;
}

/* Variables of other servers that ask for what is not there. `quiet` are the values with which they
 * ask for nothing; what is sent, and where to, must not fail silently. */
static const struct foreign {
    const char *name;
    const char *quiet; /* words, separated by spaces */
    const char *effect;
} foreign[] = {
    { "LARAVEL_WEBSOCKETS_SSL_LOCAL_CERT", "", "there is no TLS here, a proxy does it" },
    { "SOKETI_SSL_CERT", "", "there is no TLS here, a proxy does it" },
    { "SOKETI_DEFAULT_APP_WEBHOOKS", "[]", "no webhooks are sent" },
    { "SOKETI_APP_MANAGER_DRIVER", "array", "apps come from settings, from no database" },
    { "SOKETI_ADAPTER_DRIVER", "local", "nothing is shared with other servers" },
    { "REVERB_SCALING_ENABLED", "0 false off no", "nothing is shared with other servers" },
    { "WEBSOCKETS_REPLICATION_MODE", "local", "nothing is shared with other servers" },
    { "REVERB_APP_RATE_LIMITING_ENABLED", "0 false off no",
      "limits.client_events_per_second is the limit of clients" },
    { "SOKETI_DEFAULT_APP_MAX_READ_REQ_PER_SEC", "-1", "reading requests are not limited" },
};

static bool is_word_of(struct span word, struct span words)
{
    struct span one;
    while (words.n) {
        span_cut(&words, ' ', &one);
        if (span_eq_nocase(word, one)) return true;
    }
    return false;
}

static enum err warn_of_foreign(struct env *env)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < ARRAY_LEN(foreign); i++) {
        const struct foreign *f = &foreign[i];
        const struct variable *v = get(env, f->name);
        if (!v || is_word_of(span_trim(v->value), span_str(f->quiet))) continue;
        err = draft_warn(env->draft, "%s has no effect: %s", f->name, f->effect);
    }
    return err;
}

static enum err warn_of_what_is_odd(struct env *env)
{
    enum err err = warn_of_keys(env);
    if (!err) err = warn_of_driver(env);
    return err ? err : warn_of_foreign(env);
}

static enum err pick(struct env *env, struct config *cfg)
{
    enum err err = read_all_ours(env);
    if (!err) err = put_aliases(env, ALIAS_GLOBAL_OPTION, NULL, span_of("", 0));
    if (!err) err = put_aliases(env, ALIAS_ALL_APPS, NULL, span_of("", 0));
    for (size_t i = 0; !err && i < ARRAY_LEN(groups); i++) err = read_group(env, &groups[i]);
    if (!err) err = read_dial(env, cfg);
    if (!err) err = warn_of_what_is_odd(env);
    if (!err && buf_failed(&env->kubernetes)) err = ERR_NOMEM;
    if (!err && env->kubernetes.n)
        err = draft_warn(env->draft, "ignored, since Kubernetes made them for a service: %.*s",
                         SPAN_FMT(env->kubernetes));
    return err;
}

enum err config_parse_env(struct draft *d, struct span text, const char *path,
                          const char *const *environment, struct config *cfg)
{
    struct env env = { .draft = d, .path = path };
    enum err err = read_environment(&env, environment);
    if (!err) err = read_dotenv(&env, text);
    if (!err) err = pick(&env, cfg);
    buf_fini(&env.kubernetes);
    map_fini(&env.by_name);
    return err;
}

enum err config_read_env(struct draft *d, const char *path, const char *const *environment,
                         struct config *cfg)
{
    struct buf text = { 0 };
    bool optional = !path;
    enum err err = ERR_OK;
    if (optional) path = ".env";
    if (*path) err = config_slurp(path, FILE_MAX, optional, &text, d->diag);
    if (err == ERR_ABSENT) err = ERR_OK;
    if (!err) err = config_parse_env(d, buf_span(&text), path, environment, cfg);
    config_wipe(&text);
    return err;
}
