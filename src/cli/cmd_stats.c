/* SPDX-License-Identifier: MIT
 *
 * cli/cmd_stats.c: peal stats, peal stats clean: what is stored of each app, from the database
 * itself; no server is asked.
 */
#include "base/clock.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/settings.h"
#include "cli/stats_table.h"
#include "store/db.h"
#include "store/when.h"
#include <stdio.h>
#include <sysexits.h>

#define DAY_S 86400ULL
#define MAX_DAYS 36500ULL
#define LINES 30 /* of a table, about */

struct request {
    struct settings settings;
    const char *app; /* NULL: all */
    bool json, clean, has_days;
    uint64_t days;
    uint64_t last_s, step_s; /* 0: not said */
    const char *from, *to;
};

/* --- arguments --- */

/* 90s, 15m, 24h, 7d, 4w */
static bool read_duration(const char *text, uint64_t *out)
{
    static const struct {
        char unit;
        uint64_t s;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY_S }, { 'w', 7 * DAY_S } };
    struct span s = span_str(text);
    uint64_t n;
    if (s.n < 2 || !span_to_u64(span_head(s, s.n - 1), &n) || n < 1) return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (s.p[s.n - 1] != units[i].unit || n > MAX_DAYS * DAY_S / units[i].s) continue;
        *out = n * units[i].s;
        return true;
    }
    return false;
}

static enum err take_duration(const struct arg *arg, uint64_t *out, struct diag *d)
{
    if (read_duration(arg->value, out)) return ERR_OK;
    return diag_set(d, ERR_SYNTAX, "%s must be a number and s, m, h, d or w: 30m, 24h, 7d",
                    arg->spec->name);
}

/* "2026-01-31", "2026-01-31 12:30", "2026-01-31 12:30:00" */
static bool read_time(const char *text, uint64_t *out)
{
    static const char rest[] = "0000-00-00 00:00:00";
    char full[WHEN_TEXT_MAX];
    size_t n = strlen(text);
    if (n != 10 && n != 16 && n != 19) return false;
    snprintf(full, sizeof full, "%s%s", text, rest + n);
    return when_parse(span_str(full), out);
}

static enum err take_word(struct request *req, const struct arg *arg, struct diag *d)
{
    if (req->clean || strcmp(arg->value, "clean") != 0)
        return diag_set(d, ERR_SYNTAX, "takes no argument or clean, but there is '%s'", arg->value);
    req->clean = true;
    return ERR_OK;
}

static enum err take_text(const struct arg *arg, const char **out)
{
    *out = arg->value;
    return ERR_OK;
}

static enum err take(void *ctx, const struct arg *arg, struct diag *d)
{
    struct request *req = ctx;
    if (!arg->spec) return take_word(req, arg, d);
    if (arg_is(arg, "--app")) return take_text(arg, &req->app);
    if (arg_is(arg, "--from")) return take_text(arg, &req->from);
    if (arg_is(arg, "--to")) return take_text(arg, &req->to);
    if (arg_is(arg, "--last")) return take_duration(arg, &req->last_s, d);
    if (arg_is(arg, "--step")) return take_duration(arg, &req->step_s, d);
    if (arg_is(arg, "--days")) {
        req->has_days = true;
        return arg_number(arg, 0, MAX_DAYS, &req->days, d) ? ERR_OK : ERR_SYNTAX;
    }
    if (!arg_is(arg, "--json")) return settings_take(&req->settings, arg, d);
    req->json = true;
    return ERR_OK;
}

static bool has_range(const struct request *req)
{
    return req->last_s || req->step_s || req->from || req->to;
}

/* What belongs together, once all is read. */
static enum err check_clean(const struct request *req, struct diag *d)
{
    if (!req->has_days)
        return diag_set(d, ERR_SYNTAX, "clean needs --days N: rows older than that are deleted");
    if (has_range(req)) return diag_set(d, ERR_SYNTAX, "clean takes --days N, and no range");
    if (req->app && !*req->app)
        return diag_set(d, ERR_SYNTAX, "--app is empty; without it the rows of all apps go");
    return ERR_OK;
}

static enum err check_show(const struct request *req, struct diag *d)
{
    if (req->has_days)
        return diag_set(d, ERR_SYNTAX, "--days is for clean; to show some days: --last 7d");
    if (req->last_s && (req->from || req->to))
        return diag_set(d, ERR_SYNTAX, "--last and --from, --to say the same twice");
    if (req->step_s && !req->app)
        return diag_set(d, ERR_SYNTAX, "--step is for one app: add --app ID");
    return ERR_OK;
}

/* The longest of the usual steps that still gives some lines. */
static uint64_t usual_step(uint64_t range_s)
{
    static const uint64_t steps[] = { 60,   120,   300,   600,   900,       1800,
                                      3600, 10800, 21600, DAY_S, 7 * DAY_S, 30 * DAY_S };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (range_s / steps[i] <= LINES) return steps[i];
    return 365 * DAY_S;
}

static enum err read_range(const struct request *req, struct series_range *out, struct diag *d)
{
    uint64_t now = clock_unix_ms() / 1000;
    *out = (struct series_range) { .to_s = now + 1 };
    if (req->to && !read_time(req->to, &out->to_s))
        return diag_set(d, ERR_SYNTAX,
                        "--to must be a time in UTC: 2026-01-31 or 2026-01-31 12:30");
    uint64_t last = req->last_s ? req->last_s : 3600;
    out->from_s = out->to_s > last ? out->to_s - last : 0;
    if (req->from && !read_time(req->from, &out->from_s))
        return diag_set(d, ERR_SYNTAX,
                        "--from must be a time in UTC: 2026-01-31 or 2026-01-31 12:30");
    if (out->from_s >= out->to_s) return diag_set(d, ERR_SYNTAX, "--from is not before --to");
    out->step_s = req->step_s ? req->step_s : usual_step(out->to_s - out->from_s);
    if (!series_range_ok(out))
        return diag_set(d, ERR_SYNTAX, "more than %d steps; make --step longer", SERIES_MAX_STEPS);
    return ERR_OK;
}

/* --- the database --- */

static int code_of(enum err err)
{
    return err == ERR_SYNTAX   ? EX_USAGE
           : err == ERR_CONFIG ? EX_CONFIG
           : err == ERR_ABSENT ? EX_NOINPUT
           : err == ERR_NOMEM  ? EX_OSERR
                               : EX_UNAVAILABLE;
}

static int fail(const struct request *req, enum err err, const struct diag *d)
{
    return cmd_fail_json(&cmd_stats, code_of(err), d->text[0] ? d->text : err_text(err),
                         req->json && err != ERR_SYNTAX);
}

static enum err open_url(const struct store_url *url, struct db **out, struct diag *d)
{
    if (url->kind == STORE_NONE)
        return diag_set(d, ERR_CONFIG, "no statistics are kept: the option store is none");
    if (url->kind == STORE_SQLITE && strcmp(url->path, ":memory:") == 0)
        return diag_set(
            d, ERR_CONFIG,
            "the statistics are in the memory of the server (store is sqlite::memory:); "
            "ask its admin listener: GET /admin/statistics?app=ID");
    return db_open(out, url, DB_LOOK, d);
}

static enum err open_store(struct request *req, struct db **out, struct diag *d)
{
    struct config *cfg = NULL;
    struct store_url url = { .kind = STORE_NONE };
    enum err err = settings_load(&req->settings, &cfg, d);
    if (!err) err = store_url_parse(cfg->store, &url, d);
    if (!err) err = open_url(&url, out, d);
    store_url_fini(&url);
    config_free(&cfg);
    return err;
}

/* --- show --- */

static void add_total(void *ctx, struct span app_id, uint64_t at_s, const struct stats_counts *c)
{
    (void)at_s;
    stats_totals_add(ctx, app_id, c);
}

static void add_step(void *ctx, struct span app_id, uint64_t at_s, const struct stats_counts *c)
{
    (void)app_id;
    series_add(ctx, at_s, c);
}

static enum err write_totals(const struct request *req, struct db *db,
                             const struct series_range *range, struct buf *out, struct diag *d)
{
    struct stats_totals totals = { 0 };
    const struct db_range what = { { NULL, 0 }, range->from_s, range->to_s };
    enum err err = db_read(db, &what, add_total, &totals, d);
    if (!err && req->json)
        stats_totals_json(&totals, range, out);
    else if (!err)
        stats_totals_print(&totals, range, out);
    stats_totals_fini(&totals);
    return err;
}

static enum err write_series(const struct request *req, struct db *db,
                             const struct series_range *range, struct buf *out, struct diag *d)
{
    struct series series = { 0 };
    struct span app = span_str(req->app);
    const struct db_range what = { app, range->from_s, range->to_s };
    enum err err = series_init(&series, range);
    if (!err) err = db_read(db, &what, add_step, &series, d);
    if (!err && req->json) {
        series_write(&series, app, out);
        buf_add_byte(out, '\n');
    } else if (!err) {
        stats_series_print(&series, app, out);
    }
    series_fini(&series);
    return err;
}

static int show(const struct request *req, struct db *db, const struct series_range *range)
{
    struct buf out = { 0 };
    struct diag d = { "" };
    enum err err =
        req->app ? write_series(req, db, range, &out, &d) : write_totals(req, db, range, &out, &d);
    if (!err && buf_failed(&out)) err = ERR_NOMEM;
    if (!err && out.n) fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    return err ? fail(req, err, &d) : EX_OK;
}

/* --- clean --- */

static void print_cleaned(const struct request *req, uint64_t n, uint64_t before_s)
{
    char when[WHEN_TEXT_MAX];
    if (req->json) {
        printf("{\"deleted\":%llu}\n", (unsigned long long)n);
        return;
    }
    printf("deleted %llu row%s of %s%s from before %s UTC\n", (unsigned long long)n,
           n == 1 ? "" : "s", req->app ? "app " : "all apps", req->app ? req->app : "",
           when_text(before_s, when).p);
}

static int clean(const struct request *req, struct db *db)
{
    struct diag d = { "" }, more;
    uint64_t n = 0, now = clock_unix_ms() / 1000, age = req->days * DAY_S;
    uint64_t before = now > age ? now - age : 0;
    enum err err = db_clean(db, span_str(req->app), before, &n, &d);
    if (!err) {
        print_cleaned(req, n, before);
        return EX_OK;
    }
    diag_set(&more, err, "%s; until then %llu rows were deleted",
             d.text[0] ? d.text : err_text(err), (unsigned long long)n);
    return fail(req, err, &more);
}

/* --- the command --- */

static int answer(struct request *req)
{
    struct db *db = NULL;
    struct series_range range = { 0 };
    struct diag d = { "" };
    enum err err = req->clean ? check_clean(req, &d) : check_show(req, &d);
    if (!err && !req->clean) err = read_range(req, &range, &d);
    if (!err) err = open_store(req, &db, &d);
    if (err) return fail(req, err, &d);
    int code = req->clean ? clean(req, db) : show(req, db, &range);
    db_close(&db);
    return code;
}

static int run(int argc, char **argv)
{
    struct request req = { .json = false };
    if (!settings_init(&req.settings)) return cmd_fail(&cmd_stats, EX_OSERR, "out of memory");
    int code = cmd_read_args(&cmd_stats, argc, argv, take, &req);
    if (code == EX_OK) code = answer(&req);
    settings_fini(&req.settings);
    return code;
}

static const struct arg_spec specs[] = {
    { "--app", "ID", "one app, step by step; clean: only its rows" },
    { "--last", "RANGE", "how far back: 30m, 24h, 7d, 4w (default 1h)" },
    { "--from", "TIME", "since when, in UTC: 2026-01-31 or \"2026-01-31 12:30\"" },
    { "--to", "TIME", "until when (default now)" },
    { "--step", "RANGE", "with --app: the length of a step (default: some thirty lines)" },
    { "--days", "N", "clean: delete what is older than N days" },
    SETTINGS_SPECS,
    { "--json", NULL, "print JSON; times are seconds since 1970" },
};

const struct cmd cmd_stats = {
    .name = "stats",
    .help = "show the statistics that are stored, or delete old ones",
    .run = run,
    .usage = "peal stats [options]\n       peal stats clean --days N [--app ID]",
    .text =
        "Shows what each app came to: the most connections at a time, messages from clients,\n"
        "and messages through the API (one for each event and channel). It reads the database\n"
        "of the option store, not the server; the server writes every\n"
        "statistics.interval_seconds. All times are UTC.\n"
        "\n"
        "clean deletes rows that are older than N days, and says how many they were. The option\n"
        "statistics.retention_days has the server do that by itself.\n"
        "\n"
        "With --json: {\"from\":N,\"to\":N,\"apps\":[{\"app\":ID,\"peak_connections\":N,\n"
        "\"websocket_messages\":N,\"api_messages\":N}]}, with --app\n"
        "{\"app\":ID,\"from\":N,\"to\":N,\"step\":N,\"rows\":[{\"time\":N,…}]}, of clean\n"
        "{\"deleted\":N}.\n"
        "\n"
        "Exit codes: 66 there is no such database or table yet, 69 the database does not\n"
        "answer, 78 wrong settings, or no statistics are kept.\n",
    .specs = specs,
    .n_specs = ARRAY_LEN(specs),
    .examples = "  peal stats\n"
                "  peal stats --app shop --last 7d\n"
                "  peal stats --config /etc/peal/peal.yaml --last 24h --json | jq '.apps[0]'\n"
                "  peal stats clean --days 60\n"
                "  peal stats clean --days 7 --app shop\n",
    .words = "clean",
};
