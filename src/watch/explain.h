/* SPDX-License-Identifier: MIT
 *
 * watch/explain.h: from a fact, and what is known now, to what happened and why: a verdict, a
 * sentence, the steps in order, and hints, the likeliest cause first.
 *
 * Pure: everything comes in by `struct known`; who asks collects it from the workers and the
 * directory. All of it is borrowed and must outlive the explanation.
 */
#ifndef WATCH_EXPLAIN_H
#define WATCH_EXPLAIN_H
#include "base/buf.h"
#include "watch/fact.h"

#define EXPLAIN_MAX_HINTS 12
#define EXPLAIN_MAX_STEPS 6

#define VERDICTS(X)                                                                                \
    X(DELIVERED, "delivered")                                                                      \
    X(PARTLY, "partly")                                                                            \
    X(EXCLUDED, "excluded")                                                                        \
    X(NOBODY, "nobody")                                                                            \
    X(REFUSED, "refused")                                                                          \
    X(CACHED, "cached")                                                                            \
    X(UNDER_WAY, "under-way")                                                                      \
    X(CUT, "cut")
enum explain_verdict {
#define X(id, name) EXPLAIN_##id,
    VERDICTS(X)
#undef X
};
const char *explain_verdict_name(enum explain_verdict verdict);

/* An occupied channel, or the same channel of another app. */
struct known_channel {
    struct span name; /* or the app's id */
    uint32_t n_subs;
};

struct known_name {
    struct span raw; /* the inside of a JSON string */
    uint32_t count;
};

/* Where a socket is now. */
struct known_socket {
    uint64_t id; /* 0: nobody asks */
    enum { SOCKET_NOWHERE, SOCKET_OPEN, SOCKET_ENDED } state;
    struct span app;      /* of which app; OPEN and ENDED */
    bool subscribed;      /* OPEN: to the fact's channel */
    bool later;           /* and that after the event */
    uint64_t ended_ms;    /* ENDED */
    unsigned code;        /* ENDED: 0 where it went without a word */
    bool got_out_of_time; /* OPEN and subscribed: it is not known since when */
};

/* All workers' tallies of a fact together. */
struct known_tally {
    uint32_t delivered, excluded, later;
    uint32_t n_workers;
};

struct known {
    const struct fact *fact;
    struct known_tally tally;
    struct span app; /* the app's id, or what was named instead */
    bool app_known;
    struct span key_of;               /* the app whose key was given as an id; p == NULL: none */
    const struct known_channel *apps; /* ids of all apps; n_subs: of the fact's channel there */
    size_t n_apps;
    const struct known_channel *channels; /* occupied ones of the app */
    size_t n_channels;
    const struct known_name *names; /* that the app's clients were sent */
    size_t n_names;
    const struct fact *const *related; /* refusals and cuts, newest first */
    size_t n_related;
    struct known_socket excluded, viewer;
    uint32_t n_now, n_later;     /* on the channel now; of these, who came after the event */
    uint64_t occupied_ms;        /* since when somebody is there; 0: nobody is */
    struct fact_vacated vacated; /* the last time before the event that nobody was left */
};

struct explain_hint {
    const char *code; /* static */
    struct buf text;
    struct span channel; /* what it points at; p == NULL: nothing */
    uint32_t n_subs;
};

struct explain_step {
    const char *step; /* static */
    bool ok;
    struct buf text;
};

struct explanation {
    enum explain_verdict verdict;
    struct buf summary;
    struct explain_step steps[EXPLAIN_MAX_STEPS];
    size_t n_steps;
    struct explain_hint hints[EXPLAIN_MAX_HINTS];
    size_t n_hints;
};

/* Only the verdict and the summary, which need the fact and its tally alone. */
enum explain_verdict explain_summary(const struct fact *fact, const struct known_tally *tally,
                                     struct buf *out);
/* Fills `out`; finish it with explanation_fini. Texts may have failed for want of memory. */
void explain(const struct known *known, struct explanation *out);
void explanation_fini(struct explanation *ex);
#endif
