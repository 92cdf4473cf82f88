/* SPDX-License-Identifier: MIT
 *
 * The explainer, by a table of staged mistakes: each row is a fact and what is known beside it, and
 * what the explanation has to say first. A row may say more than its first hint, never less.
 */
#include "base/json_read.h"
#include "unit/test.h"
#include "watch/event.h"
#include "watch/explain.h"
#include "watch/show.h"

#define SOCKET (UINT64_C(1) << 32 | 2) /* "1.2" */
#define AT_MS 100000

static const struct known_channel apps[] = {
    { SPAN("shop"), 0 },
    { SPAN("blog"), 3 },
    { SPAN("forum"), 0 },
};
static const struct known_channel channels[] = {
    { SPAN("news"), 9 },
    { SPAN("presence-room"), 2 },
    { SPAN("private-encrypted-vault"), 1 },
    { SPAN("private-orders.7"), 14 },
};
static const struct known_name names[] = {
    { SPAN("App\\\\Events\\\\OrderShipped"), 40 },
    { SPAN("order.paid"), 12 },
    { SPAN("OrderShipped"), 1 },
    { SPAN("order.payd"), 1 },
};

/* What happened, as short as it can be said. */
struct staged {
    const char *mistake;
    enum fact_kind kind;
    enum fact_source source;
    enum fact_cause cause;
    const char *app, *channel, *event, *why;
    uint16_t status, code;
    uint32_t n_subs, delivered, excluded, n_later, n_now;
    uint64_t exclude, occupied_ms, vacated_ms;
    struct known_socket excluded_socket, viewer;
    const char *key_of;
    const char *related_channel, *related_why; /* a refusal or cut of 2 s later */
    enum fact_kind related;
    bool cached, other_app;
    /* what must be said: */
    const char *verdict, *summary, *hint, *words, *at;
};

#define OPEN_IN(name, sub, late)                                                                   \
    {                                                                                              \
        .id = SOCKET, .state = SOCKET_OPEN, .app = SPAN(name), .subscribed = (sub),                \
        .later = (late)                                                                            \
    }
#define NOBODY .verdict = "nobody", .at = "matched"
#define REFUSED .kind = FACT_PUBLISH_REFUSED, .verdict = "refused"

static const struct staged table[] = {
    { "nobody is there at all", .channel = "lonely", NOBODY,
      .summary = "Nobody was subscribed to lonely." },
    { "public instead of private", .channel = "orders.7", NOBODY, .hint = "other-kind",
      .words = "private-orders.7 has 14 subscriptions" },
    { "private instead of presence", .channel = "private-room", NOBODY, .hint = "other-kind",
      .words = "presence-room has 2 subscriptions" },
    { "private instead of encrypted", .channel = "private-vault", NOBODY, .hint = "other-kind",
      .words = "private-encrypted-vault has 1 subscription:" },
    { "a letter is wrong", .channel = "private-order.7", NOBODY, .hint = "near-channel",
      .words = "private-orders.7, with 14" },
    { "the letters' case is wrong", .channel = "News", NOBODY, .hint = "near-channel",
      .words = "Upper and lower case are different" },
    { "published to another app than the clients'", .channel = "lonely", .other_app = true, NOBODY,
      .hint = "other-app", .words = "The app blog has 3 subscriptions" },
    { "sent before anybody had subscribed", .channel = "lonely", .n_now = 1, .n_later = 1,
      .occupied_ms = AT_MS + 1300, NOBODY, .hint = "before-subscribe",
      .words = "the first 1300 ms later" },
    { "the last one has just left", .channel = "lonely", .vacated_ms = AT_MS - 300, NOBODY,
      .hint = "left-before", .words = "1.2, left 300 ms before the event" },
    { "the subscription was refused", .channel = "private-x", .related = FACT_SUBSCRIBE_REFUSED,
      .related_channel = "private-x", .related_why = "The connection is unauthorized.", NOBODY,
      .hint = "subscribe-refused", .words = "The connection is unauthorized." },
    { "the client could not connect", .channel = "lonely", .related = FACT_CONNECT_REFUSED,
      .related_why = "Origin not allowed: https://x is not in allowed_origins", NOBODY,
      .hint = "connect-refused", .words = "allowed_origins" },
    { "the user is not signed in", .channel = "#server-to-user-7", .source = FACT_SOURCE_USER,
      NOBODY, .hint = "user-offline", .words = "pusher.signin()",
      .summary = "No connection was signed in as user 7." },
    { "nobody yet, but the channel keeps it", .channel = "cache-x", .cached = true,
      .verdict = "cached", .at = "", .hint = "cached", .words = "cache_ttl_s" },
    { "toOthers() with only oneself there", .channel = "news", .n_subs = 1, .excluded = 1,
      .exclude = SOCKET, .excluded_socket = OPEN_IN("shop", true, false), .verdict = "excluded",
      .at = "delivered", .hint = "excluded-only", .words = "1.2 was the only subscription" },
    { "the excluded socket_id is of an earlier connection", .channel = "news", .n_subs = 2,
      .delivered = 2, .exclude = SOCKET,
      .excluded_socket = { .id = SOCKET,
                           .state = SOCKET_ENDED,
                           .app = SPAN("shop"),
                           .ended_ms = AT_MS - 10 },
      .verdict = "delivered", .at = "", .hint = "excluded-ended", .words = "after a reconnect" },
    { "the excluded socket_id is unknown", .channel = "news", .n_subs = 2, .delivered = 2,
      .exclude = SOCKET, .excluded_socket = { .id = SOCKET }, .verdict = "delivered", .at = "",
      .hint = "excluded-unknown", .words = "1.2, which no connection has" },
    { "the excluded socket_id belongs to another app", .channel = "news", .n_subs = 1,
      .delivered = 1, .exclude = SOCKET, .excluded_socket = OPEN_IN("blog", false, false),
      .verdict = "delivered", .at = "", .hint = "excluded-elsewhere", .words = "the app blog" },
    { "the excluded socket_id is not on the channel", .channel = "news", .n_subs = 1,
      .delivered = 1, .exclude = SOCKET, .excluded_socket = OPEN_IN("shop", false, false),
      .verdict = "delivered", .at = "", .hint = "excluded-elsewhere",
      .words = "not subscribed to the channel" },
    { "a subscriber was too slow", .channel = "news", .n_subs = 2, .delivered = 2,
      .related = FACT_CUT, .related_channel = "other\nnews", .related_why = "far over the limit",
      .verdict = "delivered", .at = "", .hint = "slow",
      .words = "1 subscriber of the channel was" },
    { "the class name is missing its namespace", .channel = "news", .n_subs = 1, .delivered = 1,
      .event = "OrderShipped", .verdict = "delivered", .at = "", .hint = "namespace",
      .words = "were sent App\\Events\\OrderShipped 40 times" },
    { "a leading dot in broadcastAs()", .channel = "news", .n_subs = 1, .delivered = 1,
      .event = ".order.paid", .verdict = "delivered", .at = "", .hint = "leading-dot",
      .words = "without the dot" },
    { "a letter of the event's name is wrong", .channel = "news", .n_subs = 1, .delivered = 1,
      .event = "order.payd", .verdict = "delivered", .at = "", .hint = "event-name",
      .words = "similar name order.paid 12 times" },
    { "all is well, so the page listens for another name", .channel = "news", .n_subs = 1,
      .delivered = 1, .event = "App\\\\Events\\\\Order\\\\Paid", .verdict = "delivered", .at = "",
      .hint = "listen-name", .words = "listen('Order.Paid')" },
    { "and the same for a name of one's own", .channel = "news", .n_subs = 1, .delivered = 1,
      .event = "order.paid", .verdict = "delivered", .at = "", .hint = "listen-name",
      .words = "listen('.order.paid')" },
    { "encrypted, with other master keys", .channel = "private-encrypted-vault", .n_subs = 1,
      .delivered = 1, .event = "e", .verdict = "delivered", .at = "", .hint = "encrypted",
      .words = "master keys differ" },
    { "an app that is not there", REFUSED, .cause = CAUSE_UNKNOWN_APP, .app = "shpo", .status = 404,
      .why = "There is no app with the id 'shpo'.", .at = "app", .hint = "unknown-app",
      .words = "The app shop is there" },
    { "the key where the id should be", REFUSED, .cause = CAUSE_UNKNOWN_APP, .app = "shop-key",
      .key_of = "shop", .status = 404, .why = "…", .at = "app", .hint = "unknown-app",
      .words = "the id and the key are mixed up" },
    { "an app that is disabled", REFUSED, .cause = CAUSE_DISABLED_APP, .status = 403, .why = "…",
      .at = "app", .hint = "app-disabled", .words = "enabled is false" },
    { "another app's key", REFUSED, .cause = CAUSE_KEY, .status = 401, .why = "…",
      .at = "signature", .hint = "wrong-key", .words = "PUSHER_APP_KEY" },
    { "the wrong secret", REFUSED, .cause = CAUSE_SIGNATURE, .status = 401,
      .why = "auth_signature does not match.", .at = "signature", .hint = "signature",
      .words = "secret", .summary = "Refused with 401: auth_signature does not match." },
    { "a clock that is wrong", REFUSED, .cause = CAUSE_CLOCK, .status = 401, .why = "…",
      .at = "signature", .hint = "clock", .words = "NTP" },
    { "a body that was changed on its way", REFUSED, .cause = CAUSE_BODY_MD5, .status = 401,
      .why = "…", .at = "signature", .hint = "body-md5", .words = "proxy" },
    { "too much data", REFUSED, .cause = CAUSE_TOO_BIG, .status = 413, .why = "…", .at = "valid",
      .hint = "too-big", .words = "limits.message_bytes" },
    { "a channel with a space in its name", REFUSED, .cause = CAUSE_BAD_CHANNEL, .status = 400,
      .channel = "my orders", .why = "…", .at = "valid", .hint = "bad-channel",
      .words = "strict_channel_names" },
    { "an event of the protocol's own", REFUSED, .cause = CAUSE_BAD_EVENT, .status = 400,
      .why = "…", .at = "valid", .hint = "bad-event", .words = "pusher:" },
    { "no JSON", REFUSED, .cause = CAUSE_BAD_DATA, .status = 400, .why = "…", .at = "valid",
      .hint = "bad-json", .words = "UTF-8" },
    { "more than the app may publish", REFUSED, .cause = CAUSE_RATE, .status = 429, .why = "…",
      .at = "valid", .hint = "rate", .words = "limits.publishes_per_second" },
    { "a path that a proxy has changed", REFUSED, .cause = CAUSE_ROUTE, .status = 404, .why = "…",
      .at = "received", .hint = "route", .words = "path_prefix" },
    { "more than the workers can do", REFUSED, .cause = CAUSE_OVERLOAD, .status = 503, .why = "…",
      .at = "valid", .hint = "overload", .words = "limits.mailbox_bytes" },
    { "a client event without a subscription", .kind = FACT_CLIENT_EVENT_REFUSED,
      .cause = CAUSE_NOT_MEMBER, .code = 4009, .why = "…", .verdict = "refused", .at = "valid",
      .hint = "not-member", .words = "subscription_succeeded",
      .summary = "Refused with code 4009: …" },
    { "client events are off", .kind = FACT_CLIENT_EVENT_REFUSED, .cause = CAUSE_CLIENT_EVENTS_OFF,
      .code = 4301, .why = "…", .verdict = "refused", .at = "valid", .hint = "client-events-off",
      .words = "client_events=members" },
    { "too many client events", .kind = FACT_CLIENT_EVENT_REFUSED, .cause = CAUSE_RATE,
      .code = 4301, .why = "…", .verdict = "refused", .at = "valid", .hint = "rate",
      .words = "limits.client_events_per_second" },
    { "a subscription that is signed wrongly", .kind = FACT_SUBSCRIBE_REFUSED,
      .cause = CAUSE_SIGNATURE, .channel = "private-x", .status = 401, .why = "…",
      .verdict = "refused", .at = "signature", .hint = "signature", .words = "/broadcasting/auth" },
    { "a client with a key that is none", .kind = FACT_CONNECT_REFUSED, .app = "shop",
      .cause = CAUSE_UNKNOWN_APP, .key_of = "shop", .code = 4001, .why = "…", .verdict = "refused",
      .at = "app", .hint = "unknown-app", .words = "the id of app shop" },
    { "a connection that was cut", .kind = FACT_CUT, .cause = CAUSE_SLOW, .channel = "news",
      .why = "far over the limit", .verdict = "cut", .at = "valid", .hint = "slow",
      .words = "limits.pending_bytes" },
    { "one asks for a socket that is on no such channel", .channel = "news", .n_subs = 1,
      .delivered = 1, .viewer = OPEN_IN("shop", false, false), .verdict = "delivered", .at = "",
      .hint = "socket-not-subscribed", .words = "1.2 is not subscribed" },
    { "one asks for a socket that came later", .channel = "news", .n_subs = 1, .delivered = 1,
      .viewer = OPEN_IN("shop", true, true), .verdict = "delivered", .at = "",
      .hint = "socket-later", .words = "subscribed after the event" },
    { "one asks for a socket that got it", .channel = "news", .n_subs = 1, .delivered = 1,
      .viewer = OPEN_IN("shop", true, false), .verdict = "delivered", .at = "",
      .hint = "socket-reached", .words = "1.2 was subscribed when the event came, and got it" },
    { "one asks for the socket that sent it", .channel = "news", .n_subs = 2, .delivered = 1,
      .excluded = 1, .exclude = SOCKET, .viewer = OPEN_IN("shop", true, false),
      .excluded_socket = OPEN_IN("shop", true, false), .verdict = "delivered", .at = "",
      .hint = "socket-excluded", .words = "asked not to get it" },
    { "one asks for a socket that had gone", .channel = "news", .n_subs = 1, .delivered = 1,
      .viewer = { .id = SOCKET,
                  .state = SOCKET_ENDED,
                  .app = SPAN("shop"),
                  .ended_ms = AT_MS - 5000,
                  .code = 4201 },
      .verdict = "delivered", .at = "", .hint = "socket-absent",
      .words = "ended 5 s before the event, with code 4201" },
};

/* What of the hint's texts the row wants. */
static const struct explain_hint *find_hint(const struct explanation *ex, const char *code)
{
    for (size_t i = 0; i < ex->n_hints; i++)
        if (strcmp(ex->hints[i].code, code) == 0) return &ex->hints[i];
    return NULL;
}

static const char *failed_step(const struct explanation *ex)
{
    for (size_t i = 0; i < ex->n_steps; i++)
        if (!ex->steps[i].ok) return ex->steps[i].step;
    return "";
}

static bool holds(struct span text, const char *words)
{
    return text.n && memmem(text.p, text.n, words, strlen(words));
}

static void check_hint(const struct staged *s, const struct explanation *ex)
{
    const struct explain_hint *hint = find_hint(ex, s->hint);
    if (!hint) {
        fail_msg("%s: no hint %s", s->mistake, s->hint);
        return; /* never: for who reads it without knowing that */
    }
    if (hint != &ex->hints[0])
        fail_msg("%s: first hint is %s: %.*s", s->mistake, ex->hints[0].code,
                 SPAN_FMT(buf_span(&ex->hints[0].text)));
    if (!holds(buf_span(&hint->text), s->words))
        fail_msg("%s: hint says %.*s", s->mistake, SPAN_FMT(buf_span(&hint->text)));
}

static void check_json(const struct staged *s, const struct known *k, const struct explanation *ex)
{
    const struct show_clock clock = { .mono_ms = AT_MS + 1, .unix_ms = 1700000000000 };
    const struct show_parts parts = { .clock = &clock };
    struct buf json = { 0 };
    show_explanation(k, ex, &parts, &json);
    if (!json_check(buf_span(&json), 8, NULL, NULL))
        fail_msg("%s: %.*s", s->mistake, SPAN_FMT(buf_span(&json)));
    buf_fini(&json);
}

static void check_row(const struct staged *s, const struct known *k)
{
    struct explanation ex;
    explain(k, &ex);
    if (strcmp(explain_verdict_name(ex.verdict), s->verdict) != 0)
        fail_msg("%s: verdict %s", s->mistake, explain_verdict_name(ex.verdict));
    if (strcmp(failed_step(&ex), s->at) != 0)
        fail_msg("%s: failed at '%s'", s->mistake, failed_step(&ex));
    if (s->summary && !span_eq(buf_span(&ex.summary), span_str(s->summary)))
        fail_msg("%s: %.*s", s->mistake, SPAN_FMT(buf_span(&ex.summary)));
    if (s->hint) check_hint(s, &ex);
    check_json(s, k, &ex);
    explanation_fini(&ex);
}

static void add_note(struct facts *facts, const struct staged *s, const struct fact **fact)
{
    struct buf event = { 0 };
    buf_add_fmt(&event, "\"%s\"", s->event ? s->event : "some.thing");
    struct fact_note note = {
        .fact = { .at_ms = AT_MS,
                  .of = 1,
                  .exclude = s->exclude,
                  .n_subs = s->n_subs,
                  .n_workers = s->n_subs > 0,
                  .status = s->status,
                  .code = s->code,
                  .kind = (uint8_t)s->kind,
                  .source =
                      s->kind == FACT_PUBLISH && !s->source ? FACT_SOURCE_API : (uint8_t)s->source,
                  .cause = (uint8_t)s->cause,
                  .cached = s->cached },
        .app = span_str(s->app ? s->app : "shop"),
        .channel = span_str(s->channel ? s->channel : "news"),
        .event_raw = buf_span(&event),
        .why = span_str(s->why ? s->why : ""),
    };
    *fact = facts_find(facts, facts_add(facts, &note, s->kind == FACT_PUBLISH && s->n_subs));
    buf_fini(&event);
}

static void check_staged(const struct staged *s)
{
    struct facts *facts;
    assert_int_equal(facts_new(&facts, 0, 1), ERR_OK);
    const struct fact *fact = NULL, *related = NULL;
    add_note(facts, s, &fact);
    if (s->related_why) {
        struct fact_note note = { .fact = { .at_ms = AT_MS + 2000, .kind = (uint8_t)s->related },
                                  .app = SPAN("shop"),
                                  .channel = span_str(s->related_channel ? s->related_channel : ""),
                                  .why = span_str(s->related_why) };
        related = facts_find(facts, facts_add(facts, &note, false));
    }
    struct known_channel our_apps[3];
    memcpy(our_apps, apps, sizeof apps);
    if (!s->other_app) our_apps[1].n_subs = 0;
    const struct known k = {
        .fact = fact,
        .tally = { s->delivered, s->excluded, 0, s->n_subs > 0 },
        .app = fact_app(fact),
        .app_known = s->cause != CAUSE_UNKNOWN_APP,
        .key_of = span_str(s->key_of),
        .apps = our_apps,
        .n_apps = ARRAY_LEN(our_apps),
        .channels = channels,
        .n_channels = ARRAY_LEN(channels),
        .names = names,
        .n_names = ARRAY_LEN(names),
        .related = &related,
        .n_related = related != NULL,
        .excluded = s->excluded_socket,
        .viewer = s->viewer,
        .n_now = s->n_now,
        .n_later = s->n_later,
        .occupied_ms = s->occupied_ms,
        .vacated = { .at_ms = s->vacated_ms, .socket_id = SOCKET },
    };
    check_row(s, &k);
    facts_free(facts);
}

static void each_staged_mistake_is_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) check_staged(&table[i]);
}

static void what_workers_have_not_told_yet_is_under_way(void **state)
{
    (void)state;
    struct facts *facts;
    assert_int_equal(facts_new(&facts, 0, 2), ERR_OK);
    const struct fact_note note = { .fact = { .n_subs = 3, .n_workers = 2 },
                                    .app = SPAN("shop"),
                                    .channel = SPAN("news") };
    const struct fact *f = facts_find(facts, facts_add(facts, &note, true));
    struct known_tally tally = { .delivered = 1, .n_workers = 1 };
    struct buf text = { 0 };
    assert_int_equal(explain_summary(f, &tally, &text), EXPLAIN_UNDER_WAY);
    assert_span(buf_span(&text),
                "3 subscriptions matched; 1 of 2 workers have handed it out so far.");
    tally = (struct known_tally) { .delivered = 2, .n_workers = 2 };
    buf_clear(&text);
    assert_int_equal(explain_summary(f, &tally, &text), EXPLAIN_PARTLY);
    assert_span(buf_span(&text), "Delivered to 2 of 3 subscriptions; 1 left meanwhile.");
    buf_fini(&text);
    facts_free(facts);
}

static void a_fact_is_written_with_all_members_of_the_contract(void **state)
{
    (void)state;
    struct facts *facts;
    assert_int_equal(facts_new(&facts, 0, 1), ERR_OK);
    const struct fact_note note = {
        .fact = { .at_ms = AT_MS,
                  .of = 1,
                  .exclude = SOCKET,
                  .n_subs = 1,
                  .n_workers = 1,
                  .status = 200,
                  .data_bytes = 4,
                  .source = FACT_SOURCE_API },
        .app = SPAN("shop"),
        .channel = SPAN("news"),
        .event_raw = SPAN("\"a\\\"b\""),
    };
    const struct fact *f = facts_find(facts, facts_add(facts, &note, true));
    const struct known_tally tally = { .delivered = 1, .n_workers = 1 };
    const struct show_clock clock = { .mono_ms = AT_MS + 5, .unix_ms = 1700000000005 };
    struct buf out = { 0 };
    show_fact(f, &tally, &clock, &out);
    assert_span(buf_span(&out),
                "{\"id\":\"0-1\",\"time\":1700000000000,\"kind\":\"publish\",\"source\":\"api\","
                "\"app\":\"shop\",\"channel\":\"news\",\"event\":\"a\\\"b\",\"data_bytes\":4,"
                "\"socket_id\":null,\"exclude\":\"1.2\",\"request\":\"0-1\",\"of\":1,"
                "\"status\":200,\"code\":null,\"why\":null,\"shortened\":false,"
                "\"subscriptions\":1,\"workers\":1,\"delivered\":1,\"excluded\":0,\"later\":0,"
                "\"done\":true,\"verdict\":\"delivered\","
                "\"summary\":\"Delivered to 1 of 1 subscription.\"}");
    buf_fini(&out);
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_staged_mistake_is_recognised),
        cmocka_unit_test(what_workers_have_not_told_yet_is_under_way),
        cmocka_unit_test(a_fact_is_written_with_all_members_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
