/* SPDX-License-Identifier: MIT
 *
 * watch/hint_refused.c: what to do about a refusal: a table of causes. What was measured stands in
 * the refusal's own sentence; a hint says what usually causes it and which knob it is.
 */
#include "base/near.h"
#include "watch/explain_priv.h"

static const struct {
    const char *step; /* that it failed at */
    const char *code, *text;
} causes[CAUSE_N] = {
    [CAUSE_NONE] = { "valid", NULL, NULL },
    [CAUSE_OTHER] = { "valid", NULL, NULL },
    [CAUSE_ROUTE] = { "received", "route",
                      "The HTTP API is at /apps/ID/events. A proxy that adds or strips a path "
                      "needs path_prefix; one that passes /app and not /apps lets clients connect "
                      "and back ends fail." },
    [CAUSE_UNKNOWN_APP] = { "app", "unknown-app", NULL }, /* hint_unknown_app */
    [CAUSE_DISABLED_APP] = { "app", "app-disabled",
                             "The app's option enabled is false; true brings it back (reload)." },
    [CAUSE_ORIGIN] = { "app", "origin",
                       "Add the page's origin to allowed_origins of the app, as the sentence "
                       "says." },
    [CAUSE_AUTH] = { "signature", "signature",
                     "The query needs auth_key, auth_timestamp, auth_version=1.0 and "
                     "auth_signature. Does a proxy or a rewrite rule drop the query?" },
    [CAUSE_KEY] = { "signature", "wrong-key",
                    "auth_key must be the key of the app whose id stands in the path: id, key and "
                    "secret belong together. Compare PUSHER_APP_ID, PUSHER_APP_KEY and "
                    "PUSHER_APP_SECRET with `peal config show`." },
    [CAUSE_CLOCK] = { "signature", "clock",
                      "The clocks of back end and server differ by more than "
                      "auth_timestamp_window_s: set them by NTP (timedatectl), or look for a "
                      "request that waited in a queue or was sent again." },
    [CAUSE_SIGNATURE] = { "signature", "signature",
                          "The app's secret differs between back end and server, or something on "
                          "the way changed the path or the query. `peal sign` says which: give it "
                          "the URL as it was sent." },
    [CAUSE_BODY_MD5] = { "signature", "body-md5",
                         "The body that arrived is not the one that was signed: a proxy or a "
                         "middleware has changed it (compression, re-encoded JSON), or the "
                         "signature was made before the body was complete." },
    [CAUSE_TOO_BIG] = { "valid", "too-big",
                        "Send less (an id by which clients fetch the rest), or raise "
                        "limits.message_bytes of the app. In Laravel, broadcastWith() says what "
                        "goes into the event; whole models are the usual cause." },
    [CAUSE_BAD_DATA] = { "valid", "bad-json",
                         "The body must be one JSON object with name, data (a string; JSON in it "
                         "is the client's business) and channels, encoded as UTF-8." },
    [CAUSE_BAD_CHANNEL] = { "valid", "bad-channel",
                            "Names of channels may have A-Z a-z 0-9 _ - = @ , . ; and at most "
                            "limits.channel_name characters. Spaces, slashes and colons are the "
                            "usual mistakes; strict_channel_names=false allows any printable "
                            "character." },
    [CAUSE_BAD_EVENT] = { "valid", "bad-event",
                          "An event's name must not begin with pusher: or pusher_internal:, must "
                          "not be empty, and may have limits.event_name characters." },
    [CAUSE_RATE] = { "valid", "rate",
                     "The app's limits.publishes_per_second is used up: gather events in batches, "
                     "or raise it." },
    [CAUSE_OVERLOAD] = { "valid", "overload",
                         "Workers have more to hand out than they can (limits.mailbox_bytes): more "
                         "workers, or fewer subscribers for each event. The request may be sent "
                         "again." },
    [CAUSE_NO_MEMORY] = { "valid", "overload",
                          "The server was out of memory; the request may be sent again." },
    [CAUSE_NOT_MEMBER] = { "valid", "not-member",
                           "A client event needs a subscription to its channel that has succeeded: "
                           "bind to pusher:subscription_succeeded and send after it." },
    [CAUSE_CLIENT_EVENTS_OFF] = { "valid", "client-events-off",
                                  "Client events are allowed by the app's client_events=members, "
                                  "on private and presence channels; on public ones by "
                                  "client_events_on_public_channels=true." },
    [CAUSE_LIMIT] = { "valid", "limit",
                      "The option that the sentence names is the knob; 0 means no limit." },
    [CAUSE_SLOW] = { "valid", "slow",
                     "The client did not take what was sent to it (limits.pending_bytes): a page "
                     "in the background, a phone that sleeps, a thin line, or far too many events. "
                     "It was told 4100, so that it fetches its state anew when it comes back." },
};

/* Where it means something else for what a client sent. */
static const struct {
    enum fact_kind kind;
    enum fact_cause cause;
    const char *code, *text;
} of_clients[] = {
    { FACT_SUBSCRIBE_REFUSED, CAUSE_SIGNATURE, "signature",
      "The back end's /broadcasting/auth must sign with the secret of this very app, for this "
      "socket_id: an old socket_id after a reconnect, a cached .env (php artisan config:clear) or "
      "another app's secret are the usual causes." },
    { FACT_CLIENT_EVENT_REFUSED, CAUSE_TOO_BIG, "client-event",
      "The client event's name or data was too long (limits.event_name, limits.message_bytes)." },
    { FACT_CLIENT_EVENT_REFUSED, CAUSE_RATE, "rate",
      "Clients may send limits.client_events_per_second client events each; send fewer (whisper "
      "typing once a second), or raise it for the app." },
};

const char *cause_step(enum fact_cause cause)
{
    return causes[cause].step;
}

/* The app's id in the request is none, or the key of a connection. */
static void hint_unknown_app(const struct known *k, struct explanation *ex)
{
    struct buf *text = &hint_add(ex, "unknown-app")->text;
    bool key = k->fact->kind == FACT_CONNECT_REFUSED;
    struct near near = { .word = k->app };
    for (size_t i = 0; i < k->n_apps; i++) near_try(&near, k->apps[i].name);
    buf_add_fmt(text, "No app has the %s %.*s.", key ? "key" : "id", SPAN_FMT(shown_name(k->app)));
    if (k->key_of.p)
        buf_add_fmt(text, " It is the %s of app %.*s: the id and the key are mixed up.",
                    key ? "id" : "key", SPAN_FMT(shown(k->key_of)));
    else if (near.best.n && !key)
        buf_add_fmt(text,
                    " The app %.*s is there: is PUSHER_APP_ID (or REVERB_APP_ID) right in the .env "
                    "of the back end?",
                    SPAN_FMT(shown(near.best)));
    else
        BUF_ADD_LIT(text, " `peal config show` lists the apps of this server; the .env that was "
                          "used may be that of another one.");
}

void hint_refused(const struct known *k, struct explanation *ex)
{
    enum fact_cause cause = (enum fact_cause)k->fact->cause;
    if (k->fact->kind == FACT_PUBLISH) return;
    if (cause == CAUSE_UNKNOWN_APP) {
        hint_unknown_app(k, ex);
        return;
    }
    const char *code = causes[cause].code, *text = causes[cause].text;
    for (size_t i = 0; i < sizeof of_clients / sizeof of_clients[0]; i++) {
        if (of_clients[i].kind != (enum fact_kind)k->fact->kind || of_clients[i].cause != cause)
            continue;
        code = of_clients[i].code;
        text = of_clients[i].text;
    }
    if (code) buf_add_span(&hint_add(ex, code)->text, span_str(text));
}
