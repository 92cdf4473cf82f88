/* SPDX-License-Identifier: MIT
 *
 * base/rand.c: random bytes from the kernel, with a small reserve per thread.
 *
 * Socket ids need unguessable numbers and a storm of connections needs many of them, so a thread
 * fetches 32 numbers at a time. Used numbers are wiped. A child of fork() that does not exec would
 * repeat its parent's reserve; Peal has none.
 */
#include "base/rand.h"
#include "base/check.h"
#include <errno.h>
#include <sys/random.h>

void rand_bytes(void *p, size_t n)
{
    unsigned char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        CHECK(got > 0); /* there is no safe way to go on without */
        at += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    static _Thread_local uint64_t reserve[32]; /* 256 octets: getrandom gives them in one piece */
    static _Thread_local size_t left;
    if (left == 0) {
        rand_bytes(reserve, sizeof reserve);
        left = ARRAY_LEN(reserve);
    }
    uint64_t v = reserve[--left];
    reserve[left] = 0;
    return v;
}
