/* SPDX-License-Identifier: MIT
 * tests/unit/net/test_signals.c: signals arrive as return values, whoever runs. */
#include "base/clock.h"
#include "net/signals.h"
#include "unit/net/net_test.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static void each_signal_has_its_meaning(void **state)
{
    (void)state;
    const struct {
        int sig;
        enum signals_event event;
    } cases[] = {
        { SIGTERM, SIGNALS_STOP },
        { SIGINT, SIGNALS_STOP },
        { SIGHUP, SIGNALS_RELOAD },
        { SIGUSR2, SIGNALS_RESTART },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        kill(getpid(), cases[i].sig); /* blocked: it waits */
        assert_int_equal(signals_wait(-1), cases[i].event);
    }
    assert_int_equal(signals_wait(0), SIGNALS_NONE);
}

static void stop_comes_before_what_came_earlier(void **state)
{
    (void)state;
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGTERM);
    assert_int_equal(signals_wait(-1), SIGNALS_STOP);
    assert_int_equal(signals_wait(-1), SIGNALS_RELOAD);
    assert_int_equal(signals_wait(-1), SIGNALS_RESTART);
}

static void waiting_ends_when_the_time_is_over(void **state)
{
    (void)state;
    uint64_t begin = clock_mono_ms();
    assert_int_equal(signals_wait(30), SIGNALS_NONE);
    assert_true(clock_mono_ms() - begin >= 29);
}

static void an_ignored_interrupt_still_stops(void **state)
{
    (void)state;
    signal(SIGINT, SIG_IGN); /* as a shell does for background jobs */
    kill(getpid(), SIGINT);
    assert_int_equal(signals_wait(1000), SIGNALS_STOP);
    signal(SIGINT, SIG_DFL);
}

static sem_t blocked, done;

static void *block(void *arg)
{
    (void)arg;
    signals_block_all();
    sem_post(&blocked);
    sem_wait(&done);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGCHLD) &&
          sigismember(&mask, SIGTERM));
    CHECK(!sigismember(&mask, SIGSEGV) && !sigismember(&mask, SIGABRT));
    return NULL;
}

static void other_threads_get_no_signals(void **state)
{
    (void)state;
    sem_init(&blocked, 0, 0);
    sem_init(&done, 0, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, block, NULL), 0);
    sem_wait(&blocked);
    kill(getpid(), SIGTERM);
    assert_int_equal(signals_wait(-1), SIGNALS_STOP);
    sem_post(&done);
    pthread_join(thread, NULL);
}

static void a_broken_pipe_is_no_signal(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(write(fds[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(fds[1]);
}

static void a_child_is_given_the_usual_signals_back(void **state)
{
    (void)state;
    const int sigs[] = { SIGTERM, SIGHUP, SIGPIPE };
    for (size_t i = 0; i < ARRAY_LEN(sigs); i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            signals_reset();
            raise(sigs[i]);
            _exit(0);
        }
        assert_int_equal(wait_child(pid), 128 + sigs[i]);
    }
}

int main(void)
{
    signals_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_has_its_meaning),
        cmocka_unit_test(stop_comes_before_what_came_earlier),
        cmocka_unit_test(waiting_ends_when_the_time_is_over),
        cmocka_unit_test(an_ignored_interrupt_still_stops),
        cmocka_unit_test(other_threads_get_no_signals),
        cmocka_unit_test(a_broken_pipe_is_no_signal),
        cmocka_unit_test(a_child_is_given_the_usual_signals_back),
    };
    return RUN_TESTS(tests);
}
