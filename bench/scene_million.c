/* SPDX-License-Identifier: MIT
 *
 * bench/scene_million.c: a million sockets held by one server, whose workers have tables of
 * descriptors of their own.
 *
 * The clients are processes of their own (crowds), for the same reason: each may have as many
 * descriptors as one table holds. They connect in turn, two at a time, and hold their connections
 * while the next ones come; what the server pings is answered. Then a message goes to all, and
 * another one when each connection was silent for longer than the server bears without an answer.
 */
#include "base/check.h"
#include "base/clock.h"
#include "bench/die.h"
#include "bench/scenes.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWDS_MAX 128
/* Loopback addresses. Linux looks through every other port first (14,000 of them), one by one, and
 * a million connections from fewer addresses spend their time there. */
#define SOURCES 200
#define AT_A_TIME 2         /* crowds that connect */
#define TABLE_FILL 0.9      /* the kernel spreads connections over workers by chance */
#define KERNEL_BYTES 8800.0 /* of a connection, both ends */
#define USER_BYTES 1100.0   /* likewise: server and generator */
#define SILENCE_S 160       /* activity_timeout (120) and the time to answer (30), and some more */
#define SLICE_NS 50000000u  /* how long a crowd does not look at what it is to do */
#define PATIENCE_MS 60000   /* in a turn of the server that serves everybody */
#define PROGRESS_MS 5000
#define DATA_BYTES 200
#define MB 1e6

/* What the crowds are told and tell, in memory that all share. */
struct crowd {
    size_t n;
    pid_t pid;
    _Atomic uint64_t ready; /* connections */
    _Atomic uint64_t heard; /* messages so far */
    uint64_t last_ns;       /* of the last message: from its publishing until all here had it */
    char trouble[256];      /* where it failed */
    _Atomic bool failed;
};

struct million {
    _Atomic unsigned may_connect; /* the crowds in front of this one */
    _Atomic unsigned n_connected;
    _Atomic unsigned to_hear; /* messages that were announced */
    _Atomic unsigned n_listening;
    _Atomic unsigned n_heard; /* crowds that have the last one, or not all of it */
    _Atomic bool leave;
    unsigned n_crowds;
    struct crowd crowds[CROWDS_MAX];
};

/* --- a crowd --- */

static _Noreturn void give_up(struct crowd *c, const char *why)
{
    snprintf(c->trouble, sizeof c->trouble, "%s", why);
    atomic_store(&c->failed, true);
    _exit(1);
}

static void judge(struct crowd *c, struct side *s)
{
    atomic_store(&c->ready, subs_ready(load_subs(s->load)));
    if (!load_clean(load_faults(s->load))) give_up(c, load_worst(load_faults(s->load)));
}

/* Answers pings until there is something else to do. */
static void hold(struct million *m, struct crowd *c, struct side *s, unsigned heard)
{
    const struct load_plan plan = { .data_bytes = DATA_BYTES, .run_ns = SLICE_NS };
    while (atomic_load(&m->to_hear) == heard && !atomic_load(&m->leave)) {
        load_open(s->load, &plan);
        judge(c, s);
    }
}

static void hear(struct million *m, struct crowd *c, struct side *s)
{
    static struct hist latency;
    const struct load_plan plan = { .data_bytes = DATA_BYTES, .latency = &latency };
    memset(&latency, 0, sizeof latency);
    load_expect(s->load, &plan);
    atomic_fetch_add(&m->n_listening, 1);
    uint64_t n = load_await(s->load);
    judge(c, s);
    c->last_ns = latency.max;
    atomic_fetch_add(&c->heard, n);
    atomic_fetch_add(&m->n_heard, 1);
}

static _Noreturn void be_crowd(struct million *m, unsigned index, struct side *s)
{
    struct crowd *c = &m->crowds[index];
    unsigned heard = 0;
    side_load(s, layout_one(c->n), 1);
    load_set_patience(s->load, PATIENCE_MS);
    while (atomic_load(&m->may_connect) <= index) bench_sleep_ms(10);
    for (size_t n = 0; n < c->n;) {
        n = n + 1000 < c->n ? n + 1000 : c->n;
        load_connect(s->load, n, CONNECT_WINDOW);
        judge(c, s);
    }
    atomic_fetch_add(&m->n_connected, 1);
    for (;;) {
        hold(m, c, s, heard);
        if (atomic_load(&m->leave)) break;
        hear(m, c, s);
        heard++;
    }
    side_unload(s);
    _exit(0);
}

/* --- all of them --- */

static struct million *gather(size_t n, size_t most)
{
    struct million *m = proc_share(sizeof *m);
    m->n_crowds = (unsigned)((n + most - 1) / most);
    if (m->n_crowds > CROWDS_MAX)
        die("--sockets: %u processes of %zu descriptors would be needed, at most %d are made",
            m->n_crowds, most, CROWDS_MAX);
    for (unsigned i = 0; i < m->n_crowds; i++)
        m->crowds[i].n = n / m->n_crowds + (i < n % m->n_crowds);
    return m;
}

static void start_crowds(struct million *m, const struct side *s)
{
    for (unsigned i = 0; i < m->n_crowds; i++) {
        pid_t pid = proc_fork();
        if (pid == 0) {
            struct side own = { .target = s->target };
            own.target.sources = SOURCES;
            be_crowd(m, i, &own);
        }
        m->crowds[i].pid = pid;
    }
}

static uint64_t sum_ready(const struct million *m)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < m->n_crowds; i++) n += atomic_load(&m->crowds[i].ready);
    return n;
}

/* Ends the benchmark when one of them cannot go on. */
static void look_after(struct million *m)
{
    for (unsigned i = 0; i < m->n_crowds; i++) {
        const struct crowd *c = &m->crowds[i];
        if (atomic_load(&c->failed))
            die("%llu are connected; %s", (unsigned long long)sum_ready(m), c->trouble);
        if (c->pid && waitpid(c->pid, NULL, WNOHANG) == c->pid) die("a crowd of clients has ended");
    }
}

static void await(struct million *m, const _Atomic unsigned *what, unsigned n)
{
    while (atomic_load(what) < n) {
        look_after(m);
        bench_sleep_ms(5);
    }
}

static void connect_all(struct million *m, size_t n)
{
    uint64_t said_ms = clock_mono_ms();
    for (unsigned done = 0; done < m->n_crowds; done = atomic_load(&m->n_connected)) {
        atomic_store(&m->may_connect, done + AT_A_TIME);
        look_after(m);
        bench_sleep_ms(5);
        if (clock_mono_ms() < said_ms + PROGRESS_MS) continue;
        said_ms = clock_mono_ms();
        bench_say("million: %llu of %zu connected", (unsigned long long)sum_ready(m), n);
    }
}

/* One message to everybody; milliseconds until the last one had it. */
static double tell_all(struct million *m, struct side *s)
{
    const struct load_plan plan = { .data_bytes = DATA_BYTES, .burst = 1 };
    uint64_t last_ns = 0;
    atomic_store(&m->n_listening, 0);
    atomic_store(&m->n_heard, 0);
    atomic_fetch_add(&m->to_hear, 1);
    await(m, &m->n_listening, m->n_crowds);
    load_closed(s->load, &plan);
    side_check(s);
    await(m, &m->n_heard, m->n_crowds);
    for (unsigned i = 0; i < m->n_crowds; i++)
        if (m->crowds[i].last_ns > last_ns) last_ns = m->crowds[i].last_ns;
    return (double)last_ns / 1e6;
}

static uint64_t sum_heard(const struct million *m)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < m->n_crowds; i++) n += atomic_load(&m->crowds[i].heard);
    return n;
}

static void disperse(struct million *m)
{
    atomic_store(&m->leave, true);
    for (unsigned i = 0; i < m->n_crowds; i++)
        if (waitpid(m->crowds[i].pid, NULL, 0) != m->crowds[i].pid) die_errno("waitpid");
    munmap(m, sizeof *m);
}

/* --- the machine --- */

static double meminfo_bytes(const char *name)
{
    char line[128];
    double kib = -1;
    FILE *f = fopen("/proc/meminfo", "re");
    if (!f) die_errno("/proc/meminfo");
    /* cppcheck-suppress nullPointerRedundantCheck ; die_errno does not return */
    while (kib < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            kib = strtod(line + strlen(name) + 1, NULL);
    fclose(f);
    if (kib < 0) die("/proc/meminfo has no %s", name);
    return kib * 1024;
}

/* A number of the kernel's; 0: it has none of that name. */
static unsigned long long sysctl_number(const char *path)
{
    char text[32] = "";
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    unsigned long long n = fgets(text, sizeof text, f) ? strtoull(text, NULL, 10) : 0;
    fclose(f);
    return n;
}

static void want_room(size_t n)
{
    double needed = (double)n * (KERNEL_BYTES + USER_BYTES);
    double there = meminfo_bytes("MemAvailable");
    if (there < needed)
        die("%zu connections take about %.1f GB here, both ends; %.1f GB are available", n,
            needed / 1e9, there / 1e9);
    unsigned long long most = sysctl_number("/proc/sys/fs/file-max");
    if (most && most < 2 * (unsigned long long)n)
        die("fs.file-max is %llu; %zu connections have %zu ends", most, n, 2 * n);
    most = sysctl_number("/proc/sys/net/netfilter/nf_conntrack_max");
    if (most && most < n)
        bench_say("million: net.netfilter.nf_conntrack_max is %llu: where a firewall tracks "
                  "loopback, no more can be connected",
                  most);
}

static struct row *put(struct bench *b, int digits, const char *name, double value)
{
    struct row *row = report_row(&b->report, "million", digits, "%s", name);
    row_add(row, REPORT_SUBJECT, value);
    return row;
}

static void report_memory(struct bench *b, const struct side *s, size_t n, double rss_before)
{
    double rss = (double)proc_memory(&s->proc).rss_bytes, peak = (double)proc_peak_bytes(&s->proc);
    row_goal(put(b, 0, "user-space memory of the server at its peak, MB", peak / MB), 9,
             GOAL_NEVER_ABOVE, 700);
    put(b, 0, "the same in the end, MB", rss / MB);
    put(b, 0, "of it bytes per connection", (rss - rss_before) / (double)n);
}

/* Peal alone: the floor holds what one table has room for. */
void scene_million(struct bench *b)
{
    size_t n = b->sockets;
    unsigned workers = (unsigned)((double)n / ((double)b->most * TABLE_FILL)) + 1;
    want_room(n);
    struct million *m = gather(n, b->most);
    struct side s;
    side_start(b, &s,
               &(struct side_start) {
                   .side = REPORT_SUBJECT, .workers = workers, .sets = { "fd_tables=true" } });
    bench_say("million: %zu connections, %u workers, %u processes of clients", n, workers,
              m->n_crowds);
    double rss_before = (double)proc_memory(&s.proc).rss_bytes;
    double free_before = meminfo_bytes("MemAvailable");
    start_crowds(m, &s);
    side_load(&s, layout_one(0), 1);
    load_set_patience(s.load, PATIENCE_MS);
    uint64_t start_ns = clock_mono_ns(), cpu_ns = side_cpu_ns(&s);
    connect_all(m, n);
    double took_s = (double)(clock_mono_ns() - start_ns) / 1e9;
    put(b, 0, "connections", (double)sum_ready(m));
    put(b, 0, "connects and subscribes per second", (double)n / took_s);
    put(b, 1, "server CPU per connect, \u00b5s",
        (double)(side_cpu_ns(&s) - cpu_ns) / 1e3 / (double)n);
    put(b, 0, "memory of the machine per connection, both ends, bytes",
        (free_before - meminfo_bytes("MemAvailable")) / (double)n);
    put(b, 0, "a publish until the last one has it, ms", tell_all(m, &s));
    bench_say("million: all have the first message; %d s of silence", SILENCE_S);
    for (unsigned i = 0; i < (unsigned)((double)SILENCE_S * b->scale); i++) {
        look_after(m);
        bench_sleep_ms(1000);
        load_requests(s.load, LOAD_PUBLISH, 1, 1, 0); /* a back end keeps its connection */
    }
    put(b, 0,
        b->scale < 1 ? "the same after a silence, ms"
                     : "the same after a silence in which all were pinged, ms",
        tell_all(m, &s));
    report_memory(b, &s, n, rss_before);
    row_goal(put(b, 0, "deliveries of these two", (double)sum_heard(m)), 9, GOAL_NEVER_BELOW,
             2.0 * (double)n);
    disperse(m);
    side_stop(&s);
}
