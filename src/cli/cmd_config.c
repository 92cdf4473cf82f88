/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_config.c: peal config show, peal config check: what the settings here amount to, and
 * where each comes from. `show --markdown` prints the reference that is docs/options.md.
 */
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/options_doc.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "server/config_value.h"
#include <stdio.h>
#include <sysexits.h>

enum form { FORM_PEOPLE, FORM_JSON, FORM_MARKDOWN };

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

static void show_json(const struct shown *s, struct buf *out)
{
    struct buf name = { 0 };
    buf_add_fmt(&name, "%.*s%s", SPAN_FMT(s->prefix), s->option->name);
    json_key(out, buf_span(&name));
    json_open(out, '{');
    json_key(out, SPAN("value"));
    json_string(out, s->value);
    json_key(out, SPAN("from"));
    json_string(out, s->from.n ? s->from : SPAN("default"));
    json_close(out, '}');
    buf_fini(&name);
}

static void show(const struct shown *s, const void *owner, enum form form, struct buf *out)
{
    union option_value value;
    struct buf text = { 0 };
    struct shown full = *s;
    option_load(s->option, owner, &value);
    option_print(s->option, &value, &text);
    full.value = buf_span(&text);
    if (form == FORM_JSON)
        show_json(&full, out);
    else
        show_line(&full, out);
    buf_fini(&text);
}

static void show_app(const struct config *cfg, size_t at, enum form form, struct buf *out)
{
    struct buf prefix = { 0 };
    buf_add_fmt(&prefix, "apps.%.*s.", SPAN_FMT(cfg->apps[at].id));
    if (form == FORM_PEOPLE) buf_add_byte(out, '\n');
    for (size_t i = 0; i < N_APP_OPTIONS; i++) {
        struct shown s = {
            buf_span(&prefix), &option_apps[i], { "", 0 }, config_app_from(cfg, at, i)
        };
        show(&s, &cfg->apps[at], form, out);
    }
    buf_fini(&prefix);
}

static int show_all(const struct config *cfg, enum form form)
{
    struct buf out = { 0 };
    if (form == FORM_JSON) json_open(&out, '{');
    for (size_t i = 0; i < N_GLOBAL_OPTIONS; i++) {
        const struct option *opt = &option_globals[i];
        if (opt->type == OPTION_HOST || opt->type == OPTION_PORT) continue; /* part of listen */
        struct shown s = { { "", 0 }, opt, { "", 0 }, config_from(cfg, i) };
        show(&s, cfg, form, &out);
    }
    for (size_t i = 0; i < cfg->n_apps; i++) show_app(cfg, i, form, &out);
    if (form == FORM_JSON) {
        json_close(&out, '}');
        buf_add_byte(&out, '\n');
    }
    bool ok = !buf_failed(&out);
    if (ok) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    return ok ? EX_OK : cmd_fail(&cmd_config, EX_OSERR, "out of memory");
}

static int check(const struct config *cfg)
{
    printf("ok: %zu app%s, listening on %.*s\n", cfg->n_apps, cfg->n_apps == 1 ? "" : "s",
           SPAN_FMT(cfg->listen.items[0].text));
    return EX_OK;
}

struct request {
    const char *verb;
    enum form form;
};

static enum err take(struct request *req, struct settings *settings, const struct arg *arg,
                     struct diag *d)
{
    if (!arg->spec) {
        bool known = strcmp(arg->value, "show") == 0 || strcmp(arg->value, "check") == 0;
        if (req->verb || !known) return diag_set(d, ERR_SYNTAX, "takes one word: show or check");
        req->verb = arg->value;
        return ERR_OK;
    }
    if (arg_is(arg, "--json"))
        req->form = FORM_JSON;
    else if (arg_is(arg, "--markdown"))
        req->form = FORM_MARKDOWN;
    else
        return settings_take(settings, arg, d);
    return ERR_OK;
}

static int read_args(struct request *req, struct settings *settings, int argc, char **argv)
{
    struct args args = cmd_args(&cmd_config, argc, argv);
    struct arg arg;
    struct diag d = { "" };
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        enum err err = kind == ARG_WRONG ? ERR_SYNTAX : take(req, settings, &arg, &d);
        if (err == ERR_SYNTAX) return cmd_fail(&cmd_config, EX_USAGE, d.text);
        if (err) return cmd_fail_err(&cmd_config, err, &d);
    }
    if (!req->verb) return cmd_fail(&cmd_config, EX_USAGE, "needs a word: show or check");
    return EX_OK;
}

static int answer(const struct request *req, struct settings *settings)
{
    struct config *cfg = NULL;
    struct diag d = { "" };
    CHECK(req->verb);
    bool checks = strcmp(req->verb, "check") == 0;
    if (!checks && req->form == FORM_MARKDOWN) {
        options_doc_print();
        return EX_OK;
    }
    settings->sources.apps_needed = checks;
    enum err err = settings_load(settings, &cfg, &d);
    if (err) return cmd_fail_err(&cmd_config, err, &d);
    for (size_t i = 0; i < cfg->warnings.n; i++)
        cmd_fail(&cmd_config, EX_OK, cfg->warnings.items[i].p);
    int code = checks ? check(cfg) : show_all(cfg, req->form);
    config_free(&cfg);
    return code;
}

static int run(int argc, char **argv)
{
    struct settings settings;
    struct request req = { NULL, FORM_PEOPLE };
    if (!settings_init(&settings)) return cmd_fail(&cmd_config, EX_OSERR, "out of memory");
    int code = read_args(&req, &settings, argc, argv);
    if (code == EX_OK) code = answer(&req, &settings);
    settings_fini(&settings);
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
    { "--json", NULL, "show: print JSON" },
    { "--markdown", NULL, "show: print the reference of all options" },
};

const struct cmd cmd_config = {
    .name = "config",
    .help = "show or check the settings",
    .run = run,
    .usage = "peal config show|check [options]",
    .text = "show prints every option with its value and, where it is not the default, where it\n"
            "was set; secrets are hidden. check says whether `peal serve` would accept the\n"
            "settings: exit code 0, or 78 and what is wrong.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal config show\n"
                "  peal config check --config /etc/peal/peal.yaml\n",
};
