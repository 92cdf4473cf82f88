/* SPDX-License-Identifier: MIT
 * cli/man_page.h: the manual page peal(1), from the tables of the commands and of the options. */
#ifndef CLI_MAN_PAGE_H
#define CLI_MAN_PAGE_H

/* To stdout, for man (roff with the man macros). */
void man_page_print(void);
#endif
