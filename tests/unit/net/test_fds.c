/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_fds.c: the limit and the count of descriptors. */
#include "net/fds.h"
#include "unit/net/net_test.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct fds_forecast start_with(rlim_t soft, uint64_t reserved)
{
    struct rlimit lim;
    struct fds_forecast f;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = soft;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
    fds_start(reserved, &f);
    return f;
}

static void the_soft_limit_becomes_the_hard_one(void **state)
{
    (void)state;
    struct fds_forecast f = start_with(64, 10);
    struct rlimit lim;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
    assert_int_equal(lim.rlim_cur, lim.rlim_max);
    assert_int_equal(f.limit, lim.rlim_max);
    assert_int_equal(f.hard, lim.rlim_max);
    assert_int_equal(fds_limit(), f.limit);
    assert_int_equal(f.reserved, 10);
    uint64_t fits = f.file_max && f.file_max < f.limit ? f.file_max : f.limit;
    assert_int_equal(f.sockets, fits - f.open - 10);
    assert_true(f.nr_open >= f.hard);
}

static void the_count_begins_with_what_is_open(void **state)
{
    (void)state;
    struct fds_forecast before = start_with(64, 0);
    int fds[2];
    make_pair(fds);
    struct fds_forecast after = start_with(64, 0);
    assert_int_equal(after.open, before.open + 2);
    assert_int_equal(fds_in_use(), after.open);
    fds_opened(3);
    assert_int_equal(fds_in_use(), after.open + 3);
    fds_closed(3);
    close(fds[0]);
    close(fds[1]);
}

static void a_recount_finds_what_nobody_reported(void **state)
{
    (void)state;
    struct fds_forecast before = start_with(64, 0);
    int fds[2];
    make_pair(fds);
    assert_int_equal(fds_in_use(), before.open);
    fds_recount();
    assert_int_equal(fds_in_use(), before.open + 2);
    close(fds[0]);
    close(fds[1]);
}

static void the_forecast_says_in_one_line_what_limits(void **state)
{
    (void)state;
    struct fds_forecast f = {
        .sockets = 924, .limit = 1000, .open = 12, .reserved = 64, .limiter = "the weather"
    };
    struct buf text = { 0 };
    fds_forecast_text(&f, &text);
    assert_buf(&text, "924 connections fit (1000 descriptors, 12 open, 64 reserved); "
                      "what limits them is the weather");
    buf_clear(&text);
    f.file_max = 0;
    f.limit = f.hard = 1000;
    fds_forecast(3, 36, &f);
    fds_forecast_text(&f, &text);
    assert_buf(&text, "2700 connections fit (900 for each of 3 workers: 1000 descriptors, 36 open, "
                      "64 reserved); what limits them is the hard limit of descriptors (ulimit "
                      "-Hn, LimitNOFILE=)");
    buf_fini(&text);
}

static void the_whole_system_may_be_what_limits_several_tables(void **state)
{
    (void)state;
    struct fds_forecast f = { .limit = 1000, .hard = 1000, .reserved = 64, .file_max = 2000 };
    fds_forecast(3, 36, &f);
    assert_int_equal(f.sockets, 1900);
    assert_string_equal(f.limiter, "fs.file-max of the whole system");
}

/* --- a table of one's own --- */

struct split {
    enum err err;
    struct fds_table table;
    uint64_t before, after; /* as the thread counts */
    int inherited;          /* a descriptor that was open before; the thread writes to it */
    int own;
};

static void *split_and_open(void *arg)
{
    struct split *s = arg;
    s->err = fds_split(&s->table);
    if (s->err) return NULL;
    s->before = fds_in_use();
    s->own = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fds_opened(1);
    s->after = fds_in_use();
    if (write(s->inherited, "x", 1) != 1) s->err = ERR_IO;
    return NULL;
}

static void run_split(struct split *s)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, split_and_open, s) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void what_a_thread_opens_in_a_table_of_its_own_is_in_no_other(void **state)
{
    (void)state;
    int fds[2];
    char byte;
    struct fds_forecast here = start_with(64, 0);
    make_pair(fds);
    struct split s = { .inherited = fds[0] };
    run_split(&s);
    assert_int_equal(s.err, ERR_OK);
    assert_int_equal(s.before, here.open + 2);
    assert_int_equal(s.after, s.before + 1);
    assert_int_equal(fds_table_open(&s.table), s.after);
    assert_int_equal(fds_in_use(), here.open);
    assert_int_equal(fcntl(s.own, F_GETFD), -1);
    assert_int_equal(read(fds[1], &byte, 1), 1);
    close(fds[0]);
    close(fds[1]);
}

/* As a container may: these system calls (`b` 0: only the first) fail with that error. */
static void forbid(unsigned a, unsigned b, unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, a, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, b ? b : a, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
    };
    const struct sock_fprog filter = { .len = ARRAY_LEN(code), .filter = code };
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

/* What fds_split() says in a process of its own under that filter. */
static enum err split_where_forbidden(unsigned a, unsigned b, unsigned error)
{
    int status = -1;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct split s = { .inherited = open("/dev/null", O_WRONLY | O_CLOEXEC) };
        forbid(a, b, error);
        run_split(&s);
        _exit((int)s.err);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    return (enum err)WEXITSTATUS(status);
}

static void where_unshare_is_forbidden_there_is_another_way(void **state)
{
    (void)state;
    assert_int_equal(split_where_forbidden(SYS_unshare, 0, EPERM), ERR_OK);
    assert_int_equal(split_where_forbidden(SYS_unshare, 0, ENOSYS), ERR_OK);
}

static void where_both_are_forbidden_it_says_so(void **state)
{
    (void)state;
    if (under_valgrind()) skip(); /* which does close_range by itself */
    assert_int_equal(split_where_forbidden(SYS_unshare, SYS_close_range, EPERM), ERR_DENIED);
    assert_int_equal(split_where_forbidden(SYS_unshare, SYS_close_range, ENOSYS), ERR_DENIED);
}

static void a_reserve_above_the_limit_leaves_nothing(void **state)
{
    (void)state;
    struct fds_forecast f = start_with(64, UINT64_MAX / 2);
    assert_int_equal(f.sockets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soft_limit_becomes_the_hard_one),
        cmocka_unit_test(the_count_begins_with_what_is_open),
        cmocka_unit_test(a_recount_finds_what_nobody_reported),
        cmocka_unit_test(the_forecast_says_in_one_line_what_limits),
        cmocka_unit_test(the_whole_system_may_be_what_limits_several_tables),
        cmocka_unit_test(what_a_thread_opens_in_a_table_of_its_own_is_in_no_other),
        cmocka_unit_test(where_unshare_is_forbidden_there_is_another_way),
        cmocka_unit_test(where_both_are_forbidden_it_says_so),
        cmocka_unit_test(a_reserve_above_the_limit_leaves_nothing),
    };
    return RUN_TESTS(tests);
}
