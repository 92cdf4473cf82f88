/* SPDX-License-Identifier: MIT
 *
 * api/api_query.c: the query of a request, taken apart once.
 *
 * A signed request asks for six parameters of its query and then signs all of them; so it is cut
 * into pairs when it is opened, and what is asked for is found among these. Most queries have
 * nothing encoded in them: that is seen once, and their texts are taken as they stand.
 */
#include "api/api_priv.h"

void query_open(struct request *r)
{
    struct query *q = &r->api->query;
    struct span raw = r->target.query;
    struct url_query it = url_query(raw);
    struct url_pair pair;
    q->n = 0;
    q->encoded = raw.n && memchr(raw.p, '%', raw.n);
    for (; url_query_next(&it, &pair); q->n++)
        if (q->n < ARRAY_LEN(q->pairs)) q->pairs[q->n] = pair;
}

size_t query_find(const struct request *r, struct span key, struct span *value)
{
    const struct query *q = &r->api->query;
    size_t n = q->n < ARRAY_LEN(q->pairs) ? q->n : ARRAY_LEN(q->pairs), found = 0;
    *value = (struct span) { NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        const struct url_pair *pair = &q->pairs[i];
        if (!(q->encoded ? url_eq(pair->key, URL_PLUS_LITERAL, key) : span_eq(pair->key, key)))
            continue;
        if (found++ == 0) *value = pair->value;
    }
    return found;
}

struct span query_value(struct request *r, struct span raw, enum reading reading)
{
    bool same = reading == READING_RAW || (reading == READING_DECODED && !r->api->query.encoded);
    return same ? raw : text_of(r, raw, reading);
}

struct span query_text(struct request *r, struct span key)
{
    struct span raw;
    query_find(r, key, &raw);
    return raw.p ? query_value(r, raw, (enum reading)r->call->_reading) : raw;
}
