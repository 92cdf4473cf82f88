/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_config.c: peal config show, peal config check: what the settings here amount to, and
 * where each comes from. `show --markdown` prints the reference that is docs/options.md.
 */
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/options_doc.h"
#include "cli/settings.h"
#include "cli/store_check.h"
#include "cli/text.h"
#include "server/config_value.h"
#include <stdio.h>
#include <sysexits.h>

enum form { FORM_PEOPLE, FORM_JSON, FORM_MARKDOWN };

#define MAX_NAMES 64

/* What is shown: the options that were named, all where there is no name. */
struct view {
    enum form form;
    const char *names[MAX_NAMES];
    bool found[MAX_NAMES];
    size_t n_names;
    struct buf out;
};

/* One option, with its value as text in `value`. */
struct shown {
    struct span prefix; /* "apps.ID." */
    const struct option *option;
    struct span value, from;
};

static void show_line(const struct shown *s, struct buf *out)
{
    struct buf line = { 0 };
    buf_add_fmt(&line, "%.*s%s = %.*s", SPAN_FMT(s->prefix), s->option->name, SPAN_FMT(s->value));
    text_add_safe(out, buf_span(&line));
    if (s->from.n) {
        for (size_t i = line.n; i < 50; i++) buf_add_byte(out, ' ');
        BUF_ADD_LIT(out, "  # ");
        text_add_safe(out, s->from);
    }
    buf_add_byte(out, '\n');
    buf_fini(&line);
}

static void add_list(const struct option *opt, struct span text, struct buf *out)
{
    struct span rest = text, item;
    json_open(out, '[');
    if (opt->type == OPTION_NETS && span_eq(text, SPAN("none"))) rest = span_of(NULL, 0);
    while (span_cut(&rest, ',', &item)) json_string(out, item);
    json_close(out, ']');
}

/* The canonical text of a value as JSON: numbers, true and false, lists, texts. */
static void add_value(const struct option *opt, struct span text, struct buf *out)
{
    if (opt->type == OPTION_CLIENT_EVENTS || opt->type == OPTION_SECRETS) { /* shown as words */
        json_string(out, text);
        return;
    }
    switch (option_held(opt->type)) {
    case HELD_U32:
    case HELD_U64:
    case HELD_BOOL:
        json_raw(out, text);
        break;
    case HELD_LOG_LEVEL:
    case HELD_LOG_FORMAT:
    case HELD_METRICS_NAMES:
    case HELD_TEXT:
        json_string(out, text);
        break;
    case HELD_TEXTS:
    case HELD_ADDRS:
    case HELD_NETS:
        add_list(opt, text, out);
        break;
    }
}

static void show_json(const struct shown *s, struct buf *out)
{
    struct buf name = { 0 };
    buf_add_fmt(&name, "%.*s%s", SPAN_FMT(s->prefix), s->option->name);
    json_key(out, buf_span(&name));
    json_open(out, '{');
    json_key(out, SPAN("value"));
    add_value(s->option, s->value, out);
    json_key(out, SPAN("from"));
    json_string(out, s->from.n ? s->from : SPAN("default"));
    json_close(out, '}');
    buf_fini(&name);
}

static bool is_wanted(struct view *view, const struct shown *s)
{
    struct buf full = { 0 };
    bool some = view->n_names == 0;
    buf_add_fmt(&full, "%.*s%s.", SPAN_FMT(s->prefix), s->option->name);
    for (size_t i = 0; i < view->n_names; i++) {
        struct span name = span_str(view->names[i]);
        bool whole = full.n > name.n && full.p[name.n] == '.' && span_starts(buf_span(&full), name);
        bool of_one = span_starts(name, SPAN("apps."));
        if (!whole && (of_one || !option_called(s->option, name))) continue;
        view->found[i] = some = true;
    }
    buf_fini(&full);
    return some;
}

static void show(const struct shown *s, const void *owner, struct view *view)
{
    union option_value value;
    struct buf text = { 0 };
    struct shown full = *s;
    if (!is_wanted(view, s)) return;
    option_load(s->option, owner, &value);
    option_print(s->option, &value, &text);
    full.value = buf_span(&text);
    if (view->form == FORM_JSON)
        show_json(&full, &view->out);
    else
        show_line(&full, &view->out);
    buf_fini(&text);
}

static void show_app(const struct config *cfg, size_t at, struct view *view)
{
    struct buf prefix = { 0 };
    buf_add_fmt(&prefix, "apps.%.*s.", SPAN_FMT(cfg->apps[at].id));
    if (view->form == FORM_PEOPLE && view->n_names == 0) buf_add_byte(&view->out, '\n');
    for (size_t i = 0; i < N_APP_OPTIONS; i++) {
        struct shown s = {
            buf_span(&prefix), &option_apps[i], { "", 0 }, config_app_from(cfg, at, i)
        };
        show(&s, &cfg->apps[at], view);
    }
    buf_fini(&prefix);
}

/* A name that nothing answered to. */
static int refuse_name(const char *name)
{
    struct buf text = { 0 };
    bool of_one = span_starts(span_str(name), SPAN("apps."));
    struct option_ref ref;
    if (option_find(span_str(name), &ref)) {
        buf_add_fmt(&text, "there is no app '%.*s'", SPAN_FMT(ref.app_id));
    } else {
        buf_add_fmt(&text, "there is no %soption '%s'", of_one ? "app or " : "", name);
        option_suggest(span_str(name), &text);
    }
    buf_add_byte(&text, '\0');
    int code = cmd_fail(&cmd_config, EX_USAGE, buf_failed(&text) ? "no such option" : text.p);
    buf_fini(&text);
    return code;
}

static int show_all(const struct config *cfg, struct view *view)
{
    struct buf *out = &view->out;
    if (view->form == FORM_JSON) json_open(out, '{');
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        const struct option *opt = &option_globals[i];
        if (opt->type == OPTION_HOST || opt->type == OPTION_PORT) continue; /* part of listen */
        struct shown s = { { "", 0 }, opt, { "", 0 }, config_from(cfg, i) };
        show(&s, cfg, view);
    }
    for (size_t i = 0; i < cfg->n_apps; i++) show_app(cfg, i, view);
    if (view->form == FORM_JSON) {
        json_close(out, '}');
        buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < view->n_names; i++)
        if (!view->found[i]) return refuse_name(view->names[i]);
    if (buf_failed(out)) return cmd_fail(&cmd_config, EX_OSERR, "out of memory");
    fwrite(out->p, 1, out->n, stdout);
    return EX_OK;
}

static void add_safe(struct buf *out, struct span text)
{
    struct buf safe = { 0 };
    text_add_safe(&safe, text);
    json_string(out, buf_span(&safe));
    if (buf_failed(&safe)) buf_fail(out);
    buf_fini(&safe);
}

static int print_json(struct buf *out)
{
    buf_add_byte(out, '\n');
    bool ok = !buf_failed(out);
    if (ok) fwrite(out->p, 1, out->n, stdout);
    buf_fini(out);
    return ok ? EX_OK : cmd_fail(&cmd_config, EX_OSERR, "out of memory");
}

/* {"ok":true,"apps":1,"listen":[…],"warnings":[…]}; `store`: a warning, or empty. */
static int check_json(const struct config *cfg, struct span store)
{
    struct buf out = { 0 };
    json_open(&out, '{');
    json_key(&out, SPAN("ok"));
    json_bool(&out, true);
    json_key(&out, SPAN("apps"));
    json_u64(&out, cfg->n_apps);
    json_key(&out, SPAN("listen"));
    json_open(&out, '[');
    for (size_t i = 0; i < cfg->listen.n; i++) json_string(&out, cfg->listen.items[i].text);
    json_close(&out, ']');
    json_key(&out, SPAN("warnings"));
    json_open(&out, '[');
    for (size_t i = 0; i < cfg->warnings.n; i++) add_safe(&out, cfg->warnings.items[i]);
    if (store.n) add_safe(&out, store);
    json_close(&out, ']');
    json_close(&out, '}');
    return print_json(&out);
}

/* {"ok":false,"error":…,"errors":[…]}: the first one, and all; `all` is a sentence in each line. */
static void refuse_json(struct span all)
{
    struct buf out = { 0 };
    struct span first, line, rest = all;
    span_cut(&rest, '\n', &first);
    json_open(&out, '{');
    json_key(&out, SPAN("ok"));
    json_bool(&out, false);
    json_key(&out, SPAN("error"));
    add_safe(&out, first);
    json_key(&out, SPAN("errors"));
    json_open(&out, '[');
    for (rest = all; rest.n && span_cut(&rest, '\n', &line);) add_safe(&out, line);
    json_close(&out, ']');
    json_close(&out, '}');
    print_json(&out);
}

static void warn(struct span text)
{
    fputs("warning: ", stderr);
    text_print(stderr, text);
}

static int say_well(const struct config *cfg, struct span store)
{
    size_t n = cfg->warnings.n + (store.n > 0);
    printf("ok: %zu app%s, listening on ", cfg->n_apps, cfg->n_apps == 1 ? "" : "s");
    for (size_t i = 0; i < cfg->listen.n; i++)
        printf("%s%.*s", i ? ", " : "", SPAN_FMT(cfg->listen.items[i].text));
    if (n) printf("; %zu warning%s", n, n == 1 ? "" : "s");
    putchar('\n');
    return EX_OK;
}

static int check(const struct config *cfg, enum form form)
{
    struct buf store = { 0 };
    if (!store_check(cfg->store, &store)) warn(buf_span(&store));
    int code =
        form == FORM_JSON ? check_json(cfg, buf_span(&store)) : say_well(cfg, buf_span(&store));
    buf_fini(&store);
    return code;
}

struct request {
    bool some, check;   /* there was a word; it was `check` */
    struct buf refused; /* what is wrong with the settings, a sentence in each line */
    struct view view;
    struct settings settings;
};

static enum err take_word(struct request *req, const char *word, struct diag *d)
{
    struct view *view = &req->view;
    if (!req->some) {
        req->some = true;
        req->check = strcmp(word, "check") == 0;
        if (req->check || strcmp(word, "show") == 0) return ERR_OK;
        return diag_set(d, ERR_SYNTAX, "the first word is show or check");
    }
    if (req->check) return diag_set(d, ERR_SYNTAX, "check takes no names");
    if (view->n_names == MAX_NAMES) return diag_set(d, ERR_SYNTAX, "more than %d names", MAX_NAMES);
    bool part = strcmp(word, "host") == 0 || strcmp(word, "port") == 0;
    view->names[view->n_names++] = part ? "listen" : word;
    return ERR_OK;
}

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) return take_word(req, arg->value, d);
    if (arg_is(arg, "--json"))
        req->view.form = FORM_JSON;
    else if (arg_is(arg, "--markdown"))
        req->view.form = FORM_MARKDOWN;
    else
        return settings_take(&req->settings, arg, d);
    return ERR_OK;
}

static void keep_sentence(void *ctx, struct span sentence)
{
    struct request *req = ctx;
    for (size_t i = 0; i < sentence.n; i++) /* a line each, whatever a file holds */
        buf_add_byte(&req->refused, sentence.p[i] == '\n' ? ' ' : sentence.p[i]);
    buf_add_byte(&req->refused, '\n');
}

/* Says all that is wrong; the exit code is that of the first. */
static int refuse(struct request *req, enum err err, const struct diag *d)
{
    struct diag one = { "" };
    struct span line;
    if (!req->refused.n) keep_sentence(req, span_str(d->text[0] ? d->text : err_text(err)));
    if (buf_failed(&req->refused)) return cmd_fail(&cmd_config, EX_OSERR, "out of memory");
    if (req->view.form == FORM_JSON && req->check) refuse_json(buf_span(&req->refused));
    int code = EX_CONFIG;
    for (struct span rest = buf_span(&req->refused); rest.n && span_cut(&rest, '\n', &line);) {
        diag_set(&one, err, "%.*s", SPAN_FMT(line));
        code = cmd_fail_err(&cmd_config, err, &one);
    }
    return code;
}

static int answer(struct request *req)
{
    struct config *cfg = NULL;
    struct diag d = { "" };
    if (!req->check && req->view.form == FORM_MARKDOWN) {
        options_doc_print();
        return EX_OK;
    }
    req->settings.sources.apps_needed = req->check;
    req->settings.sources.on_refused = keep_sentence;
    req->settings.sources.ctx = req;
    enum err err = settings_load(&req->settings, &cfg, &d);
    if (err) return refuse(req, err, &d);
    for (size_t i = 0; i < cfg->warnings.n; i++) warn(cfg->warnings.items[i]);
    int code = req->check ? check(cfg, req->view.form) : show_all(cfg, &req->view);
    config_free(&cfg);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .view = { .form = FORM_PEOPLE } };
    if (!settings_init(&req.settings)) return cmd_fail(&cmd_config, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_config, argc, argv, take, &req);
    if (code == EX_OK && !req.some)
        code = cmd_fail(&cmd_config, EX_USAGE, "needs a word: show or check");
    if (code == EX_OK) code = answer(&req);
    settings_fini(&req.settings);
    buf_fini(&req.view.out);
    buf_fini(&req.refused);
    return code;
}

static const struct arg_spec specs[] = {
    SETTINGS_SPECS,
    { "--host", "HOST", "as for serve" },
    { "--port", "N", "as for serve" },
    { "--app", "ID:KEY:SECRET", "as for serve" },
    { "--workers", "N", "as for serve" },
    { "--log-level", "LEVEL", "as for serve" },
    { "--log-format", "FORMAT", "as for serve" },
    { "--dev", NULL, "as for serve" },
    { "--json", NULL, "print JSON" },
    { "--markdown", NULL, "show: print the reference of all options" },
};

const struct cmd cmd_config = {
    .name = "config",
    .help = "show or check the settings",
    .run = run,
    .usage = "peal config show [NAME…] [options]\n"
             "       peal config check [options]",
    .text =
        "show prints every option with its value and, where it is not the default, where it\n"
        "was set: the file and line, the variable, or the flag; secrets are hidden. With names\n"
        "only these: options (of each app, or apps.ID.NAME), or groups like `limits`. check says\n"
        "whether `peal serve` would accept the settings: exit code 0, or 78 and what is wrong;\n"
        "it also looks whether the database of the option store can be opened, and warns if not.\n"
        "Both warn on stderr of what is allowed but likely a mistake. With --json, show prints\n"
        "{NAME:{\"value\":…,\"from\":…}}, and check {\"ok\":…,\"warnings\":[…]} or\n"
        "{\"ok\":false,\"error\":…}.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal config show\n"
                "  peal config show listen limits apps.shop\n"
                "  peal config show --json | jq '.workers'\n"
                "  peal config check --config /etc/peal/peal.yaml\n",
    .words = "show|check",
};
