/* SPDX-License-Identifier: MIT
 *
 * cli/settings.c: flags -> struct config_flag.
 */
#include "cli/settings.h"
#include "base/buf.h"
#include "server/config_draft.h"
#include <unistd.h>

#define APP_FILE_MAX ((size_t)16 * 1024)

/* Flags that are short for --set. */
static const struct {
    const char *flag, *option;
} shorts[] = {
    { "--host", "host" },
    { "--port", "port" },
    { "--workers", "workers" },
    { "--log-level", "log.level" },
    { "--log-format", "log.format" },
};

bool settings_init(struct settings *s)
{
    memset(s, 0, sizeof *s);
    s->arena = config_arena_new();
    return s->arena != NULL;
}

void settings_fini(struct settings *s)
{
    config_arena_free(s->arena);
    s->arena = NULL;
}

static enum err add(struct settings *s, const char *name, const char *value, const char *shown)
{
    if (s->n == s->_room) {
        size_t room = s->_room ? s->_room * 2 : 16;
        struct config_flag *flags = config_arena_alloc(s->arena, room * sizeof *flags);
        if (!flags) return ERR_NOMEM;
        if (s->n) memcpy(flags, s->flags, s->n * sizeof *flags);
        s->flags = flags;
        s->_room = room;
    }
    s->flags[s->n++] = (struct config_flag) { name, value, shown };
    return ERR_OK;
}

static enum err copy(struct settings *s, struct span text, const char **out)
{
    struct span kept = { "", 0 };
    if (!config_arena_copy(s->arena, text, &kept)) return ERR_NOMEM;
    *out = kept.p;
    return ERR_OK;
}

static enum err copy_format(struct settings *s, const char **out, const char *before,
                            struct span middle, const char *after)
{
    struct buf b = { 0 };
    buf_add_fmt(&b, "%s%.*s%s", before, SPAN_FMT(middle), after);
    enum err err = buf_failed(&b) ? ERR_NOMEM : copy(s, buf_span(&b), out);
    buf_fini(&b);
    return err;
}

/* NAME=VALUE */
static enum err take_set(struct settings *s, const char *text, struct diag *d)
{
    struct span value = span_str(text), name = { "", 0 };
    const char *option, *shown;
    span_cut(&value, '=', &name);
    if (!value.p || !name.n)
        return diag_set(d, ERR_SYNTAX, "--set needs NAME=VALUE, like log.level=debug");
    enum err err = copy(s, name, &option);
    if (!err) err = copy_format(s, &shown, "--set ", name, "");
    return err ? err : add(s, option, value.p, shown);
}

static enum err read_app_file(struct settings *s, const char *path, struct span *out,
                              struct diag *d)
{
    struct buf text = { 0 };
    enum err err = config_slurp(path, APP_FILE_MAX, false, &text, d);
    struct span all = buf_span(&text);
    while (all.n && strchr(" \t\r\n", all.p[all.n - 1])) all.n--;
    while (all.n && strchr(" \t\r\n", all.p[0])) all = span_skip(all, 1);
    if (!err && !config_arena_copy(s->arena, all, out)) err = ERR_NOMEM;
    config_wipe(&text);
    return err;
}

enum err settings_read_app(struct settings *s, const char *text, struct app_triple *out,
                           struct diag *d)
{
    struct span rest = span_str(text);
    if (text[0] == '@') {
        enum err err = read_app_file(s, text + 1, &rest, d);
        if (err) return err;
    }
    struct app_triple app = { .secret = { "", 0 } };
    bool ok = rest.n && span_cut(&rest, ':', &app.id) && rest.p && span_cut(&rest, ':', &app.key) &&
              rest.p;
    if (!ok || !app.id.n || !app.key.n || !rest.n)
        return diag_set(d, ERR_SYNTAX, "--app needs ID:KEY:SECRET, or @FILE with that in it");
    app.secret = rest;
    *out = app;
    return ERR_OK;
}

/* As an app that is listed twice in YAML: which of the two is meant? */
static enum err refuse_second(const struct settings *s, const char *key_name, struct span id,
                              struct diag *d)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->flags[i].shown, "--app") == 0 && strcmp(s->flags[i].name, key_name) == 0)
            return diag_set(d, ERR_SYNTAX, "--app gives the app '%.*s' twice",
                            SPAN_FMT(span_head(id, 200)));
    return ERR_OK;
}

static enum err take_app(struct settings *s, const char *text, struct diag *d)
{
    struct app_triple app = { .id = { "", 0 }, .key = { "", 0 }, .secret = { "", 0 } };
    const char *key_name = NULL, *secret_name = NULL, *key = NULL, *secret = NULL;
    enum err err = settings_read_app(s, text, &app, d);
    if (!err) err = copy_format(s, &key_name, "apps.", app.id, ".key");
    if (!err) err = copy_format(s, &secret_name, "apps.", app.id, ".secrets");
    if (!err) err = refuse_second(s, key_name, app.id, d);
    if (!err) err = copy(s, app.key, &key);
    if (!err) err = copy(s, app.secret, &secret);
    if (!err) err = add(s, key_name, key, "--app");
    return err ? err : add(s, secret_name, secret, "--app");
}

enum err settings_take(struct settings *s, const struct arg *arg, struct diag *d)
{
    for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
        if (arg_is(arg, shorts[i].flag))
            return add(s, shorts[i].option, arg->value, shorts[i].flag);
    if (arg_is(arg, "--set")) return take_set(s, arg->value, d);
    if (arg_is(arg, "--app")) return take_app(s, arg->value, d);
    if (arg_is(arg, "--config"))
        s->sources.yaml_path = arg->value;
    else if (arg_is(arg, "--env"))
        s->sources.env_path = arg->value;
    else if (arg_is(arg, "--dev"))
        s->sources.dev = true;
    else
        return ERR_ABSENT;
    return ERR_OK;
}

enum err settings_load(struct settings *s, struct config **out, struct diag *d)
{
    s->sources.environment = (const char *const *)environ;
    s->sources.flags = s->flags;
    s->sources.n_flags = s->n;
    return config_load(out, &s->sources, d);
}
