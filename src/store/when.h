/* SPDX-License-Identifier: MIT
 *
 * store/when.h: points in time as the table has them: "2026-01-31 23:59:59", UTC, as Laravel writes
 * created_at with its own default time zone. Pure, and independent of the process's time zone.
 */
#ifndef STORE_WHEN_H
#define STORE_WHEN_H
#include "base/span.h"

#define WHEN_TEXT_MAX 24

/* Seconds since 1970 -> text with a NUL behind it; up to the end of the year 9999, later is that.
 */
struct span when_text(uint64_t unix_s, char out[WHEN_TEXT_MAX]);
/* The reverse; a fraction of a second behind it ("….123") is dropped, a T may stand for the space.
 * False: not a time, or one before 1970. */
bool when_parse(struct span text, uint64_t *unix_s);
#endif
