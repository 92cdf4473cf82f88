/* SPDX-License-Identifier: MIT
 * base/near.h: the nearest of several names, for "did you mean". Pure. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H
#include "base/span.h"

#define NEAR_MAX 80 /* longer words are near nothing */

/* Zero but for `word`, feed the candidates, read `best` (n == 0: none is near enough). */
struct near {
    struct span word;
    struct span best; /* borrows from the candidate */
    unsigned _distance;
};
/* Near: at most a third of the letters (but always one, from three letters on) inserted, left out,
 * replaced or swapped with their neighbour; case does not count. The first of equals wins. */
void near_try(struct near *near, struct span candidate);
/* How many letters are inserted, left out, replaced or swapped with their neighbour between the
 * two, of the first NEAR_MAX. */
unsigned near_distance(struct span a, struct span b);
#endif
