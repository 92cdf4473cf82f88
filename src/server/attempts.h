/* SPDX-License-Identifier: MIT
 *
 * server/attempts.h: the brake for those who guess passwords.
 *
 * Each address has a few attempts free, then waits twice as long after each failure. All addresses
 * together may fail so often, too; of that, a half is kept for addresses that have not failed
 * lately, and a browser that has logged in before (a device) counts for itself alone. So who
 * guesses from one address locks out nobody else; who has ever new addresses (an IPv6 /48 is
 * enough) locks out those who were never in, as long as he goes on, and nobody else. The table has
 * a fixed size: who makes it overflow with addresses is braked by what all may do together.
 *
 * No clock: the time is passed in. Not thread-safe.
 */
#ifndef SERVER_ATTEMPTS_H
#define SERVER_ATTEMPTS_H
#include "base/span.h"

#define ATTEMPTS_FREE 5 /* failures without a wait, for each */
#define ATTEMPTS_FIRST_WAIT_MS 1000
#define ATTEMPTS_MAX_WAIT_MS 60000
#define ATTEMPTS_FORGET_MS 3600000 /* after the last wait is over */
#define ATTEMPTS_BURST 30          /* of all together */
#define ATTEMPTS_REFILL_MS 2000    /* one more for all */

#define ATTEMPTS_SETS 128
#define ATTEMPTS_WAYS 4

struct attempts_who {
    uint8_t key[16]; /* an address, or what names the device */
    bool device;
};

struct attempts_row {
    uint8_t key[16];
    uint64_t next_ms;   /* no attempt before that */
    uint64_t forget_ms; /* free from then on; 0: never used */
    uint32_t n_failed;
    bool device;
};

struct attempts { /* zeroed to begin with */
    struct attempts_row _rows[ATTEMPTS_SETS][ATTEMPTS_WAYS];
    uint64_t _refilled_ms;
    uint32_t _n_used; /* of ATTEMPTS_BURST */
};

/* Whether there may be an attempt now: 0, and it counts as failed until attempts_good() says
 * otherwise; or for how many ms there may be none. `now_ms` > 0. */
uint64_t attempts_try(struct attempts *a, const struct attempts_who *who, uint64_t now_ms);
/* It was the right password: his failures are forgotten. */
void attempts_good(struct attempts *a, const struct attempts_who *who);
/* The last attempt was none: nothing could be looked at. */
void attempts_undo(struct attempts *a, const struct attempts_who *who);
/* How often he has failed. */
uint32_t attempts_failed(struct attempts *a, const struct attempts_who *who);

/* Who an address is; of IPv6 its /64, which is what one customer has. Texts that are no address are
 * one and the same. */
struct attempts_who attempts_address(struct span text);
#endif
