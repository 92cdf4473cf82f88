/* SPDX-License-Identifier: MIT
 *
 * bench/proc.c: fork, exec, ready line; the rest is load/meter.c's.
 */
#include "bench/proc.h"
#include "base/clock.h"
#include "base/span.h"
#include "bench/die.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 60000 /* valgrind takes its time */
#define STOP_MS 20000
#define SLACK_NS 50000

static cpu_set_t all_cpus; /* that we were given, whatever we have left since */

struct proc_cpus proc_cpus(void)
{
    struct proc_cpus cpus = { 0, 0 };
    if (sched_getaffinity(0, sizeof all_cpus, &all_cpus) != 0) die_errno("sched_getaffinity");
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET((size_t)i, &all_cpus)) continue;
        cpus.n++;
        cpus.last = i;
    }
    return cpus;
}

void proc_leave_cpu(int cpu)
{
    cpu_set_t set = all_cpus;
    CPU_CLR((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) die_errno("sched_setaffinity");
}

void proc_take_all_cpus(void)
{
    if (sched_setaffinity(0, sizeof all_cpus, &all_cpus) != 0) die_errno("sched_setaffinity");
}

/* A child would inherit what we have left; figures of many workers on one CPU say nothing. */
static void check_cpus(pid_t pid, int cpu)
{
    cpu_set_t set;
    int wanted = cpu >= 0 ? 1 : CPU_COUNT(&all_cpus);
    if (sched_getaffinity(pid, sizeof set, &set) != 0) die_errno("sched_getaffinity");
    if (CPU_COUNT(&set) != wanted)
        die("the server runs on %d CPUs, not on %d", CPU_COUNT(&set), wanted);
}

pid_t proc_fork(void)
{
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) die_errno("fork");
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(126);
    return pid;
}

void *proc_share(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) die_errno("mmap");
    return p;
}

/* In the child; never returns. */
static _Noreturn void become(char *const argv[], int cpu, int out)
{
    static char *const environment[] = { NULL };
    cpu_set_t set = all_cpus;
    if (cpu >= 0) {
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
    }
    if (sched_setaffinity(0, sizeof set, &set) != 0) _exit(126);
    prctl(PR_SET_TIMERSLACK, SLACK_NS); /* as servers have it, whatever we have */
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || chdir("/") != 0)
        _exit(126);
    execve(argv[0], argv, environment);
    fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Reads one line; `name` is for the complaint. */
static void read_line(int fd, char *line, size_t room, const char *name)
{
    uint64_t until = clock_mono_ms() + READY_MS;
    size_t n = 0;
    while (n + 1 < room) {
        uint64_t now = clock_mono_ms();
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        if (now >= until || poll(&pfd, 1, (int)(until - now)) <= 0)
            die("%s did not say within %d s that it is ready", name, READY_MS / 1000);
        ssize_t got = read(fd, line + n, 1);
        if (got <= 0) die("%s ended before it was ready", name);
        if (line[n] == '\n') break;
        n++;
    }
    line[n] = '\0';
}

/* The number behind `word` and the next colon-free end: "port=6001", "admin=127.0.0.1:9601". */
static uint16_t port_of(const char *line, const char *word)
{
    const char *at = strstr(line, word);
    if (!at) return 0;
    struct span rest = span_str(at + strlen(word)), value;
    uint64_t port = 0;
    span_cut(&rest, ' ', &value);
    const char *colon = value.n ? memrchr(value.p, ':', value.n) : NULL;
    if (colon) value = span_skip(value, (size_t)(colon - value.p) + 1);
    return span_to_u64(value, &port) && port <= UINT16_MAX ? (uint16_t)port : 0;
}

void proc_start(struct proc *p, char *const argv[], int cpu)
{
    char line[1024];
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) die_errno("pipe");
    p->pid = proc_fork();
    if (p->pid == 0) become(argv, cpu, pipe_fds[1]);
    close(pipe_fds[1]);
    p->_out = pipe_fds[0];
    read_line(p->_out, line, sizeof line, argv[0]);
    p->port = port_of(line, " port=");
    p->admin_port = port_of(line, " admin=");
    if (!strstr(line, " ready ") || !p->port) die("%s: no ready line but '%s'", argv[0], line);
    check_cpus(p->pid, cpu);
    if (meter_open(&p->_meter, p->pid)) die("no CPU clock of %s", argv[0]);
}

/* `status` is how it ended. */
static bool ended_within(pid_t pid, uint64_t limit_ms, int *status)
{
    uint64_t until = clock_mono_ms() + limit_ms;
    do {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno == ECHILD)) return true;
        poll(NULL, 0, 5);
    } while (clock_mono_ms() < until);
    return false;
}

void proc_stop(struct proc *p)
{
    if (p->pid <= 0) return;
    kill(p->pid, SIGTERM);
    int status = 0;
    if (!ended_within(p->pid, STOP_MS, &status)) {
        fprintf(stderr, "bench: pid %d did not end within %d ms of SIGTERM\n", (int)p->pid,
                STOP_MS);
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    } else if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)) {
        die("the server (pid %d) ended badly: status %d, signal %d", (int)p->pid,
            WIFEXITED(status) ? WEXITSTATUS(status) : 0,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    close(p->_out);
    p->pid = 0;
}

uint64_t proc_cpu_ns(const struct proc *p)
{
    uint64_t ns;
    if (meter_cpu_ns(&p->_meter, &ns)) die("the server (pid %d) has ended", (int)p->pid);
    return ns;
}

struct meter_memory proc_memory(const struct proc *p)
{
    struct meter_memory memory;
    if (meter_memory(&p->_meter, &memory)) die("no smaps_rollup of pid %d", (int)p->pid);
    return memory;
}

uint64_t proc_peak_bytes(const struct proc *p)
{
    char path[64], line[256];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *f = fopen(path, "re");
    if (!f) die_errno("%s", path);
    /* cppcheck-suppress nullPointerRedundantCheck ; die_errno does not return */
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtoull(line + 6, NULL, 10);
    fclose(f);
    return kib * 1024;
}

void proc_forget_peak(const struct proc *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)p->pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1) die_errno("%s", path);
    close(fd);
}
