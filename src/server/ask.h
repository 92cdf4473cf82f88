/* SPDX-License-Identifier: MIT
 *
 * server/ask.h: one question to all workers, for an answer of the admin listener. Each collects on
 * its own thread; when the last one has, the asking worker goes on: with another round, or with the
 * answer.
 */
#ifndef SERVER_ASK_H
#define SERVER_ASK_H
#include "server/conn.h"

struct ask;
/* On each worker's thread. `out` is that worker's, empty; the context must not be changed. */
typedef void ask_collect(struct worker *w, const struct ask *ask, struct buf *out);
/* On the asking worker's thread, when all have collected. Asks again or answers. */
typedef void ask_done(struct ask *ask);

struct ask_part {
    struct task task;
    struct ask *ask;
    struct buf got;
};

struct ask {
    struct task reply;
    struct conn *conn; /* waits until it is answered; may be dead by then */
    struct worker *home;
    void *ctx;
    void (*free_ctx)(void *ctx);
    ask_collect *collect;
    ask_done *done;
    _Atomic unsigned n_open;
    unsigned n_parts;
    struct ask_part parts[];
};

/* Takes `ctx`, also on failure (NULL, no memory). */
struct ask *ask_new(struct conn *c, void *ctx, void (*free_ctx)(void *ctx)) MUST_USE;
void ask_round(struct ask *ask, ask_collect *collect, ask_done *done);
/* Nobody waits for the answer any more. */
bool ask_is_vain(const struct ask *ask);
/* Answers and frees. Takes the content of `json`. */
void ask_answer(struct ask *ask, unsigned status, struct buf *json);
void ask_fail(struct ask *ask, unsigned status, struct span why);
/* All parts' elements as one JSON array. */
void ask_join(const struct ask *ask, struct buf *out);
#endif
