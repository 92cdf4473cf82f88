/* SPDX-License-Identifier: MIT
 *
 * server/metrics.c: see metrics.h. metrics.def is read three times: as functions that give the
 * values, as a table of families, as a page.
 *
 * The two text forms differ in the names of counters (OpenMetrics names the family without
 * "_total"), and in the last line.
 */
#include "server/metrics.h"
#include "base/clock.h"
#include "base/field.h"
#include "net/fds.h"
#include "server/conn.h"
#include "server/server_priv.h"
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum kind { GAUGE, COUNTER, HISTOGRAM };

/* What is the same for all lines of one answer. */
struct process {
    uint64_t n_conns, heap, resident, virtual, restarts_failed;
    double cpu_user_s, cpu_system_s;
};

/* --- values --- */

static double cpu_seconds_of(const struct worker *w)
{
    clockid_t clock;
    struct timespec t;
    pthread_t thread = (pthread_t)atomic_load_explicit(&w->self, memory_order_relaxed);
    if (!thread || pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t)) return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sum_turns(const struct server *s, struct histo_view *v)
{
    for (unsigned i = 0; i < s->n_workers; i++) histo_read(&s->workers[i].counts.turn_us, v);
}

static double turn_mean_s(const struct server *s)
{
    struct histo_view v = { 0 };
    sum_turns(s, &v);
    return v.count ? (double)v.sum / (double)v.count / 1e6 : 0;
}

/* The upper bound of the bucket that it falls into. */
static double turn_quantile_s(const struct server *s, double q)
{
    struct histo_view v = { 0 };
    uint64_t sum = 0;
    unsigned i = 0;
    sum_turns(s, &v);
    for (; i < HISTO_BUCKETS - 1; i++)
        if ((double)(sum += v.n[i]) >= q * (double)v.count) break;
    return v.count ? (double)(i < HISTO_BUCKETS - 1 ? histo_bound(i) : histo_bound(i - 1)) / 1e6
                   : 0;
}

#define COUNT(field) (double)app_count(app, s->n_workers, offsetof(struct app_tally, field))
#define PROCESS(name, kind, help, value)                                                           \
    static double process_##name(const struct server *s, const struct process *p)                  \
    {                                                                                              \
        (void)s, (void)p;                                                                          \
        return (double)(value);                                                                    \
    }
#define WORKER(name, kind, help, value)                                                            \
    static double worker_##name(const struct server *s, const struct worker *w,                    \
                                const struct hub_stats *h)                                         \
    {                                                                                              \
        (void)s, (void)w, (void)h;                                                                 \
        return (double)(value);                                                                    \
    }
#define APP(name, kind, help, value)                                                               \
    static double app_##name(const struct server *s, const struct app *app)                        \
    {                                                                                              \
        (void)s, (void)app;                                                                        \
        return (double)(value);                                                                    \
    }
#define SOKETI(name, kind, help, value) APP(soketi_##name, kind, help, value)
#define SOKETI_NODE(name, kind, help, value) PROCESS(soketi_##name, kind, help, value)
#define CODES(name, label, help, counts, codes)
#define HISTO(name, help, scale, where)                                                            \
    static const struct histo *histo_##name(const struct worker *w, const struct hub_stats *h)     \
    {                                                                                              \
        (void)w, (void)h;                                                                          \
        return &(where);                                                                           \
    }
#include "server/metrics.def"
#undef PROCESS
#undef WORKER
#undef APP
#undef CODES
#undef HISTO
#undef SOKETI
#undef SOKETI_NODE

/* --- families --- */

struct family {
    const char *name, *help;
    enum kind kind;
    bool soketi;        /* a name of soketi's, as it stands */
    const char *labels; /* for the page */
    /* exactly one of these: */
    double (*of_process)(const struct server *s, const struct process *p);
    double (*of_worker)(const struct server *s, const struct worker *w, const struct hub_stats *h);
    double (*of_app)(const struct server *s, const struct app *app);
    const struct histo *(*histo)(const struct worker *w, const struct hub_stats *h);
    const uint16_t *codes;
    /* and with the last two: */
    double scale;
    size_t counts_at; /* in struct worker_counts */
};

static const struct family families[] = {
#define PROCESS(n, k, text, value)                                                                 \
    { .name = #n, .help = text, .kind = k, .labels = "", .of_process = process_##n },
#define WORKER(n, k, text, value)                                                                  \
    { .name = #n, .help = text, .kind = k, .labels = "worker", .of_worker = worker_##n },
#define APP(n, k, text, value)                                                                     \
    { .name = #n, .help = text, .kind = k, .labels = "app_id", .of_app = app_##n },
#define CODES(n, label, text, counts, list)                                                        \
    { .name = #n,                                                                                  \
      .help = text,                                                                                \
      .kind = COUNTER,                                                                             \
      .labels = "worker, " #label,                                                                 \
      .codes = list,                                                                               \
      .counts_at = offsetof(struct worker_counts, counts) },
#define HISTO(n, text, unit, value)                                                                \
    { .name = #n,                                                                                  \
      .help = text,                                                                                \
      .kind = HISTOGRAM,                                                                           \
      .labels = "worker",                                                                          \
      .histo = histo_##n,                                                                          \
      .scale = unit },
#define SOKETI(n, k, text, value)                                                                  \
    { .name = #n,                                                                                  \
      .help = text,                                                                                \
      .kind = k,                                                                                   \
      .soketi = true,                                                                              \
      .labels = "app_id, port",                                                                    \
      .of_app = app_soketi_##n },
#define SOKETI_NODE(n, k, text, value)                                                             \
    { .name = #n,                                                                                  \
      .help = text,                                                                                \
      .kind = k,                                                                                   \
      .soketi = true,                                                                              \
      .labels = "port",                                                                            \
      .of_process = process_soketi_##n },
#include "server/metrics.def"
#undef PROCESS
#undef WORKER
#undef APP
#undef CODES
#undef HISTO
#undef SOKETI
#undef SOKETI_NODE
};

static const char *const kind_names[] = { "gauge", "counter", "histogram" };

/* --- text --- */

struct writer {
    struct buf *out;
    enum metrics_form form;
    unsigned port; /* of the main listener */
};

enum metrics_form metrics_form_of(struct span accept, enum metrics_names names)
{
    struct span type, params;
    while (names == METRICS_NAMES_PEAL && field_list_next(&accept, &type, &params))
        if (span_eq_nocase(type, SPAN("application/openmetrics-text"))) return METRICS_OPEN;
    return METRICS_PROMETHEUS;
}

struct span metrics_type(enum metrics_form form)
{
    return form == METRICS_OPEN ? SPAN("application/openmetrics-text; version=1.0.0; charset=utf-8")
                                : SPAN("text/plain; version=0.0.4; charset=utf-8");
}

static void add_head(const struct writer *w, const char *name, enum kind kind, const char *help)
{
    buf_add_fmt(w->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind_names[kind]);
}

/* Of one of ours, or one that all have. */
static void head(const struct writer *w, const char *name, enum kind kind, const char *help)
{
    char total[80];
    bool add = kind == COUNTER && w->form == METRICS_PROMETHEUS;
    snprintf(total, sizeof total, "%s%s", name, add ? "_total" : "");
    add_head(w, total, kind, help);
}

/* Whole numbers are written as such, however large; a double has 53 bits of them. */
static void value(const struct writer *w, double v)
{
    buf_add_fmt(w->out, v < 9e15 && v > -9e15 && v == (double)(int64_t)v ? " %.0f\n" : " %.12g\n",
                v);
}

static const char *sample_suffix(enum kind kind)
{
    return kind == COUNTER ? "_total" : "";
}

/* The name of a family's samples. */
static void add_name(const struct writer *w, const struct family *f)
{
    if (f->soketi)
        buf_add_fmt(w->out, "soketi_%s", f->name);
    else
        buf_add_fmt(w->out, "peal_%s%s", f->name, sample_suffix(f->kind));
}

/* --- the four shapes of a family --- */

static void write_workers(const struct writer *w, const struct server *s, const struct family *f)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        const struct worker *worker = &s->workers[i];
        add_name(w, f);
        buf_add_fmt(w->out, "{worker=\"%u\"}", i);
        value(w, f->of_worker(s, worker, hub_stats(worker->hub)));
    }
}

/* An id holds nothing that a label would have to escape: the configuration sees to that. */
static void write_apps(const struct writer *w, const struct server *s, const struct family *f)
{
    const struct app *app;
    for (size_t i = 0; (app = apps_at(s->workers[0].apps, i)); i++) {
        add_name(w, f);
        buf_add_fmt(w->out, "{app_id=\"%.*s\"", SPAN_FMT(app->s->id));
        if (f->soketi) buf_add_fmt(w->out, ",port=\"%u\"", w->port);
        BUF_ADD_LIT(w->out, "}");
        value(w, f->of_app(s, app));
    }
}

/* Codes that have not come up yet are left out, as scrapers expect. */
static void write_codes(const struct writer *w, const struct server *s, const struct family *f)
{
    const char *label = strchr(f->labels, ' ') + 1;
    for (unsigned i = 0; i < s->n_workers; i++) {
        const struct counts_by_code *counts =
            (const void *)((const char *)&s->workers[i].counts + f->counts_at);
        for (unsigned k = 0; k < COUNTS_CODES; k++) {
            uint64_t n = count_get(&counts->n[k]);
            if (n == 0) continue;
            buf_add_fmt(w->out, "peal_%s_total{worker=\"%u\",%s=\"", f->name, i, label);
            if (f->codes[k])
                buf_add_fmt(w->out, "%u\"}", f->codes[k]);
            else
                BUF_ADD_LIT(w->out, "other\"}");
            value(w, (double)n);
        }
    }
}

static void write_histogram(const struct writer *w, unsigned worker, const struct family *f,
                            const struct histo_view *v)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTO_BUCKETS; i++) {
        sum += v->n[i];
        buf_add_fmt(w->out, "peal_%s_bucket{worker=\"%u\",le=\"", f->name, worker);
        if (histo_bound(i) == UINT64_MAX)
            BUF_ADD_LIT(w->out, "+Inf\"}");
        else
            buf_add_fmt(w->out, "%.9g\"}", (double)histo_bound(i) * f->scale);
        value(w, (double)sum);
    }
    buf_add_fmt(w->out, "peal_%s_sum{worker=\"%u\"}", f->name, worker);
    value(w, (double)v->sum * f->scale);
    buf_add_fmt(w->out, "peal_%s_count{worker=\"%u\"}", f->name, worker);
    value(w, (double)v->count);
}

static void write_histograms(const struct writer *w, const struct server *s, const struct family *f)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        const struct worker *worker = &s->workers[i];
        struct histo_view v = { 0 };
        histo_read(f->histo(worker, hub_stats(worker->hub)), &v);
        write_histogram(w, i, f, &v);
    }
}

static void write_family(const struct writer *w, const struct server *s, const struct process *p,
                         const struct family *f)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s", f->soketi ? "soketi" : "peal", f->name);
    if (f->soketi)
        add_head(w, name, f->kind, f->help);
    else
        head(w, name, f->kind, f->help);
    if (f->of_process) {
        add_name(w, f);
        if (f->soketi) buf_add_fmt(w->out, "{port=\"%u\"}", w->port);
        value(w, f->of_process(s, p));
    } else if (f->of_worker) {
        write_workers(w, s, f);
    } else if (f->of_app) {
        write_apps(w, s, f);
    } else if (f->codes) {
        write_codes(w, s, f);
    } else {
        write_histograms(w, s, f);
    }
}

/* --- the process, by the names that all exporters use --- */

/* mallinfo2() would tell what is allocated, but it walks the lists of what is free, with the heap
 * locked: 44 ms after half of a million connections has gone, 3 µs before. */
static void read_memory(struct process *p)
{
    char line[128];
    struct span rest, word;
    uint64_t pages, resident, shared, size = (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return;
    rest = fgets(line, sizeof line, file) ? span_str(line) : SPAN("");
    fclose(file);
    if (!span_cut(&rest, ' ', &word) || !span_to_u64(word, &pages)) return;
    if (!span_cut(&rest, ' ', &word) || !span_to_u64(word, &resident)) return;
    if (!span_cut(&rest, ' ', &word) || !span_to_u64(word, &shared)) return;
    p->virtual = pages * size;
    p->resident = resident * size;
    p->heap = resident > shared ? (resident - shared) * size : 0;
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void read_process(struct server *s, struct process *p)
{
    struct rusage used;
    *p = (struct process) { 0 };
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        p->cpu_user_s = seconds_of(&used.ru_utime);
        p->cpu_system_s = seconds_of(&used.ru_stime);
    }
    for (unsigned i = 0; i < s->n_workers; i++)
        p->n_conns +=
            count_get(&s->workers[i].counts.n_ws) + count_get(&s->workers[i].counts.n_http);
    lock_take(&s->restart.lock);
    p->restarts_failed = s->restart.failures;
    lock_drop(&s->restart.lock);
    read_memory(p);
}

static void write_process(const struct writer *w, const struct server *s, const struct process *p)
{
    const struct {
        const char *name;
        enum kind kind;
        const char *help;
        double v;
    } rows[] = {
        { "process_cpu_seconds", COUNTER, "CPU time of the process.",
          p->cpu_user_s + p->cpu_system_s },
        { "process_resident_memory_bytes", GAUGE, "Resident memory.", (double)p->resident },
        { "process_virtual_memory_bytes", GAUGE, "Virtual memory.", (double)p->virtual },
        { "process_open_fds", GAUGE, "Open descriptors; with fd_tables of the fullest table.",
          (double)server_fds_in_use(s) },
        { "process_max_fds", GAUGE, "Descriptors that there may be.", (double)fds_limit() },
        { "process_start_time_seconds", GAUGE, "When it began to serve, since 1970.",
          (double)s->started_unix_ms / 1e3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        head(w, rows[i].name, rows[i].kind, rows[i].help);
        buf_add_fmt(w->out, "%s%s", rows[i].name, sample_suffix(rows[i].kind));
        value(w, rows[i].v);
    }
}

void metrics_memory(struct server *s, struct metrics_memory *m)
{
    struct process p;
    const struct app *app;
    read_process(s, &p);
    *m = (struct metrics_memory) {
        .resident = p.resident,
        .heap = p.heap,
        .connections = p.n_conns * sizeof(struct conn),
        .output = atomic_load_explicit(&s->pending_bytes, memory_order_relaxed),
        .input = atomic_load_explicit(&s->held_bytes, memory_order_relaxed),
    };
    for (unsigned i = 0; i < s->n_workers; i++) m->mailboxes += dir_backlog_bytes(s->dir, i);
    for (size_t i = 0; (app = apps_at(s->workers[0].apps, i)); i++)
        m->caches += atomic_load_explicit(&app->cache_bytes, memory_order_relaxed);
}

void metrics_write(struct server *s, enum metrics_form form, struct buf *out)
{
    enum metrics_names names = s->workers[0].cfg->metrics.names;
    struct server_ready ready;
    struct process p;
    server_ready_info(s, &ready);
    const struct writer w = { .out = out, .form = form, .port = ready.port };
    read_process(s, &p);
    if (names != METRICS_NAMES_SOKETI) {
        head(&w, "peal_build_info", GAUGE, "1, with the version.");
        buf_add_fmt(out, "peal_build_info{version=\"%s\"} 1\n", PEAL_VERSION);
        write_process(&w, s, &p);
    }
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        enum metrics_names other = families[i].soketi ? METRICS_NAMES_PEAL : METRICS_NAMES_SOKETI;
        if (names != other) write_family(&w, s, &p, &families[i]);
    }
    if (form == METRICS_OPEN) BUF_ADD_LIT(out, "# EOF\n");
}

static void list_families(struct buf *out, bool soketi)
{
    const struct writer w = { .out = out };
    BUF_ADD_LIT(out, "| metric | labels | |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        const struct family *f = &families[i];
        if (f->soketi != soketi) continue;
        BUF_ADD_LIT(out, "| `");
        add_name(&w, f);
        buf_add_fmt(out, "` | %s | %s %s |\n", f->labels, kind_names[f->kind], f->help);
    }
}

void metrics_doc(struct buf *out)
{
    BUF_ADD_LIT(out, "# Metrics\n\n"
                     "`GET /metrics` on the admin listener, as text of Prometheus or, where it is "
                     "asked for, OpenMetrics.\nThis page is made from "
                     "[metrics.def](../src/server/metrics.def). Beside these there are the usual\n"
                     "`process_*` and `peal_build_info`.\n\n");
    list_families(out, false);
    BUF_ADD_LIT(out,
                "\n## With soketi's names\n\n"
                "`metrics.names` = `soketi` gives these in place of the ones above, `both` "
                "beside them, always as\ntext of Prometheus; "
                "[what that is for](guide/monitoring.md#boards-made-for-soketi). `port` is that "
                "of the main\nlistener. What soketi has and this list has not are the "
                "histogram of its horizontal adapter, since there is\none node, and figures of "
                "Node.js that mean nothing here (`nodejs_gc_*`, `nodejs_heap_space_*`).\n\n");
    list_families(out, true);
}
