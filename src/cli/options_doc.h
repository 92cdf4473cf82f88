/* SPDX-License-Identifier: MIT
 * cli/options_doc.h: docs/options.md, made from the option table. */
#ifndef CLI_OPTIONS_DOC_H
#define CLI_OPTIONS_DOC_H
void options_doc_print(void); /* to stdout */
#endif
