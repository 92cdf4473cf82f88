/* SPDX-License-Identifier: MIT
 *
 * net/fds.h: how many descriptors a thread may have, and how many it has.
 *
 * The count is kept by hand with one relaxed atomic (asking the kernel means reading a directory),
 * so that WebSocket upgrades can stop while there are still descriptors for the publisher. What
 * libraries open on their own is not in it; `limits.reserved_descriptors` covers that.
 *
 * The limit is that of a table of descriptors. All threads share one, unless a thread takes one of
 * its own (fds_split): a copy, in which the descriptors that were open before have the same numbers
 * and stand for the same things. From then on a number that this thread opens means nothing to the
 * others, so it closes itself what it has opened, and leaves alone what it has inherited.
 */
#ifndef NET_FDS_H
#define NET_FDS_H
#include "base/err.h"
#include <stdint.h>

struct fds_forecast {
    uint64_t sockets;    /* connections that fit, beside what is open and reserved; all tables */
    uint64_t each;       /* the same of one table */
    unsigned n_tables;   /* that hold connections */
    uint64_t limit;      /* descriptors of a table */
    uint64_t open;       /* in a table, at the time of asking */
    uint64_t reserved;   /* as passed in; of each table */
    uint64_t hard;       /* RLIMIT_NOFILE, the hard one */
    uint64_t nr_open;    /* fs.nr_open: the ceiling of the hard one; 0: not known */
    uint64_t file_max;   /* fs.file-max: of the whole system; 0: not known */
    const char *limiter; /* what to raise first; a static text */
};

/* Once at start, before threads: raises the soft limit of descriptors to the hard one and takes the
 * true number of open descriptors as the start of the count. What cannot be raised is reported as
 * it is: this never fails. */
void fds_start(uint64_t reserved, struct fds_forecast *out);

/* The same for `n_tables` tables with `open` descriptors each, after fds_start(). */
void fds_forecast(unsigned n_tables, uint64_t open, struct fds_forecast *f);

/* One line for the log or doctor, without full stop: how many fit, what limits it. */
struct buf;
void fds_forecast_text(const struct fds_forecast *f, struct buf *out);

/* Before threads, when what libraries keep open is open: takes the true number anew. Loops have
 * descriptors that nobody else can count. */
void fds_recount(void);

/* The count of a table of a thread's own. Zeroed before; any thread may read it. */
struct fds_table {
    _Atomic uint64_t _open;
};

/* Gives the calling thread a table of its own, for life. `t` counts it and must live as long as the
 * thread. ERR_DENIED: the system does not let it (a filter of system calls); ERR_NOMEM. Threads
 * that it makes share it. */
enum err fds_split(struct fds_table *t) MUST_USE;
uint64_t fds_table_open(const struct fds_table *t);

/* Any thread, of its own table. net/sock and net/listener call them for sockets; others for what
 * they open. */
void fds_opened(unsigned n);
void fds_closed(unsigned n);
uint64_t fds_in_use(void);
uint64_t fds_limit(void); /* the soft limit as fds_start() left it; UINT64_MAX before */
#endif
