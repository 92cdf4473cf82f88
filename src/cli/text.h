/* SPDX-License-Identifier: MIT
 * cli/text.h: text from elsewhere, made safe for a terminal. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H
#include "base/buf.h"
#include <stdio.h>

/* Appends `s`; control characters (C0, DEL, C1) and octets that are no UTF-8 become \n, \t, \r or
 * \xNN, so that nothing can move the cursor or forge a line. */
void text_add_safe(struct buf *out, struct span s);
/* The same as a line of `to`; nothing where there is no memory for it. */
void text_print(FILE *to, struct span s);
/* Appends "12:34:56.789" of a Unix time, in local time. */
void text_add_clock(struct buf *out, uint64_t unix_ms);
#endif
