/* SPDX-License-Identifier: MIT
 * tests/unit/load/test_meter.c: a process is seen to work, to grow, and to be gone. */
#include "base/mem.h"
#include "load/meter.h"
#include "unit/test.h"
#include <sys/wait.h>
#include <unistd.h>

#define GROWTH ((size_t)32 * 1024 * 1024)

static void work_and_memory_of_a_process_are_seen(void **state)
{
    (void)state;
    struct meter m;
    uint64_t before_ns, after_ns;
    struct meter_memory before, after;
    assert_int_equal(meter_open(&m, getpid()), ERR_OK);
    assert_int_equal(meter_cpu_ns(&m, &before_ns), ERR_OK);
    assert_int_equal(meter_memory(&m, &before), ERR_OK);
    char *p = mem_alloc(GROWTH);
    memset(p, 1, GROWTH);
    assert_int_equal(meter_memory(&m, &after), ERR_OK);
    assert_int_equal(meter_cpu_ns(&m, &after_ns), ERR_OK);
    assert_true(p[GROWTH - 1] == 1);
    mem_free(p);
    assert_true(after_ns > before_ns);
    assert_true(after.private_bytes >= before.private_bytes + GROWTH / 2);
    assert_true(after.rss_bytes >= after.private_bytes / 2);
}

static void a_process_that_is_not_there_is_no_meter(void **state)
{
    (void)state;
    struct meter m;
    uint64_t ns;
    int ends[2];
    assert_int_equal(meter_open(&m, 0), ERR_ABSENT);
    assert_int_equal(meter_open(&m, -5), ERR_ABSENT);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(ends[1]);
        _exit(read(ends[0], &c, 1) < 0);
    }
    assert_int_equal(meter_open(&m, child), ERR_OK);
    close(ends[1]);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(meter_cpu_ns(&m, &ns), ERR_ABSENT);
    assert_int_equal(meter_open(&m, child), ERR_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_and_memory_of_a_process_are_seen),
        cmocka_unit_test(a_process_that_is_not_there_is_no_meter),
    };
    return RUN_TESTS(tests);
}
