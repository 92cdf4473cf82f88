/* SPDX-License-Identifier: MIT
 * tests/fuzz/fuzz_peer.c: any message of a client with fixed keys. The first octet chooses the
 * settings and who is signed in; the rest is the message, or where it does not begin with `{`,
 * what stands behind its first octet is channel_data and user_data that the back end signed. What
 * the peer asks for is complete, and every frame that a refusal leads to is a frame. */
#include "base/json_write.h"
#include "base/utf8.h"
#include "pusher/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hmac_key *secrets[1];
static volatile unsigned touched;

/* Reads each octet, so that ASan sees a span that points to nowhere. */
static void touch(struct span s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < s.n; i++) sum += (unsigned char)s.p[i];
    touched += sum;
}

static void check_frame(struct buf *out)
{
    CHECK(json_check(buf_span(out), EVENT_MAX_DEPTH, NULL, NULL));
    buf_clear(out);
}

static void check_refusal(const struct peer_refusal *no)
{
    struct buf out = { 0 };
    CHECK(no->code || no->type);
    CHECK(no->text.n > 0 && !no->close);
    event_error(&out, no->channel, no->code, no->error_text.p ? no->error_text : no->text);
    check_frame(&out);
    if (no->type) {
        CHECK(no->channel.p);
        event_subscription_error(&out, no->channel, span_str(no->type), no->text, no->status);
        check_frame(&out);
    }
    touch(no->detail);
    buf_fini(&out);
}

static void check_member(const struct event_member *m)
{
    struct buf out = { 0 };
    CHECK(m->id.n > 0 && utf8_valid(m->id) && utf8_count(m->id) <= 128);
    event_member_added(&out, SPAN("presence-x"), m);
    check_frame(&out);
    struct event_snapshot s = event_snapshot_begin(&out, SPAN("presence-x"), 1);
    event_snapshot_id(&s, m);
    event_snapshot_middle(&s);
    event_snapshot_info(&s, m);
    event_snapshot_end(&s);
    check_frame(&out);
    buf_fini(&out);
}

static void check_client_event(const struct peer_action *a)
{
    struct buf out = { 0 };
    struct event_out ev = { .name_raw = a->event_raw,
                            .channel = a->channel,
                            .data_raw = a->data_raw };
    CHECK(span_starts(a->event_raw, SPAN("\"")));
    event_channel(&out, &ev, NULL);
    check_frame(&out);
    buf_fini(&out);
}

static void check_action(const struct peer_action *a)
{
    switch (a->ask) {
    case PEER_ASK_NOTHING:
    case PEER_ASK_PONG:
        break;
    case PEER_ASK_SUBSCRIBE:
        CHECK(a->channel.n > 0);
        if (a->kind.type == CHAN_PRESENCE) check_member(&a->member);
        break;
    case PEER_ASK_UNSUBSCRIBE:
        CHECK(a->channel.p);
        touch(a->channel);
        break;
    case PEER_ASK_SIGNIN:
        check_member(&a->user);
        touch(a->user_data);
        touch(a->watchlist.raw);
        break;
    case PEER_ASK_CLIENT_EVENT:
        check_client_event(a);
        if (a->unfit) check_refusal(&a->refusal);
        break;
    case PEER_ASK_REFUSE:
        check_refusal(&a->refusal);
        break;
    }
}

static const struct span socket_id = SPAN("1234.5678");

/* The message stands in memory of its own, so that ASan sees a read outside. */
static void hear(const struct peer_rules *rules, const struct peer_user *user, struct span message)
{
    struct buf text = { 0 }, scratch = { 0 };
    struct peer_action action;
    buf_add_span(&text, message);
    peer_on_message(UINT64_C(1234) << 32 | 5678, rules, user, buf_span(&text), &scratch, &action);
    check_action(&action);
    buf_fini(&text);
    buf_fini(&scratch);
}

static void hear_signed(const struct peer_rules *rules, const struct peer_user *user,
                        struct span said)
{
    struct buf auth = { 0 }, text = { 0 };
    auth_sign_channel(&rules->keys, socket_id, SPAN("presence-x"), said, &auth);
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"presence-x\"");
    json_key(&text, SPAN("auth"));
    json_string(&text, buf_span(&auth));
    json_key(&text, SPAN("channel_data"));
    json_string(&text, said);
    BUF_ADD_LIT(&text, "}}");
    hear(rules, user, buf_span(&text));
    buf_clear(&auth);
    buf_clear(&text);
    auth_sign_user(&rules->keys, socket_id, said, &auth);
    BUF_ADD_LIT(&text, "{\"event\":\"pusher:signin\",\"data\":{\"auth\":");
    json_string(&text, buf_span(&auth));
    json_key(&text, SPAN("user_data"));
    json_string(&text, said);
    BUF_ADD_LIT(&text, "}}");
    hear(rules, user, buf_span(&text));
    buf_fini(&auth);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (!secrets[0]) secrets[0] = hmac_key_new(SPAN("app-secret"));
    CHECK(secrets[0]);
    uint8_t how = data[0];
    struct peer_rules rules = {
        .keys = { SPAN("app-key"), secrets, 1 },
        .names = { .limit = how & 1 ? 20 : 200, .strict = how & 2 },
        .event_name_limit = how & 4 ? 12 : 0,
        .message_limit = how & 8 ? 20 : 0,
        .member_info_limit = how & 16 ? 20 : 2048,
        .client_events = !(how & 32),
        .client_events_public = how & 64,
        .app_id = SPAN("app-id"),
    };
    struct peer_user user = { 0 };
    if (how & 128) user = (struct peer_user) { SPAN("42"), SPAN("\"42\""), SPAN("{}") };
    struct span message = span_of(data + 1, size - 1);
    if (message.n == 0 || message.p[0] == '{')
        hear(&rules, &user, message);
    else if (utf8_valid(span_skip(message, 1)))
        hear_signed(&rules, &user, span_skip(message, 1));
    return 0;
}
