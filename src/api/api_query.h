/* SPDX-License-Identifier: MIT
 *
 * api/api_query.h: the query of a request, cut into pairs once, and how its texts are meant.
 *
 * The pairs borrow from the request's head and are valid during one api_head or api_finish.
 */
#ifndef API_API_QUERY_H
#define API_API_QUERY_H
#include "http/url.h"
#include "pusher/auth.h"

struct request;

/* How the query's values were meant, as the signature has shown (protocol page 4.1, 7 and 8). */
enum reading {
    READING_DECODED, /* %XX decoded, '+' is itself */
    READING_FORM,    /* '+' is a space */
    READING_RAW,     /* as they stand */
    READING_N,
};

/* The parameters of a signature, in the order in which they are signed. */
enum param { PARAM_KEY, PARAM_TIMESTAMP, PARAM_VERSION, PARAM_MD5, PARAM_SIGNATURE, PARAM_N };
extern const struct span param_names[PARAM_N];

/* The query of a request, cut into pairs. */
struct query {
    size_t n;     /* how many it has; the first AUTH_MAX_PARAMS are kept */
    bool encoded; /* something in it is */
    struct url_pair pairs[AUTH_MAX_PARAMS];
    struct {
        unsigned n; /* how often the parameter is there */
        size_t at;  /* the first of them */
    } known[PARAM_N];
};

/* Cuts r->target.query into pairs, in api->query. */
void query_open(struct request *r);
/* The raw value of the first of the parameter; p == NULL when it is absent or has no '='. */
struct span query_known(const struct request *r, enum param param);
/* A raw key or value of the query as text; undecodable ones stay raw. Needs text_reserve. */
struct span query_value(struct request *r, struct span raw, enum reading reading);
/* The value of a parameter, read as the signature was made; p == NULL when absent. */
struct span query_text(struct request *r, struct span key);
#endif
