/* SPDX-License-Identifier: MIT
 *
 * server/admin_known.h: what the explainer wants to know of one fact, collected from the workers
 * and the directory (admin_explain.c asks, src/watch/ explains).
 */
#ifndef SERVER_ADMIN_KNOWN_H
#define SERVER_ADMIN_KNOWN_H
#include "server/ask.h"
#include "watch/filter.h"
#include "watch/show.h"

struct fact_index {
    uint64_t id;
    uint32_t index; /* in question.facts */
};

/* What is asked, and what was found so far. */
struct question {
    struct watch_filter filter; /* its texts lie in `text` */
    struct buf text;
    size_t limit;
    bool failed;     /* only what was refused or reached nobody */
    uint64_t id;     /* one fact; 0: those that fit the filter */
    uint64_t viewer; /* a socket that should have got it; 0: none */
    unsigned tries;  /* rounds that may still be waited for the workers */
    uint64_t *after; /* by worker: only facts after this one; NULL: all */
    unsigned n_after;
    /* after the first round: */
    struct app *app; /* of the one fact; NULL: not known (any more) */
    struct buf *copies;
    unsigned n_copies;
    const struct fact **facts; /* into the copies, newest first */
    size_t n;
    struct fact_index *by_id; /* sorted */
    struct known_tally *tallies;
    uint64_t since_ms;
    uint64_t *last; /* by worker: its newest fact */
};

/* Facts one after the other, each at a multiple of eight. */
void known_add_fact(const struct fact *f, struct buf *out);
struct buf_reader {
    const char *p, *end;
};
const struct fact *known_next_fact(struct buf_reader *r); /* NULL at the end */
void known_add_tally(struct known_tally *sum, const struct fact_tally *tally);

/* A round about the one fact: what this worker knows. */
void known_collect(struct worker *w, const struct ask *ask, struct buf *out);
/* After it: all workers have handed the event out. */
bool known_is_done(const struct ask *ask);
/* Appends the explanation. */
enum err known_explain(struct ask *ask, struct buf *json) MUST_USE;
#endif
