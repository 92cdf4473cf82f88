/* SPDX-License-Identifier: MIT
 *
 * bench/side.c: how the two servers are started, and small things that all scenarios use.
 */
#include "bench/die.h"
#include "bench/scenes.h"
#include "bench/text.h"
#include <stdarg.h>

static void start_peal(struct bench *b, struct side *s)
{
    char peal[4096], workers[16];
    snprintf(peal, sizeof peal, "%s", b->peal);
    snprintf(workers, sizeof workers, "%u", b->workers);
    char serve[] = "serve", host[] = "--host", loopback[] = "127.0.0.1", port[] = "--port",
         zero[] = "0", set[] = "--set", admin[] = "admin.listen=127.0.0.1:0",
         n_workers[] = "--workers", app[] = "--app", level[] = "--log-level", warn[] = "warn",
         triple[] = TEXT_APP_ID ":" TEXT_APP_KEY ":" TEXT_APP_SECRET;
    char *argv[] = { peal,      serve,   host, loopback, port,  zero, set, admin,
                     n_workers, workers, app,  triple,   level, warn, NULL };
    proc_start(&s->proc, argv, b->cpu);
}

static void start_floor(struct bench *b, struct side *s, enum floor_kind kind)
{
    char floor[4096], join[] = "--join";
    snprintf(floor, sizeof floor, "%s", b->floor);
    char *argv[] = { floor, kind == FLOOR_JOIN ? join : NULL, NULL };
    proc_start(&s->proc, argv, b->cpu);
}

void side_start(struct bench *b, struct side *s, enum report_side which, enum floor_kind kind)
{
    *s = (struct side) { 0 };
    if (which == REPORT_SUBJECT && b->peal)
        start_peal(b, s);
    else
        start_floor(b, s, kind);
}

void side_load(struct side *s, size_t max, size_t n_pubs)
{
    s->load = load_new(s->proc.port, max, n_pubs);
}

void side_stop(struct bench *b, struct side *s)
{
    load_free(s->load);
    s->load = NULL;
    b->server_ns += proc_cpu_ns(&s->proc);
    proc_stop(&s->proc);
}

uint64_t bench_ns(const struct bench *b, double ms)
{
    return (uint64_t)(ms * 1e6 * b->scale);
}

void bench_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}
