/* SPDX-License-Identifier: MIT
 *
 * cli/doctor_files.c: what lies in this folder: Peal's settings, and the .env and
 * config/broadcasting.php of a Laravel application.
 *
 * PHP is not parsed: the file is looked at as text, and only what is plain there is said.
 */
#include "base/buf.h"
#include "cli/doctor.h"
#include "server/config_dotenv.h"
#include "server/config_draft.h"
#include <stdio.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define BROADCASTING "config/broadcasting.php"
#define TEXT_MAX 600

void doctor_settings(struct doctor *d)
{
    const struct config *cfg = d->target.cfg;
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "app %.*s, key %.*s", SPAN_FMT(span_head(d->target.id, 200)),
             SPAN_FMT(span_head(d->target.key, 200)));
    doctor_report(d, FINDING_OK, "settings", text, NULL);
    for (size_t i = 0; i < cfg->warnings.n; i++) {
        snprintf(text, sizeof text, "%.*s", SPAN_FMT(span_head(cfg->warnings.items[i], 550)));
        doctor_report(d, FINDING_DOUBT, "settings", text, NULL);
    }
}

/* --- .env --- */

struct env {
    char broadcast[64], queue[64], scheme[64];
    bool has_host, has_vite_key;
};

static void keep(char to[64], const struct buf *value)
{
    size_t n = value->n < 63 ? value->n : 63;
    if (n) memcpy(to, value->p, n);
    to[n] = '\0';
}

static void take(struct env *env, struct span name, const struct buf *value)
{
    if (span_eq(name, SPAN("BROADCAST_CONNECTION")) || span_eq(name, SPAN("BROADCAST_DRIVER")))
        keep(env->broadcast, value);
    if (span_eq(name, SPAN("QUEUE_CONNECTION"))) keep(env->queue, value);
    if (span_eq(name, SPAN("PUSHER_SCHEME"))) keep(env->scheme, value);
    if (span_eq(name, SPAN("PUSHER_HOST"))) env->has_host = value->n > 0;
    if (span_eq(name, SPAN("VITE_PUSHER_APP_KEY"))) env->has_vite_key = true;
}

static bool read_env(struct env *env)
{
    struct buf text = { 0 }, value = { 0 };
    struct diag why = { "" };
    *env = (struct env) { .has_host = false };
    bool found = config_slurp(".env", FILE_MAX, false, &text, &why) == ERR_OK;
    struct dotenv at = { .rest = buf_span(&text) };
    struct span name;
    while (found && dotenv_next(&at, &name, &value) == DOTENV_VARIABLE) take(env, name, &value);
    config_wipe(&text);
    config_wipe(&value);
    return found;
}

static void judge_env(struct doctor *d, const struct env *env)
{
    char text[TEXT_MAX];
    if (strcmp(env->broadcast, "log") == 0 || strcmp(env->broadcast, "null") == 0) {
        snprintf(text, sizeof text,
                 ".env has the broadcast connection '%s': no event leaves Laravel", env->broadcast);
        doctor_report(d, FINDING_BROKEN, "laravel", text,
                      "BROADCAST_CONNECTION=pusher (Laravel 11 and later) and "
                      "BROADCAST_DRIVER=pusher (before), then php artisan config:clear");
    } else if (!env->broadcast[0]) {
        doctor_report(d, FINDING_DOUBT, "laravel",
                      ".env has no BROADCAST_CONNECTION; Laravel's default may be null",
                      "BROADCAST_CONNECTION=pusher");
    } else {
        snprintf(text, sizeof text, ".env: broadcasts go to '%s'", env->broadcast);
        doctor_report(d, FINDING_OK, "laravel", text, NULL);
    }
    if (env->queue[0] && strcmp(env->queue, "sync") != 0) {
        snprintf(text, sizeof text, ".env: queued events need a worker of queue '%s' that runs",
                 env->queue);
        doctor_report(d, FINDING_DOUBT, "laravel", text,
                      "php artisan queue:work (php artisan websockets:doctor looks for one)");
    }
}

/* --- config/broadcasting.php --- */

/* The part of the file that is the connection: from its name to the end of its array. */
static struct span connection(struct span file, const char *name)
{
    char quoted[40];
    snprintf(quoted, sizeof quoted, "'driver' => '%s'", name);
    const char *at = file.n ? memmem(file.p, file.n, quoted, strlen(quoted)) : NULL;
    if (!at) return (struct span) { NULL, 0 };
    struct span rest = span_skip(file, (size_t)(at - file.p));
    const char *next = rest.n > 10 ? memmem(rest.p + 10, rest.n - 10, "'driver'", 8) : NULL;
    return next ? span_head(rest, (size_t)(next - rest.p)) : rest;
}

static bool contains(struct span text, const char *word)
{
    return text.n && memmem(text.p, text.n, word, strlen(word));
}

static void judge_broadcasting(struct doctor *d, struct span file, const struct env *env)
{
    struct span pusher = connection(file, "pusher");
    bool http = strcmp(env->scheme, "http") == 0;
    if (!pusher.p) {
        if (contains(file, "'driver' => 'reverb'")) return;
        doctor_report(d, FINDING_DOUBT, "laravel",
                      BROADCASTING " has no connection with the driver "
                                   "pusher",
                      "'pusher' => ['driver' => 'pusher', …] in " BROADCASTING);
    } else if (!contains(pusher, "'host'")) {
        doctor_report(
            d, FINDING_BROKEN, "laravel",
            BROADCASTING " gives the pusher connection no host: events go to pusher.com",
            "'host' => env('PUSHER_HOST'), 'port' => env('PUSHER_PORT', 443), 'scheme' => "
            "env('PUSHER_SCHEME', 'https') in its options");
    } else if (http && contains(pusher, "'useTLS' => true")) {
        doctor_report(d, FINDING_BROKEN, "laravel",
                      BROADCASTING " has useTLS => true, and .env PUSHER_SCHEME=http",
                      "'useTLS' => env('PUSHER_SCHEME', 'https') === 'https'");
    } else {
        doctor_report(d, FINDING_OK, "laravel", BROADCASTING " names a host of your own", NULL);
    }
}

void doctor_laravel(struct doctor *d)
{
    struct env env;
    struct buf file = { 0 };
    struct diag why = { "" };
    if (access("artisan", F_OK) != 0 && access(BROADCASTING, F_OK) != 0) return;
    if (read_env(&env)) judge_env(d, &env);
    if (config_slurp(BROADCASTING, FILE_MAX, false, &file, &why) == ERR_OK)
        judge_broadcasting(d, buf_span(&file), &env);
    config_wipe(&file);
}
