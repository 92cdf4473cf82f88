/* SPDX-License-Identifier: MIT
 * watch/explain_priv.h: what the files of the explainer share: explain.c (verdict, steps), hint.c
 * (who should have got it), hint_refused.c (why it was not taken), hint_name.c (names of events).
 */
#ifndef WATCH_EXPLAIN_PRIV_H
#define WATCH_EXPLAIN_PRIV_H
#include "pusher/chan_name.h"
#include "pusher/peer.h"
#include "watch/explain.h"

#define TEXT_MAX 120 /* octets of a name in a sentence */

/* A new hint to write a sentence into; without room the last one is written over. */
struct explain_hint *hint_add(struct explanation *ex, const char *code);
/* The text, short, for %.*s. */
static inline struct span shown(struct span text)
{
    return span_head(text, TEXT_MAX);
}
/* "shop" or "(unnamed)". */
struct span shown_name(struct span text);
/* Appends "3 s" or "250 ms". */
void add_time(struct buf *out, uint64_t ms);

/* The step of the explanation at which a refusal for this cause stands. */
const char *cause_step(enum fact_cause cause);

/* The name without what says its kind: "private-encrypted-a" is "a". */
struct span channel_base(struct span name);

void hint_refused(const struct known *k, struct explanation *ex);
void hint_audience(const struct known *k, struct explanation *ex);
void hint_names(const struct known *k, struct explanation *ex);
void hint_viewer(const struct known *k, struct explanation *ex);
#endif
