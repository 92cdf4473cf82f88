/* SPDX-License-Identifier: MIT
 *
 * bench/run.c: the benchmark's command line: runs the scenarios, prints the table.
 *
 * Results go to stdout, what is being done to stderr. Ends itself (and by that its servers) when it
 * takes longer than RUN_LIMIT_S for each round that was asked for, and the minutes of the soak.
 */
#include "base/check.h"
#include "base/clock.h"
#include "bench/baseline.h"
#include "bench/die.h"
#include "bench/scenes.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define RUN_LIMIT_S 120
#define SPARE_FDS 100  /* of a server, beside its connections */
#define LEAST_ROUNDS 7 /* that say something */

struct options {
    const char *names[16];
    size_t n_names;
    bool json, markdown, self, free_cpu, record, other_than_default;
    const char *peal, *baselines, *against, *commit;
};

static struct {
    struct bench bench;
    struct options options;
    struct proc_cpus cpus;
} all; /* for print_what_there_is() */

static void usage(FILE *to)
{
    fputs("usage: ./dev bench [NAME...] [options]\n\n", to);
    for (const struct scene *s = scenes; s->name; s++)
        fprintf(to, "  %-9s %s%s\n", s->name, s->help,
                s->flags & SCENE_ON_DEMAND ? " (when named)" : "");
    fputs(
        "\n"
        "  --json              JSON instead of a table\n"
        "  --markdown          the table for docs/performance.md\n"
        "  --record            keep the figures in bench/baselines, to compare the next run with\n"
        "  --short             a tenth of the time: does it work, not how fast\n"
        "  --rounds N          alternating rounds, 1-99 (7)\n"
        "  --minutes N         of the soak (20)\n"
        "  --sockets N         of the million (1000000)\n"
        "  --subscribers N     of the fan-out (1000 and 10000)\n"
        "  --connections A,B,… counts of the memory scenario (1000,19000)\n"
        "  --workers N         of Peal (1)\n"
        "  --set NAME=VALUE    an option of Peal's, up to four times\n"
        "  --peal FILE         the executable (the one that ./dev build made)\n"
        "  --against FILE      another Peal, for the scenario watch\n"
        "  --baselines FOLDER  the figures to compare with\n"
        "  --commit NAME       what was built, to be printed with the figures\n"
        "  --self              the floor against itself: shows the noise\n"
        "  --any-cpu           do not give the server a CPU of its own\n",
        to);
}

/* A wrong command line. */
static _Noreturn void refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void refuse(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputs("; see --help\n", stderr);
    va_end(args);
    exit(64);
}

static unsigned number(const char *option, const char *text, unsigned long max)
{
    char *end = NULL;
    errno = 0;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    if (!text || errno || *text < '0' || *text > '9' || *end || n == 0 || n > max)
        refuse("%s takes a number from 1 to %lu", option, max);
    return (unsigned)n;
}

static void add_set(struct bench *b, const char *set)
{
    size_t n = 0;
    if (!strchr(set, '=')) refuse("--set takes NAME=VALUE, not '%s'", set);
    while (b->sets[n]) n++;
    if (n + 1 == ARRAY_LEN(b->sets)) refuse("--set is taken at most %zu times", n);
    b->sets[n] = set;
}

static void read_steps(struct bench *b, char *text)
{
    char *save = NULL;
    b->n_steps = 0;
    for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (b->n_steps == SCENES_MAX_STEPS) refuse("--connections takes at most eight counts");
        size_t n = number("--connections", word, 1000000);
        if (b->n_steps && n <= b->steps[b->n_steps - 1]) refuse("--connections must ascend");
        b->steps[b->n_steps++] = n;
    }
    if (b->n_steps < 2) refuse("--connections takes two counts or more");
}

/* An option without a value. */
static bool take_flag(struct bench *b, struct options *o, const char *arg)
{
    if (strcmp(arg, "--json") == 0)
        o->json = true;
    else if (strcmp(arg, "--markdown") == 0)
        o->markdown = true;
    else if (strcmp(arg, "--record") == 0)
        o->record = true;
    else if (strcmp(arg, "--self") == 0)
        o->self = true;
    else if (strcmp(arg, "--any-cpu") == 0)
        o->free_cpu = true;
    else if (strcmp(arg, "--short") == 0) {
        b->scale = 0.1;
        b->rounds = 2;
        b->subscribers = 100;
        b->steps[1] = 3000;
        o->other_than_default = true;
    } else {
        return false;
    }
    return true;
}

static bool take_path(struct options *o, const char *arg, const char *value)
{
    if (!value) return false;
    if (strcmp(arg, "--peal") == 0)
        o->peal = value;
    else if (strcmp(arg, "--against") == 0)
        o->against = value;
    else if (strcmp(arg, "--baselines") == 0)
        o->baselines = value;
    else if (strcmp(arg, "--commit") == 0)
        o->commit = value;
    else
        return false;
    return true;
}

static bool take_value(struct bench *b, struct options *o, const char *arg, char *value)
{
    if (strcmp(arg, "--rounds") == 0)
        b->rounds = number(arg, value, 99);
    else if (strcmp(arg, "--subscribers") == 0)
        b->subscribers = number(arg, value, 19000);
    else if (strcmp(arg, "--minutes") == 0)
        b->minutes = number(arg, value, 10000);
    else if (strcmp(arg, "--sockets") == 0)
        b->sockets = number(arg, value, 2000000);
    else if (strcmp(arg, "--workers") == 0)
        b->workers = number(arg, value, 256);
    else if (strcmp(arg, "--connections") == 0 && value)
        read_steps(b, value);
    else if (strcmp(arg, "--set") == 0 && value)
        add_set(b, value);
    else
        return take_path(o, arg, value);
    if (strcmp(arg, "--rounds") != 0) o->other_than_default = true;
    return true;
}

static const struct scene *find_scene(const char *name)
{
    for (const struct scene *s = scenes; s->name; s++)
        if (strcmp(s->name, name) == 0) return s;
    return NULL;
}

static bool is_named(const struct options *o, const char *name)
{
    for (size_t i = 0; i < o->n_names; i++)
        if (strcmp(o->names[i], name) == 0) return true;
    return false;
}

/* What --record keeps is what everybody's next run is compared with. */
static void check_record(const struct bench *b, const struct options *o)
{
    if (!o->record) return;
    if (!o->baselines) refuse("--record needs --baselines FOLDER");
    if (o->other_than_default || o->self || o->free_cpu || o->peal || o->against ||
        b->rounds < LEAST_ROUNDS)
        refuse(
            "--record keeps what later runs are compared with: %d rounds or more, and nothing else "
            "than the defaults",
            LEAST_ROUNDS);
}

static void read_options(struct bench *b, struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            exit(0);
        }
        if (take_flag(b, o, argv[i])) continue;
        if (take_value(b, o, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            i++;
            continue;
        }
        if (strncmp(argv[i], "--", 2) == 0 && i + 1 == argc && strlen(argv[i]) > 2)
            refuse("'%s' is no option, or needs a value", argv[i]);
        if (!find_scene(argv[i]) || o->n_names == ARRAY_LEN(o->names)) {
            fprintf(stderr, "bench: no scenario or option '%s'\n", argv[i]);
            usage(stderr);
            exit(64);
        }
        if (!is_named(o, argv[i])) o->names[o->n_names++] = argv[i];
    }
}

/* Absolute paths of the servers: floor beside us, peal one folder up. */
static void find_servers(struct bench *b, const struct options *o)
{
    static char floor[PATH_MAX + 16], peal[PATH_MAX + 16], real[PATH_MAX], other[PATH_MAX];
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) die_errno("/proc/self/exe");
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(floor, sizeof floor, "%s/floor", self);
    snprintf(peal, sizeof peal, "%s/../peal", self);
    b->floor = floor;
    if (o->against && !(b->against = realpath(o->against, other))) die_errno("%s", o->against);
    if (o->self) return;
    b->peal = realpath(o->peal ? o->peal : peal, real);
    if (!b->peal) die_errno("%s", o->peal ? o->peal : peal);
}

/* Raises the soft limit, and leaves out the counts that neither end could hold. A scenario that
 * needs more than there are is left out later. */
static void fit_descriptors(struct bench *b)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) die_errno("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) die_errno("setrlimit");
    size_t most = files.rlim_cur > SPARE_FDS ? (size_t)files.rlim_cur - SPARE_FDS : 1;
    while (b->n_steps > 2 && b->steps[b->n_steps - 1] > most) b->n_steps--;
    b->most = most;
}

/* With a CPU to spare, one server thread gets it alone, and we keep away from it. */
static int choose_cpu(const struct bench *b, const struct options *o, struct proc_cpus cpus)
{
    if (cpus.n < 2 || b->workers != 1 || o->free_cpu) return -1;
    proc_leave_cpu(cpus.last);
    return cpus.last;
}

/* Nanoseconds that all CPUs of the machine worked so far, in steps of 10 ms. */
static uint64_t machine_ns(void)
{
    enum { IDLE = 3, IOWAIT = 4, FIELDS = 8 }; /* user nice system idle iowait irq softirq steal */
    char line[512];
    FILE *f = fopen("/proc/stat", "re");
    if (!f) return 0;
    bool got = fgets(line, sizeof line, f) && strncmp(line, "cpu ", 4) == 0;
    fclose(f);
    uint64_t ticks = 0;
    char *at = line + 4;
    for (int i = 0; got && i < FIELDS; i++) {
        uint64_t n = strtoull(at, &at, 10);
        if (i != IDLE && i != IOWAIT) ticks += n;
    }
    return ticks * 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

static size_t sockets_of(const struct bench *b, const struct scene *s)
{
    size_t subscribers = b->subscribers ? b->subscribers : 10000;
    if (s->sockets > 1000) return (size_t)((double)s->sockets * b->scale);
    if (s->sockets) return s->sockets;
    return s->run == scene_fanout ? subscribers : b->steps[b->n_steps - 1];
}

/* Why the scenario cannot be run; NULL: it can. */
static const char *unfit(const struct bench *b, const struct scene *s)
{
    static char why[128];
    size_t sockets = sockets_of(b, s);
    if (!b->peal && s->flags & SCENE_OF_PEAL) return "has nothing to say about the floor (--self)";
    if (sockets <= b->most) return NULL;
    snprintf(why, sizeof why, "needs %zu descriptors; %zu are allowed (ulimit -Hn)",
             sockets + SPARE_FDS, b->most + SPARE_FDS);
    return why;
}

static void run_scene(struct bench *b, const struct scene *s)
{
    int own = b->cpu;
    bool share = s->flags & SCENE_ALL_CPUS && own >= 0;
    if (share) {
        proc_take_all_cpus();
        b->cpu = -1;
    }
    s->run(b);
    if (share) proc_leave_cpu(own);
    b->cpu = own;
}

static void run_scenes(struct bench *b, const struct options *o)
{
    for (const struct scene *s = scenes; s->name; s++) {
        if (o->n_names ? !is_named(o, s->name) : s->flags & SCENE_ON_DEMAND) continue;
        const char *why = unfit(b, s);
        if (why && o->n_names) die("%s %s", s->name, why);
        if (why)
            bench_say("%s is left out: it %s", s->name, why);
        else
            run_scene(b, s);
    }
}

static void print(const struct bench *b, const struct options *o, const struct report_about *about)
{
    if (o->json)
        report_json(&b->report, about, stdout);
    else if (o->markdown)
        report_markdown(&b->report, about, stdout);
    else
        report_table(&b->report, about, stdout);
    if (o->record) baseline_record(o->baselines, &b->report, about);
}

/* What was measured before it failed. */
static void print_what_there_is(void)
{
    const struct bench *b = &all.bench;
    const struct options *o = &all.options;
    const struct report_about about = { .version = PEAL_VERSION,
                                        .commit = o->commit,
                                        .rounds = b->rounds,
                                        .workers = b->used_workers,
                                        .cpus = all.cpus.n };
    if (b->report.n_rows == 0) return;
    fputs("What was measured until then:\n", stderr);
    report_table(&b->report, &about, stderr);
}

static _Noreturn void on_alarm(int number)
{
    static const char text[] = "bench: it takes longer than it may: something hangs\n";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(1);
}

int main(int argc, char **argv)
{
    struct bench *b = &all.bench;
    struct options *o = &all.options;
    *b = (struct bench) {
        .workers = 1,
        .rounds = LEAST_ROUNDS,
        .minutes = 20,
        .sockets = 1000000,
        .steps = { 1000, 19000 },
        .n_steps = 2,
        .scale = 1,
    };
    *o = (struct options) { .commit = "" };
    all.cpus = proc_cpus();
    read_options(b, o, argc, argv);
    check_record(b, o);
    find_servers(b, o);
    fit_descriptors(b);
    b->cpu = choose_cpu(b, o, all.cpus);
    b->report.names[REPORT_SUBJECT] = b->peal ? "peal" : "floor again";
    b->report.names[REPORT_FLOOR] = "floor";
    signal(SIGALRM, on_alarm);
    alarm(RUN_LIMIT_S * (b->rounds + 1) + (is_named(o, "soak") ? 60 * b->minutes : 0));
    prctl(PR_SET_TIMERSLACK, 1); /* else we wake up 50 us after a message was due */
    die_after(print_what_there_is);
    uint64_t start = clock_mono_ns(), machine = machine_ns();
    run_scenes(b, o);
    double ns = (double)(clock_mono_ns() - start);
    double foreign =
        (double)(machine_ns() - machine) - (double)(bench_own_ns() + bench_children_ns());
    const struct report_about about = {
        .version = PEAL_VERSION,
        .commit = o->commit,
        .rounds = b->rounds,
        .workers = b->used_workers,
        .cpus = all.cpus.n,
        .foreign = foreign > 0 ? foreign / (ns * all.cpus.n) : 0,
        .seconds = ns / 1e9,
        .baselines = o->baselines,
    };
    print(b, o, &about);
    if (fflush(stdout) != 0 || ferror(stdout)) die("the figures could not be written");
    return 0;
}
