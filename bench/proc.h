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
#include "load/meter.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
    pid_t pid;
    uint16_t port, admin_port; /* from the ready line; the floor has no admin listener: 0 */
    int _out;                  /* reading end of its standard output, open until it ends */
    struct meter _meter;
};

/* fork(), of a child that the kernel ends with us. */
pid_t proc_fork(void);
/* Zeroed memory that we and our children share; munmap() it. */
void *proc_share(size_t n);

/* Starts argv[0] (an absolute path) with an empty environment in "/", on CPU number `cpu` alone or,
 * with -1, on all that proc_cpus() found; waits for the line "… ready … port=N …" on its standard
 * output. */
void proc_start(struct proc *p, char *const argv[], int cpu);

/* SIGTERM, after twenty seconds SIGKILL; waits for the end. A server that ends with anything but 0
 * or that signal is a failure of the run. */
void proc_stop(struct proc *p);

/* User and system time of all its threads so far, in nanoseconds. */
uint64_t proc_cpu_ns(const struct proc *p);
struct meter_memory proc_memory(const struct proc *p);
/* The most that was ever resident, or since proc_forget_peak(). */
uint64_t proc_peak_bytes(const struct proc *p);
void proc_forget_peak(const struct proc *p);

/* The CPUs that we were given: their count, and the number of the last one. To be called first. */
struct proc_cpus {
    int n, last;
};
struct proc_cpus proc_cpus(void);
/* We ourselves, and what is forked from now on: on all of them but this one; and on all again. */
void proc_leave_cpu(int cpu);
void proc_take_all_cpus(void);
#endif
