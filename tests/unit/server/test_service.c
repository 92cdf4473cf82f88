/* SPDX-License-Identifier: MIT
 * tests/unit/server/test_service.c: what the service manager hears of a server: a socket of ours in
 * its place. */
#include "unit/server/server_rig.h"
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BEAT_MS 50
#define MESSAGE_MAX 512
#define PATIENCE_MS 20000

/* An abstract address: no file that stays behind. */
static int manager_open(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char name[64];
    int n = snprintf(name, sizeof name, "peal-test-%ld", (long)getpid());
    memcpy(addr.sun_path + 1, name, (size_t)n);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    CHECK(bind(fd, (struct sockaddr *)&addr, len) == 0);
    char at_name[66];
    snprintf(at_name, sizeof at_name, "@%s", name);
    CHECK(setenv("NOTIFY_SOCKET", at_name, 1) == 0);
    return fd;
}

static void manager_close(int fd)
{
    close(fd);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
}

/* The next message; false: none within the time. */
static bool hear(int fd, char text[MESSAGE_MAX], int timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    if (poll(&p, 1, timeout_ms) != 1) return false;
    ssize_t n = recv(fd, text, MESSAGE_MAX - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    return true;
}

/* Signs of life come between all others. */
static bool hear_until(int fd, char text[MESSAGE_MAX], const char *wanted)
{
    while (hear(fd, text, PATIENCE_MS))
        if (strstr(text, wanted)) return true;
    return false;
}

static void ready_and_stopping_are_said(void **state)
{
    (void)state;
    struct rig rig;
    char text[MESSAGE_MAX], where[128];
    int fd = manager_open();
    START(&rig);
    rig_serve(&rig);
    assert_true(hear(fd, text, PATIENCE_MS));
    assert_ptr_equal(strstr(text, "READY=1\n"), text);
    snprintf(where, sizeof where, "STATUS=serving on 127.0.0.1:%u, admin 127.0.0.1:%u, 2 workers",
             rig.port, rig.admin_port);
    assert_non_null(strstr(text, where));
    rig_signal();
    assert_true(hear(fd, text, PATIENCE_MS));
    assert_ptr_equal(strstr(text, "STOPPING=1\n"), text);
    rig_join(&rig);
    assert_false(hear(fd, text, 0));
    rig_stop(&rig);
    manager_close(fd);
}

static void a_reload_that_fails_is_reloading_and_ready_again(void **state)
{
    (void)state;
    struct rig rig;
    char text[MESSAGE_MAX];
    int fd = manager_open();
    START(&rig);
    rig_serve(&rig);
    assert_true(hear_until(fd, text, "READY=1"));
    CHECK(kill(getpid(), SIGHUP) == 0);
    assert_true(hear(fd, text, PATIENCE_MS));
    assert_ptr_equal(strstr(text, "RELOADING=1\nMONOTONIC_USEC="), text);
    assert_true(hear(fd, text, PATIENCE_MS));
    assert_ptr_equal(strstr(text, "READY=1\n"), text);
    rig_signal();
    rig_join(&rig);
    rig_stop(&rig);
    manager_close(fd);
}

static void without_a_watchdog_no_signs_of_life_are_sent(void **state)
{
    (void)state;
    struct rig rig;
    char text[MESSAGE_MAX];
    int fd = manager_open();
    START(&rig);
    rig_serve(&rig);
    assert_true(hear(fd, text, PATIENCE_MS));
    assert_false(hear(fd, text, 3 * BEAT_MS));
    rig_signal();
    rig_join(&rig);
    rig_stop(&rig);
    manager_close(fd);
}

struct jam {
    struct task task;
    sem_t free;
};

static void hang(struct worker *w, struct task *t)
{
    (void)w;
    struct jam *jam = CONTAINER_OF(t, struct jam, task);
    while (sem_wait(&jam->free) != 0) continue;
}

static void a_worker_that_hangs_silences_the_watchdog_until_it_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    struct jam jam = { .task.run = hang };
    char text[MESSAGE_MAX];
    int fd = manager_open();
    CHECK(setenv("WATCHDOG_USEC", "150000", 1) == 0);
    CHECK(sem_init(&jam.free, 0, 0) == 0);
    START(&rig);
    rig_serve(&rig);
    for (int i = 0; i < 3; i++) assert_true(hear_until(fd, text, "WATCHDOG=1"));
    worker_post(&rig.server->workers[1], &jam.task);
    while (hear(fd, text, 8 * BEAT_MS)) continue; /* asserts by ending */
    CHECK(sem_post(&jam.free) == 0);
    assert_true(hear_until(fd, text, "WATCHDOG=1"));
    rig_signal();
    assert_true(hear_until(fd, text, "STOPPING=1"));
    rig_join(&rig);
    rig_stop(&rig);
    CHECK(sem_destroy(&jam.free) == 0);
    manager_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_and_stopping_are_said),
        cmocka_unit_test(a_reload_that_fails_is_reloading_and_ready_again),
        cmocka_unit_test(without_a_watchdog_no_signs_of_life_are_sent),
        cmocka_unit_test(a_worker_that_hangs_silences_the_watchdog_until_it_goes_on),
    };
    return RUN_TESTS(tests);
}
