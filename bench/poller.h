/* SPDX-License-Identifier: MIT
 *
 * bench/poller.h: a process that asks a server 50 times a second how much output waits in it and
 * how many slow connections it has cut. A process of its own, so that asking delays no client of
 * ours.
 */
#ifndef BENCH_POLLER_H
#define BENCH_POLLER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What it saw. Counts may be set to 0. */
struct poller {
    _Atomic uint64_t cut;     /* of the last answer */
    _Atomic uint64_t answers; /* so far */
    _Atomic uint64_t waiting; /* of them, with output waiting */
    _Atomic uint64_t most;    /* bytes that waited */
    _Atomic bool stop;
    pid_t pid;
};

/* Asks GET /metrics on this port of 127.0.0.1. Fails by die(). */
struct poller *poller_start(uint16_t admin_port);
void poller_stop(struct poller *p);
#endif
