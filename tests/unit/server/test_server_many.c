/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_server_many.c: many connections: what they cost comes back, and those
 * beyond the limit of descriptors lock nobody out. */
#include "unit/server/server_rig.h"
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#define MANY 1000
#else
#define SANITIZED 0
#define MANY 5000
#endif

static size_t resident_bytes(void)
{
    char text[100] = "";
    unsigned long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    assert_int_equal(sscanf(text, "%*u %lu", &pages), 1);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void what_many_connections_cost_comes_back(void **state)
{
    (void)state;
    static struct cl c[MANY];
    struct rig rig;
    size_t after[3];
    START(&rig);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            char channel[32];
            snprintf(channel, sizeof channel, "room-%d", i % 1000);
            cl_open(&c[i], &rig);
            cl_subscribe(&c[i], channel);
        }
        assert_int_equal(COUNT(&rig, n_ws), MANY);
        for (int i = 0; i < MANY; i++)
            if (i % 2)
                cl_reset(&c[i]);
            else
                cl_close(&c[i]);
        rig_settles(&rig);
        after[round] = resident_bytes();
    }
    if (!SANITIZED && !under_valgrind())
        assert_true(after[2] < after[0] + (2u << 20)); /* else memory is kept to watch */
    rig_stop(&rig);
}

/* --- short of descriptors: the server is a child with few of them, the clients are here --- */

#define FEW 80
#define FLOOD 150

static void serve_with_few(int say)
{
    const struct rlimit few = { FEW, FEW };
    struct rig rig;
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); /* a failing test leaves no server behind */
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    START(&rig, "limits.reserved_descriptors=24", "handshake_timeout_ms=60000");
    rig_serve(&rig);
    CHECK(write(say, &rig.port, sizeof rig.port) == (ssize_t)sizeof rig.port);
    rig_join(&rig);
    rig_stop(&rig);
    _exit(rig.code);
}

static pid_t start_child(struct rig *rig)
{
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) serve_with_few(pipes[1]);
    close(pipes[1]);
    *rig = (struct rig) { .code = 0 };
    CHECK(read(pipes[0], &rig->port, sizeof rig->port) == (ssize_t)sizeof rig->port);
    close(pipes[0]);
    return pid;
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGTERM), 0);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Who makes a request now and then is not the one who has kept us waiting longest. */
static void of_silent_connections_the_oldest_goes_not_one_that_was_served(void **state)
{
    (void)state;
    if (under_valgrind()) skip(); /* it wants some descriptors for itself */
    static struct cl silent[2 * FLOOD];
    struct rig rig;
    struct cl back_end;
    pid_t pid = start_child(&rig);
    cl_dial(&back_end, rig.port);
    for (int i = 0; i < 2 * FLOOD; i++) {
        cl_dial(&silent[i], rig.port);
        if (i % 5 == 0) assert_int_equal(cl_publish(&back_end, "room", "e", 100), 200);
    }
    assert_int_equal(cl_publish(&back_end, "room", "e", 100), 200);
    cl_drain(&silent[0]); /* it had to go */
    cl_close(&back_end);
    for (int i = 0; i < 2 * FLOOD; i++) cl_close(&silent[i]);
    end_child(pid);
}

static uint64_t cpu_ms(pid_t pid)
{
    clockid_t clock;
    struct timespec ts;
    CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &ts) == 0);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Whether a WebSocket is let in; it stays open. */
static bool try_open(struct cl *c, const struct rig *rig)
{
    cl_open_with(c, rig, "app-key", 0);
    struct ws_ev ev = cl_event(c);
    CHECK(ev.kind == WS_EV_MESSAGE);
    if (cl_text_has(c, "connection_established")) return true;
    CHECK(cl_closed(c) == 4100);
    return false;
}

static void a_flood_of_sockets_does_not_lock_the_publisher_out(void **state)
{
    (void)state;
    if (under_valgrind()) skip(); /* it wants some descriptors for itself */
    static struct cl ws[FLOOD], silent[FLOOD];
    struct rig rig;
    pid_t pid = start_child(&rig);
    unsigned in = 0;
    for (int i = 0; i < FLOOD; i++) in += try_open(&ws[i], &rig);
    assert_true(in >= 20 && in <= FEW - 24);
    assert_int_equal(rig_publish(&rig, "room", "e", 100), 200);
    for (int i = 0; i < FLOOD; i++) cl_dial(&silent[i], rig.port);
    for (int i = 0; i < 10; i++) assert_int_equal(rig_publish(&rig, "room", "e", 100), 200);

    uint64_t before_ms = cpu_ms(pid);
    poll(NULL, 0, 700); /* the span that is measured */
    assert_true(cpu_ms(pid) - before_ms < 200);

    cl_subscribe(&ws[0], "room"); /* those inside do not notice */
    assert_int_equal(rig_publish(&rig, "room", "inside", 100), 200);
    assert_true(cl_hears(&ws[0], "inside"));
    for (int i = 0; i < FLOOD; i++) {
        cl_close(&ws[i]);
        cl_close(&silent[i]);
    }
    bool again = false;
    for (uint64_t until_ms = clock_mono_ms() + RIG_WAIT_MS; !again;) {
        struct cl c;
        assert_true(clock_mono_ms() < until_ms);
        again = try_open(&c, &rig);
        cl_close(&c);
    }
    end_child(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_sockets_does_not_lock_the_publisher_out), /* no threads yet */
        cmocka_unit_test(of_silent_connections_the_oldest_goes_not_one_that_was_served),
        cmocka_unit_test(what_many_connections_cost_comes_back),
    };
    return RUN_TESTS(tests);
}
