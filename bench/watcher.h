/* SPDX-License-Identifier: MIT
 *
 * bench/watcher.h: somebody who watches a server's live stream: a process of its own, which reads
 * all that comes and throws it away.
 */
#ifndef BENCH_WATCHER_H
#define BENCH_WATCHER_H
#include <stdint.h>
#include <sys/types.h>

/* Is subscribed to everything that happens (channels watch and stats) when it returns. Fails by
 * die(); ends with us. */
pid_t watcher_start(uint16_t admin_port);
void watcher_stop(pid_t pid);
#endif
