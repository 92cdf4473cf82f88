/* SPDX-License-Identifier: MIT
 *
 * net/token.h: which worker may accept on a shared socket: one at a time, in turns.
 *
 * Not EPOLLEXCLUSIVE: it has no effect inside a nested epoll set (docs/decisions/0007), so each
 * client would wake all workers. A lock and not an atomic index: leaving while the token arrives
 * would lose it, and it is taken once per batch of accepts. Any thread may call any function.
 */
#ifndef NET_TOKEN_H
#define NET_TOKEN_H
#include "base/check.h"
#include "base/lock.h"
#include <uv.h>

#define TOKEN_SEATS 256

struct token {
    struct lock _lock;
    uv_async_t *_wake[TOKEN_SEATS]; /* NULL: has not joined */
    unsigned _n;                    /* seats in use at most */
    unsigned _holder;               /* _n: nobody */
};

void token_init(struct token *t, unsigned n_workers); /* 1–TOKEN_SEATS */
void token_fini(struct token *t);                     /* all have left */

/* Takes a seat; `wake` is borrowed until token_leave() and called when the token comes. Idempotent.
 * True when `worker` holds the token now (because nobody else was there, or already before). */
bool token_join(struct token *t, unsigned worker, uv_async_t *wake) MUST_USE;

/* Leaves; the token, if held, goes to the next. Idempotent. */
void token_leave(struct token *t, unsigned worker);

/* The holder gives the token to the next one that has joined. True: there is no other, it stays. */
bool token_pass(struct token *t, unsigned worker) MUST_USE;
#endif
