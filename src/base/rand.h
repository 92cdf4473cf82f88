/* SPDX-License-Identifier: MIT
 * base/rand.h: random bytes from the kernel (getrandom). Not for pure layers: they get passed what
 * they need. */
#ifndef BASE_RAND_H
#define BASE_RAND_H
#include <stddef.h>
#include <stdint.h>
void rand_bytes(void *p, size_t n); /* aborts if the kernel refuses */
uint64_t rand_u64(void);            /* from a small per-thread reserve: no system call each time */
#endif
