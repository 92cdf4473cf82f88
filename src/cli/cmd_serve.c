/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_serve.c: peal serve: configuration -> server -> ready line -> run -> free.
 *
 * stdout carries the ready line and nothing else, so that a program can wait for it.
 */
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/dev_page.h"
#include "cli/settings.h"
#include "server/server.h"
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static void print_ready(const struct server *server)
{
    struct server_ready ready;
    server_ready_info(server, &ready);
    printf("peal ready host=%s port=%u admin=%s workers=%u pid=%ld listen=%s\n", ready.host,
           ready.port, ready.admin, ready.workers, (long)getpid(), ready.listen);
    fflush(stdout);
}

static void log_warnings(const struct config *cfg)
{
    for (size_t i = 0; i < cfg->warnings.n; i++)
        log_warn("config", "warning", kv_span("text", cfg->warnings.items[i]));
}

static int serve(const struct config *cfg)
{
    struct server *server = NULL;
    struct diag d = { "" };
    log_setup(cfg->log.level, cfg->log.format, STDERR_FILENO);
    log_warnings(cfg);
    enum err err = server_start(&server, cfg, &d);
    if (err) return cmd_fail_err(&cmd_serve, err, &d);
    if (cfg->dev) dev_page_print(cfg, server);
    print_ready(server);
    int code = server_run(server);
    server_free(&server);
    return code;
}

static int read_args(struct settings *settings, int argc, char **argv)
{
    struct args args = cmd_args(&cmd_serve, argc, argv);
    struct arg arg;
    struct diag d = { "" };
    for (enum arg_kind kind; (kind = args_next(&args, &arg, &d)) != ARG_END;) {
        if (kind == ARG_WRONG) return cmd_fail(&cmd_serve, EX_USAGE, d.text);
        if (kind == ARG_WORD) {
            diag_set(&d, ERR_SYNTAX, "takes no arguments, but there is '%s'", arg.value);
            return cmd_fail(&cmd_serve, EX_USAGE, d.text);
        }
        enum err err = settings_take(settings, &arg, &d);
        if (err == ERR_SYNTAX) return cmd_fail(&cmd_serve, EX_USAGE, d.text);
        if (err) return cmd_fail_err(&cmd_serve, err, &d);
    }
    return EX_OK;
}

static int run(int argc, char **argv)
{
    struct settings settings;
    struct config *cfg = NULL;
    struct diag d = { "" };
    if (!settings_init(&settings)) return cmd_fail(&cmd_serve, EX_OSERR, "out of memory");
    settings.sources.apps_needed = true;
    int code = read_args(&settings, argc, argv);
    if (code == EX_OK) {
        enum err err = settings_load(&settings, &cfg, &d);
        code = err ? cmd_fail_err(&cmd_serve, err, &d) : serve(cfg);
    }
    config_free(&cfg);
    settings_fini(&settings);
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
    { "--dev", NULL, "loopback, and the app app-id:app-key:app-secret where none is given" },
};

const struct cmd cmd_serve = {
    .name = "serve",
    .help = "run the server",
    .run = run,
    .usage = "peal serve [options]",
    .text = "Runs the server until SIGTERM or SIGINT. Settings come from peal.yaml, .env, the\n"
            "environment and these options; later ones win. When it serves, it prints one line\n"
            "that begins with `peal ready` on stdout; everything else goes to stderr.\n"
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
