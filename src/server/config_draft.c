/* SPDX-License-Identifier: MIT
 *
 * server/config_draft.c: slots, ranks and contradictions. Sources may come in any order: a value of
 * lower rank than what is there is checked and dropped.
 */
#include "server/config_draft.h"
#include "base/hash.h"
#include "base/mem.h"
#include "server/config_value_priv.h"
#include <stdarg.h>
#include <stdio.h>

void draft_init(struct draft *d, struct config_arena *arena, struct diag *diag)
{
    memset(d, 0, sizeof *d);
    d->arena = arena;
    d->diag = diag;
}

void draft_fini(struct draft *d)
{
    map_fini(&d->_by_id);
}

/* "peal.yaml:12: log.level" or "--port", for the beginning of a sentence. */
static void say_origin(const struct draft_origin *from, struct buf *out)
{
    if (from->file.n) buf_add_fmt(out, "%.*s: ", SPAN_FMT(from->file));
    buf_add_span(out, span_head(from->name, 200));
}

/* "log.level (peal.yaml:12)", for `config show` and contradictions. */
static enum err keep_origin(struct draft *d, const struct draft_origin *from, struct span *where)
{
    struct buf text = { 0 };
    buf_add_span(&text, span_head(from->name, 200));
    if (from->file.n) buf_add_fmt(&text, " (%.*s)", SPAN_FMT(from->file));
    bool ok = !buf_failed(&text) && config_arena_copy(d->arena, buf_span(&text), where);
    buf_fini(&text);
    return ok ? ERR_OK : ERR_NOMEM;
}

/* Ends with the sentence in `text`, which is finished. */
static enum err refuse(struct draft *d, struct buf *text)
{
    enum err err =
        buf_failed(text) ? ERR_NOMEM : diag_set(d->diag, ERR_CONFIG, "%.*s", SPAN_FMT(*text));
    buf_fini(text);
    return err;
}

enum err draft_unknown(struct draft *d, struct span dotted, const struct draft_origin *from)
{
    struct buf text = { 0 };
    say_origin(from, &text);
    BUF_ADD_LIT(&text, ": there is no such option");
    option_suggest(dotted, &text);
    return refuse(d, &text);
}

static enum err refuse_value(struct draft *d, const struct option_ref *ref,
                             const struct draft_origin *from, struct buf *why)
{
    struct buf text = { 0 };
    say_origin(from, &text);
    if (span_eq(from->name, span_str(ref->option->name)))
        BUF_ADD_LIT(&text, " must be ");
    else
        buf_add_fmt(&text, " (option %s) must be ", ref->option->name);
    buf_add_span(&text, buf_span(why));
    return refuse(d, &text);
}

static enum err refuse_contradiction(struct draft *d, const struct option *opt,
                                     const struct draft_slot *old, const struct draft_slot *new)
{
    struct buf text = { 0 };
    buf_add_fmt(&text, "%.*s and %.*s set the same option (%s) to different values",
                SPAN_FMT(old->where), SPAN_FMT(new->where), opt->name);
    if (opt->type != OPTION_SECRETS) {
        BUF_ADD_LIT(&text, ", ");
        option_print(opt, &old->value, &text);
        BUF_ADD_LIT(&text, " and ");
        option_print(opt, &new->value, &text);
    }
    BUF_ADD_LIT(&text, "; remove one of them");
    return refuse(d, &text);
}

static bool must_agree(const struct draft_slot *a, const struct draft_slot *b)
{
    if (a->rank == RANK_UNSET || a->rank == RANK_DEV) return false;
    if (a->group && b->group && a->group != b->group) return true;
    return a->rank == b->rank && a->rank != RANK_FLAG;
}

static enum err put(struct draft *d, const struct option *opt, struct draft_slot *slot,
                    const struct draft_slot *new)
{
    if (must_agree(slot, new) && !option_value_eq(opt, &slot->value, &new->value))
        return refuse_contradiction(d, opt, slot, new);
    if (new->rank >= slot->rank) *slot = *new;
    return ERR_OK;
}

static enum err find_slot(struct draft *d, const struct option_ref *ref,
                          const struct draft_origin *from, struct draft_slot **out)
{
    size_t i = option_index(ref->option);
    struct draft_app *app = NULL;
    enum err err = ERR_OK;
    switch (ref->scope) {
    case OPTION_GLOBAL:
        *out = &d->global[i];
        return ERR_OK;
    case OPTION_ALL_APPS:
        *out = &d->all_apps[i];
        return ERR_OK;
    case OPTION_ONE_APP:
        err = draft_app(d, ref->app_id, from, &app);
        if (!err) *out = &app->slots[i];
        return err;
    }
    UNREACHABLE();
}

static enum err refuse_for_all(struct draft *d, const struct option *opt,
                               const struct draft_origin *from)
{
    struct buf text = { 0 };
    say_origin(from, &text);
    buf_add_fmt(&text, ": %s cannot be the same for all apps; set it for each app", opt->name);
    return refuse(d, &text);
}

enum err draft_put(struct draft *d, const struct option_ref *ref, struct option_given given,
                   const struct draft_origin *from)
{
    const struct option *opt = ref->option;
    struct draft_slot *slot = NULL, new = { .rank = from->rank, .group = from->group };
    struct buf why = { 0 };
    if (ref->scope == OPTION_ALL_APPS && !opt->dflt) return refuse_for_all(d, opt, from);
    enum err err = option_parse(opt, given, d->arena, &new.value, &why);
    if (!err && buf_failed(&why)) err = ERR_NOMEM;
    if (err == ERR_RANGE) err = refuse_value(d, ref, from, &why);
    if (!err) err = keep_origin(d, from, &new.where);
    if (!err) err = find_slot(d, ref, from, &slot);
    CHECK(err || slot);
    if (!err) err = put(d, opt, slot, &new);
    buf_fini(&why);
    return err;
}

static bool has_id(const void *app, const void *id)
{
    return span_eq(((const struct draft_app *)app)->id, *(const struct span *)id);
}

/* Doubles an array in the arena (the old one stays there until the end). NULL: no memory. */
static void *grow(struct draft *d, const void *old, size_t n, size_t *room, size_t item)
{
    size_t more = *room ? *room * 2 : 8;
    void *new = config_arena_alloc(d->arena, more * item);
    if (!new) return NULL;
    if (n) memcpy(new, old, n * item);
    *room = more;
    return new;
}

static enum err add_app(struct draft *d, struct span id, const struct draft_origin *from,
                        struct draft_app **out)
{
    struct draft_app *app = config_arena_alloc(d->arena, sizeof *app);
    if (!app || !config_arena_copy(d->arena, id, &app->id)) return ERR_NOMEM;
    enum err err = keep_origin(d, from, &app->where);
    if (err) return err;
    if (d->n_apps == d->_room) {
        struct draft_app **apps = grow(d, d->apps, d->n_apps, &d->_room, sizeof(void *));
        if (!apps) return ERR_NOMEM;
        d->apps = apps;
    }
    err = map_add(&d->_by_id, hash_key(app->id), app);
    if (err) return err;
    d->apps[d->n_apps++] = *out = app;
    return ERR_OK;
}

enum err draft_app(struct draft *d, struct span id, const struct draft_origin *from,
                   struct draft_app **out)
{
    struct draft_app *app = map_find(&d->_by_id, hash_key(id), has_id, &id);
    if (app) {
        *out = app;
        return ERR_OK;
    }
    struct buf text = { 0 };
    if (!value_is_name(id)) {
        say_origin(from, &text);
        BUF_ADD_LIT(&text, ": an app's id must be ");
        value_bad(&text, "1 to 200 printable ASCII characters but space / ? # % : \" \\", id);
        return refuse(d, &text);
    }
    if (d->n_apps == DRAFT_MAX_APPS) {
        say_origin(from, &text);
        buf_add_fmt(&text, ": more than %d apps", DRAFT_MAX_APPS);
        return refuse(d, &text);
    }
    return add_app(d, id, from, out);
}

/* Appends a copy of the sentence. */
static enum err add_sentence(struct draft *d, struct span text, struct span_list *list,
                             size_t *room)
{
    if (list->n == *room) {
        struct span *items = grow(d, list->items, list->n, room, sizeof *items);
        if (!items) return ERR_NOMEM;
        list->items = items;
    }
    if (!config_arena_copy(d->arena, text, &list->items[list->n])) return ERR_NOMEM;
    list->n++;
    return ERR_OK;
}

enum err draft_keep(struct draft *d, enum err err)
{
    if (err != ERR_CONFIG) return err;
    return add_sentence(d, span_str(d->diag->text), &d->refused, &d->_refused_room);
}

enum err draft_warn(struct draft *d, const char *fmt, ...)
{
    char text[sizeof(struct diag)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return add_sentence(d, span_str(text), &d->warnings, &d->_warnings_room);
}
