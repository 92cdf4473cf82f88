/* SPDX-License-Identifier: MIT
 *
 * bench/proc.h: a server as a child process: started, waited for until it is ready, measured from
 * outside, and ended by its pid.
 *
 * The kernel kills it when we die for whatever reason (PR_SET_PDEATHSIG), so no signal handler is
 * needed for Ctrl-C. Fails by die().
 */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct proc {
    pid_t pid;
    uint16_t port; /* from the ready line */
    int _out;      /* reading end of its standard output, open until it ends */
    clockid_t _clock;
};

/* Starts argv[0] (an absolute path) with an empty environment in "/", on CPU number `cpu` alone or,
 * with -1, on all of ours; waits for the line "… ready … port=N …" on its standard output. */
void proc_start(struct proc *p, char *const argv[], int cpu);

/* SIGTERM, after five seconds SIGKILL; waits for the end. */
void proc_stop(struct proc *p);

/* User and system time of all its threads so far, in nanoseconds, exact (the scheduler's clock, not
 * sampled by ticks). */
uint64_t proc_cpu_ns(const struct proc *p);

struct proc_memory {
    uint64_t private_bytes; /* written pages that are its alone: heap, stacks, data */
    uint64_t rss_bytes;
};
struct proc_memory proc_memory(const struct proc *p);

/* The CPUs that we may use: their count, and the number of the last one. Puts ourselves on all the
 * others when `leave_last`. */
struct proc_cpus {
    int n, last;
};
struct proc_cpus proc_cpus(void);
void proc_leave_cpu(int cpu);
#endif
