/* SPDX-License-Identifier: MIT
 *
 * watch/fact.h: what a worker remembers of publishes and refusals: rings of fixed size, always on.
 *
 * Pure, and its worker's own: nobody else touches it, so it needs neither locks nor atomics. A
 * publish costs one fact, a worker that hands it out one tally, a delivery nothing. Facts hold no
 * payload. There are three rings: what went well; what the app's back end should know (nobody was
 * there, a request of its own was refused); and what anybody can cause who has no secret. So
 * traffic does not push failures out before anybody asks, and neither do strangers.
 *
 * Ids are unique in the process: the worker in the upper 16 bits, a number that never restarts in
 * the others.
 */
#ifndef WATCH_FACT_H
#define WATCH_FACT_H
#include "base/err.h"
#include "base/span.h"
#include <stdatomic.h>

/* The kinds and their names (docs/internals/watch.md). */
#define FACT_KINDS(X)                                                                              \
    X(PUBLISH, "publish")                                                                          \
    X(PUBLISH_REFUSED, "publish-refused")                                                          \
    X(SUBSCRIBE_REFUSED, "subscribe-refused")                                                      \
    X(CLIENT_EVENT_REFUSED, "client-event-refused")                                                \
    X(CLIENT_REFUSED, "client-refused")                                                            \
    X(CONNECT_REFUSED, "connect-refused")                                                          \
    X(CUT, "cut")
enum fact_kind {
#define X(id, name) FACT_##id,
    FACT_KINDS(X)
#undef X
        FACT_N_KINDS
};

/* Where a publish came from. */
#define FACT_SOURCES(X)                                                                            \
    X(API, "api") X(BATCH, "batch") X(USER, "user") X(CLIENT, "client") X(ADMIN, "admin")
enum fact_source {
    FACT_SOURCE_NONE,
#define X(id, name) FACT_SOURCE_##id,
    FACT_SOURCES(X)
#undef X
        FACT_N_SOURCES
};

/* Why something was refused, for programs; people get `why`. */
enum fact_cause {
    CAUSE_NONE,
    CAUSE_ROUTE,        /* no such path or method */
    CAUSE_UNKNOWN_APP,  /* id or key */
    CAUSE_DISABLED_APP, /* enabled is false */
    CAUSE_AUTH,         /* a parameter of the signature is missing or malformed */
    CAUSE_KEY,          /* auth_key is another one */
    CAUSE_CLOCK,        /* auth_timestamp */
    CAUSE_SIGNATURE,
    CAUSE_BODY_MD5,
    CAUSE_TOO_BIG,
    CAUSE_BAD_DATA, /* JSON, members */
    CAUSE_BAD_CHANNEL,
    CAUSE_BAD_EVENT,
    CAUSE_RATE,
    CAUSE_OVERLOAD,
    CAUSE_NO_MEMORY,
    CAUSE_NOT_MEMBER, /* client event on a channel without a subscription */
    CAUSE_CLIENT_EVENTS_OFF,
    CAUSE_LIMIT,  /* of subscriptions, members, connections */
    CAUSE_ORIGIN, /* allowed_origins */
    CAUSE_SLOW,
    CAUSE_OTHER,
    CAUSE_N,
};

#define FACT_ID_WORKER_SHIFT 48
#define FACT_MAX_CUT_CHANNELS 8

struct fact {
    uint64_t id;        /* 0: the place is free */
    uint64_t at_ms;     /* monotonic */
    uint64_t request;   /* id of the first fact of the same request */
    uint64_t socket_id; /* of the client that caused it; 0: none */
    uint64_t exclude;   /* socket_id of the request; 0: none */
    uint64_t seq;       /* of the channel's stripe: who joined at this number or later came after */
    uint64_t hash;      /* of the channel; 0: none */
    const char *app;    /* the app's id, which lives as long as the server; NULL: in the text */
    uint32_t app_n;
    uint32_t of;         /* publishes of the request */
    uint32_t n_subs;     /* matched */
    uint32_t data_bytes; /* PUBLISH: of the data; CUT: that were thrown away */
    uint16_t n_workers;  /* that had some of them */
    uint16_t status;     /* HTTP */
    uint16_t code;       /* protocol */
    uint8_t kind, source, cause;
    bool cached;    /* the channel keeps it for those who come */
    bool shortened; /* a name or `why` did not fit */
    uint16_t channel_n, event_n, why_n;
}; /* its text follows: channel, event (the JSON string's inside), the app where unknown, why */

/* What one worker did with one publish. */
struct fact_tally {
    uint64_t fact;
    uint32_t delivered, excluded, later;
};

/* A connection that ended, so that its socket id still means something for a while. */
struct fact_end {
    uint64_t socket_id, at_ms;
    const char *app; /* as in struct fact */
    uint32_t app_n;
    uint16_t code; /* 0: it went without a close frame */
    bool ours;     /* we closed it */
};

/* A channel whose last subscription ended. */
struct fact_vacated {
    uint64_t channel; /* a number that stands for app and name */
    uint64_t at_ms;   /* 0: there is none */
    uint64_t socket_id;
};

/* What is to be remembered. Texts are borrowed for the call. */
struct fact_note {
    struct fact fact;     /* id 0: one is given; text and its lengths are filled */
    struct span app;      /* an id that lives on; p == NULL: none */
    struct span app_text; /* else what was named instead */
    struct span channel;
    struct span event_raw; /* a JSON string token with its quotes, or empty */
    struct span why;
};

/* Failures come first, so that who wants them alone stops at FACT_RING_OK. */
enum fact_ring {
    FACT_RING_FAILED,
    FACT_RING_STRANGERS, /* clients, and requests whose signature was not right */
    FACT_RING_OK,
    FACT_N_RINGS,
};

struct facts;
/* `n_workers`: how many hand out what this one and the others publish. */
enum err facts_new(struct facts **out, unsigned worker, unsigned n_workers) MUST_USE;
void facts_free(struct facts *facts); /* NULL allowed */

/* The id of a fact that will be added. */
uint64_t facts_take_id(struct facts *facts);
/* Adds; the ring is FACT_RING_OK where it `went_well`. Returns its id. */
uint64_t facts_add(struct facts *facts, const struct fact_note *note, bool went_well);
void facts_tally(struct facts *facts, const struct fact_tally *tally);
void facts_end(struct facts *facts, const struct fact_end *end);
void facts_vacated(struct facts *facts, const struct fact_vacated *vacated);

/* --- questions, on the worker's thread --- */
struct span fact_app(const struct fact *f);
struct span fact_channel(const struct fact *f);
struct span fact_event_raw(const struct fact *f); /* the inside of a JSON string */
struct span fact_why(const struct fact *f);
size_t fact_size(const struct fact *f); /* octets, with its text */
const char *fact_kind_name(unsigned kind);
const char *fact_source_name(unsigned source); /* NULL: none */

/* Facts of one ring from the newest on: NULL at the end. `*pos` starts at 0. Do not add
 * meanwhile. */
const struct fact *facts_next(const struct facts *facts, enum fact_ring ring, uint32_t *pos);
uint32_t facts_kept(enum fact_ring ring); /* how many a ring holds */
/* The newest id; its number is 0 where there was none yet. */
uint64_t facts_last_id(const struct facts *facts);
/* The oldest moment from which on nothing has been forgotten; 0: nothing was yet. */
uint64_t facts_since_ms(const struct facts *facts);
/* NULL: unknown, or forgotten. */
const struct fact *facts_find(const struct facts *facts, uint64_t id);
const struct fact_tally *facts_next_tally(const struct facts *facts, uint32_t *pos);
const struct fact_end *facts_find_end(const struct facts *facts, uint64_t socket_id);
/* The last one up to that moment. */
const struct fact_vacated *facts_find_vacated(const struct facts *facts, uint64_t channel,
                                              uint64_t until_ms);
#endif
