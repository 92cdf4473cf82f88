/* SPDX-License-Identifier: MIT
 *
 * api/api_show.c: what a back end may ask about channels, people and connections (protocol page
 * 4.4, 4.5, 4.6 and 4.9).
 *
 * Answered from the directory, which knows the counts of all workers. Answers are JSON objects
 * also where they are empty, since PHP 7's library insists on it.
 */
#include "api/api_priv.h"
#include "base/json_write.h"

static void add_number(struct buf *json, struct span key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

/* --- /channels --- */

static void write_listed(struct buf *json, const struct dir_listed *chan, unsigned info)
{
    json_key(json, chan->name);
    json_open(json, '{');
    json_key(json, SPAN("occupied"));
    json_bool(json, true);
    add_number(json, SPAN("subscription_count"), chan->n_subs);
    if (chan->kind.type == CHAN_PRESENCE && (info & INFO_USERS))
        add_number(json, SPAN("user_count"), chan->n_users);
    json_close(json, '}');
}

void show_channels(struct request *r)
{
    struct buf *json = &r->api->json;
    struct dir_list list;
    struct span prefix = query_text(r, SPAN("filter_by_prefix"));
    unsigned info = info_of(query_text(r, SPAN("info")));
    if (dir_list(hub_directory(r->api->set.hub), r->app, prefix, &list)) {
        answer_no_memory(r);
        return;
    }
    json_open(json, '{');
    json_key(json, SPAN("channels"));
    json_open(json, '{');
    for (size_t i = 0; i < list.n; i++)
        if (list.items[i].kind.type != CHAN_USER) write_listed(json, &list.items[i], info);
    json_close(json, '}');
    json_close(json, '}');
    dir_list_fini(&list);
    answer_json(r);
}

/* --- /channels/{name} --- */

static void write_cache(struct buf *json, const struct dir_facts *facts)
{
    json_key(json, SPAN("cache"));
    if (!facts->cached) {
        json_null(json);
        return;
    }
    struct span data = span_skip(msg_text(facts->cached), facts->data_at);
    json_open(json, '{');
    json_key(json, SPAN("data"));
    json_raw(json, span_head(data, facts->data_n));
    json_key(json, SPAN("ttl"));
    if (facts->ttl_ms == DEADLINE_NEVER)
        json_null(json);
    else
        json_u64(json, (facts->ttl_ms + 999) / 1000);
    json_close(json, '}');
}

/* Counts are of occupied channels only (protocol page 4.5); an event is kept without them, too. */
static void write_facts(struct buf *json, const struct dir_facts *facts, struct chan_kind kind,
                        unsigned info)
{
    bool occupied = facts->n_subs > 0;
    json_open(json, '{');
    json_key(json, SPAN("occupied"));
    json_bool(json, occupied);
    if (!occupied) info &= INFO_CACHE;
    if ((info & INFO_USERS) && kind.type == CHAN_PRESENCE)
        add_number(json, SPAN("user_count"), facts->n_users);
    if ((info & INFO_SUBS) && kind.type != CHAN_PRESENCE)
        add_number(json, SPAN("subscription_count"), facts->n_subs);
    if ((info & INFO_CACHE) && kind.cache) write_cache(json, facts);
    json_close(json, '}');
}

/* Begins with `sentence`, as other servers say it, then names the channel. */
static void refuse_kind(struct request *r, struct span sentence, struct span name)
{
    struct buf *words = &r->api->words;
    buf_add_span(words, sentence);
    BUF_ADD_LIT(words, " The channel ");
    add_quoted(words, name);
    add_app(r);
    BUF_ADD_LIT(words, " is none: presence channels begin with presence-.");
    answer_error(r, 400);
}

void show_channel(struct request *r)
{
    struct span name = path_text(r, r->args.name);
    struct chan_kind kind = chan_kind_of(name);
    unsigned info = info_of(query_text(r, SPAN("info")));
    if ((info & INFO_USERS) && kind.type != CHAN_PRESENCE) {
        refuse_kind(r,
                    SPAN("Cannot retrieve the user count unless the channel is a presence "
                         "channel."),
                    name);
        return;
    }
    struct hub *hub = r->api->set.hub;
    struct dir_facts facts;
    dir_facts(hub_directory(hub), r->app, name, hub_now_ms(hub), &facts);
    write_facts(&r->api->json, &facts, kind, info);
    msg_unref(facts.cached);
    answer_json(r);
}

/* --- /channels/{name}/users --- */

static void write_user(struct buf *json, const struct member *m, bool with_info)
{
    struct event_member who = member_view(m);
    json_open(json, '{');
    json_key(json, SPAN("id"));
    json_string(json, who.id);
    if (with_info) {
        json_key(json, SPAN("user_info"));
        json_raw(json, who.info_raw.n ? who.info_raw : SPAN("null"));
    }
    json_close(json, '}');
}

void show_users(struct request *r)
{
    struct buf *json = &r->api->json;
    struct span name = path_text(r, r->args.name);
    if (chan_kind_of(name).type != CHAN_PRESENCE) {
        refuse_kind(r, SPAN("The channel must be a presence channel."), name);
        return;
    }
    bool with_info = span_eq(query_text(r, SPAN("with_user_info")), SPAN("1"));
    struct roster_view *view = dir_roster(hub_directory(r->api->set.hub), r->app, name);
    json_open(json, '{');
    json_key(json, SPAN("users"));
    json_open(json, '[');
    for (uint32_t i = 0; view && i < view->n_members; i++)
        write_user(json, roster_view_at(view, i), with_info);
    json_close(json, ']');
    json_close(json, '}');
    roster_view_unref(view);
    answer_json(r);
}

/* --- /connections --- */

void show_connections(struct request *r)
{
    struct buf *json = &r->api->json;
    json_open(json, '{');
    add_number(json, SPAN("connections"),
               atomic_load_explicit(&r->app->n_conns, memory_order_relaxed));
    json_close(json, '}');
    answer_json(r);
}
