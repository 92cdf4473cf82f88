/* SPDX-License-Identifier: MIT
 *
 * api/api_publish.c: events of back ends on their way into the hub, and the end of a user's
 * connections (protocol page 4.2, 4.3, 4.7, 4.8, 4.10).
 *
 * Order: all is valid, the workers can take more, the rate allows it, there is memory for the
 * answer; only then the first event is sent. What can fail from there on is memory alone.
 */
#include "api/api_priv.h"
#include "base/json_write.h"

#define HEAD_ROOM 704   /* of a response: its headers, and how far their room is overestimated */
#define COUNTS_ROOM 128 /* `{"user_count":…,"subscription_count":…}` */

/* Whether the workers can take more now. True, or a refusal is made. */
static bool allow_load(struct request *r)
{
    if (!hub_overloaded(r->api->set.hub)) return true;
    BUF_ADD_LIT(&r->api->words,
                "The server has too many messages waiting for delivery (more than "
                "limits.mailbox_bytes for one worker). Nothing was published; try again (request");
    add_app(r);
    BUF_ADD_LIT(&r->api->words, ").");
    answer_error(r, 503);
    r->answer.retry = true;
    return false;
}

/* One point for each channel. True, or a refusal is made. */
static bool allow_rate(struct request *r)
{
    struct rate *rate = &r->answer.rate;
    struct buf *words = &r->api->words;
    size_t points = r->api->n_targets;
    uint64_t limit = r->app->s->limits.publishes_per_second;
    rate->limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
    if (limit == 0) return true;
    uint32_t n = points < UINT32_MAX ? (uint32_t)points : UINT32_MAX;
    if (app_publish_take(r->app, hub_now_ms(r->api->set.hub), n, &rate->left)) return true;
    bool never = points > limit; /* so there is no use in trying again */
    if (never)
        buf_add_fmt(words,
                    "%zu channels at once are more than can ever be taken; send some at a "
                    "time. limits.publishes_per_second",
                    points);
    else
        buf_add_fmt(
            words,
            "Too many requests. This one publishes to %zu channels, %u of this second are left;"
            " limits.publishes_per_second",
            points, (unsigned)rate->left);
    add_app(r);
    buf_add_fmt(words, " allows %u.", (unsigned)rate->limit);
    answer_error(r, never ? 400 : 429);
    r->answer.retry = !never;
    r->cause = CAUSE_RATE;
    return false;
}

static bool wants_info(const struct api *api)
{
    for (size_t i = 0; i < api->n_events; i++)
        if (api->events[i].info) return true;
    return false;
}

/* Room for the answer, so that it cannot fail after something was sent. */
static bool reserve_answer(struct request *r, bool info)
{
    struct api *api = r->api;
    size_t room = 64;
    for (size_t i = 0; info && i < api->n_targets; i++)
        room += 6 * api->targets[i].name.n + COUNTS_ROOM;
    for (size_t i = 0; info && i < api->n_events; i++) room += COUNTS_ROOM;
    return buf_room(&api->json, room) && buf_room(r->out, room + HEAD_ROOM);
}

static enum fact_source source_of(const struct request *r)
{
    enum route route = (enum route)r->call->_route;
    if (route == ROUTE_BATCH) return FACT_SOURCE_BATCH;
    return route == ROUTE_USER_EVENTS ? FACT_SOURCE_USER : FACT_SOURCE_API;
}

static enum err send(struct request *r, const struct event *event)
{
    struct api *api = r->api;
    for (size_t i = 0; i < event->n_targets; i++) {
        struct target *target = &api->targets[event->first + i];
        struct hub_publish publish = {
            .app = r->app,
            .channel = target->name,
            .kind = target->kind,
            .name_raw = event->name_raw,
            .data_raw = event->data_raw,
            .exclude = event->exclude,
            .source = (uint8_t)source_of(r),
            .of = (uint32_t)api->n_targets,
            .request = r->first_fact,
        };
        enum err err = hub_publish(api->set.hub, &publish);
        if (err) return err;
        if (!r->first_fact) r->first_fact = publish.fact;
        target->n_subs = publish.n_subs;
        target->n_users = publish.n_users;
    }
    return ERR_OK;
}

/* Sends all events that were read. True, or a refusal is made. */
static bool send_all(struct request *r)
{
    struct api *api = r->api;
    if (!allow_load(r) || !allow_rate(r)) return false;
    bool ok = reserve_answer(r, wants_info(api));
    for (size_t i = 0; ok && i < api->n_events; i++) ok = send(r, &api->events[i]) == ERR_OK;
    if (!ok) answer_no_memory(r);
    return ok;
}

/* user_count is of presence channels, subscription_count of all others but those of a user. Where
 * nobody is, there is nothing to tell (protocol page 4.2). */
static void write_counts(struct buf *json, const struct target *target, unsigned info)
{
    bool occupied = target->n_subs > 0;
    bool presence = occupied && target->kind.type == CHAN_PRESENCE;
    bool counted = occupied && !presence && target->kind.type != CHAN_USER;
    json_open(json, '{');
    if (presence && (info & INFO_USERS)) {
        json_key(json, SPAN("user_count"));
        json_u64(json, target->n_users);
    }
    if (counted && (info & INFO_SUBS)) {
        json_key(json, SPAN("subscription_count"));
        json_u64(json, target->n_subs);
    }
    json_close(json, '}');
}

static void answer_channels(struct request *r)
{
    const struct api *api = r->api;
    const struct event *event = &api->events[0];
    struct buf *json = &r->api->json;
    if (!wants_info(api)) {
        answer_static(r, SPAN("{}"));
        return;
    }
    json_open(json, '{');
    json_key(json, SPAN("channels"));
    json_open(json, '{');
    for (size_t i = 0; i < event->n_targets; i++) {
        json_key(json, api->targets[i].name);
        write_counts(json, &api->targets[i], event->info);
    }
    json_close(json, '}');
    json_close(json, '}');
    answer_json(r);
}

void publish_event(struct request *r)
{
    if (read_event(r) && send_all(r)) answer_channels(r);
}

void publish_to_user(struct request *r)
{
    if (read_user_event(r) && send_all(r)) answer_channels(r);
}

/* Index-aligned with the batch; an event of several channels tells of its first. */
static void answer_batch(struct request *r)
{
    const struct api *api = r->api;
    struct buf *json = &r->api->json;
    if (!wants_info(api)) {
        answer_static(r, SPAN("{}"));
        return;
    }
    json_open(json, '{');
    json_key(json, SPAN("batch"));
    json_open(json, '[');
    for (size_t i = 0; i < api->n_events; i++)
        write_counts(json, &api->targets[api->events[i].first], api->events[i].info);
    json_close(json, ']');
    json_close(json, '}');
    answer_json(r);
}

void publish_batch(struct request *r)
{
    if (read_batch(r) && send_all(r)) answer_batch(r);
}

void terminate_user(struct request *r)
{
    struct span user_id = path_text(r, r->args.name);
    if (hub_terminate(r->api->set.hub, r->app, user_id) == ERR_OK)
        answer_static(r, SPAN("{}"));
    else
        answer_no_memory(r);
}
