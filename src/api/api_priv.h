/* SPDX-License-Identifier: MIT
 *
 * api/api_priv.h: what the files of the HTTP API share: api.c (head, finish), api_verify.c (the
 * checks of the head), api_guess.c (why a signature is wrong), api_event.c (reading events),
 * api_publish.c (sending them), api_show.c (the questions), api_answer.c (responses and words).
 */
#ifndef API_API_PRIV_H
#define API_API_PRIV_H
#include "api/api.h"
#include "api/api_query.h"
#include "api/api_route.h"

/* What the head of a request came to. Kept in the call; the words are made when it is answered. */
enum verdict {
    VERDICT_OK,
    VERDICT_NOMEM,
    VERDICT_TARGET,    /* the target is no path */
    VERDICT_NO_ROUTE,  /* 404 */
    VERDICT_PREFLIGHT, /* OPTIONS */
    VERDICT_METHOD,    /* 405 */
    VERDICT_UPGRADE,   /* 426 */
    VERDICT_NO_APP,    /* 404 */
    VERDICT_DISABLED,  /* 403 */
    VERDICT_PARAMS,    /* too many; measured: how many */
    VERDICT_MISSING,   /* detail: which of verify_params */
    VERDICT_DOUBLED,   /* likewise */
    VERDICT_KEY,
    VERDICT_VERSION,
    VERDICT_TIMESTAMP, /* not a number */
    VERDICT_SKEW,      /* measured: seconds that it is ahead of us */
    VERDICT_SIGNATURE,
};

#define INFO_USERS 1
#define INFO_SUBS 2
#define INFO_CACHE 4

/* A channel that an event goes to, and its counts at that moment. */
struct target {
    struct span name;
    struct chan_kind kind;
    uint32_t n_subs, n_users;
};

/* An event to publish; of a batch, one of several. */
struct event {
    struct span name_raw, data_raw; /* JSON tokens */
    uint64_t exclude;
    size_t first, n_targets; /* in api->targets */
    unsigned info;           /* INFO_… */
};

struct api {
    struct api_settings set;
    /* Scratch of one api_head or api_finish: */
    struct query query;
    struct buf text;  /* decoded and unescaped values; its room is taken at once, so it never moves
                       * while spans point into it */
    struct buf token; /* JSON tokens made of query parameters; the same */
    struct buf words; /* the sentence of a refusal */
    struct buf json;  /* the body of the answer */
    struct target *targets;
    struct event *events;
    size_t n_targets, cap_targets, n_events, cap_events;
    /* Wrong signatures that were looked into in the second guess_s: */
    uint64_t guess_s;
    unsigned n_guessed;
};

/* The rate of publishes, for headers; active when limit > 0. */
struct rate {
    uint32_t limit, left;
};

struct answer {
    uint16_t status;
    struct span type, body;
    struct rate rate;
    bool retry; /* Retry-After: 1 */
    bool allow; /* Allow, of the route */
    bool page;  /* for a browser's window: no CORS, a strict policy */
};

/* A request while it is looked at; lives on the stack. */
struct request {
    struct api *api;
    const struct http1_req *req;
    struct api_call *call;
    struct app *app;
    struct url_target target; /* this, the next and api->query: empty before read_target */
    struct route_args args;
    struct span body;
    struct buf *out;
    struct answer answer;
    uint64_t first_fact;       /* of its publishes; 0: none yet */
    struct span channel, name; /* what a refusal is about; name: a JSON token */
    uint8_t cause;             /* of it, where the answer's status does not say it */
};

/* api_note.c: remembers that the request was refused, where it was to publish something. */
void note_refusal(struct request *r);

/* --- api_verify.c --- */
/* All checks of the head, in the order of protocol page 4.1. Sets call->app, _detail, _measured and
 * _reading. */
enum verdict verify_head(struct request *r, uint64_t unix_s);
/* The body against body_md5. True, or a refusal is made. */
bool verify_body(struct request *r);
/* Appends why the signature or a parameter of it was refused. */
void verify_words(struct request *r, enum verdict verdict, struct buf *words);

/* --- api_guess.c --- */
/* How many wrong signatures of a second are looked into, for each worker. */
#define GUESSES_A_SECOND 10
/* Whether the next one is; counts it. `unix_s`: any clock of seconds. */
bool guess_admit(struct api *api, uint64_t unix_s);
/* Appends why the signature does not match: which part differs, where call->_guess allows to look
 * for it, and what was expected. */
void guess_words(struct request *r, struct buf *words);

/* --- api_event.c --- */
/* Reads and checks the request's events into api->events and api->targets. True, or a refusal is
 * made. */
bool read_event(struct request *r);
bool read_batch(struct request *r);
/* For one user: the channel is given, not read. */
bool read_user_event(struct request *r);

/* --- api_publish.c --- */
void publish_event(struct request *r);
void publish_batch(struct request *r);
void publish_to_user(struct request *r);
void terminate_user(struct request *r);

/* --- api_show.c --- */
void show_channels(struct request *r);
void show_channel(struct request *r);
void show_users(struct request *r);
void show_connections(struct request *r);

/* --- api_answer.c --- */
/* The words are collected in api->words, then: */
void answer_error(struct request *r, unsigned status);
void answer_static(struct request *r, struct span json); /* 200 */
void answer_json(struct request *r);                     /* 200 with api->json */
void answer_no_memory(struct request *r);
bool answer_is_no_memory(const struct answer *answer);
enum err answer_write(struct request *r, struct http1_reply to);
/* Appends text that came from outside, cut to `max` octets, with what is not UTF-8 replaced. */
void add_clean(struct buf *b, struct span text, size_t max);
/* The same in single quotes, short. */
void add_quoted(struct buf *b, struct span text);
/* What was sent where a key or an id belongs, in single quotes; an app's secret is not repeated,
 * but said to be one. True where it was none. */
bool add_said(struct request *r, struct span text);
/* The path in single quotes, unless a part of it is a secret. */
void add_quoted_path(struct request *r);
#define LEAKED_SECRET "it has travelled in a URL now, so change it"
/* " of app 'ID'" */
void add_app(struct request *r);

/* --- the request's head (api.c) --- */
/* Everything that can be read off the head without judging it: target, arguments of the route, the
 * pairs of the query. */
void read_target(struct request *r);
/* Takes room for all texts of this request; false: no memory. */
bool text_reserve(struct request *r);
/* One raw value as text; undecodable ones stay raw. Needs text_reserve. */
struct span text_of(struct request *r, struct span raw, enum reading reading);
/* The channel or user named by the path, decoded. */
struct span path_text(struct request *r, struct span segment);
/* The bits of a comma-separated info; unknown names are ignored. */
unsigned info_of(struct span list);
#endif
