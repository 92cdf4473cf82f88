/* SPDX-License-Identifier: MIT
 *
 * api/api_note.c: what is remembered of a publish that was refused (watch/fact.h), so that "my
 * event does not arrive" can be answered afterwards. Publishes that went through are remembered by
 * the hub.
 *
 * A request whose signature was wrong is not read further; the names in its body are only quoted.
 */
#include "api/api_priv.h"
#include "base/json_read.h"

static bool is_publish(const struct request *r)
{
    enum route route = (enum route)r->call->_route;
    if (route == ROUTE_EVENTS || route == ROUTE_BATCH || route == ROUTE_USER_EVENTS) return true;
    return route == ROUTE_NONE && http1_req_method(r->req) == HTTP1_POST;
}

static enum fact_cause cause_of_verdict(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_OK:
    case VERDICT_PREFLIGHT:
        return CAUSE_NONE;
    case VERDICT_NOMEM:
        return CAUSE_NO_MEMORY;
    case VERDICT_TARGET:
    case VERDICT_NO_ROUTE:
    case VERDICT_METHOD:
    case VERDICT_UPGRADE:
        return CAUSE_ROUTE;
    case VERDICT_NO_APP:
        return CAUSE_UNKNOWN_APP;
    case VERDICT_DISABLED:
        return CAUSE_DISABLED_APP;
    case VERDICT_PARAMS:
    case VERDICT_MISSING:
    case VERDICT_DOUBLED:
    case VERDICT_VERSION:
    case VERDICT_TIMESTAMP:
        return CAUSE_AUTH;
    case VERDICT_KEY:
        return CAUSE_KEY;
    case VERDICT_SKEW:
        return CAUSE_CLOCK;
    case VERDICT_SIGNATURE:
        return CAUSE_SIGNATURE;
    }
    UNREACHABLE();
}

static enum fact_cause cause_of(const struct request *r)
{
    enum fact_cause cause = cause_of_verdict((enum verdict)r->call->_verdict);
    if (cause) return cause;
    if (r->cause) return (enum fact_cause)r->cause;
    switch (r->answer.status) {
    case 413:
        return CAUSE_TOO_BIG;
    case 429:
        return CAUSE_RATE;
    case 503:
        return answer_is_no_memory(&r->answer) ? CAUSE_NO_MEMORY : CAUSE_OVERLOAD;
    default:
        return CAUSE_BAD_DATA;
    }
}

static enum fact_source source_of(const struct request *r)
{
    enum route route = (enum route)r->call->_route;
    if (route == ROUTE_BATCH) return FACT_SOURCE_BATCH;
    return route == ROUTE_USER_EVENTS ? FACT_SOURCE_USER : FACT_SOURCE_API;
}

/* What the body says that was to be published, where nothing has read it. Unchecked. */
static void quote_body(struct request *r, struct span *channel, struct span *name)
{
    struct json_val root, item = { .type = JSON_ABSENT };
    struct json_field fields[] = { { .name = "channel" },
                                   { .name = "channels" },
                                   { .name = "name" } };
    if (r->body.n == 0 || r->body.n > API_SMALL_BODY) return;
    if (!json_check(r->body, JSON_MAX_DEPTH / 2, &root, NULL) || root.type != JSON_OBJECT) return;
    if (json_fields(root, fields, ARRAY_LEN(fields))) return;
    struct json_iter it;
    if (fields[0].val.type == JSON_STRING) {
        item = fields[0].val;
    } else if (fields[1].val.type == JSON_ARRAY) {
        it = json_begin(fields[1].val);
        if (!json_next_item(&it, &item)) item.type = JSON_ABSENT;
    }
    if (item.type == JSON_STRING) *channel = json_inner(item);
    if (fields[2].val.type == JSON_STRING) *name = fields[2].val.raw;
}

/* Which event the refusal is about, as far as that is known. */
static void find_event(struct request *r, struct span *channel, struct span *name)
{
    const struct api *api = r->api;
    *channel = r->channel;
    *name = r->name;
    if (!channel->p && api->n_targets) *channel = api->targets[0].name;
    if (!name->p && api->n_events) *name = api->events[0].name_raw;
    if (!channel->p && !name->p) quote_body(r, channel, name);
}

void note_refusal(struct request *r)
{
    const struct api *api = r->api;
    struct span channel, name;
    if (!is_publish(r)) return;
    find_event(r, &channel, &name);
    bool known = r->call->app != NULL;
    struct fact_note note = {
        .fact = {
            .hash = known && channel.p ? dir_hash(r->call->app, channel) : 0,
            .of = 1,
            .data_bytes = (uint32_t)r->body.n,
            .status = r->answer.status,
            .kind = FACT_PUBLISH_REFUSED,
            .source = (uint8_t)source_of(r),
            .cause = (uint8_t)cause_of(r),
        },
        .app_text = r->args.app,
        .channel = channel,
        .event_raw = name,
        .why = answer_is_no_memory(&r->answer) ? SPAN("The server is out of memory.")
                                               : buf_span(&api->words),
    };
    if (known)
        note.app = app_lasting_id(r->call->app);
    else if (apps_have_secret(api->set.apps, note.app_text))
        note.app_text = SPAN("(a secret)");
    hub_note(api->set.hub, &note);
}
