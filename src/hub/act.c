/* SPDX-License-Identifier: MIT
 *
 * hub/act.c: carries out what a client's text asks for: the peer reads it (pusher/peer.h), the
 * functions here and in subscribe.c and signin.c do it.
 */
#include "hub/hub_priv.h"

/* Memory that a single large frame made the scratch grow to is given back. */
#define SCRATCH_KEEP 65536

void hub_conn_open(struct hub *hub, struct hub_conn *conn, struct app *app, uint64_t socket_id)
{
    *conn = (struct hub_conn) { .app = app, .socket_id = socket_id };
    char text[SOCKET_ID_MAX];
    struct span id = span_of(text, socket_id_write(socket_id, text));
    event_connection_established(hub_text_begin(hub, 160), id,
                                 (unsigned)app->s->activity_timeout_s);
    hub_text_send(hub, conn);
}

void hub_conn_close(struct hub *hub, struct hub_conn *conn)
{
    if (conn->closed) return;
    conn->closed = true;
    hub_unsubscribe_all(hub, conn);
    hub_signout(hub, conn);
}

static void count_refused(struct hub *hub, struct hub_conn *conn, const struct peer_refusal *r)
{
    stat_add(&hub->stats.refused, 1);
    if (hub->sink.refused) hub->sink.refused(conn, r);
    hub_note_refused(hub, conn, r);
}

void hub_refuse(struct hub *hub, struct hub_conn *conn, const struct peer_refusal *r)
{
    count_refused(hub, conn, r);
    if (r->type) {
        struct buf *out = hub_text_begin(hub, 256 + r->channel.n + r->text.n);
        event_subscription_error(out, r->channel, span_str(r->type), r->text, r->status);
        hub_text_send(hub, conn);
    }
    if (r->code == 0 || conn->closed) return;
    struct span text = r->error_text.p ? r->error_text : r->text;
    if (r->close || (r->signin && conn->app->s->signin_failure_closes)) {
        hub->sink.close(conn, r->code, text);
        return;
    }
    event_error(hub_text_begin(hub, 128 + r->channel.n + text.n), r->channel, r->code, text);
    hub_text_send(hub, conn);
}

static void refuse_event(struct hub *hub, struct hub_conn *conn, const struct peer_action *a,
                         enum peer_why why, struct span text)
{
    struct peer_refusal r = {
        .channel = a->channel,
        .event_raw = a->event_raw,
        .why = (uint8_t)why,
        .code = why == PEER_WHY_NOT_MEMBER ? 4009 : 4301,
        .text = text,
    };
    hub_refuse(hub, conn, &r);
}

static void refuse_rate(struct hub *hub, struct hub_conn *conn, const struct peer_action *a,
                        uint32_t rate)
{
    struct buf b = { 0 };
    buf_add_fmt(&b,
                "The rate limit for sending client events exceeded the quota: "
                "limits.client_events_per_second of app %.*s allows %u.",
                SPAN_FMT(conn->app->s->id), (unsigned)rate);
    refuse_event(hub, conn, a, PEER_WHY_RATE, buf_span(&b));
    buf_fini(&b);
}

static void relay_client_event(struct hub *hub, struct hub_conn *conn, const struct peer_action *a)
{
    const struct hub_sub *sub = sub_find(conn, a->channel);
    if (!sub) {
        refuse_event(hub, conn, a, PEER_WHY_NOT_MEMBER,
                     SPAN("The client is not a member of the specified channel."));
        return;
    }
    if (a->unfit) {
        hub_refuse(hub, conn, &a->refusal);
        return;
    }
    uint32_t rate = (uint32_t)conn->app->s->limits.client_events_per_second;
    if (!limit_take(&conn->client_event_rate, hub->now_ms, rate)) {
        refuse_rate(hub, conn, a, rate);
        return;
    }
    if (hub_overloaded(hub)) {
        refuse_event(hub, conn, a, PEER_WHY_OVERLOAD,
                     SPAN("The server is overloaded (limits.mailbox_bytes); try again."));
        return;
    }
    struct hub_publish publish = {
        .app = conn->app,
        .channel = a->channel,
        .kind = a->kind,
        .name_raw = a->event_raw,
        .data_raw = a->data_raw,
        .exclude = conn->socket_id,
        .sender = conn->socket_id,
        .from_client = true,
        .source = FACT_SOURCE_CLIENT,
    };
    if (sub->presence) publish.user_id = member_id(sub->presence->member);
    if (hub_publish(hub, &publish)) hub_no_memory(hub, conn);
}

void hub_on_text(struct hub *hub, struct hub_conn *conn, struct span text)
{
    if (conn->closed) return;
    if (!conn->app->internal) stat_add(&hub->stats.texts, 1);
    struct app_tally *tally = app_tally(conn->app, hub->worker);
    if (tally) {
        stat_add(&tally->websocket_messages, 1);
        stat_add(&tally->websocket_bytes, text.n);
    }
    struct peer_user user = signin_user(conn);
    struct peer_action action;
    peer_on_message(conn->socket_id, conn->app->rules, &user, text, &hub->scratch, &action);
    switch (action.ask) {
    case PEER_ASK_NOTHING:
        break;
    case PEER_ASK_PONG:
        event_pong(hub_text_begin(hub, 64));
        hub_text_send(hub, conn);
        break;
    case PEER_ASK_SUBSCRIBE:
        hub_subscribe(hub, conn, &action);
        break;
    case PEER_ASK_UNSUBSCRIBE:
        hub_unsubscribe(hub, conn, action.channel);
        break;
    case PEER_ASK_SIGNIN:
        hub_signin(hub, conn, &action);
        break;
    case PEER_ASK_CLIENT_EVENT:
        relay_client_event(hub, conn, &action);
        break;
    case PEER_ASK_REFUSE:
        hub_refuse(hub, conn, &action.refusal);
        break;
    }
    if (hub->scratch.cap > SCRATCH_KEEP) buf_fini(&hub->scratch);
}
