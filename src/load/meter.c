/* SPDX-License-Identifier: MIT
 *
 * load/meter.c: the process's own CPU clock (clock_getcpuclockid(3)), which sums all threads, also
 * those that have ended, in nanoseconds; /proc/PID/stat would give the same in ticks of 10 ms, and
 * /proc/PID/schedstat the main thread only. Memory is from smaps_rollup.
 */
#include "load/meter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err meter_open(struct meter *m, pid_t pid)
{
    uint64_t ns;
    m->pid = pid;
    if (pid <= 0 || clock_getcpuclockid(pid, &m->_clock) != 0) return ERR_ABSENT;
    return meter_cpu_ns(m, &ns);
}

enum err meter_cpu_ns(const struct meter *m, uint64_t *ns)
{
    struct timespec ts;
    if (clock_gettime(m->_clock, &ts) != 0) return ERR_ABSENT;
    *ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    return ERR_OK;
}

/* The value of "NAME:   123 kB", in bytes. */
static bool field(const char *text, const char *name, uint64_t *bytes)
{
    const char *at = strstr(text, name);
    if (!at) return false;
    *bytes = strtoull(at + strlen(name), NULL, 10) * 1024;
    return true;
}

enum err meter_memory(const struct meter *m, struct meter_memory *out)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)m->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? ERR_DENIED : ERR_ABSENT;
    ssize_t n = read(fd, text, sizeof text - 1);
    int error = errno;
    close(fd);
    if (n <= 0) return n < 0 && (error == EACCES || error == EPERM) ? ERR_DENIED : ERR_ABSENT;
    text[n] = '\0';
    bool found = field(text, "\nPrivate_Dirty:", &out->private_bytes) &&
                 field(text, "\nRss:", &out->rss_bytes);
    return found ? ERR_OK : ERR_ABSENT;
}
