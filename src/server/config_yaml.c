/* SPDX-License-Identifier: MIT
 *
 * server/config_yaml.c: peal.yaml -> draft, over libyaml's events.
 *
 * Events and no tree, so that a file costs no more than its size: anchors, aliases and tags are
 * refused (a few lines of them unfold to gigabytes), as are unknown and repeated keys, a second
 * document, and files over 1 MiB. The functions call each other as deep as options are nested in
 * options.def, since a key that is no option and leads to none ends the reading; the depth of the
 * input does not count.
 */
#include "server/config_draft.h"
#include <stdio.h>
#include <yaml.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define LIST_MAX 4096
#define KEYS_MAX 128 /* more than there are options and groups */

struct pending {
    const struct option *option;
    struct option_given given;
    size_t line;
};

/* One entry of `apps`: its id may stand behind the other keys, so they wait. */
struct entry {
    struct span id;                            /* p == NULL: not read yet */
    struct pending pending[N_APP_OPTIONS + 1]; /* secret and secrets are one option */
    size_t n;
};

struct reader {
    struct draft *draft;
    const char *path;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one, deleted by the next */
    enum option_scope scope;
    struct entry *entry; /* OPTION_ONE_APP */
};

/* The keys of one mapping; the spans are in the arena. */
struct keys {
    struct span names[KEYS_MAX];
    size_t n;
};

static size_t line_of(const struct reader *r)
{
    return r->event.start_mark.line + 1;
}

static enum err refuse(struct reader *r, const char *what)
{
    return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: %s", r->path, line_of(r), what);
}

/* Runs `put` with the origin of `name` in this file. */
struct place {
    char file[512];
    struct draft_origin from;
};

static void set_place(struct reader *r, size_t line, struct span name, struct place *out)
{
    snprintf(out->file, sizeof out->file, "%.400s:%zu", r->path, line);
    out->from = (struct draft_origin) { RANK_YAML, name, span_str(out->file), NULL };
}

static enum err check_event(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        if (e->data.scalar.length != strlen((const char *)e->data.scalar.value))
            return refuse(r, "a value holds a NUL octet");
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    }
    if (anchor || e->type == YAML_ALIAS_EVENT)
        return refuse(r, "anchors and aliases (& and *) are not allowed here; quote a text that "
                         "begins so");
    if (tag) return refuse(r, "tags (!) are not allowed here; quote a text that begins so");
    return ERR_OK;
}

static enum err next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return check_event(r);
    if (r->parser.error == YAML_MEMORY_ERROR) return ERR_NOMEM;
    return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: %s%s%s", r->path,
                    r->parser.problem_mark.line + 1,
                    r->parser.problem ? r->parser.problem : "this is not YAML",
                    r->parser.context ? ", " : "", r->parser.context ? r->parser.context : "");
}

static bool is_scalar(const struct reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT;
}

/* An empty plain value, `~` and `null`: nothing is said. */
static bool is_null(const struct reader *r)
{
    if (!is_scalar(r) || r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    const char *s = (const char *)r->event.data.scalar.value;
    return !*s || !strcmp(s, "~") || !strcmp(s, "null");
}

static enum err copy_scalar(struct reader *r, struct span *out)
{
    struct span s = span_of(r->event.data.scalar.value, r->event.data.scalar.length);
    return config_arena_copy(r->draft->arena, s, out) ? ERR_OK : ERR_NOMEM;
}

/* Reads the items behind a sequence's start. */
static enum err read_items(struct reader *r, struct option_given *out)
{
    struct span *texts = NULL;
    size_t n = 0, room = 0;
    for (;;) {
        enum err err = next(r);
        if (err) return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT) break;
        if (!is_scalar(r)) return refuse(r, "expected a plain value in this list");
        if (n == LIST_MAX) return refuse(r, "this list is too long");
        if (n == room) {
            room = room ? room * 2 : 8;
            struct span *more = config_arena_alloc(r->draft->arena, room * sizeof *more);
            if (!more) return ERR_NOMEM;
            if (n) memcpy(more, texts, n * sizeof *more);
            texts = more;
        }
        err = copy_scalar(r, &texts[n++]);
        if (err) return err;
    }
    *out = (struct option_given) { texts, n, true };
    return ERR_OK;
}

static enum err emit(struct reader *r, const struct pending *p, struct span name)
{
    struct place place;
    if (r->scope == OPTION_ONE_APP) {
        if (r->entry->n == ARRAY_LEN(r->entry->pending)) return refuse(r, "too many keys");
        r->entry->pending[r->entry->n++] = *p;
        return ERR_OK;
    }
    struct option_ref ref = { r->scope, p->option, { "", 0 } };
    char full[512];
    if (r->scope == OPTION_ALL_APPS) {
        int n = snprintf(full, sizeof full, "app_defaults.%.*s", SPAN_FMT(name));
        name = span_of(full, (size_t)n);
    }
    set_place(r, p->line, name, &place);
    return draft_keep(r->draft, draft_put(r->draft, &ref, p->given, &place.from));
}

/* The value of an option: a text or a list of texts. */
static enum err read_value(struct reader *r, const struct option *opt, struct span name)
{
    struct pending p = { .option = opt, .line = line_of(r) };
    struct span *text;
    enum err err = next(r);
    if (err || is_null(r)) return err;
    if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        err = read_items(r, &p.given);
    } else if (is_scalar(r)) {
        text = config_arena_alloc(r->draft->arena, sizeof *text);
        err = text ? copy_scalar(r, text) : ERR_NOMEM;
        p.given = (struct option_given) { text, 1, false };
    } else {
        return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: %.*s must be a value, not a mapping",
                        r->path, line_of(r), SPAN_FMT(name));
    }
    return err ? err : emit(r, &p, name);
}

/* Joins prefix and the current key; refuses what the mapping has already. */
static enum err read_key(struct reader *r, struct keys *keys, struct span prefix, struct span *name)
{
    struct buf joined = { 0 };
    if (!is_scalar(r)) return refuse(r, "expected a name of an option");
    if (prefix.n) buf_add_fmt(&joined, "%.*s.", SPAN_FMT(prefix));
    struct span key = span_of(r->event.data.scalar.value, r->event.data.scalar.length);
    buf_add_span(&joined, span_head(key, 200));
    bool ok = !buf_failed(&joined) && config_arena_copy(r->draft->arena, buf_span(&joined), name);
    buf_fini(&joined);
    if (!ok) return ERR_NOMEM;
    for (size_t i = 0; i < keys->n; i++)
        if (span_eq(keys->names[i], *name))
            return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: %.*s is given twice", r->path,
                            line_of(r), SPAN_FMT(*name));
    if (keys->n == KEYS_MAX) return refuse(r, "too many keys");
    keys->names[keys->n++] = *name;
    return ERR_OK;
}

/* Reads over the value of a key, whatever it is. */
static enum err skip_value(struct reader *r)
{
    size_t depth = 0;
    do {
        enum err err = next(r);
        if (err) return err;
        yaml_event_type_t type = r->event.type;
        if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT) depth++;
        if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT) depth--;
    } while (depth);
    return ERR_OK;
}

static enum err unknown(struct reader *r, struct span name)
{
    struct place place;
    struct buf dotted = { 0 };
    if (r->scope == OPTION_ALL_APPS) BUF_ADD_LIT(&dotted, "app_defaults.");
    if (r->scope == OPTION_ONE_APP) BUF_ADD_LIT(&dotted, "apps.ID.");
    buf_add_span(&dotted, name);
    set_place(r, line_of(r), name, &place);
    enum err err =
        buf_failed(&dotted) ? ERR_NOMEM : draft_unknown(r->draft, buf_span(&dotted), &place.from);
    buf_fini(&dotted);
    err = draft_keep(r->draft, err);
    return err ? err : skip_value(r);
}

/* These call each other as the option table nests, not as the text does: a list of apps, an app in
 * it, a group of options in that. Whatever else nests is refused by its first level. */
/* NOLINTBEGIN(misc-no-recursion) */
static enum err read_map(struct reader *r, struct span prefix);
static enum err read_apps(struct reader *r);

/* Steps into the mapping that must follow. */
static enum err read_group(struct reader *r, struct span name)
{
    enum err err = next(r);
    if (err || is_null(r)) return err;
    if (r->event.type == YAML_MAPPING_START_EVENT) return read_map(r, name);
    return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: %.*s must be a mapping of options",
                    r->path, line_of(r), SPAN_FMT(name));
}

static enum err read_defaults(struct reader *r)
{
    r->scope = OPTION_ALL_APPS;
    enum err err = next(r);
    if (!err && !is_null(r))
        err = r->event.type == YAML_MAPPING_START_EVENT
                  ? read_map(r, span_of("", 0))
                  : refuse(r, "app_defaults must be a mapping of app options");
    r->scope = OPTION_GLOBAL;
    return err;
}

static enum err read_id(struct reader *r)
{
    enum err err = next(r);
    if (err) return err;
    if (!is_scalar(r)) return refuse(r, "an app's id must be a text");
    return copy_scalar(r, &r->entry->id);
}

static enum err read_member(struct reader *r, struct span name)
{
    bool app = r->scope != OPTION_GLOBAL;
    const struct option *opt = app ? option_find_app(name) : option_find_global(name);
    if (opt) return read_value(r, opt, name);
    if (option_is_group(name, app)) return read_group(r, name);
    if (r->scope == OPTION_ONE_APP && span_eq(name, SPAN("id"))) return read_id(r);
    if (!app && span_eq(name, SPAN("apps"))) return read_apps(r);
    if (!app && span_eq(name, SPAN("app_defaults"))) return read_defaults(r);
    return unknown(r, name);
}

/* Reads the members behind a mapping's start, to its end. */
static enum err read_map(struct reader *r, struct span prefix)
{
    struct keys keys = { .n = 0 };
    for (;;) {
        struct span name = { "", 0 };
        enum err err = next(r);
        if (err || r->event.type == YAML_MAPPING_END_EVENT) return err;
        err = read_key(r, &keys, prefix, &name);
        if (!err) err = read_member(r, name);
        if (err) return err;
    }
}

static enum err end_entry(struct reader *r, size_t line)
{
    struct entry *entry = r->entry;
    struct place place;
    struct draft_app *app;
    if (!entry->id.p)
        return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: this app has no id", r->path, line);
    set_place(r, line, SPAN("apps"), &place);
    enum err err = draft_app(r->draft, entry->id, &place.from, &app);
    if (!err && app->yaml_entry++)
        return diag_set(r->draft->diag, ERR_CONFIG, "%s:%zu: the app '%.*s' is listed twice",
                        r->path, line, SPAN_FMT(app->id));
    for (size_t i = 0; !err && i < entry->n; i++) {
        const struct pending *p = &entry->pending[i];
        char name[512];
        snprintf(name, sizeof name, "apps.%.*s.%s", SPAN_FMT(app->id), p->option->name);
        set_place(r, p->line, span_str(name), &place);
        struct option_ref ref = { OPTION_ONE_APP, p->option, app->id };
        err = draft_keep(r->draft, draft_put(r->draft, &ref, p->given, &place.from));
    }
    return err;
}

static enum err read_entry(struct reader *r)
{
    struct entry entry = { .n = 0 };
    size_t line = line_of(r);
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return refuse(r, "an entry of apps must be a mapping with id, key and secret");
    r->scope = OPTION_ONE_APP;
    r->entry = &entry;
    enum err err = read_map(r, span_of("", 0));
    if (!err) err = end_entry(r, line);
    r->scope = OPTION_GLOBAL;
    r->entry = NULL;
    return err;
}

static enum err read_apps(struct reader *r)
{
    enum err err = next(r);
    if (err || is_null(r)) return err;
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse(r, "apps must be a list: '- id: …', then key and secret below it");
    for (;;) {
        err = next(r);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT) return err;
        err = read_entry(r);
        if (err) return err;
    }
}

/* NOLINTEND(misc-no-recursion) */

static enum err read_stream(struct reader *r)
{
    enum err err = next(r); /* stream start */
    if (!err) err = next(r);
    if (err || r->event.type == YAML_STREAM_END_EVENT) return err;
    err = next(r); /* behind the document's start */
    if (err) return err;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        err = read_map(r, span_of("", 0));
    else if (!is_null(r))
        err = refuse(r, "expected a mapping of options, like 'workers: 4'");
    if (!err) err = next(r); /* document end */
    if (!err) err = next(r);
    if (!err && r->event.type != YAML_STREAM_END_EVENT)
        err = refuse(r, "a second document is not allowed");
    return err;
}

enum err config_parse_yaml(struct draft *d, struct span text, const char *path)
{
    struct reader r = { .draft = d, .path = path, .scope = OPTION_GLOBAL };
    if (!yaml_parser_initialize(&r.parser)) return ERR_NOMEM;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    enum err err = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}

enum err config_read_yaml(struct draft *d, const char *path)
{
    struct buf text = { 0 };
    bool optional = !path;
    if (optional) path = "peal.yaml";
    if (!*path) return ERR_OK;
    enum err err = config_slurp(path, FILE_MAX, optional, &text, d->diag);
    if (!err) err = config_parse_yaml(d, buf_span(&text), path);
    config_wipe(&text);
    return err == ERR_ABSENT ? ERR_OK : err;
}
