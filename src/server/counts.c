/* SPDX-License-Identifier: MIT
 * server/counts.c: see counts.h. The first codes are the frequent ones: a publish is found at once.
 */
#include "server/counts.h"

const uint16_t counts_statuses[COUNTS_CODES] = { 200, 401, 400, 403, 404, 405, 408, 411, 413,
                                                 414, 417, 426, 429, 431, 500, 501, 503, 505 };
const uint16_t counts_codes[COUNTS_CODES] = { 1000, 1001, 4009, 4301, 4100, 4201, 4200,
                                              4001, 4003, 4004, 4302, 1002, 1003, 1007,
                                              1008, 1009, 1011, 401,  400 };

void count_code(struct counts_by_code *counts, const uint16_t codes[COUNTS_CODES], unsigned code)
{
    unsigned i = 0;
    while (codes[i] && codes[i] != code) i++;
    count_add(&counts->n[i], 1);
}
