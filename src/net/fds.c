/* SPDX-License-Identifier: MIT
 *
 * net/fds.c: the limit of descriptors, and the count of those in use.
 *
 * The count of the shared table is the only process-wide variable of net/, as the limit is the
 * process's, too. Relaxed atomics do: the count decides about one connection more or less, it
 * orders nothing.
 */
#include "net/fds.h"
#include "base/buf.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

static struct fds_table shared;
static _Thread_local struct fds_table *mine = &shared;
static atomic_uint_fast64_t soft_limit = UINT64_MAX;

/* The number in a file of one line; 0 when it cannot be read. */
static uint64_t read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    char line[64] = "";
    uint64_t n = 0;
    if (fgets(line, sizeof line, f))
        span_to_u64(span_head(span_str(line), strcspn(line, "\n")), &n);
    fclose(f);
    return n;
}

/* Descriptors of the thread's table that are open now; 3 when /proc is not there. */
static uint64_t count_open(void)
{
    DIR *dir = opendir("/proc/thread-self/fd");
    if (!dir) return 3;
    uint64_t n = 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) n += e->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the directory itself */
}

/* Raises the soft limit; returns what it is then. */
static uint64_t raise_soft(uint64_t *hard)
{
    struct rlimit lim;
    CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
    rlim_t before = lim.rlim_cur;
    lim.rlim_cur = lim.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &lim) != 0) lim.rlim_cur = before;
    *hard = lim.rlim_max;
    return lim.rlim_cur;
}

static const char *find_limiter(const struct fds_forecast *f, bool system_first)
{
    if (system_first) return "fs.file-max of the whole system";
    if (f->limit < f->hard) return "the soft limit, which could not be raised";
    if (f->nr_open && f->hard >= f->nr_open)
        return "fs.nr_open (raise it, then the hard limit: ulimit -Hn, LimitNOFILE=)";
    return "the hard limit of descriptors (ulimit -Hn, LimitNOFILE=)";
}

void fds_start(uint64_t reserved, struct fds_forecast *out)
{
    *out = (struct fds_forecast) { .reserved = reserved };
    out->limit = raise_soft(&out->hard);
    out->nr_open = read_number("/proc/sys/fs/nr_open");
    out->file_max = read_number("/proc/sys/fs/file-max");
    out->open = count_open();
    atomic_store_explicit(&mine->_open, out->open, memory_order_relaxed);
    atomic_store_explicit(&soft_limit, out->limit, memory_order_relaxed);
    fds_forecast(1, out->open, out);
}

static uint64_t rest(uint64_t of, uint64_t taken)
{
    return of > taken ? of - taken : 0;
}

void fds_forecast(unsigned n_tables, uint64_t open, struct fds_forecast *f)
{
    f->n_tables = n_tables;
    f->open = open;
    f->each = rest(f->limit, open + f->reserved);
    f->sockets = n_tables * f->each;
    uint64_t of_system = f->file_max ? rest(f->file_max, open + f->reserved) : UINT64_MAX;
    f->limiter = find_limiter(f, of_system < f->sockets);
    if (of_system < f->sockets) f->sockets = of_system;
}

void fds_recount(void)
{
    atomic_store_explicit(&mine->_open, count_open(), memory_order_relaxed);
}

/* Filters of system calls in containers know unshare() for making namespaces and forbid it; the
 * same can be had by closing nothing. Kernels before 5.9 do not have that. */
static bool unshare_table(void)
{
    if (unshare(CLONE_FILES) == 0) return true;
    if (errno != EPERM && errno != ENOSYS) return false; /* filters answer with either */
    return close_range(~0U, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

enum err fds_split(struct fds_table *t)
{
    if (!unshare_table()) return errno == ENOMEM ? ERR_NOMEM : ERR_DENIED;
    mine = t;
    fds_recount();
    return ERR_OK;
}

uint64_t fds_table_open(const struct fds_table *t)
{
    return atomic_load_explicit(&t->_open, memory_order_relaxed);
}

void fds_forecast_text(const struct fds_forecast *f, struct buf *out)
{
    buf_add_fmt(out, "%" PRIu64 " connections fit (", f->sockets);
    if (f->n_tables > 1)
        buf_add_fmt(out, "%" PRIu64 " for each of %u workers: ", f->each, f->n_tables);
    buf_add_fmt(out,
                "%" PRIu64 " descriptors, %" PRIu64 " open, %" PRIu64
                " reserved); what limits them is %s",
                f->limit, f->open, f->reserved, f->limiter);
}

void fds_opened(unsigned n)
{
    atomic_fetch_add_explicit(&mine->_open, n, memory_order_relaxed);
}

void fds_closed(unsigned n)
{
    atomic_fetch_sub_explicit(&mine->_open, n, memory_order_relaxed);
}

uint64_t fds_in_use(void)
{
    return atomic_load_explicit(&mine->_open, memory_order_relaxed);
}

uint64_t fds_limit(void)
{
    return atomic_load_explicit(&soft_limit, memory_order_relaxed);
}
