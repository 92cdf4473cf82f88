/* SPDX-License-Identifier: MIT
 *
 * base/log.c: one line, one write(), no allocation.
 *
 * A line is built on the stack, so that "out of memory" can be logged, and is at most PIPE_BUF
 * octets, which a pipe takes in one piece: lines of several threads or processes never mix. What
 * does not fit is left out whole and the line says so, which keeps JSON lines valid. A log that
 * cannot be written, or that nobody reads (a full pipe, a stopped terminal), must not stop the
 * server: such lines are lost, and the next one that is written says how many.
 */
#include "base/log.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/utf8.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES PIPE_BUF
#define TAIL_BYTES 40        /* kept free for the mark of a cut line and its end */
#define VALUE_MAX_BYTES 1024 /* of one value, before escaping */
#define WINDOW_MS 1000       /* LOG_BURST lines in this time */
#define TRACKED 128          /* events that are counted at a time; we have fewer */
#define PROBES 8

static atomic_int min_level = LOG_INFO;
static enum log_format line_format = LOG_TEXT;
static int line_fd = STDERR_FILENO;
static struct lock write_lock = LOCK_INIT; /* from the look whether there is room to the write */
static _Atomic uint64_t lost;              /* lines, since the last one that was written */

void log_setup(enum log_level level, enum log_format format, int fd)
{
    line_format = format;
    line_fd = fd;
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&min_level, memory_order_relaxed);
}

/* ---- how often ---- */

struct rate {
    uint64_t event;    /* hash of subsystem and event; 0: free */
    uint64_t began_ms; /* of the current window, monotonic */
    uint32_t written;  /* in this window */
    uint64_t left_out; /* since the last line that was written */
};

static struct lock rates_lock = LOCK_INIT;
static struct rate rates[TRACKED];

/* FNV-1a: the names are our own constants, so nobody can aim for collisions. */
static uint64_t event_hash(const char *subsystem, const char *event)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const char *p = subsystem; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    h = (h ^ 0xff) * UINT64_C(0x100000001b3);
    for (const char *p = event; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    return h ? h : 1;
}

/* The event's place: its own, a free one, or the one whose window began longest ago. */
static struct rate *rate_of(uint64_t event)
{
    struct rate *oldest = &rates[event % TRACKED];
    for (uint64_t i = 0; i < PROBES; i++) {
        struct rate *rate = &rates[(event + i) % TRACKED];
        if (rate->event == event) return rate;
        if (rate->began_ms < oldest->began_ms) oldest = rate; /* a free one began at 0 */
    }
    *oldest = (struct rate) { .event = event };
    return oldest;
}

/* False when this line is to be left out; else how many were since the last one. */
static bool admit(const char *subsystem, const char *event, uint64_t *left_out)
{
    uint64_t hash = event_hash(subsystem, event);
    uint64_t now_ms = clock_mono_ms();
    lock_take(&rates_lock);
    struct rate *rate = rate_of(hash);
    if (rate->written == 0 || now_ms - rate->began_ms >= WINDOW_MS) {
        rate->began_ms = now_ms;
        rate->written = 0;
    }
    bool ok = rate->written < LOG_BURST;
    *left_out = rate->left_out;
    rate->left_out = ok ? 0 : rate->left_out + 1;
    if (ok) rate->written++;
    lock_drop(&rates_lock);
    return ok;
}

/* ---- what the line says ---- */

struct line {
    size_t n;
    bool full; /* something did not fit */
    char p[LINE_MAX_BYTES];
};

static void put(struct line *l, const char *p, size_t n)
{
    if (l->full || n > sizeof l->p - TAIL_BYTES - l->n) {
        l->full = true;
        return;
    }
    if (n) memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void put_str(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void put_number(struct line *l, bool negative, uint64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%s%llu", negative ? "-" : "", (unsigned long long)v);
    put(l, text, (size_t)n);
}

/* An octet that is part of no character: as \xNN where the format allows it. */
static void put_stray(struct line *l, uint8_t octet)
{
    char text[8];
    int n = line_format == LOG_TEXT ? snprintf(text, sizeof text, "\\x%02x", octet)
                                    : snprintf(text, sizeof text, "\\ufffd");
    put(l, text, (size_t)n);
}

static void put_escape(struct line *l, unsigned code)
{
    char text[8];
    switch (code) {
    case '"':
        put_str(l, "\\\"");
        break;
    case '\\':
        put_str(l, "\\\\");
        break;
    case '\n':
        put_str(l, "\\n");
        break;
    case '\r':
        put_str(l, "\\r");
        break;
    case '\t':
        put_str(l, "\\t");
        break;
    default:
        put(l, text, (size_t)snprintf(text, sizeof text, "\\u%04x", code));
        break;
    }
}

/* One character of a value. Quote, backslash and what a terminal obeys (C0, DEL, C1) are escaped.
 */
static void put_char(struct line *l, const char *p, size_t len)
{
    uint8_t first = (uint8_t)*p;
    bool c1 = len == 2 && first == 0xc2 && (uint8_t)p[1] < 0xa0; /* U+0080 to U+009F */
    if (len == 0)
        put_stray(l, first);
    else if (c1)
        put_escape(l, (uint8_t)p[1]);
    else if (len == 1 && (first < 0x20 || first == 0x7f || first == '"' || first == '\\'))
        put_escape(l, first);
    else
        put(l, p, len);
}

static void put_quoted(struct line *l, struct span s)
{
    put(l, "\"", 1);
    for (size_t i = 0; i < s.n;) {
        if (i >= VALUE_MAX_BYTES) {
            put_str(l, "...");
            break;
        }
        size_t len = utf8_char(s.p + i, s.n - i);
        put_char(l, s.p + i, len);
        i += len ? len : 1;
    }
    put(l, "\"", 1);
}

static void put_value(struct line *l, const struct log_kv *kv)
{
    int64_t i = (int64_t)kv->u;
    switch (kv->kind) {
    case LOG_KV_SPAN:
        put_quoted(l, kv->s);
        break;
    case LOG_KV_U64:
        put_number(l, false, kv->u);
        break;
    case LOG_KV_I64:
        put_number(l, i < 0, i < 0 ? 0 - kv->u : kv->u);
        break;
    case LOG_KV_BOOL:
        put_str(l, kv->u ? "true" : "false");
        break;
    }
}

static void put_kv(struct line *l, const struct log_kv *kv)
{
    size_t before = l->n;
    put_str(l, line_format == LOG_JSON ? ",\"" : " ");
    put_str(l, kv->key);
    put_str(l, line_format == LOG_JSON ? "\":" : "=");
    put_value(l, kv);
    if (l->full) l->n = before; /* whole or not at all */
}

static void put_time(struct line *l)
{
    uint64_t ms = clock_unix_ms();
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    char text[40];
    if (!gmtime_r(&s, &tm)) return;
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    put(l, text, n);
    put(l, text, (size_t)snprintf(text, sizeof text, ".%03uZ", (unsigned)(ms % 1000)));
}

static void put_head(struct line *l, enum log_level level, const char *subsystem, const char *event)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    static const char *const padded[] = { " error ", " warn  ", " info  ", " debug " };
    bool json = line_format == LOG_JSON;
    if (json) put_str(l, "{\"ts\":\"");
    put_time(l);
    put_str(l, json ? "\",\"level\":\"" : padded[level]);
    if (json) put_str(l, names[level]);
    if (json) put_str(l, "\",\"subsystem\":\"");
    put_str(l, subsystem);
    put_str(l, json ? "\",\"event\":\"" : " ");
    put_str(l, event);
    if (json) put_str(l, "\"");
}

static void put_tail(struct line *l)
{
    bool json = line_format == LOG_JSON;
    const char *cut = json ? ",\"truncated\":true" : " truncated=true";
    const char *end = json ? "}\n" : "\n";
    const char *parts[] = { l->full ? cut : "", end };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t n = strlen(parts[i]);
        CHECK(n <= sizeof l->p - l->n);
        memcpy(l->p + l->n, parts[i], n);
        l->n += n;
    }
}

/* False: there is no room for it. A pipe that has room takes PIPE_BUF octets without waiting. */
static bool write_line(const struct line *l)
{
    struct pollfd out = { .fd = line_fd, .events = POLLOUT };
    lock_take(&write_lock);
    bool room = poll(&out, 1, 0) > 0 && (out.revents & POLLOUT);
    ssize_t rc = -1;
    while (room && (rc = write(line_fd, l->p, l->n)) < 0 && errno == EINTR) continue;
    lock_drop(&write_lock);
    return rc >= 0;
}

void log_write(enum log_level level, const char *subsystem, const char *event,
               const struct log_kv *kvs, size_t n)
{
    int saved_errno = errno;
    uint64_t left_out;
    if (admit(subsystem, event, &left_out)) {
        uint64_t n_lost = atomic_exchange_explicit(&lost, 0, memory_order_relaxed);
        struct line l;
        l.n = 0;
        l.full = false;
        put_head(&l, level, subsystem, event);
        struct log_kv suppressed = kv_u64("suppressed", left_out), missing = kv_u64("lost", n_lost);
        if (left_out) put_kv(&l, &suppressed);
        if (n_lost) put_kv(&l, &missing);
        for (size_t i = 0; i < n; i++) put_kv(&l, &kvs[i]);
        put_tail(&l);
        if (!write_line(&l)) atomic_fetch_add_explicit(&lost, n_lost + 1, memory_order_relaxed);
    }
    errno = saved_errno;
}
