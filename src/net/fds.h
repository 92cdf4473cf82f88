/* SPDX-License-Identifier: MIT
 *
 * net/fds.h: how many descriptors this process may have, and how many it has.
 *
 * The count is kept by hand with one relaxed atomic (asking the kernel means reading a directory),
 * so that WebSocket upgrades can stop while there are still descriptors for the publisher. What
 * libraries open on their own is not in it; `limits.reserved_descriptors` covers that.
 */
#ifndef NET_FDS_H
#define NET_FDS_H
#include "base/err.h"
#include <stdint.h>

struct fds_forecast {
    uint64_t sockets;    /* connections that fit, beside what is open and reserved */
    uint64_t limit;      /* descriptors that this process may have */
    uint64_t open;       /* at the time of asking */
    uint64_t reserved;   /* as passed in */
    uint64_t hard;       /* RLIMIT_NOFILE, the hard one */
    uint64_t nr_open;    /* fs.nr_open: the ceiling of the hard one; 0: not known */
    uint64_t file_max;   /* fs.file-max: of the whole system; 0: not known */
    const char *limiter; /* what to raise first; a static text */
};

/* Once at start, before threads: raises the soft limit of descriptors to the hard one and takes the
 * true number of open descriptors as the start of the count. What cannot be raised is reported as
 * it is: this never fails. */
void fds_start(uint64_t reserved, struct fds_forecast *out);

/* One line for the log or doctor, without full stop: how many fit, what limits it. */
struct buf;
void fds_forecast_text(const struct fds_forecast *f, struct buf *out);

/* Before threads, when what libraries keep open is open: takes the true number anew. Loops have
 * descriptors that nobody else can count. */
void fds_recount(void);

/* Any thread. net/sock and net/listener call them for sockets; others for what they open. */
void fds_opened(unsigned n);
void fds_closed(unsigned n);
uint64_t fds_in_use(void);
uint64_t fds_limit(void); /* the soft limit as fds_start() left it; UINT64_MAX before */
#endif
