/* SPDX-License-Identifier: MIT
 *
 * net/signals.c: sigtimedwait() in the main thread.
 *
 * Linux queues a blocked signal even when it is set to be ignored (a shell starts background jobs
 * with SIGINT ignored), so waiting works however we were started.
 */
#include "net/signals.h"
#include "base/check.h"
#include "base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void set_of(sigset_t *set, bool stop, bool others)
{
    sigemptyset(set);
    if (stop) {
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGINT);
    }
    if (others) {
        sigaddset(set, SIGHUP);
        sigaddset(set, SIGUSR2);
    }
}

void signals_start(void)
{
    sigset_t set;
    set_of(&set, true, true);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    CHECK(sigaction(SIGPIPE, &ignore, NULL) == 0);
}

void signals_block_all(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) sigdelset(&set, faults[i]);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static enum signals_event event_of(int sig)
{
    switch (sig) {
    case SIGTERM:
    case SIGINT:
        return SIGNALS_STOP;
    case SIGHUP:
        return SIGNALS_RELOAD;
    case SIGUSR2:
        return SIGNALS_RESTART;
    default: /* a number of the kernel's, not an enum of ours */
        return SIGNALS_NONE;
    }
}

/* One wait that may end early with SIGNALS_NONE. */
static enum signals_event wait_for(const sigset_t *set, uint64_t ms)
{
    struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
    int sig = sigtimedwait(set, NULL, &ts);
    CHECK(sig > 0 || errno == EAGAIN || errno == EINTR);
    return sig > 0 ? event_of(sig) : SIGNALS_NONE;
}

enum signals_event signals_wait(int timeout_ms)
{
    const uint64_t hour_ms = 3600 * 1000;
    uint64_t end = timeout_ms < 0 ? UINT64_MAX : clock_mono_ms() + (uint64_t)timeout_ms;
    sigset_t stop, all;
    set_of(&stop, true, false);
    set_of(&all, true, true);
    enum signals_event event = wait_for(&stop, 0); /* the kernel would give the lowest number */
    while (event == SIGNALS_NONE) {
        uint64_t now = clock_mono_ms();
        uint64_t left = end > now ? end - now : 0;
        event = wait_for(&all, left < hour_ms ? left : hour_ms);
        if (left == 0) break;
    }
    return event;
}

void signals_reset(void)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigaction(SIGPIPE, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
