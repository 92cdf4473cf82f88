/* SPDX-License-Identifier: MIT
 *
 * cli/sentences.h: a few sentences for people, gathered before they are printed. Pure.
 */
#ifndef CLI_SENTENCES_H
#define CLI_SENTENCES_H
#include "base/buf.h"

#define SENTENCES_MAX 10

/* Zero it first. */
struct sentences {
    struct buf items[SENTENCES_MAX];
    size_t n;
};

/* Where the next one goes; when there is no more room, behind the last. */
struct buf *sentences_new(struct sentences *s);
void sentences_add(struct sentences *s, const char *text);
bool sentences_failed(const struct sentences *s);
void sentences_fini(struct sentences *s);
#endif
