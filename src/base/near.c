/* SPDX-License-Identifier: MIT
 *
 * base/near.c: optimal string alignment distance (insert, delete, replace, swap neighbours) in
 * three rolling rows.
 */
#include "base/near.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned near_distance(struct span a, struct span b)
{
    a = span_head(a, NEAR_MAX);
    b = span_head(b, NEAR_MAX);
    unsigned rows[3][NEAR_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.n; j++) last[j] = before[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.p[j - 2]) && lower(a.p[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.n];
}

void near_try(struct near *near, struct span candidate)
{
    size_t n = near->word.n;
    if (n < 3 || n > NEAR_MAX || candidate.n == 0 || candidate.n > NEAR_MAX) return;
    unsigned allowed = (unsigned)(n < 6 ? 1 : n / 3), d = near_distance(near->word, candidate);
    if (d > allowed || (near->best.n && d >= near->_distance)) return;
    near->best = candidate;
    near->_distance = d;
}
