/* SPDX-License-Identifier: MIT
 *
 * net/signals.h: signals as return values of the main thread; nothing ever runs in a handler.
 *
 * The signals that we act on are blocked everywhere and fetched by the main thread with
 * sigtimedwait(). All other threads block all that can be blocked, so a signal never interrupts a
 * worker.
 */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H
#include <stdint.h>

enum signals_event {
    SIGNALS_NONE,    /* the time is over */
    SIGNALS_STOP,    /* SIGTERM, SIGINT */
    SIGNALS_RELOAD,  /* SIGHUP */
    SIGNALS_RESTART, /* SIGUSR2 */
};

/* First thing of the main thread, before any other exists: blocks the signals above (threads
 * inherit that) and ignores SIGPIPE. */
void signals_start(void);

/* First thing of each other thread: blocks all but the ones that a fault raises. */
void signals_block_all(void);

/* The main thread: the next signal, those that came before the call included; at most
 * `timeout_ms`, for ever when negative. Of several that wait, stop comes first. */
enum signals_event signals_wait(int timeout_ms);

/* In a child between fork and exec: nothing blocked, nothing ignored. Async-signal-safe. */
void signals_reset(void);
#endif
