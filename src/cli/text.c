/* SPDX-License-Identifier: MIT
 *
 * cli/text.c: escapes what a terminal would obey.
 */
#include "cli/text.h"
#include "base/utf8.h"
#include <time.h>

static void escape(struct buf *out, unsigned char c)
{
    static const char names[] = "\n\t\r", letters[] = "ntr";
    const char *at = c ? strchr(names, c) : NULL;
    if (at)
        buf_add_fmt(out, "\\%c", letters[at - names]);
    else
        buf_add_fmt(out, "\\x%02x", c);
}

void text_add_safe(struct buf *out, struct span s)
{
    for (size_t n; s.n; s = span_skip(s, n)) {
        unsigned char c = (unsigned char)s.p[0];
        n = utf8_char(s.p, s.n);
        bool c1 = n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0;
        if (n > 0 && c >= 0x20 && c != 0x7f && !c1) {
            buf_add(out, s.p, n);
            continue;
        }
        n = c1 ? 2 : 1;
        for (size_t i = 0; i < n; i++) escape(out, (unsigned char)s.p[i]);
    }
}

void text_print(FILE *to, struct span s)
{
    struct buf line = { 0 };
    text_add_safe(&line, s);
    buf_add_byte(&line, '\n');
    if (!buf_failed(&line)) fwrite(line.p, 1, line.n, to);
    buf_fini(&line);
}

void text_add_clock(struct buf *out, uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;
    char clock[16] = "--:--:--";
    if (localtime_r(&seconds, &tm)) strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    buf_add_fmt(out, "%s.%03u", clock, (unsigned)(unix_ms % 1000));
}
