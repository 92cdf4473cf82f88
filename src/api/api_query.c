/* SPDX-License-Identifier: MIT
 *
 * api/api_query.c: the query of a request, taken apart once.
 *
 * A signed request asks for six parameters of its query and then signs all of them; so it is cut
 * into pairs when it is opened, and what is asked for is found among these. Most queries have
 * nothing encoded in them: that is seen once, and their texts are taken as they stand.
 */
#include "api/api_priv.h"

const struct span param_names[PARAM_N] = {
    SPAN("auth_key"), SPAN("auth_timestamp"), SPAN("auth_version"),
    SPAN("body_md5"), SPAN("auth_signature"),
};

static enum param param_of(struct span key, bool encoded)
{
    enum param param = PARAM_KEY;
    for (; param < PARAM_N; param++)
        if (encoded ? url_eq(key, URL_PLUS_LITERAL, param_names[param])
                    : span_eq(key, param_names[param]))
            break;
    return param;
}

void query_open(struct request *r)
{
    struct query *q = &r->api->query;
    struct span raw = r->target.query;
    struct url_query it = url_query(raw);
    struct url_pair pair;
    q->n = 0;
    q->encoded = raw.n && memchr(raw.p, '%', raw.n);
    memset(q->known, 0, sizeof q->known);
    for (; url_query_next(&it, &pair); q->n++) {
        if (q->n >= ARRAY_LEN(q->pairs)) continue; /* only counted */
        enum param param = param_of(pair.key, q->encoded);
        q->pairs[q->n] = pair;
        if (param < PARAM_N && q->known[param].n++ == 0) q->known[param].at = q->n;
    }
}

struct span query_known(const struct request *r, enum param param)
{
    const struct query *q = &r->api->query;
    if (!q->known[param].n) return (struct span) { NULL, 0 };
    return q->pairs[q->known[param].at].value;
}

struct span query_value(struct request *r, struct span raw, enum reading reading)
{
    bool same = reading == READING_RAW || (reading == READING_DECODED && !r->api->query.encoded);
    return same ? raw : text_of(r, raw, reading);
}

struct span query_text(struct request *r, struct span key)
{
    const struct query *q = &r->api->query;
    size_t n = q->n < ARRAY_LEN(q->pairs) ? q->n : ARRAY_LEN(q->pairs);
    for (size_t i = 0; i < n; i++) {
        struct span value = q->pairs[i].value;
        if (!url_eq(q->pairs[i].key, URL_PLUS_LITERAL, key)) continue;
        return value.p ? query_value(r, value, (enum reading)r->call->_reading) : value;
    }
    return (struct span) { NULL, 0 };
}
