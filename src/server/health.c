/* SPDX-License-Identifier: MIT
 *
 * server/health.c: see health.h. What /live says is what `peal restart` waits for; /ready is false
 * while the server drains and while its self-test fails; /usage has the form of soketi's.
 */
#include "server/health.h"
#include "base/json_write.h"
#include "server/metrics.h"
#include "server/server_priv.h"
#include "watch/event.h"
#include <stdio.h>
#include <unistd.h>

/* --- /live --- */

static void write_last_restart(struct server *s, struct buf *b)
{
    json_key(b, SPAN("last_restart"));
    lock_take(&s->restart.lock);
    if (s->restart.seen) {
        json_open(b, '{');
        json_key(b, SPAN("ok"));
        json_bool(b, s->restart.ok);
        watch_key_u64(b, "failures", s->restart.failures);
        json_key(b, SPAN("why"));
        if (s->restart.ok)
            json_null(b);
        else
            json_string(b, span_str(s->restart.why.text));
        json_close(b, '}');
    } else {
        json_null(b);
    }
    lock_drop(&s->restart.lock);
}

static unsigned write_live(struct server *s, struct buf *b)
{
    json_open(b, '{');
    watch_key_u64(b, "pid", (uint64_t)getpid());
    watch_key_u64(b, "generation", s->origin.generation);
    write_last_restart(s, b);
    json_close(b, '}');
    return 200;
}

/* --- /ready --- */

static void write_self_test(struct self_test *st, struct buf *b)
{
    struct buf text = { 0 };
    uint64_t age_ms;
    self_test_text(st, &text);
    json_key(b, SPAN("self_test"));
    json_open(b, '{');
    json_key(b, SPAN("ok"));
    json_bool(b, self_test_ok(st));
    if (self_test_age_ms(st, &age_ms)) {
        watch_key_u64(b, "age_ms", age_ms);
        watch_key_u64(b, "took_us", self_test_took_us(st));
    }
    json_key(b, SPAN("text"));
    json_string(b, buf_span(&text));
    if (buf_failed(&text)) buf_fail(b);
    buf_fini(&text);
    json_close(b, '}');
}

#define REASONS_MAX 2

/* Why it is not ready; how many. The second one's text is `text`. */
static size_t find_reasons(const struct server *s, struct span reasons[REASONS_MAX],
                           struct buf *text)
{
    size_t n = 0;
    if (server_stopping(s))
        reasons[n++] = server_restarting(s) ? SPAN("restarting") : SPAN("stopping");
    if (!self_test_ok(s->self_test)) {
        BUF_ADD_LIT(text, "self-test: ");
        self_test_text(s->self_test, text);
        reasons[n++] = buf_span(text);
    }
    return n;
}

static void write_reasons(const struct span reasons[REASONS_MAX], size_t n, struct buf *b)
{
    if (n) {
        json_key(b, SPAN("why"));
        json_string(b, reasons[0]);
    }
    json_key(b, SPAN("reasons"));
    json_open(b, '[');
    for (size_t i = 0; i < n; i++) json_string(b, reasons[i]);
    json_close(b, ']');
}

static unsigned write_ready(const struct server *s, struct buf *b)
{
    struct span reasons[REASONS_MAX];
    struct buf text = { 0 };
    size_t n = find_reasons(s, reasons, &text);
    json_open(b, '{');
    json_key(b, SPAN("ready"));
    json_bool(b, n == 0);
    write_reasons(reasons, n, b);
    write_self_test(s->self_test, b);
    json_close(b, '}');
    if (buf_failed(&text)) buf_fail(b);
    buf_fini(&text);
    return n == 0 ? 200 : 503;
}

/* --- /usage --- */

/* False at the end of the file. */
static bool read_line(FILE *file, char *line, int room, struct span *text)
{
    if (!fgets(line, room, file)) return false;
    *text = span_of(line, strcspn(line, "\n"));
    return true;
}

/* The number in a file; UINT64_MAX where there is none ("max", no such file). */
static uint64_t read_number(const char *path)
{
    char line[64];
    struct span text;
    uint64_t v;
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    bool is_number = read_line(file, line, sizeof line, &text) && span_to_u64(text, &v);
    fclose(file);
    return is_number ? v : UINT64_MAX;
}

/* Our place in the hierarchy, "/a/b"; false: there is no version 2. */
static bool read_group(const char *root, char *group, size_t room)
{
    char path[512], line[512];
    struct span text;
    bool found = false;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    while (!found && read_line(file, line, sizeof line, &text)) {
        found = span_starts(text, SPAN("0::/")) && text.n - 3 < room;
        if (found) snprintf(group, room, "%.*s", SPAN_FMT(span_skip(text, 3)));
    }
    fclose(file);
    return found;
}

uint64_t health_memory_limit(const char *root)
{
    char group[400], path[1024];
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t least = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
    bool more = read_group(root, group, sizeof group);
    while (more) { /* from our group to the top */
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/memory.max", root, group);
        uint64_t limit = read_number(path);
        if (limit < least) least = limit;
        char *slash = strrchr(group, '/');
        more = slash != NULL;
        if (slash) *slash = '\0';
    }
    return least == UINT64_MAX ? 0 : least;
}

static unsigned write_usage(struct server *s, struct buf *b)
{
    struct metrics_memory m;
    metrics_memory(s, &m);
    uint64_t total = health_memory_limit("");
    if (total < m.resident) total = m.resident;
    json_open(b, '{');
    json_key(b, SPAN("memory"));
    json_open(b, '{');
    watch_key_u64(b, "free", total - m.resident);
    watch_key_u64(b, "used", m.resident);
    watch_key_u64(b, "total", total);
    json_key(b, SPAN("percent"));
    struct buf percent = { 0 };
    buf_add_fmt(&percent, "%.4g", total ? 100.0 * (double)m.resident / (double)total : 0.0);
    json_raw(b, buf_span(&percent));
    if (buf_failed(&percent)) buf_fail(b);
    buf_fini(&percent);
    json_close(b, '}');
    json_close(b, '}');
    return 200;
}

unsigned health_answer(struct server *s, struct span path, struct buf *json)
{
    if (span_eq(path, SPAN("/live"))) return write_live(s, json);
    if (span_eq(path, SPAN("/ready"))) return write_ready(s, json);
    if (span_eq(path, SPAN("/usage"))) return write_usage(s, json);
    return 0;
}
