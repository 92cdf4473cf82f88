/* SPDX-License-Identifier: MIT
 *
 * store/when.c: days from civil and back (Howard Hinnant, chrono-compatible low-level date
 * algorithms), for years from 1970 to 9999.
 */
#include "store/when.h"
#include "base/check.h"
#include <stdio.h>

#define DAY_S 86400
#define LAST_S 253402300799ULL /* 9999-12-31 23:59:59 */

struct civil {
    unsigned year, month, day;
};

/* Years begin in March here, so that the leap day is the last one. */
static struct civil civil_of(uint64_t days)
{
    uint64_t z = days + 719468; /* since 0000-03-01 */
    uint64_t era = z / 146097, day_of_era = z % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t from_march = (5 * day_of_year + 2) / 153;
    uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    return (struct civil) {
        .year = (unsigned)(year_of_era + era * 400 + (month <= 2)),
        .month = (unsigned)month,
        .day = (unsigned)(day_of_year - (153 * from_march + 2) / 5 + 1),
    };
}

static uint64_t days_of(struct civil c)
{
    uint64_t year = c.year - (c.month <= 2);
    uint64_t era = year / 400, year_of_era = year % 400;
    uint64_t from_march = c.month > 2 ? c.month - 3 : c.month + 9;
    uint64_t day_of_year = (153 * from_march + 2) / 5 + c.day - 1;
    uint64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct span when_text(uint64_t unix_s, char out[WHEN_TEXT_MAX])
{
    if (unix_s > LAST_S) unix_s = LAST_S;
    struct civil c = civil_of(unix_s / DAY_S);
    unsigned s = (unsigned)(unix_s % DAY_S);
    int n = snprintf(out, WHEN_TEXT_MAX, "%04u-%02u-%02u %02u:%02u:%02u", c.year, c.month, c.day,
                     s / 3600, s / 60 % 60, s % 60);
    CHECK(n == 19);
    return span_of(out, (size_t)n);
}

/* `n` digits at `at`. */
static bool digits(struct span s, size_t at, size_t n, unsigned *out)
{
    uint64_t v;
    if (!span_to_u64(span_of(s.p + at, n), &v)) return false;
    *out = (unsigned)v;
    return true;
}

static bool is_day(struct civil c)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (c.year % 4 == 0 && c.year % 100 != 0) || c.year % 400 == 0;
    if (c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1) return false;
    return c.day <= days[c.month - 1] + (c.month == 2 && leap ? 1U : 0U);
}

static bool has_separators(struct span s)
{
    if (s.n < 19 || s.p[4] != '-' || s.p[7] != '-' || s.p[13] != ':' || s.p[16] != ':')
        return false;
    return (s.p[10] == ' ' || s.p[10] == 'T') && (s.n == 19 || s.p[19] == '.');
}

bool when_parse(struct span text, uint64_t *unix_s)
{
    struct civil c;
    unsigned h, m, s;
    if (!has_separators(text)) return false;
    if (!digits(text, 0, 4, &c.year) || !digits(text, 5, 2, &c.month) ||
        !digits(text, 8, 2, &c.day) || !is_day(c))
        return false;
    if (!digits(text, 11, 2, &h) || !digits(text, 14, 2, &m) || !digits(text, 17, 2, &s))
        return false;
    if (h > 23 || m > 59 || s > 59) return false;
    *unix_s = days_of(c) * DAY_S + h * 3600 + m * 60 + s;
    return true;
}
