/* SPDX-License-Identifier: MIT
 *
 * server/aside.h: work that takes long and computes only, off the workers' loops: one piece at a
 * time, on a thread that is made when the first piece comes. Few pieces may wait, so whoever asks
 * for more than is done is told so at once and holds no memory here.
 */
#ifndef SERVER_ASIDE_H
#define SERVER_ASIDE_H
#include "base/err.h"
#include "base/list.h"

#define ASIDE_MAX_WAITING 4

struct aside;

/* The caller's, until `done` is called. */
struct aside_job {
    struct list link;
    void (*run)(struct aside_job *job); /* on the thread; not called where the server ends before */
    void (*done)(struct aside_job *job);
};

enum err aside_new(struct aside **out) MUST_USE;
/* Any thread. ERR_BUSY: too many wait; ERR_NOMEM: there is no thread. Then nothing is called. */
enum err aside_do(struct aside *a, struct aside_job *job) MUST_USE;
/* Ends the thread: what runs is finished, of all else only `done` is called, here. Then it can be
 * used again. Not while others call aside_do(). */
void aside_stop(struct aside *a);
void aside_free(struct aside *a); /* stops, too; NULL allowed */
#endif
