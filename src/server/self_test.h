/* SPDX-License-Identifier: MIT
 *
 * server/self_test.h: an event that goes round through all workers every few seconds, so that
 * /ready can say whether publishing works and not only whether the process lives.
 *
 * Each worker publishes it by a signed request to the HTTP API, to a channel that the next worker
 * has a subscriber of: request, signature, directory, mailbox, fan-out, socket. The subscriber is
 * an ordinary connection over a pair of sockets; when the event has come out of it, that worker
 * publishes to the one after it. So one timer (of worker 0) and one wake-up for each worker test
 * them all, and where the event stays away it is known how far it came.
 *
 * It goes through an app of the server's own, which is in no set of apps, and whose key and secret
 * nobody knows: no list, no limit, no statistics, nothing that is remembered.
 */
#ifndef SERVER_SELF_TEST_H
#define SERVER_SELF_TEST_H
#include "base/lock.h"
#include "net/poller.h"
#include "server/internal_app.h"

struct buf;
struct server;
struct worker;

/* The server's part. */
struct self_test {
    /* Worker 0's: how often, after what time without an answer it has failed, when the next is due.
     */
    uint64_t every_ms, late_ms, next_ms;
    struct internal_app app;
    uint64_t _began_ns;
    uint64_t _round;
    _Atomic uint64_t _good_ms, _took_us; /* of the last that came back; 0: none did */
    _Atomic uint64_t _waiting_ms;        /* since when one is awaited; 0: none is */
    _Atomic uint64_t _n_good;
    _Atomic unsigned _at; /* the worker that has it, or to which it is on its way */
    struct lock _lock;
    char _why[160]; /* it was refused, since one came back last; "": it was not */
};

enum err self_test_new(struct self_test **out) MUST_USE;
void self_test_free(struct self_test *st); /* NULL allowed; after all connections */

/* False: an event has been away for too long. Any thread. */
bool self_test_ok(const struct self_test *st);
/* Appends a sentence without full stop: "the last publish came back 3 s ago in 0.2 ms". */
void self_test_text(struct self_test *st, struct buf *out);
/* Since when the last one is back; false: none came back yet. Any thread, as the two after it. */
bool self_test_age_ms(const struct self_test *st, uint64_t *age_ms);
uint64_t self_test_took_us(const struct self_test *st); /* of the last one */
uint64_t self_test_count(const struct self_test *st);   /* how many came back */

/* --- a worker's end of it; on its thread, or before that runs --- */
struct self_test_end;
/* What cannot be opened is tried again later. ERR_NOMEM: there is none at all. */
enum err self_test_open(struct worker *w) MUST_USE;
/* Timers phase. */
void self_test_step(struct worker *w);
uint64_t self_test_deadline_ms(const struct worker *w);
/* The worker begins to end: its connection goes, and nothing is passed on any more. */
void self_test_stop(struct worker *w);
void self_test_close(struct worker *w); /* after its connections */
#endif
