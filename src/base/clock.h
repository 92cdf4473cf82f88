/* SPDX-License-Identifier: MIT
 * base/clock.h: the only reader of clocks. Pure layers get `now` passed in. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdint.h>
uint64_t clock_mono_ms(void); /* monotonic, arbitrary start */
uint64_t clock_mono_ns(void);
uint64_t clock_unix_ms(void);   /* wall clock, since 1970 */
uint64_t clock_thread_ns(void); /* CPU time of the calling thread */
uint64_t clock_unix_s(void);    /* the same in whole seconds, up to one tick (10 ms) behind */
#endif
