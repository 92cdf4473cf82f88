/* SPDX-License-Identifier: MIT
 *
 * net/token.c: the accept token.
 *
 * Invariant under the lock: `_holder` has a seat, or nobody has one. The wake-up is sent under the
 * lock too, so a worker that has left can close its async handle without looking back.
 */
#include "net/token.h"

void token_init(struct token *t, unsigned n_workers)
{
    CHECK(n_workers >= 1 && n_workers <= TOKEN_SEATS);
    *t = (struct token) { ._n = n_workers, ._holder = n_workers };
    lock_init(&t->_lock);
}

void token_fini(struct token *t)
{
    CHECK(t->_holder == t->_n);
    lock_fini(&t->_lock);
}

bool token_join(struct token *t, unsigned worker, uv_async_t *wake)
{
    CHECK(worker < t->_n);
    lock_take(&t->_lock);
    t->_wake[worker] = wake;
    if (t->_holder == t->_n) t->_holder = worker;
    bool mine = t->_holder == worker;
    lock_drop(&t->_lock);
    return mine;
}

/* The next seat after `worker` that is taken; `worker` itself comes last; _n when all are free. */
static unsigned next_seat(const struct token *t, unsigned worker)
{
    for (unsigned i = 1; i <= t->_n; i++) {
        unsigned seat = (worker + i) % t->_n;
        if (t->_wake[seat]) return seat;
    }
    return t->_n;
}

/* Under the lock: hands the token on. */
static void hand_on(struct token *t, unsigned worker)
{
    t->_holder = next_seat(t, worker);
    if (t->_holder != t->_n && t->_holder != worker)
        CHECK(uv_async_send(t->_wake[t->_holder]) == 0);
}

void token_leave(struct token *t, unsigned worker)
{
    lock_take(&t->_lock);
    t->_wake[worker] = NULL;
    if (t->_holder == worker) hand_on(t, worker);
    lock_drop(&t->_lock);
}

bool token_pass(struct token *t, unsigned worker)
{
    lock_take(&t->_lock);
    CHECK(t->_holder == worker);
    hand_on(t, worker);
    bool stays = t->_holder == worker;
    lock_drop(&t->_lock);
    return stays;
}
