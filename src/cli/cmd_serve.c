/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_serve.c: peal serve: configuration -> server -> ready line -> run -> free.
 *
 * stdout carries the ready line and nothing else, so that a program can wait for it.
 */
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/settings.h"
#include "server/server.h"
#include <limits.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sysexits.h>
#include <unistd.h>

/* What belongs to this run beside the settings. */
struct run {
    struct inherited inherited;
    struct server_origin origin;
    char path[PATH_MAX];
    int argc;
    char **argv;
    bool check; /* only say whether it would start */
};

static void print_ready(const struct server *server)
{
    struct server_ready ready;
    char generation[32] = "";
    server_ready_info(server, &ready);
    if (ready.generation > 1)
        snprintf(generation, sizeof generation, " generation=%u", ready.generation);
    printf("peal ready host=%s port=%u admin=%s workers=%u pid=%ld listen=%s%s\n", ready.host,
           ready.port, ready.admin, ready.workers, (long)getpid(), ready.listen, generation);
    fflush(stdout);
}

static void print_page(const struct server *server)
{
    struct buf page = { 0 };
    server_dev_page(server, &page);
    if (!buf_failed(&page) && page.n) fwrite(page.p, 1, page.n, stderr);
    buf_fini(&page);
}

static void log_warnings(const struct config *cfg)
{
    for (size_t i = 0; i < cfg->warnings.n; i++)
        log_warn("config", "warning", kv_span("text", cfg->warnings.items[i]));
}

static int serve(const struct config *cfg, const struct run *run)
{
    struct server *server = NULL;
    struct diag d = { "" };
    log_setup(cfg->log.level, cfg->log.format, STDERR_FILENO);
    log_warnings(cfg);
    enum err err = server_start(&server, cfg, &run->origin, &d);
    if (err) return cmd_fail_err(&cmd_serve, err, &d);
    if (cfg->dev && run->origin.generation == 1) print_page(server);
    print_ready(server);
    int code = server_run(server);
    server_free(&server);
    return code;
}

/* Whatever is wrong, it is something to put right before a start: one exit code for all of it. */
static int check(const struct config *cfg, const struct run *run)
{
    struct diag d = { "" };
    enum err err = server_check(cfg, &run->inherited, &d);
    if (!err) return EX_OK;
    return cmd_fail(&cmd_serve, EX_CONFIG, d.text[0] ? d.text : err_text(err));
}

/* The program's path as we were called by, made absolute: through /proc/self/exe we would never
 * meet the new version. Left empty where it is not known. */
static void find_self(char path[PATH_MAX])
{
    const char *name = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
    char folder[PATH_MAX] = "";
    path[0] = '\0';
    if (!name || !*name) return;
    if (name[0] != '/' && !getcwd(folder, sizeof folder)) return;
    int n = snprintf(path, PATH_MAX, "%s%s%s", folder, folder[0] ? "/" : "", name);
    if (n < 0 || n >= PATH_MAX) path[0] = '\0';
}

/* ERR_SYNTAX: used wrongly. */
static enum err take_args(struct settings *settings, const struct run *it, bool *check,
                          struct diag *d)
{
    struct args args = cmd_args(&cmd_serve, it->argc, it->argv);
    struct arg arg;
    for (enum arg_kind kind; (kind = args_next(&args, &arg, d)) != ARG_END;) {
        if (kind == ARG_WRONG) return ERR_SYNTAX;
        if (kind == ARG_WORD)
            return diag_set(d, ERR_SYNTAX, "takes no arguments, but there is '%s'", arg.value);
        if (arg_is(&arg, "--check")) {
            *check = true;
            continue;
        }
        enum err err = settings_take(settings, &arg, d);
        if (err) return err;
    }
    return ERR_OK;
}

/* All sources, the arguments and the files that they name included; also for a reload. */
static enum err load(const struct run *it, bool *check, struct config **out, struct diag *d)
{
    struct settings settings;
    if (!settings_init(&settings)) return diag_set(d, ERR_NOMEM, "out of memory");
    settings.sources.apps_needed = true;
    enum err err = take_args(&settings, it, check, d);
    if (!err) err = settings_load(&settings, out, d);
    settings_fini(&settings);
    return err;
}

static enum err load_again(void *ctx, struct config **out, struct diag *d)
{
    bool check;
    return load(ctx, &check, out, d);
}

static int load_and_run(struct run *it)
{
    struct config *cfg = NULL;
    struct diag d = { "" };
    enum err err = load(it, &it->check, &cfg, &d);
    if (err == ERR_SYNTAX) return cmd_fail(&cmd_serve, EX_USAGE, d.text);
    if (err || !cfg) return cmd_fail_err(&cmd_serve, err, &d);
    int code = it->check ? check(cfg, it) : serve(cfg, it);
    config_free(&cfg);
    return code;
}

static int run(int argc, char **argv)
{
    struct run it = { .argc = argc, .argv = argv };
    struct diag d = { "" };
    find_self(it.path);
    enum err err = inherit_read(&it.inherited, &d);
    it.origin = (struct server_origin) {
        .inherited = &it.inherited,
        .generation = it.inherited.generation,
        .path = it.path[0] ? it.path : NULL,
        .args = argv + 1,
        .load = load_again,
        .ctx = &it,
    };
    int code = err ? cmd_fail_err(&cmd_serve, err, &d) : load_and_run(&it);
    inherit_fini(&it.inherited);
    return code;
}

static const struct arg_spec specs[] = {
    SETTINGS_SPECS,
    { "--host", "HOST", "host of the main listener (default 0.0.0.0)" },
    { "--port", "N", "port of the main listener, 0 = any free one (default 6001)" },
    { "--app", "ID:KEY:SECRET", "an app, or @FILE with that in it; may be repeated" },
    { "--workers", "N", "threads, or auto (default auto)" },
    { "--log-level", "LEVEL", "error, warn, info or debug (default info)" },
    { "--log-format", "FORMAT", "text or json (default text)" },
    { "--check", NULL,
      "only say whether it would start: settings and new addresses; exit 0 or 78" },
    { "--dev", NULL, "loopback, and the app app-id:app-key:app-secret where none is given" },
};

const struct cmd cmd_serve = {
    .name = "serve",
    .help = "run the server",
    .run = run,
    .usage = "peal serve [options]",
    .text =
        "Runs the server until SIGTERM or SIGINT. SIGUSR2 restarts it in place: the same process\n"
        "becomes the program that is at its path by then, and nobody is refused meanwhile.\n"
        "Settings come from peal.yaml, .env, the environment and these options; later ones\n"
        "win. When it serves, it prints one line that begins with `peal ready` on stdout;\n"
        "everything else goes to stderr.\n"
        "\n"
        "Arguments show in the list of processes: on a machine that others use, give the\n"
        "secret with --app @FILE, in .env or in peal.yaml.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal serve --dev\n"
                "  peal serve --app shop:shop-key:shop-secret --port 8080\n"
                "  peal serve --config /etc/peal/peal.yaml --set limits.pending_bytes=2MiB\n"
                "  peal serve --set listen=unix:/run/peal.sock --set admin.listen=127.0.0.1:0\n",
};
