/* SPDX-License-Identifier: MIT
 * bench/poller.c: see poller.h. What it tells lies in memory that both processes share. */
#include "bench/poller.h"
#include "bench/die.h"
#include "bench/scenes.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MS 20

static _Noreturn void poll_it(struct poller *p, uint16_t port)
{
    static char text[262144];
    while (!atomic_load(&p->stop)) {
        side_fetch(port, "/metrics", text, sizeof text);
        uint64_t bytes = metric_of(text, "peal_waiting_output_bytes");
        if (bytes) atomic_fetch_add(&p->waiting, 1);
        if (bytes > atomic_load(&p->most)) atomic_store(&p->most, bytes);
        atomic_store(&p->cut, metric_of(text, "peal_slow_consumers_cut_total"));
        atomic_fetch_add(&p->answers, 1);
        bench_sleep_ms(PAUSE_MS);
    }
    _exit(0);
}

struct poller *poller_start(uint16_t admin_port)
{
    struct poller *p = proc_share(sizeof *p);
    pid_t pid = proc_fork();
    if (pid == 0) poll_it(p, admin_port);
    p->pid = pid;
    while (atomic_load(&p->answers) == 0) {
        if (waitpid(pid, NULL, WNOHANG) == pid) die("GET /metrics was not answered");
        bench_sleep_ms(1);
    }
    return p;
}

void poller_stop(struct poller *p)
{
    int status;
    atomic_store(&p->stop, true);
    if (waitpid(p->pid, &status, 0) != p->pid || status != 0) die("GET /metrics was not answered");
    munmap(p, sizeof *p);
}
