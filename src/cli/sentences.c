/* SPDX-License-Identifier: MIT
 *
 * cli/sentences.c: a short list of texts.
 */
#include "cli/sentences.h"

struct buf *sentences_new(struct sentences *s)
{
    if (s->n < SENTENCES_MAX)
        s->n++;
    else
        BUF_ADD_LIT(&s->items[s->n - 1], "; ");
    return &s->items[s->n - 1];
}

void sentences_add(struct sentences *s, const char *text)
{
    buf_add_span(sentences_new(s), span_str(text));
}

bool sentences_failed(const struct sentences *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (buf_failed(&s->items[i])) return true;
    return false;
}

void sentences_fini(struct sentences *s)
{
    for (size_t i = 0; i < s->n; i++) buf_fini(&s->items[i]);
    s->n = 0;
}
